using Scstd.Backends.Disk;
using Scstd.Configuration;
using Scstd.Scsi;
using Serilog;

namespace Scstd.Composition;

/// <summary>
/// Looks at the room of thin disks, beside the reactors, because a file system may make whoever asks wait; tells every
/// initiator and the log when a threshold is reached (SBC-4 §4.7.3.7). One that hangs keeps nobody else from being
/// looked at.
/// </summary>
/// <param name="devices">What is served now.</param>
/// <param name="log">Where it is told.</param>
internal sealed class ThinWatch(Func<IReadOnlyList<ServedDevice>> devices, ILogger log) : IAsyncDisposable
{
    /// <summary>Our choice: a disk that fills at a gigabyte a second has taken five by then, and asking costs
    /// microseconds.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly HashSet<string> _underWay = [];
    private readonly HashSet<string> _failing = [];
    private readonly CancellationTokenSource _stopping = new();
    private Task _watching = Task.CompletedTask;

    public void Start() => _watching = WatchAsync();

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _watching;
        _stopping.Dispose();
    }

    /// <summary>Looks at each disk once; completes when those that answer have.</summary>
    public Task LookAsync() => Task.WhenAll(devices()
        .Where(device => device.Disk.Thin is not null && Begins(device.Name))
        .Select(device => Task.Run(() => Look(device, device.Disk.Thin!))));

    private async Task WatchAsync()
    {
        using var timer = new PeriodicTimer(Interval);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token))
                _ = LookAsync();
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
    }

    private bool Begins(string device)
    {
        lock (_lock)
            return _underWay.Add(device);
    }

    private void Look(ServedDevice device, ThinProvisioning thin)
    {
        try
        {
            foreach (ThinCrossing crossing in thin.Measure())
                Tell(device, thin.Space, crossing);
            lock (_lock)
                _failing.Remove(device.Name);
        }
        catch (IOException exception)
        {
            bool isNew;
            lock (_lock)
                isNew = _failing.Add(device.Name);
            if (isNew)
                log.Error("Device {Device:l}: its room cannot be measured: {Why:l}", device.Name, exception.Message);
        }
        finally
        {
            lock (_lock)
                _underWay.Remove(device.Name);
        }
    }

    private void Tell(ServedDevice device, StoreSpace space, ThinCrossing crossing)
    {
        string words = $"{Size(space.AvailableBytes)} left, {Size(space.UsedBytes)} used, threshold "
            + $"{Size(crossing.ThresholdBytes)} {(crossing.Resource == ThinResource.Available ? "left" : "used")}";
        if (!crossing.IsReached)
        {
            log.Information("Device {Device:l}: there is room again: {What:l}", device.Name, words);
            return;
        }
        log.Warning("Device {Device:l}: its thin provisioning threshold is reached: {What:l}", device.Name, words);
        device.Unit.Announce(AdditionalSense.ThinProvisioningSoftThresholdReached);
    }

    /// <summary>In whole mebibytes: as precise as anybody needs it.</summary>
    private static string Size(ulong bytes) => Units.FormatSize((long)(bytes >> 20) << 20);
}
