namespace Scstd.Style.Tests;

/// <summary>Says in the test's own message which line of which file broke the rule.</summary>
public static class RuleAssert
{
    public static void Holds(IEnumerable<Violation> violations)
    {
        var found = violations.ToList();
        Assert.True(found.Count == 0, $"{found.Count} violations:\n" + string.Join('\n', found));
    }

    /// <summary>The self-test of a rule: given a sample that breaks it, it must say so, once, and where.</summary>
    public static void Bites(IEnumerable<Violation> violations, int line, string wordInMessage)
    {
        var violation = Assert.Single(violations);
        Assert.Equal(line, violation.Line);
        Assert.Contains(wordInMessage, violation.What, StringComparison.Ordinal);
    }
}
