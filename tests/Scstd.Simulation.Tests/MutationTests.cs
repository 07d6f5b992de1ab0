namespace Scstd.Simulation.Tests;

/// <summary>The planted bugs themselves are run by <c>Scstd.Simulation --mutations</c>; here only that the list is in
/// order, so that a change of the mid-layer says at once which of them it touches.</summary>
public sealed class MutationTests
{
    [Fact]
    public void Every_planted_bug_finds_its_place()
    {
        string top = new SourceTree().Top;
        Assert.All(MutationList.All, mutation =>
        {
            string source = File.ReadAllText(Path.Combine(top, mutation.File));
            Assert.NotEqual(source, mutation.Apply(source));
        });
    }

    [Fact]
    public void Planted_bugs_have_names_of_their_own()
    {
        Assert.True(MutationList.All.Count >= 20);
        Assert.Equal(MutationList.All.Count, MutationList.All.Select(mutation => mutation.Name).Distinct().Count());
    }

    [Theory]
    [InlineData("nothing here")]
    [InlineData("twice: here and here")]
    public void A_planted_bug_without_a_single_place_is_an_error(string source) =>
        Assert.Throws<InvalidOperationException>(
            () => new Mutation("a bug", "A.cs", source.Contains("twice") ? "here" : "there", "").Apply(source));

    [Fact]
    public void A_planted_bug_is_caught()
    {
        var run = new MutationRun(new SourceTree());
        Assert.NotNull(run.Violation(MutationList.All[0]));
    }
}
