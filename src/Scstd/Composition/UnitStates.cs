using System.Text;
using Scstd.Configuration;
using Scstd.Core;
using Scstd.Linux;
using Serilog;

namespace Scstd.Composition;

/// <summary>Where units keep what outlives the daemon: a file for each part of a unit's state, in one folder.</summary>
internal sealed class UnitStates : IDisposable
{
    /// <summary>Where a daemon keeps its state that systemd did not start; file-hierarchy(7).</summary>
    public const string UsualFolder = "/var/lib/scstd";

    /// <summary>For the key state_directory: nothing is kept.</summary>
    public const string None = "none";

    /// <summary>No device has this name: it has an '@' in another place.</summary>
    private const string Nexuses = "@nexuses";

    private readonly StateFolder _folder;
    private readonly ILogger _log;

    private UnitStates(StateFolder folder, ILogger log) => (_folder, _log) = (folder, log);

    /// <summary>Null: nothing is to be kept, or there is no place for it and none was asked for. Throws what
    /// <see cref="ServerStartException"/> explains.</summary>
    /// <param name="wanted">The configuration's state_directory.</param>
    /// <param name="folder">Where relative paths begin.</param>
    /// <param name="ofSystemd">$STATE_DIRECTORY of systemd.exec(5): paths with colons between.</param>
    public static UnitStates? Open(Word? wanted, string folder, string? ofSystemd, ILogger log)
    {
        if (wanted?.Text == None)
            return null;
        string? chosen = wanted?.Text is { } text ? Path.GetFullPath(text, folder) : ofSystemd?.Split(':')[0];
        if (!string.IsNullOrEmpty(chosen))
            return new UnitStates(StateFolder.Open(chosen), log);
        try
        {
            return new UnitStates(StateFolder.Open(UsualFolder), log);
        }
        catch (Exception exception) when (
            exception is IOException or UnauthorizedAccessException && !Directory.Exists(UsualFolder))
        {
            log.Warning("Nothing outlives this daemon, persistent reservations neither: {Why:l}", exception.Message);
            return null;
        }
    }

    /// <summary>Those of one unit. A device of the configuration that is replaced by another under its name does not
    /// find what its predecessor left: initiators know them apart by their identity, and so do the files.</summary>
    public UnitState Of(LogicalUnitIdentity identity) => Of(identity.Naa);

    public UnitState Of(byte[] naa) => new(_folder, $"naa.{Convert.ToHexStringLower(naa)}", _log);

    /// <summary>Who was logged in when the daemon last ended in order. Not worth a refusal to start: an initiator that
    /// is not known is told the general unit attention.</summary>
    public IReadOnlyList<string> LoadNexuses()
    {
        try
        {
            LoadedState? state = _folder.Load(Nexuses, problem => _log.Warning("{Problem:l}", problem));
            return state is null ? [] : Encoding.UTF8.GetString(state.Content).Split('\n');
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            _log.Warning("Who was logged in before is not known: {Why:l}", exception.Message);
            return [];
        }
    }

    /// <summary>At the end; when it returns it is done, or has failed, or has taken too long.</summary>
    public async Task SaveNexusesAsync(IReadOnlyList<string> nexuses, TimeSpan patience)
    {
        var done = new TaskCompletionSource<IOException?>(TaskCreationOptions.RunContinuationsAsynchronously);
        _folder.Save(Nexuses, Encoding.UTF8.GetBytes(string.Join('\n', nexuses)), done.SetResult);
        Task first = await Task.WhenAny(done.Task, Task.Delay(patience));
        if (first == done.Task && await done.Task is { } failure)
            _log.Warning("Who was logged in could not be saved: {Why:l}", failure.Message);
    }

    public void Dispose() => _folder.Dispose();
}

/// <summary>What one unit keeps.</summary>
/// <param name="folder">With that of others.</param>
/// <param name="owner">The unit's identity.</param>
/// <param name="log">For what an administrator must know.</param>
internal sealed class UnitState(StateFolder folder, string owner, ILogger log) : IUnitStateStore
{
    private bool _hasEarlierReservations;

    public byte[]? Load(string unitName, string part)
    {
        try
        {
            LoadedState? state = folder.Load(
                NameOf(unitName, part), problem => log.Error("Device {Device:l}: {Problem:l}", unitName, problem),
                owner);
            if (part == UnitStateParts.Reservations)
                _hasEarlierReservations = state is { IsOfBackup: true };
            return state?.Content;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new UnitStateException($"device {unitName}: {exception.Message}", exception);
        }
    }

    /// <summary>The unit is composed. If the last change of its reservations is lost, who was preempted by it is
    /// registered again: only the administrator can judge whether that host may write.</summary>
    public void TellWhatCameBack(LogicalUnit unit)
    {
        if (!_hasEarlierReservations)
            return;
        ReservationView view = unit.DescribeReservation();
        log.Warning(
            "Device {Device:l}: its registrations are those before the last change, {Reserved:l}; who was preempted by "
            + "that change has come back", unit.Name, view.Type is { } type ? $"reserved {type}" : "not reserved");
        foreach (RegistrantView one in view.Registrants)
        {
            log.Warning(
                "Device {Device:l}: registered: {Initiator:l} at port {Port} of {Target:l}, key 0x{Key:x16}{Holds:l}",
                unit.Name, one.Initiator, one.TargetPort, one.Target, one.Key,
                one.IsHolder ? ", holds the reservation" : "");
        }
    }

    public void Save(string unitName, string part, byte[]? content, IExecutor executor, Action<bool> saved)
    {
        folder.Save(NameOf(unitName, part), content, Ended, owner);

        void Ended(IOException? failure)
        {
            if (failure is { Message: var why })
                log.Error("Device {Device:l}: its {Part:l} could not be saved: {Why:l}", unitName, part, why);
            executor.Post(() => saved(failure is null));
        }
    }

    /// <summary>Names of devices are file names as they are, and without '@' (configuration: letters, digits, '.', '_'
    /// and '-', and they begin with none of the signs).</summary>
    private static string NameOf(string unitName, string part)
    {
        Invariant.That(unitName.AsSpan().IndexOfAny('/', '@') < 0 && unitName.Length is > 0 and <= 128 &&
            unitName[0] != '.', "a device's name is a file's name");
        return $"{unitName}@{part}";
    }
}
