using Scstd.Backends.Disk;
using Scstd.Configuration;
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
    private bool _isMade;

    /// <summary>Nobody has seen them yet.</summary>
    public IReadOnlyList<ServedDevice> Opened => _opened;

    /// <summary>The next that is to be done for the difference; null: the change can be made.</summary>
    public PreparationStep? Next(ConfigurationDifference difference, Serving serving)
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
        return null;
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

    private static ulong? BytesOf(DeviceSection section) => section.Blocks is { } blocks
        ? (ulong)UInt128.Min((UInt128)blocks * (uint)section.BlockBytes, ulong.MaxValue)
        : (ulong?)section.SizeBytes;
}

/// <summary>Something that may take its time.</summary>
/// <param name="Device">Whose store it may wait for; null: of none that is served.</param>
/// <param name="WaitsFor">In words.</param>
/// <param name="DoAsync">Does it, or is cancelled and has done nothing.</param>
internal sealed record PreparationStep(ServedDevice? Device, string WaitsFor, Func<CancellationToken, Task> DoAsync);
