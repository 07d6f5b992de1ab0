using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Frontends.Iscsi.Tests.Connections;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Frontends.Iscsi.Tests.Sessions;

/// <summary>A session that is open goes from one reactor to another.</summary>
public sealed class MovingTests
{
    private static readonly byte[] Reserve = [0x16, 0, 0, 0, 0, 0];

    [Fact]
    public async Task A_session_goes_on_where_it_was_sent_as_if_nothing_had_been()
    {
        using var world = new IscsiWorld(reactors: 2);
        Initiator initiator = world.LogIn(["HeaderDigest=CRC32C", "DataDigest=CRC32C", "InitialR2T=Yes"]);
        byte[] data = Bytes.Pattern(64 * 512);
        for (int goal = 1; goal >= 0; goal--)
        {
            Assert.True(await Move(world, initiator, goal));
            Assert.Equal(goal, HomeOf(world, initiator));
            uint write = initiator.Write(goal * 100, data);
            initiator.Answer(initiator.Receive(Opcode.ReadyToTransfer), data);
            initiator.ReceiveGood(write);
            (byte[] read, Pdu last) = initiator.ReceiveDataIn(initiator.Read(goal * 100, 64));
            Assert.Equal(ScsiStatus.Good, last.Status);
            Assert.Equal(data, read);
        }
        Assert.Equal([1, 0], world.Homes.Select(home => home.SessionCount));
        Assert.Equal([1, 0], world.Homes.Select(home => home.ConnectionCount));
    }

    [Fact]
    public async Task What_is_reserved_stays_reserved_on_both_sides()
    {
        using var world = new IscsiWorld(reactors: 2);
        Initiator holder = world.LogIn(name: "iqn.2026-11.test:holder");
        Initiator other = world.LogIn(name: "iqn.2026-11.test:other");
        holder.ReceiveGood(holder.SendCommand(Reserve));
        await Move(world, holder, 1);
        await Move(world, other, 0);

        holder.ReceiveGood(holder.SendCommand(Cdbs.TestUnitReady));
        other.SendCommand(Cdbs.TestUnitReady);
        Assert.Equal(ScsiStatus.ReservationConflict, other.Receive(Opcode.ScsiResponse).Status);
        holder.Peer.Reset();
        world.Run();
        other.ReceiveGood(other.SendCommand(Cdbs.TestUnitReady));
    }

    [Fact]
    public async Task What_is_told_on_the_way_is_heard_once_and_in_order()
    {
        using var world = new IscsiWorld(reactors: 2);
        Initiator initiator = world.LogIn();
        world.Unit.Announce(AdditionalSense.InquiryDataHasChanged);
        world.Run();
        // One message at a time: the change is told at every point of the way in turn.
        for (int passes = 0; passes < 8; passes++)
        {
            initiator.ReceiveAll();
            Task<bool> moved = world.Registry.MoveAsync(initiator.LastTsih, 1 - HomeOf(world, initiator));
            for (int i = 0; i < passes; i++)
                world.Reactors[i % 2].RunPass();
            world.Unit.Announce(AdditionalSense.CapacityDataHasChanged);
            world.Run();
            Assert.True(await moved);
            Assert.Equal(AdditionalSense.InquiryDataHasChanged, Attention(initiator));
            Assert.Equal(AdditionalSense.CapacityDataHasChanged, Attention(initiator));
            initiator.ReceiveGood(initiator.SendCommand(Cdbs.TestUnitReady));
            world.Unit.Announce(AdditionalSense.InquiryDataHasChanged);
            world.Run();
        }
    }

