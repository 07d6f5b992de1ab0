using Scstd.Backends.Disk;
using Scstd.Composition;
using Scstd.Scsi;

namespace Scstd.Tests.Composition;

public sealed class UnitLogTests
{
    private static readonly StoreFailure Lost = new(BlockRequestKind.Write, 4096, 8, 5,
        new SenseData(SenseKey.MediumError, AdditionalSense.WriteError), "iqn.2026-11.org.example:host,i,0x1");

    private readonly Events _events = new();
    private long _nowMs = 5_000;

    [Fact]
    public void A_failure_says_what_where_why_and_whose_it_was()
    {
        Log().Failed(Lost);
        string line = Assert.Single(_events.Lines);
        Assert.StartsWith("Error: Device disk: Write of 8 block(s) from 4096 failed: ", line);
        Assert.Contains("(errno 5); told iqn.2026-11.org.example:host,i,0x1: MediumError, 0Ch/", line);
    }

    [Fact]
    public void A_dying_disk_does_not_fill_the_log_and_is_counted()
    {
        UnitLog log = Log();
        for (int i = 0; i < 1_000; i++)
            log.Failed(Lost);
        Assert.Equal(UnitLog.MostFailuresPerSecond, _events.Lines.Count);
        _nowMs += 1_000;
        log.Failed(Lost);
        Assert.Contains("995 more failures of its store were not logged", _events.Lines[^2]);
    }

    [Fact]
    public void A_store_is_slow_while_any_reactor_finds_it_so()
    {
        UnitLog log = Log();
        log.SpeedChanged(true, 1_500_000);
        log.SpeedChanged(true, 1_600_000);
        log.SpeedChanged(false, 0);
        Assert.Contains("its store is slow, 1.5 s for a command", Assert.Single(_events.Lines));
        log.SpeedChanged(false, 0);
        Assert.Contains("quick again", _events.Lines[^1]);
    }

    [Fact]
    public void A_store_on_the_edge_is_told_once_in_a_while()
    {
        UnitLog log = Log();
        for (int i = 0; i < 100; i++)
            log.SpeedChanged(i % 2 == 0, 1);
        Assert.Equal(2, _events.Lines.Count);
        _nowMs += UnitLog.QuietMs;
        log.SpeedChanged(true, 1);
        Assert.Equal(3, _events.Lines.Count);
    }

    private UnitLog Log() => new("disk", _events.Log, () => _nowMs);
}
