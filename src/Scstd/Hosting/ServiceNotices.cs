using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Hosting.Systemd;
using Scstd.Administration;

namespace Scstd.Hosting;

/// <summary>sd_notify(3): systemd is told when a reload begins and when it is over, and shows what came of it.
/// </summary>
internal sealed class ServiceNotices(ISystemdNotifier? systemd = null) : IReloadNotices
{
    public void Reloading()
    {
        // CLOCK_MONOTONIC, by which systemd tells this reload from an earlier one's end (Type=notify-reload).
        long microseconds = Stopwatch.GetTimestamp() / (Stopwatch.Frequency / 1_000_000);
        Notify(string.Create(CultureInfo.InvariantCulture, $"RELOADING=1\nMONOTONIC_USEC={microseconds}"));
    }

    public void Reloaded(string outcome) => Notify($"READY=1\nSTATUS=Last reload at {DateTime.Now:s}: {outcome}");

    private void Notify(string state) => systemd?.Notify(new ServiceState(state));
}
