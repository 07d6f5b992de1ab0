namespace Scstd.Style.Tests;

public sealed class TestRulesTests
{
    [Fact]
    public void Every_test_asserts_something() =>
        RuleAssert.Holds(TestRules.EveryTestAsserts([.. Repository.CSharp("tests")]));

    [Fact]
    public void Every_file_of_tests_holds_one() =>
        RuleAssert.Holds(Repository.CSharp("tests")
            .Where(file => file.Path.EndsWith("Tests.cs", StringComparison.Ordinal))
            .SelectMany(TestRules.EveryTestFileTests));

    [Fact]
    public void No_test_is_switched_off() =>
        RuleAssert.Holds(Repository.CSharp("tests").SelectMany(TestRules.NoTestIsSwitchedOff));

    [Fact]
    public void A_test_that_asserts_nothing_is_found() =>
        RuleAssert.Bites(
            TestRules.EveryTestAsserts([Sample("class T {\n[Fact] public void M() { Build(); } }")]), 2,
            "M asserts nothing");

    [Fact]
    public void A_test_may_assert_through_a_method_of_another_file() =>
        Assert.Empty(TestRules.EveryTestAsserts([
            Sample("class T { [Theory] public void M() => new Peer().Expect(1); }"),
            Sample("class Peer { public void Expect(int n) => Deeper(n); void Deeper(int n) => Assert.Equal(1, n); }"),
        ]));

    [Fact]
    public void A_property_test_asserts() =>
        Assert.Empty(TestRules.EveryTestAsserts([Sample("class T { [Fact] public void M() => Gen.Int.Sample(F); }")]));

    [Fact]
    public void A_file_without_tests_is_found() =>
        RuleAssert.Bites(TestRules.EveryTestFileTests(Sample("class T { public void M() => Assert.True(F()); }")), 0,
            "holds no test");

    [Fact]
    public void A_switched_off_test_is_found() =>
        RuleAssert.Bites(TestRules.NoTestIsSwitchedOff(
            Sample("class T {\n[Fact(Sk" + "ip = \"slow\")] public void M() => Assert.True(F()); }")), 2,
            "switched off");

    private static SourceFile Sample(string text) => new("SampleTests.cs", text);
}
