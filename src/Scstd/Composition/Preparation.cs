using Scstd.Backends.Disk;
using Scstd.Configuration;
using Scstd.Core;
using Serilog;

namespace Scstd.Composition;

/// <summary>
/// What one change of the configuration needs of single devices before it can be made: new ones are opened, and sizes
/// are changed. Each may wait for its store, and holds up no change of another device meanwhile. If the change is not
/// made in the end, all of it is taken back.
/// </summary>
/// <param name="open">Opens a device; throws <see cref="ServerStartException"/>.</param>
/// <param name="usersOf">Who keeps a device from becoming smaller; null: nobody.</param>
/// <param name="log">For what cannot be taken back.</param>
internal sealed class Preparation(
    Func<DeviceSection, ServedDevice> open, Func<ServedDevice, Task<string?>> usersOf, ILogger log) : IAsyncDisposable
{
    // Our choice: as long as a change waits when nobody says otherwise.
    private static readonly TimeSpan PatienceWithUndoing = TimeSpan.FromSeconds(10);

    private readonly Dictionary<string, ServedDevice> _turns = [];
    private readonly List<ServedDevice> _opened = [];
    private readonly List<(ServedDevice Device, ulong BytesBefore)> _resized = [];
    private readonly List<(ServedDevice Device, PortGroups? Before)> _regrouped = [];
    private bool _isMade;

    /// <summary>Nobody has seen them yet.</summary>
    public IReadOnlyList<ServedDevice> Opened => _opened;

    /// <summary>The next that is to be done for the difference; null: the change can be made.</summary>
    public PreparationStep? Next(ConfigurationDifference difference, Serving serving, Plan plan)
    {
        ServedDevice[] own =
        [
            .. difference.ResizedDevices.Concat(difference.RemovedDevices).Select(section => section.Name.Text)
                .Order(StringComparer.Ordinal).Select(name => serving.Devices[name]),
        ];
        if (own.FirstOrDefault(device => !_turns.ContainsKey(device.Name)) is { } next)
            return new PreparationStep(next, $"another change of device {next.Name}", token => TakeAsync(next, token));
        DeviceSection? added = difference.AddedDevices.FirstOrDefault(
            section => !_opened.Any(device => ReferenceEquals(device.Section, section)));
        if (added is not null)
        {
            return new PreparationStep(
                null, $"device {added.Name} to be opened", token => OpenAsync(added, token));
        }
        foreach (DeviceSection section in difference.ResizedDevices)
        {
            ServedDevice device = serving.Devices[section.Name.Text];
            if (!_resized.Any(one => one.Device.Name == device.Name))
            {
                return new PreparationStep(
                    device, $"the store of device {device.Name}", token => ResizeAsync(device, section, token));
            }
        }
        return Regrouping(serving, plan);
    }

    /// <summary>Before anybody can come in at a port that is new and not to be used: every unit has the target port
    /// groups of the plan.</summary>
    private PreparationStep? Regrouping(Serving serving, Plan plan)
    {
        (ServedDevice Device, PortGroups? Next)[] others =
        [
            .. serving.Devices.Values.Select(device => (Device: device, Next: plan.PortGroups(device.Name)))
                .Where(one => one.Next is null
                    ? one.Device.Unit.PortGroups is not null : !one.Next.IsSameAs(one.Device.Unit.PortGroups)),
        ];
        return others.Length == 0 ? null : new PreparationStep(
            others[0].Device, $"the stores of {others.Length} device(s) whose port groups change",
            token => RegroupAsync(others, token));
    }

    private async Task RegroupAsync(
        (ServedDevice Device, PortGroups? Next)[] others, CancellationToken cancellation)
    {
        (ServedDevice Device, PortGroups? Before)[] before =
            [.. others.Select(one => (one.Device, one.Device.Unit.PortGroups))];
        bool[] made = await Task.WhenAll(others.Select(one => RegroupAsync(one.Device, one.Next, cancellation)));
        _regrouped.AddRange(before.Where((_, i) => made[i]));
        cancellation.ThrowIfCancellationRequested();
    }

    private static async Task<bool> RegroupAsync(
        ServedDevice device, PortGroups? next, CancellationToken cancellation)
    {
        var ended = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        PendingChange change = device.Unit.ChangePortGroups(next, ended.SetResult);
        await using CancellationTokenRegistration registration = cancellation.Register(change.GiveUp);
        return await ended.Task;
    }

    /// <summary>What was prepared stays.</summary>
    public void Keep() => _isMade = true;

    public async ValueTask DisposeAsync()
    {
        if (!_isMade)
        {
            foreach (ServedDevice device in _opened)
                device.Disk.Discard();
            foreach ((ServedDevice device, ulong bytes) in _resized)
                await UndoAsync(device, bytes);
            await UndoGroupsAsync();
        }
        foreach (ServedDevice device in _turns.Values)
            device.Turn.Release();
    }

    private async Task TakeAsync(ServedDevice device, CancellationToken cancellation)
    {
        await device.Turn.WaitAsync(cancellation);
        _turns.Add(device.Name, device);
    }

    /// <summary>A file or a device may make the thread wait, as long as it likes.</summary>
    private async Task OpenAsync(DeviceSection section, CancellationToken cancellation)
    {
        Task<ServedDevice> opening = Task.Run(() => open(section), CancellationToken.None);
        try
        {
            _opened.Add(await opening.WaitAsync(cancellation));
        }
        catch (OperationCanceledException)
        {
            _ = opening.ContinueWith(
                late => late.Result.Disk.Discard(), CancellationToken.None,
                TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
            throw;
        }
        catch (Exception exception) when (ServerStartException.Explains(exception) is { } why)
        {
            throw new ChangeRefusedException([why], exception);
        }
    }

    private async Task ResizeAsync(ServedDevice device, DeviceSection section, CancellationToken cancellation)
    {
        ulong before = device.Disk.BlockCount * (uint)device.Disk.BlockLengthBytes;
        ulong? wanted = BytesOf(section);
        if (wanted < before && await usersOf(device) is { } users)
        {
            throw new ChangeRefusedException([$"device {device.Name}: {Units.FormatSize((long)wanted)} is less than "
                + $"the {Units.FormatSize((long)before)} that {users} have; --force takes the rest from them"]);
        }
        try
        {
            await device.Disk.ResizeAsync(device.Unit, wanted, cancellation);
            _resized.Add((device, before));
            log.Information("Device {Device:l}: {After} bytes, {Before} before", device.Name,
                device.Disk.BlockCount * (uint)device.Disk.BlockLengthBytes, before);
        }
        catch (StoreUnavailableException exception)
        {
            throw new ChangeRefusedException([exception.Message], exception);
        }
    }

    private async Task UndoAsync(ServedDevice device, ulong bytes)
    {
        using var patience = new CancellationTokenSource(PatienceWithUndoing);
        try
        {
            await device.Disk.ResizeAsync(device.Unit, bytes, patience.Token);
        }
        catch (Exception exception) when (exception is StoreUnavailableException or OperationCanceledException)
        {
            log.Error("Device {Device:l} keeps its new size until the next reload or start: {Why:l}", device.Name,
                exception.Message);
        }
    }

    private async Task UndoGroupsAsync()
    {
        using var patience = new CancellationTokenSource(PatienceWithUndoing);
        bool[] made = await Task.WhenAll(
            _regrouped.Select(one => RegroupAsync(one.Device, one.Before, patience.Token)));
        foreach ((ServedDevice device, _) in _regrouped.Where((_, i) => !made[i]))
        {
            log.Error("Device {Device:l} keeps its new port groups until the next reload or start: its store is busy",
                device.Name);
        }
    }

    private static ulong? BytesOf(DeviceSection section) => section.Blocks is { } blocks
        ? (ulong)UInt128.Min((UInt128)blocks * (uint)section.BlockBytes, ulong.MaxValue)
        : (ulong?)section.SizeBytes;
}

/// <summary>Something that may take its time.</summary>
/// <param name="Device">Whose store it may wait for; null: of none that is served.</param>
/// <param name="WaitsFor">In words.</param>
/// <param name="DoAsync">Does it, or is cancelled and has done nothing.</param>
internal sealed record PreparationStep(ServedDevice? Device, string WaitsFor, Func<CancellationToken, Task> DoAsync);