    [Fact]
    public async Task What_is_under_way_ends_first_and_the_window_closes_meanwhile()
    {
        using var world = new IscsiWorld(target => target with { QueueDepth = 4 }, reactors: 2);
        Initiator initiator = world.LogIn();
        world.Disk.Holds = true;
        uint[] reads = [.. Enumerable.Range(0, 4).Select(i => initiator.Read(i, 1))];
        Assert.True(await Move(world, initiator, 1));
        Assert.Equal(0, HomeOf(world, initiator));
        world.Disk.Holds = false;
        world.Disk.LetGo();
        world.Run();

        Pdu last = null!;
        foreach (uint read in reads)
            (_, last) = initiator.ReceiveDataIn(read);
        Assert.Equal(last.ExpCmdSn - 1, last.MaxCmdSn);
        Assert.Equal(1, HomeOf(world, initiator));
        Pdu opened = initiator.Receive(Opcode.NopIn);
        Assert.Equal(opened.ExpCmdSn + 3, opened.MaxCmdSn);
        initiator.ReceiveGood(initiator.SendCommand(Cdbs.TestUnitReady));
    }

    [Fact]
    public async Task Where_commands_do_not_end_in_time_it_stays_and_the_window_opens_again()
    {
        using var world = new IscsiWorld(target => target with { QueueDepth = 2 }, reactors: 2);
        Initiator initiator = world.LogIn();
        initiator.ReceiveAll();
        world.Disk.Holds = true;
        initiator.Read(0, 1);
        await Move(world, initiator, 1);
        initiator.ReceiveGood(initiator.SendCommand(Cdbs.TestUnitReady));
        world.Advance(1_100);

        Assert.Equal(0, HomeOf(world, initiator));
        Pdu opened = initiator.Receive(Opcode.NopIn);
        Assert.Equal(opened.ExpCmdSn, opened.MaxCmdSn);
        world.Disk.Holds = false;
        world.Disk.LetGo();
        world.Run();
        Assert.Equal(0, HomeOf(world, initiator));
    }

    [Fact]
    public async Task What_comes_while_it_wants_to_leave_is_done_first()
    {
        using var world = new IscsiWorld(reactors: 2);
        Initiator initiator = world.LogIn();
        // Both are in the same pass.
        initiator.ReceiveAll();
        Task<bool> moved = world.Registry.MoveAsync(initiator.LastTsih, 1);
        byte[] data = Bytes.Pattern(8192);
        uint write = initiator.Write(3, data, immediateBytes: 4096);
        initiator.Answer(initiator.Receive(Opcode.ReadyToTransfer), data);
        initiator.ReceiveGood(write);

        Assert.True(await moved);
        Assert.Equal(1, HomeOf(world, initiator));
    }

    [Theory]
    [InlineData("kick")]
    [InlineData("reset")]
    [InlineData("reinstate")]
    [InlineData("stop")]
    public async Task Who_wants_its_end_on_the_way_gets_it_where_it_arrives(string how)
    {
        using var world = new IscsiWorld(reactors: 2);
        Initiator initiator = world.LogIn();
        SetOut(world, initiator);
        Initiator? successor = null;
        Task<int>? kicked = null;
        if (how == "kick")
            kicked = world.Registry.KickAsync(initiator.LastTsih, 0);
        else if (how == "reset")
            initiator.Peer.Reset();
        else if (how == "stop")
            world.Registry.EndDrain();
        else
            (successor = world.ConnectAt(0, name: initiator.Name)).SendLogin([]);
        world.Run();
        Assert.Equal(successor is null ? 1 : 2, world.Registry.SessionCount);
        world.HungReactor = null;
        world.Run();

        Assert.True(initiator.IsClosed);
        Assert.Equal(1, kicked is null ? 1 : await kicked);
        Assert.Equal(successor is null ? 0 : 1, world.Registry.SessionCount);
        successor?.LoggedIn([]);
    }

