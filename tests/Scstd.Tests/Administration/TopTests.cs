using Scstctl;
using Scstd.Control;

namespace Scstd.Tests.Administration;

/// <summary>What scstctl makes of two looks at the daemon's counters.</summary>
public sealed class TopTests
{
    [Fact]
    public void Rates_are_what_was_counted_between_the_looks()
    {
        TopAnswer top = Top.Between(
            new Look([Unit("a", 100, 1_000, 0, [90, 10])], [Session(3, "here", 50, 10, 20, [40, 10])]),
            new Look([Unit("a", 300, 5_000, 2_000, [90, 208, 2])], [Session(3, "here", 60, 10, 40, [40, 19, 1])]),
            seconds: 2);
        Assert.Equal(new RateRecord("a", null, 100, 2_000, 1_000, 1, 2, 2, 4), Assert.Single(top.Units));
        Assert.Equal(new RateRecord("iqn.i", 3, 5, 0, 10, 2, 2, 4, 4), Assert.Single(top.Sessions));
    }

    [Fact]
    public void What_began_anew_counts_from_nothing_and_what_is_gone_is_not_told()
    {
        TopAnswer top = Top.Between(
            new Look([Unit("a", 100, 1_000, 0, [100]), Unit("gone", 1, 1, 1, [1])],
                [Session(3, "elsewhere", 50, 10, 20, [50])]),
            new Look([Unit("a", 10, 20, 30, [0, 10])], [Session(3, "here", 4, 8, 0, [4])]),
            seconds: 1);
        Assert.Equal(new RateRecord("a", null, 10, 20, 30, 1, 2, 2, 2), Assert.Single(top.Units));
        Assert.Equal(new RateRecord("iqn.i", 3, 4, 8, 0, 2, 1, 1, 1), Assert.Single(top.Sessions));
    }

    [Fact]
    public void Who_does_nothing_has_no_times_and_the_busiest_session_is_first()
    {
        var quiet = new Look(
            [Unit("a", 1, 1, 1, [1])], [Session(1, "x", 1, 1, 1, [1]), Session(2, "y", 1, 1, 1, [1])]);
        TopAnswer top = Top.Between(
            quiet, quiet with { Sessions = [quiet.Sessions[0], Session(2, "y", 9, 1, 1, [9])] }, seconds: 1);
        Assert.Equal(new RateRecord("a", null, 0, 0, 0, 1, null, null, null), Assert.Single(top.Units));
        Assert.Equal([2, 1], top.Sessions.Select(session => session.Session));
        using var text = new StringWriter();
        Top.Print(top, text, clears: false);
        Assert.Contains("INITIATOR", text.ToString());
        Assert.DoesNotContain('\u001b', text.ToString());
    }

    private static UnitRecord Unit(string name, ulong commands, ulong read, ulong written, ulong[] times) => new(
        name, "memory", 1, 512, "s", "3b", "ready", false, 0, 1, null, [],
        new UnitTotalsRecord(commands, read, written, times));

    private static SessionRecord Session(
        int id, string peer, ulong commands, ulong read, ulong written, ulong[] times) => new(
        id, "iqn.t", "iqn.i", null, "80", 1, peer, 0, "None", "None", 0, commands, read, written, 0,
        new SessionMomentRecord("Open", 1, null, 2, 128, [], times));
}
