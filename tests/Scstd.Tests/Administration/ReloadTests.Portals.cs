using System.Net;
using Scstd.Control;
using Scstd.Tests.Composition;

namespace Scstd.Tests.Administration;

/// <summary>Portals that come, go and move.</summary>
public sealed partial class ReloadTests
{
    [Fact]
    public async Task A_portal_that_is_taken_changes_nothing()
    {
        using var taken = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.InterNetwork,
            System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        ReloadAnswer answer = await Reload(Yaml
            .Replace("\"127.0.0.1:0\"}", $"\"127.0.0.1:0\", more: \"{taken.LocalEndPoint}\"}}")
            .Replace("example:two", "example:new"));
        Assert.False(answer.IsApplied);
        Assert.Equal($"{_folder.File("scstd.yaml")}:7:38: portal more, {taken.LocalEndPoint}: another program listens "
            + "there already", Assert.Single(answer.Reasons));
        Assert.Contains("iqn.2026-11.org.example:two", Targets());
        Assert.Single(_server.EndPoints);
    }

    /// <summary>0.0.0.0:N becomes 127.0.0.1:N and goes back, in one reload each.</summary>
    [Fact]
    public async Task A_portal_moves_to_an_address_that_overlaps_its_own()
    {
        int port = FreePort();
        await Applied(Yaml.Replace("127.0.0.1:0", $"0.0.0.0:{port}"));
        using RawInitiator inside = await RawInitiator.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port));
        foreach (string address in (string[])["127.0.0.1", "0.0.0.0"])
        {
            ReloadAnswer answer = await Applied(Yaml.Replace("127.0.0.1:0", $"{address}:{port}"));
            Assert.Equal(["portal here: address changed"], answer.Changes);
            Assert.Equal($"{address}:{port}", Assert.Single(_server.EndPoints).ToString());
            using RawInitiator initiator = await LogIn(One, port: port);
        }
        // Who came in before is still there.
        Assert.Equal(0, inside.LogIn("InitiatorName=iqn.2026-11.org.example:in", "SessionType=Normal",
            $"TargetName={One}"));
        using var another = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.InterNetwork,
            System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        Assert.Throws<System.Net.Sockets.SocketException>(
            () => another.Bind(new IPEndPoint(IPAddress.Loopback, port)));
    }

    [Fact]
    public async Task A_portal_that_would_move_stays_where_it_is_when_the_rest_fails()
    {
        int port = FreePort();
        await Applied(Yaml.Replace("127.0.0.1:0", $"0.0.0.0:{port}"));
        using var taken = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.InterNetwork,
            System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        ReloadAnswer answer = await Reload(Yaml
            .Replace("\"127.0.0.1:0\"}", $"\"127.0.0.1:{port}\", more: \"{taken.LocalEndPoint}\"}}"));
        Assert.False(answer.IsApplied);
        Assert.Equal($"0.0.0.0:{port}", Assert.Single(_server.EndPoints).ToString());
        using RawInitiator initiator = await LogIn(One, port: port);
    }

    [Fact]
    public async Task A_target_that_is_redirected_says_that_open_sessions_stay()
    {
        using RawInitiator initiator = await LogIn(One);
        ReloadAnswer answer = await Applied(Yaml.Replace("one: {luns: {0: a}}",
            "one: {luns: {0: a}, redirect: \"192.0.2.1:3260\"}"));
        Assert.Equal(
            [
                $"target {One}: redirect changed",
                $"target {One}: sessions that are open stay here; logins from now on are sent to 192.0.2.1:3260",
            ],
            answer.Changes);
        initiator.BecomeReady(0);
    }

    [Fact]
    public async Task A_portal_is_added_and_removed()
    {
        string more = Yaml.Replace("\"127.0.0.1:0\"}", "\"127.0.0.1:0\", more: \"[::1]:0\"}");
        Assert.Equal(["portal more: added"], (await Applied(more)).Changes);
        IPEndPoint added = _server.EndPoints[1];
        using (RawInitiator initiator = await RawInitiator.ConnectAsync(added))
            initiator.LogIn("InitiatorName=iqn.2026-11.org.example:host", "SessionType=Discovery");
        Assert.Equal(["portal more: removed"], (await Applied(Yaml)).Changes);
        Assert.Single(_server.EndPoints);
    }

    private static int FreePort()
    {
        using var probe = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.InterNetwork,
            System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)probe.LocalEndPoint!).Port;
    }
}
