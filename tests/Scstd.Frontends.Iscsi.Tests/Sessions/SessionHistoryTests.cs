using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Frontends.Iscsi.Sessions;
using Scstd.Frontends.Iscsi.Tests.Connections;

namespace Scstd.Frontends.Iscsi.Tests.Sessions;

/// <summary>The last moves of a connection and its session, and why sessions ended.</summary>
public sealed class SessionHistoryTests
{
    [Fact]
    public void A_login_and_a_logout_are_told_move_by_move()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();
        Assert.Equal(
            [
                "connected", "login: login operational negotiation to full feature phase", "login accepted",
                "full feature phase, session 1",
            ],
            Open(world));
        initiator.SendLogout();
        initiator.Receive(Opcode.LogoutResponse);
        world.Run();
        EndedSession ended = Assert.Single(world.Registry.EndedSessions);
        Assert.Equal(("logged out", IscsiWorld.TargetName, 1), (ended.Why, ended.TargetName, ended.Tsih));
        Assert.Equal(
            [
                "logout: close session", "session ends: nothing new begins", "nexus ended: nothing of it can act",
                "logout answered: closed", "connection ends: logged out",
            ],
            Words(ended).Skip(4).Take(5));
        Assert.Equal("session ended", Words(ended)[^1]);
    }

    [Fact]
    public void A_function_is_told_with_its_tag_its_response_and_the_time_it_waited()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();
        world.Disk.Holds = true;
        initiator.Read(0, 1);
        uint tag = initiator.SendFunction(TaskManagementFunctionCode.LogicalUnitReset);
        world.Advance(300);
        Assert.Equal($"LOGICAL UNIT RESET received, tag {tag:X}h, LUN 0", Open(world)[^1]);
        world.Disk.Holds = false;
        world.Disk.LetGo();
        world.Run();
        Assert.Equal($"LOGICAL UNIT RESET answered, tag {tag:X}h: function complete after 300 ms", Open(world)[^1]);
        tag = initiator.SendFunction(TaskManagementFunctionCode.AbortTask, referenced: 0x4711);
        Assert.Equal($"ABORT TASK answered, tag {tag:X}h: task does not exist after 0 ms", Open(world)[^1]);
    }

    [Fact]
    public void A_function_that_waits_for_long_says_for_what()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();
        world.Disk.Holds = true;
        initiator.Read(0, 1);
        uint tag = initiator.SendFunction(TaskManagementFunctionCode.LogicalUnitReset);
        world.Advance(60_000);
        Assert.Contains(Open(world), move =>
            move.StartsWith($"LOGICAL UNIT RESET, tag {tag:X}h, waits since") && move.EndsWith("for disk"));
    }

    [Fact]
    public void A_reject_is_told_with_its_reason()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();
        // Expected data without a direction is an invalid field.
        uint tag = initiator.SendCommand(Cdbs.TestUnitReady, expected: 512);
        initiator.Receive(Opcode.Reject);
        Assert.Equal($"Reject sent: invalid pdu field; ScsiCommand, tag {tag:X}h", Open(world)[^1]);
    }

    [Fact]
    public void A_session_that_is_reinstated_says_so_and_the_new_one_that_it_came_after_another()
    {
        using var world = new IscsiWorld();
        world.LogIn();
        world.LogIn();
        EndedSession ended = Assert.Single(world.Registry.EndedSessions);
        Assert.Equal("the initiator port logged in anew", ended.Why);
        Assert.Contains("login accepted: the initiator port was here before, nothing of it may act", Open(world));
    }

    [Fact]
    public void Every_end_has_its_reason()
    {
        using var world = new IscsiWorld(options => options with
        {
            Timers = new TimerOptions { NopIntervalMs = 1_000, NopTimeoutMs = 1_000 },
        });
        world.LogIn().Peer.Reset();
        world.Run();
        Assert.Contains("reset", Why(world));
        Initiator silent = world.LogIn();
        world.Advance(10_000);
        Assert.Equal("no answer to a NOP-In", Why(world));
        Initiator broken = world.LogIn();
        // A data segment of 16 MiB.
        broken.SendRaw(new byte[48].Select((_, i) => (byte)(i is >= 5 and <= 7 ? 0xFF : 0)).ToArray());
        world.Run();
        Assert.DoesNotContain("NOP-In", Why(world));
        Assert.Equal(world.Events.Failures[^1], Why(world));
        Assert.True(silent.IsClosed && broken.IsClosed);
        world.LogIn();
        world.Registry.RemoveTarget(IscsiWorld.TargetName);
        world.Run();
        Assert.Equal("the target was removed", Why(world));
    }

    [Fact]
    public void The_last_ended_sessions_are_remembered_and_no_more_of_them_than_64()
    {
        using var world = new IscsiWorld();
        for (int i = 0; i < 70; i++)
        {
            Initiator initiator = world.LogIn(name: $"iqn.2026-11.test:host{i}");
            initiator.Peer.Reset();
            world.Run();
        }
        Assert.Equal(Enumerable.Range(6, 64).Reverse().Select(i => $"iqn.2026-11.test:host{i}"),
            world.Registry.EndedSessions.Select(one => one.InitiatorName));
    }

    [Fact]
    public void Only_the_last_moves_are_kept()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();
        for (int i = 0; i < SessionHistory.Length; i++)
            initiator.SendFunction(TaskManagementFunctionCode.AbortTaskSet);
        Assert.Equal(SessionHistory.Length, Open(world).Count);
        Assert.All(Open(world), move => Assert.StartsWith("ABORT TASK SET", move));
    }

    /// <summary>The oldest first.</summary>
    private static List<string> Open(IscsiWorld world)
    {
        Task<IReadOnlyList<SessionMoves>> asked = world.Registry.DescribeMovesAsync((_, _) => true);
        world.Run();
        return [.. Assert.Single(asked.GetAwaiter().GetResult()).Moves.Select(move => move.What).Reverse()];
    }

    private static string Why(IscsiWorld world) => world.Registry.EndedSessions[0].Why;

    private static List<string> Words(EndedSession session) =>
        [.. session.Moves.Select(move => move.What).Reverse()];
}
