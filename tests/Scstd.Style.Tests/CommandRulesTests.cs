namespace Scstd.Style.Tests;

public sealed class CommandRulesTests
{
    private const string Row = "static class Sbc\n{\n    public static readonly CommandRow Read10 = new();\n}";

    [Fact]
    public void Every_command_row_has_its_test() =>
        RuleAssert.Holds(CommandRules.EveryRowHasItsTest(Repository.CSharp("src/Scstd.Scsi/Commands"),
            Repository.CSharp("tests").Where(file => !file.Path.Contains("Scstd.Style.Tests"))));

    [Fact]
    public void A_row_that_no_test_speaks_of_is_found() =>
        RuleAssert.Bites(Check("class Read16Tests { [Fact] public void Reads() => Assert.True(Works); }"), 3,
            "Sbc.Read10");

    [Fact]
    public void A_method_that_is_no_test_does_not_count() =>
        RuleAssert.Bites(Check("class Peer { public void Read_10() => Assert.True(Works); }"), 3, "Sbc.Read10");

    [Theory]
    [InlineData("class Read10Tests { [Fact] public void Reads() => Assert.True(Works); }")]
    [InlineData("class T { [Fact] public void Read_10_beyond_the_end_is_refused() => Assert.True(Works); }")]
    [InlineData("class T { [Theory] public void Law() => Assert.True(Sbc.Read10.Works); }")]
    public void A_row_with_a_test_is_good(string test) => Assert.Empty(Check(test));

    private static IEnumerable<Violation> Check(string test) =>
        CommandRules.EveryRowHasItsTest([new SourceFile("Sbc.cs", Row)], [new SourceFile("T.cs", test)]);
}
