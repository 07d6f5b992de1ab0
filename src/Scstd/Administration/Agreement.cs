using Scstd.Configuration;
using Scstd.Control;

namespace Scstd.Administration;

/// <summary>Whether the configuration file, as it is now, says what was changed at run time; and if not, which edit of
/// one value would make it say so. The file is not written here: the daemon need not be allowed to.</summary>
internal static class Agreement
{
    private static AgreementRecord ByHand(string path, string why) => new(path, false, null) { Why = why };

    /// <param name="path">The file; null: there is none.</param>
    /// <param name="find">The section that holds the value, if the file has it.</param>
    /// <param name="agrees">The section says the same.</param>
    /// <param name="place">Where its value stands.</param>
    /// <param name="written">How the new value is written.</param>
    public static AgreementRecord? Look<T>(
        string? path, Func<DaemonSection, T?> find, Func<T, bool> agrees, Func<T, SourcePosition?> place,
        string written)
        where T : Section
    {
        if (path is null)
            return null;
        ConfigurationFile file = ConfigurationFile.Read(path);
        if (!file.IsRight)
            return ByHand(path, file.Report().First());
        if (find(file.Daemon) is not { } section)
            return ByHand(path, "the file as it is now does not have it");
        if (agrees(section))
            return new AgreementRecord(path, true, null);
        if (place(section) is not { } position)
            return ByHand(path, $"{path}:{section.Position}: the value is not written there");
        return SourceText.ValueAt(File.ReadAllText(path), position) is { } old
            ? new AgreementRecord(path, false, new EditRecord(position.Line, position.Column, old, written))
            : ByHand(path, $"{path}:{position}: it is not written as one plain value on one line");
    }
}