    [Fact]
    public async Task Other_luns_that_are_put_in_force_on_the_way_are_seen_where_it_arrives()
    {
        using var world = new IscsiWorld(reactors: 2);
        Initiator initiator = world.LogIn();
        initiator.ReceiveAll();
        SetOut(world, initiator);
        Task<ConfigurationOutcome> applied = world.Registry.ApplyAsync(world.Registry.Configuration with
        {
            Targets = [world.Options with { Luns = new Core.LunMap([new(0, world.Unit), new(5, world.Unit)]) }],
        });
        world.Run();
        Assert.False(applied.IsCompleted);
        world.HungReactor = null;
        world.Run();

        Assert.Equal(1, (await applied).SessionsChanged);
        Assert.Equal(AdditionalSense.ReportedLunsDataHasChanged, Attention(initiator));
        initiator.SendCommand(Cdbs.TestUnitReady, lun: 5UL << 48);
        Assert.Equal(ScsiStatus.CheckCondition, initiator.Receive(Opcode.ScsiResponse).Status);
        world.Unit.Announce(AdditionalSense.CapacityDataHasChanged);
        world.Run();
        Assert.Equal(2, initiator.ReceiveAll().Count(pdu => pdu.Opcode == Opcode.AsyncMessage));
    }

    [Fact]
    public async Task To_a_reactor_that_hangs_nobody_sets_out()
    {
        using var world = new IscsiWorld(reactors: 2);
        Initiator initiator = world.LogIn();
        world.HungReactor = 1;
        Assert.True(await Move(world, initiator, 1));
        initiator.ReceiveGood(initiator.SendCommand(Cdbs.TestUnitReady));
        Assert.Equal([1, 0], world.Homes.Select(home => home.ConnectionCount));
        world.Advance(1_100);
        world.HungReactor = null;
        world.Run();

        Assert.Equal([1, 0], world.Homes.Select(home => home.ConnectionCount));
        initiator.ReceiveGood(initiator.SendCommand(Cdbs.TestUnitReady));
    }

    [Fact]
    public async Task Who_is_asked_to_log_out_stays_where_that_is_waited_for()
    {
        using var world = new IscsiWorld(reactors: 2);
        Initiator initiator = world.LogIn();
        world.Disk.Holds = true;
        uint read = initiator.Read(0, 1);
        await Move(world, initiator, 1);
        Task<int> kicked = world.Registry.KickAsync(initiator.LastTsih, 5);
        world.Run();
        Assert.Equal(1, await kicked);
        world.Disk.Holds = false;
        world.Disk.LetGo();
        world.Run();

        Assert.Equal(0, HomeOf(world, initiator));
        Assert.False(await Move(world, initiator, 1));
        Assert.Contains(initiator.ReceiveAll(), pdu => pdu.InitiatorTaskTag == read);
        world.Advance(5_100);
        Assert.True(initiator.IsClosed);
    }

