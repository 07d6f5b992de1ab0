using Scstd.Backends.Changer;
using Scstd.Backends.Tape;
using Scstd.Composition;
using Scstd.Configuration;

namespace Scstd.Libraries;

/// <summary>One of its drives.</summary>
/// <param name="Backend">Its device server.</param>
/// <param name="Unit">As others know it.</param>
/// <param name="Drive">As the robot knows it.</param>
internal sealed record ServedDrive(TapeBackend Backend, ServedUnit Unit, TapeDrive Drive);

/// <summary>A tape library of the configuration, open: its medium changer and its drives are units like others.
/// </summary>
internal sealed record ServedLibrary(
    LibrarySection Section, ChangerBackend Changer, ServedUnit ChangerUnit, IReadOnlyList<ServedDrive> Drives)
    : IDisposable
{
    public string Name => Section.Name.Text;

    public IEnumerable<ServedUnit> Units => [ChangerUnit, .. Drives.Select(drive => drive.Unit)];

    /// <summary>What drives have buffered is on their cartridges, which are closed. Nobody uses the units any more.
    /// </summary>
    public async Task EmptyDrivesAsync(TimeSpan patience)
    {
        Task[] emptied = [.. Drives.Select(EmptyAsync)];
        await Task.WhenAny(Task.WhenAll(emptied), Task.Delay(patience));
    }

    /// <summary>When no reactor runs any more.</summary>
    public void Dispose()
    {
        foreach (ServedDrive drive in Drives)
            drive.Backend.Dispose();
    }

    private static Task EmptyAsync(ServedDrive drive)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        drive.Drive.Remove(RemovalTerms.Always, removal =>
        {
            removal.Medium?.Dispose();
            done.SetResult();
        });
        return done.Task;
    }
}
