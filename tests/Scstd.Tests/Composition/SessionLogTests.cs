using System.Net;
using Scstd.Composition;

namespace Scstd.Tests.Composition;

public sealed class SessionLogTests
{
    private static readonly IPEndPoint Peer = new(IPAddress.Loopback, 4711);
    private readonly Events _events = new();

    [Fact]
    public void A_crowd_does_not_fill_the_disk_and_is_counted()
    {
        long nowMs = 5_000;
        var log = new SessionLog(_events.Log, () => nowMs);
        for (int i = 0; i < 1_000; i++)
            log.ConnectionClosed(Peer, "crowd", "gone");
        Assert.Equal(SessionLog.MostEventsPerSecond, _events.Lines.Count);

        nowMs += 1_000;
        log.ConnectionClosed(Peer, "crowd", "gone");
        Assert.Equal(SessionLog.MostEventsPerSecond + 2, _events.Lines.Count);
        Assert.Contains("950 events of sessions were not logged", _events.Lines[^2]);
    }

    [Fact]
    public void An_event_says_who_what_and_why()
    {
        new SessionLog(_events.Log).LoginRefused(Peer, "iqn.2026-11.org.example:host", null,
            Frontends.Iscsi.Pdus.LoginStatus.AuthenticationFailure, "the response is wrong");
        Assert.Equal("Warning: 127.0.0.1:4711: login of iqn.2026-11.org.example:host to (discovery) refused, "
            + "AuthenticationFailure: the response is wrong ", Assert.Single(_events.Lines));
    }

    [Fact]
    public void A_redirection_is_no_warning_and_no_name_forges_a_line()
    {
        new SessionLog(_events.Log).LoginRefused(Peer, "iqn.2026-11.org.example:a\nforged", "iqn.2026-11.org.example:t",
            Frontends.Iscsi.Pdus.LoginStatus.TargetMovedTemporarily, "redirected to 192.0.2.1:3260");
        Assert.StartsWith("Information: 127.0.0.1:4711: login of iqn.2026-11.org.example:a?forged to ",
            Assert.Single(_events.Lines));
    }
}
