using System.Text.RegularExpressions;

namespace Scstd.Configuration;

/// <summary>What names look like.</summary>
internal static partial class Names
{
    /// <summary>RFC 7143 §4.2.7.1: at most 223 bytes.</summary>
    private const int MostTargetNameCharacters = 223;

    // Our choice: enough for a name that is typed by hand and shown in one line of a log.
    private const int MostNameCharacters = 64;

    private const string NamePattern = "^[A-Za-z0-9][A-Za-z0-9._-]*$";

    /// <summary>RFC 7143 §4.2.7.2 lets a name have any character that stringprep keeps; a target's keeps to those that
    /// every initiator's administrator can type: lower case letters, digits, '-', '.', ':' and '_'.</summary>
    private const string TargetPattern = "^(iqn\\.[0-9]{4}-(0[1-9]|1[0-2])\\.[a-z0-9]([a-z0-9.-]*[a-z0-9])?"
        + "(:[a-z0-9._:-]+)?"
        + "|eui\\.[0-9a-f]{16}|naa\\.([0-9a-f]{16}|[0-9a-f]{32}))$";

    public static readonly Rule<Word> Device = Simple("a device name (letters, digits, '.', '_' and '-')");

    /// <summary>Shorter, for its drives are called by it too.</summary>
    public static readonly Rule<Word> Library =
        Simple("a library name (letters, digits, '.', '_' and '-', at most 48 characters)", 48);

    public static readonly Rule<Word> Portal = Simple("a portal name (letters, digits, '.', '_' and '-')");

    public static readonly Rule<IReadOnlyList<Word>> Portals = new ListRule<Word>(Portal);

    public static readonly Rule<Word> Group = Simple("a group name (letters, digits, '.', '_' and '-')");

    public static readonly Rule<Word> Target = new NameRule(
        "an iSCSI name such as iqn.2026-11.com.example:disks (lower case, at most 223 characters)",
        MostTargetNameCharacters, IsTargetName, TargetPattern);

    public static bool IsTargetName(string text) =>
        text.Length <= MostTargetNameCharacters && TargetExpression().IsMatch(text);

    private static NameRule Simple(string expected, int mostCharacters = MostNameCharacters) =>
        new(expected, mostCharacters, text => NameExpression().IsMatch(text), NamePattern);

    [GeneratedRegex(NamePattern, RegexOptions.CultureInvariant)]
    private static partial Regex NameExpression();

    [GeneratedRegex(TargetPattern, RegexOptions.CultureInvariant)]
    private static partial Regex TargetExpression();
}