    [Fact]
    public async Task What_was_declared_after_the_login_holds_there_too()
    {
        using var world = new IscsiWorld(reactors: 2);
        Initiator initiator = world.LogIn();
        initiator.SendText(Initiator.Keys("MaxRecvDataSegmentLength=1024"));
        initiator.Receive(Opcode.TextResponse);
        Assert.True(await Move(world, initiator, 1));
        Assert.Equal(1, HomeOf(world, initiator));
        uint read = initiator.Read(0, 8);

        Assert.All(initiator.ReceiveAll(), pdu => Assert.InRange(pdu.Data.Length, 0, 1024));
        initiator.ReceiveGood(initiator.SendCommand(Cdbs.TestUnitReady));
        Assert.NotEqual(0u, read);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_session_that_cannot_go_says_so(bool isDiscovery)
    {
        using var world = new IscsiWorld(reactors: 2);
        Initiator initiator = world.Connect();
        initiator.LogIn([], isDiscovery);

        Assert.False(await Move(world, initiator, isDiscovery ? 1 : 0));
    }

    /// <summary>Initiators read and write, some with all kinds of pieces, and are sent to and fro at random: what was
    /// written is read, and nothing is left (the world checks it).</summary>
    [Fact]
    public async Task Nothing_is_lost_or_left_of_sessions_that_move_at_random()
    {
        for (int seed = 0; seed < 40; seed++)
            await Wander(new Random(seed));
    }

    private static async Task Wander(Random random)
    {
        using var world = new IscsiWorld(target => target with { QueueDepth = 4 }, reactors: 3);
        Initiator[] initiators =
        [
            .. Enumerable.Range(0, 4).Select(i => world.LogIn(
                ["InitialR2T=No", "FirstBurstLength=4096"],
                new InMemoryStreamOptions { Seed = random.Next() }, $"iqn.2026-11.test:number{i}")),
        ];
        byte[][] written = new byte[initiators.Length][];
        for (int step = 0; step < 100; step++)
        {
            int who = random.Next(initiators.Length);
            Initiator initiator = initiators[who];
            initiator.ReceiveAll();
            Task<bool> moved = world.Registry.MoveAsync(initiator.LastTsih, random.Next(3));
            for (int passes = random.Next(6); passes > 0; passes--)
                world.Reactors[random.Next(3)].RunPass();
            if (written[who] is null || random.Next(2) == 0)
                WriteAll(initiator, who * 100, written[who] = Bytes.Pattern(random.Next(1, 40) * 512));
            else
                Assert.Equal(written[who], ReadAll(initiator, who * 100, written[who].Length / 512));
            world.Run();
            await moved;
        }
    }

    private static void WriteAll(Initiator initiator, int block, byte[] data)
    {
        Random.Shared.NextBytes(data);
        int immediate = Math.Min(data.Length, 4096);
        uint write = initiator.Write(block, data, immediate);
        while (true)
        {
            Pdu pdu = Next(initiator);
            if (pdu.Opcode == Opcode.ScsiResponse)
            {
                Assert.Equal((write, ScsiStatus.Good), (pdu.InitiatorTaskTag, pdu.Status));
                return;
            }
            initiator.Answer(pdu, data);
        }
    }

    private static byte[] ReadAll(Initiator initiator, int block, int blocks)
    {
        initiator.Read(block, blocks);
        var data = new List<byte>();
        while (true)
        {
            Pdu pdu = Next(initiator);
            data.AddRange(pdu.Data);
            if (pdu.Opcode == Opcode.ScsiResponse || new DataInPdu(pdu.Header).HasStatus)
                return [.. data];
        }
    }

    /// <summary>Windows that open again are told by pings that want no answer.</summary>
    private static Pdu Next(Initiator initiator)
    {
        Pdu pdu = initiator.Receive();
        while (pdu.Opcode == Opcode.NopIn)
            pdu = initiator.Receive();
        return pdu;
    }

    /// <summary>It is between the reactors, and the other one takes nothing in any more.</summary>
    private static void SetOut(IscsiWorld world, Initiator initiator)
    {
        _ = world.Registry.MoveAsync(initiator.LastTsih, 1);
        for (int pass = 0; world.Homes.Sum(home => home.ConnectionCount) > 0; pass++)
        {
            Assert.InRange(pass, 0, 100);
            world.Reactors[1].RunPass();
            world.Reactors[0].RunPass();
        }
        world.HungReactor = 1;
    }

    private static async Task<bool> Move(IscsiWorld world, Initiator initiator, int reactor)
    {
        Task<bool> moved = world.Registry.MoveAsync(initiator.LastTsih, reactor);
        world.Run();
        return await moved;
    }

    private static AdditionalSense Attention(Initiator initiator)
    {
        uint tag = initiator.SendCommand(Cdbs.TestUnitReady);
        Pdu pdu = initiator.Receive();
        while (pdu.InitiatorTaskTag != tag)
            pdu = initiator.Receive();
        Assert.Equal(ScsiStatus.CheckCondition, pdu.Status);
        return pdu.Sense.Additional;
    }

    private static int HomeOf(IscsiWorld world, Initiator initiator) =>
        world.Registry.DescribeSessions().Single(one => one.Tsih == initiator.LastTsih).ReactorIndex;
}
