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

    /// <summary>Our choice: what does not hang has answered long before.</summary>
    private static readonly TimeSpan LastMoments = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Task> _underWay = [];
    private readonly HashSet<string> _failing = [];
    private readonly CancellationTokenSource _stopping = new();

    // Not disposed: the last change may still be made while the watch ends.
    private readonly SemaphoreSlim _changed = new(0);

    private Task _watching = Task.CompletedTask;

    public void Start() => _watching = WatchAsync();

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _watching;
        // Who is being told shall be; a file system that hangs is left to itself.
        await Task.WhenAny(Task.WhenAll(UnderWay()), Task.Delay(LastMoments));
        _stopping.Dispose();
    }

    /// <summary>Looks at each disk once, beginning from now; completes when those that it concerns are told.</summary>
    public async Task LookAsync()
    {
        await Task.WhenAll(UnderWay());
        Look();
        await Task.WhenAll(UnderWay());
    }

    /// <summary>Other devices are served now.</summary>
    public void DevicesChanged() => _changed.Release();

    /// <summary>Without a thin disk nothing ticks.</summary>
    private async Task WatchAsync()
    {
        try
        {
            long lookedAt = Environment.TickCount64;
            while (true)
            {
                // However often the devices change, they are looked at at this pace.
                TimeSpan left = Interval - TimeSpan.FromMilliseconds(Environment.TickCount64 - lookedAt);
                bool hasThin = devices().Any(device => device.Disk.Thin is not null);
                TimeSpan wait = !hasThin ? Timeout.InfiniteTimeSpan : left > TimeSpan.Zero ? left : TimeSpan.Zero;
                if (await _changed.WaitAsync(wait, _stopping.Token))
                    continue;
                lookedAt = Environment.TickCount64;
                Look();
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
    }

    private Task[] UnderWay()
    {
        lock (_lock)
            return [.. _underWay.Values];
    }

    /// <summary>At each disk that is not being looked at.</summary>
    private void Look()
    {
        foreach (ServedDevice device in devices())
        {
            if (device.Disk.Thin is not { } thin)
                continue;
            lock (_lock)
            {
                if (!_underWay.TryGetValue(device.Name, out Task? before) || before.IsCompleted)
                    _underWay[device.Name] = Task.Run(() => LookAsync(device, thin));
            }
        }
    }

    private async Task LookAsync(ServedDevice device, ThinProvisioning thin)
    {
        try
        {
            IReadOnlyList<ThinCrossing> crossings = thin.Measure();
            foreach (ThinCrossing crossing in _stopping.IsCancellationRequested ? [] : crossings)
                await TellAsync(device, thin.Space, crossing);
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
    }

    private Task TellAsync(ServedDevice device, StoreSpace space, ThinCrossing crossing)
    {
        string words = $"{Size(space.AvailableBytes)} left, {Size(space.UsedBytes)} used, threshold "
            + $"{Size(crossing.ThresholdBytes)} {(crossing.Resource == ThinResource.Available ? "left" : "used")}";
        if (!crossing.IsReached)
        {
            log.Information("Device {Device:l}: there is room again: {What:l}", device.Name, words);
            return Task.CompletedTask;
        }
        log.Warning("Device {Device:l}: its thin provisioning threshold is reached: {What:l}", device.Name, words);
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        device.Unit.Announce(AdditionalSense.ThinProvisioningSoftThresholdReached, told: told.SetResult);
        return told.Task;
    }

    /// <summary>In whole mebibytes: as precise as anybody needs it.</summary>
    private static string Size(ulong bytes) => Units.FormatSize((long)(bytes >> 20) << 20);
}
