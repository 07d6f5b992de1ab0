using CsCheck;
using Scstd.Configuration;

namespace Scstd.Tests.Configuration;

/// <summary>What is not YAML, or strange YAML, is told and harms nobody.</summary>
public sealed class YamlTests
{
    [Theory]
    [InlineData("memory: [1, 2", 8)]
    [InlineData("\tmemory: 1GiB", 8)]
    [InlineData("memory: 'x", 8)]
    [InlineData("memory: \"\\q\"", 8)]
    [InlineData("memory: *none", 8)]
    [InlineData("- a", 8)]
    [InlineData("[\t-'\n-*  0[%&{b?|b0`b-b'bt", 8)]
    public void What_is_not_YAML_is_told_with_its_line(string line, int number)
    {
        ConfigurationFile file = Reading.After(line);
        Assert.NotEmpty(file.Problems);
        Assert.InRange(file.Problems[0].Position.Line, number - 1, number + 1);
    }

    [Fact]
    public void What_stands_before_the_fault_is_still_read_and_what_is_missing_is_not_told()
    {
        ConfigurationFile file = Reading.Text("""
            limits: {connections: none}
            devices: {
            """);

        Assert.Equal(2, file.Problems.Count);
        Assert.Contains("expected a whole number", file.Problems[0].Message);
        Assert.Contains("not YAML from here", file.Problems[1].Message);
    }

    [Fact]
    public void A_second_document_is_told() =>
        Reading.OneProblem(Reading.After("---\nlog: {}"), "8:1", "expected one document; a second one begins here");

    [Fact]
    public void Depth_is_bounded() =>
        Assert.Contains(Reading.Text(string.Concat(Enumerable.Repeat("[", 100_000))).Problems,
            problem => problem.Message.Contains("nested more than 32 levels deep"));

    [Fact]
    public void An_anchor_that_grows_by_itself_costs_nothing()
    {
        string bomb = "a: &a0 [x]\n" + string.Concat(Enumerable.Range(1, 30)
            .Select(i => $"a{i}: &a{i} [{string.Join(",", Enumerable.Repeat($"*a{i - 1}", 10))}]\n"));
        Assert.NotEmpty(Reading.Text(bomb + "targets: *a30\nlog: *a30\nmemory: *a30\n").Problems);
    }

    [Fact]
    public void No_text_makes_the_reader_throw()
    {
        string[] known = Reading.Minimal.Split('\n');
        Gen<string> line = Gen.OneOf(
            Gen.String[Gen.Char["abct: -[]{}&*!#|>'\"%@`,\n\t0?"], 0, 60],
            Gen.Int[0, known.Length - 1].Select(index => known[index]));
        line.Array[0, 12].Sample(lines => Reading.Text(string.Join('\n', lines)).Problems.Count >= 0);
    }
}
