using CsCheck;
using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Frontends.Iscsi.Sessions;
using Scstd.Frontends.Iscsi.Tests.Connections;

namespace Scstd.Frontends.Iscsi.Tests.Sessions;

/// <summary>RFC 7143 §4.2.2.1.</summary>
public sealed class CommandWindowTests
{
    [Fact]
    public void The_window_wraps_around()
    {
        var window = new CommandWindow(uint.MaxValue - 1, 4);

        Assert.Equal(CommandArrival.Next, window.Judge(uint.MaxValue - 1));
        Assert.Equal(CommandArrival.Early, window.Judge(1));
        Assert.Equal(CommandArrival.Ignored, window.Judge(2));
        Assert.Equal(CommandArrival.Ignored, window.Judge(uint.MaxValue - 2));
        ulong before = window.Extend(uint.MaxValue);
        for (int i = 0; i < 3; i++)
            window.Advance();
        Assert.Equal(1u, window.ExpCmdSn);
        Assert.Equal(before + 2, window.Extend(1));
        Assert.Equal(before, window.Extend(uint.MaxValue));
    }

    [Fact]
    public void Held_requests_come_out_in_order_however_they_came_in() =>
        Gen.Select(Gen.UInt, Gen.Shuffle(Enumerable.Range(0, 24).ToArray()), Gen.Int[1, 7]).Sample(
            (initial, order, plugged) =>
            {
                var window = new CommandWindow(initial, 24);
                var taken = new List<int>();
                foreach (int i in order)
                {
                    uint cmdSn = initial + (uint)i;
                    CommandArrival arrival = window.Judge(cmdSn);
                    if (arrival == CommandArrival.Early && i % plugged == 1)
                        window.Plug(cmdSn);
                    else if (arrival == CommandArrival.Early)
                        window.Hold(cmdSn, i);
                    if (arrival != CommandArrival.Next)
                        continue;
                    window.Advance();
                    taken.Add(i);
                    while (window.TakeHeld() is int held)
                        taken.Add(held);
                }
                Assert.Equal(0, window.HeldCount);
                Assert.Equal(initial + 24, window.ExpCmdSn);
                Assert.Equal(taken.Order(), taken);
                // What was plugged has ended; the others hold their places in the window.
                Assert.Equal(initial + 23 + (uint)(24 - taken.Count), window.MaxCmdSn);
            });

    [Fact]
    public void A_window_never_takes_back_what_it_has_promised_and_settles_at_its_depth() =>
        Gen.Select(Gen.UInt, Gen.Int[1, 64], Gen.Select(Gen.Int[0, 3], Gen.Int[1, 96]).Array[0, 200]).Sample(
            (initial, depth, moves) =>
            {
                var window = new CommandWindow(initial, depth);
                int underWay = 0;
                foreach ((int move, int number) in moves)
                {
                    uint before = window.MaxCmdSn;
                    if (move == 0)
                    {
                        window.SetDepth(depth = number);
                    }
                    else if (move == 1)
                    {
                        window.Allow(number);
                    }
                    else if (move == 2 && window.Judge(window.ExpCmdSn) == CommandArrival.Next)
                    {
                        window.Advance();
                        underWay++;
                    }
                    else if (underWay > 0)
                    {
                        window.RequestEnded();
                        underWay--;
                    }
                    Assert.True((int)(window.MaxCmdSn - before) >= 0);
                    Assert.InRange(window.Allowed, 1, depth);
                }
                // Whatever was promised is used up; then no more than the depth is out.
                window.Allow(int.MaxValue);
                while (!window.IsShut)
                {
                    window.Advance();
                    underWay++;
                }
                while (underWay-- > 0)
                    window.RequestEnded();
                Assert.Equal(depth, (int)(window.MaxCmdSn - window.ExpCmdSn) + 1);
            });

    [Fact]
    public void Requests_that_are_held_stay_in_their_places_when_the_window_grows()
    {
        var window = new CommandWindow(uint.MaxValue - 2, 4);
        foreach (uint cmdSn in (uint[])[uint.MaxValue - 1, uint.MaxValue, 0])
            window.Hold(cmdSn, cmdSn);
        Assert.True(window.SetDepth(100));
        Assert.Equal(96u, window.MaxCmdSn);
        window.Hold(96, 96u);
        window.Advance();
        Assert.Equal([uint.MaxValue - 1, uint.MaxValue, 0u, null],
            Enumerable.Range(0, 4).Select(_ => window.TakeHeld()));
        Assert.Equal(1, window.HeldCount);
        Assert.Equal([96u], window.TakeAllHeld());
    }

    [Fact]
    public void The_window_is_told_and_held_open_by_ended_commands_only()
    {
        using var world = new IscsiWorld(target => target with { QueueDepth = 4 });
        Initiator initiator = world.LogIn();
        world.Disk.Holds = true;
        for (int i = 0; i < 4; i++)
            initiator.Read(0, 1);

        // The window is full: the fifth is outside of it.
        uint late = initiator.Read(0, 1);
        initiator.ReceiveNothing();
        Assert.Equal(4, world.Disk.WaitingCount);
        initiator.CmdSn--;
        initiator.SendNop([1]);
        Pdu nop = initiator.Receive(Opcode.NopIn);
        Assert.Equal((initiator.CmdSn, initiator.CmdSn - 1), (nop.ExpCmdSn, nop.MaxCmdSn));

        world.Disk.Holds = false;
        world.Disk.LetGo();
        world.Run();
        Pdu last = initiator.ReceiveAll()[^1];
        Assert.Equal((initiator.CmdSn, initiator.CmdSn + 3), (last.ExpCmdSn, last.MaxCmdSn));
        Assert.NotEqual(late, last.InitiatorTaskTag);
    }

    [Fact]
    public void A_shut_window_that_opens_without_an_answer_is_told_by_a_NOP_In()
    {
        using var world = new IscsiWorld(target => target with { QueueDepth = 2 });
        Initiator initiator = world.LogIn(["ImmediateData=No"]);
        Initiator other = world.LogIn(name: "iqn.2026-11.test:other");
        initiator.Write(0, Bytes.Pattern(512));
        initiator.Write(0, Bytes.Pattern(512));
        Assert.All(initiator.ReceiveAll(), pdu => Assert.Equal(Opcode.ReadyToTransfer, pdu.Opcode));

        other.ReceiveFunctionResponse(other.SendFunction(TaskManagementFunctionCode.LogicalUnitReset));

        Pdu news = initiator.Receive(Opcode.NopIn);
        Assert.Equal(BasicHeaderSegment.ReservedTag, news.InitiatorTaskTag);
        Assert.Equal(BasicHeaderSegment.ReservedTag, new NopInPdu(news.Header).TargetTransferTag);
        Assert.Equal(initiator.CmdSn, news.MaxCmdSn);
        initiator.TakeUnitAttention();
    }

    [Fact]
    public void Commands_out_of_order_are_executed_in_order()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();
        uint first = initiator.CmdSn;
        byte[] data = Bytes.Pattern(1024);

        uint third = initiator.SendCommand(Cdbs.Read10(0, 1), read: true, expected: 512, cmdSn: first + 2);
        uint second = initiator.SendCommand(
            Cdbs.Write10(0, 2), write: true, expected: 1024, immediateData: data, cmdSn: first + 1);
        initiator.ReceiveNothing();
        uint ping = initiator.SendNop([1], immediate: false, cmdSn: first + 3);
        initiator.ReceiveNothing();
        uint earliest = initiator.SendCommand(Cdbs.Read10(0, 1), read: true, expected: 512, cmdSn: first);

        Assert.Equal(new byte[512], initiator.ReceiveDataIn(earliest).Data);
        initiator.ReceiveGood(second);
        Assert.Equal(data[..512], initiator.ReceiveDataIn(third).Data);
        Pdu echo = initiator.Receive(Opcode.NopIn);
        Assert.Equal((ping, first + 4), (echo.InitiatorTaskTag, echo.ExpCmdSn));
    }

    [Fact]
    public void A_write_that_waits_for_older_commands_keeps_its_unsolicited_data()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(["InitialR2T=No", "FirstBurstLength=4096", "MaxBurstLength=8192"]);
        byte[] data = Bytes.Pattern(8192);
        uint first = initiator.CmdSn;

        uint write = initiator.SendCommand(Cdbs.Write10(0, 16), write: true, expected: 8192, final: false,
            immediateData: data[..1024], cmdSn: first + 1);
        initiator.SendDataOut(write, BasicHeaderSegment.ReservedTag, 0, 1024, data.AsSpan(1024, 1024), final: false);
        initiator.ReceiveNothing();
        uint ready = initiator.SendCommand(Cdbs.TestUnitReady, cmdSn: first);
        initiator.ReceiveGood(ready);
        initiator.SendDataOut(write, BasicHeaderSegment.ReservedTag, 1, 2048, data.AsSpan(2048, 2048), final: true);
        initiator.Answer(initiator.Receive(), data);

        initiator.ReceiveGood(write);
        Assert.Equal(data, world.Disk.Contents[..8192].ToArray());
    }

    [Fact]
    public void A_session_may_be_lost_in_the_middle_of_data_for_a_write_that_waits()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(["InitialR2T=No", "DataDigest=CRC32C"]);
        uint write = initiator.SendCommand(Cdbs.Write10(0, 128), write: true, expected: 65536, final: false,
            cmdSn: initiator.CmdSn + 1);
        byte[] header = new byte[48];
        DataOutPdu.WriteTo(header, write, BasicHeaderSegment.ReservedTag, 0, 0, 65536, final: true);

        initiator.SendRaw(initiator.Encode(header, Bytes.Pattern(65536)).AsSpan(0, 30_000));
        Assert.Equal(1, world.Buffers.LeasesOut);
        initiator.Peer.Reset();
        world.Run();

        Assert.Equal((0L, 0), (world.Buffers.LeasesOut, world.Registry.SessionCount));
    }

    [Fact]
    public void Duplicates_and_old_numbers_are_ignored_in_silence()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();
        uint first = initiator.CmdSn;

        initiator.SendCommand(Cdbs.TestUnitReady, cmdSn: first - 1);
        initiator.SendCommand(Cdbs.TestUnitReady, cmdSn: first + 128);
        initiator.SendCommand(Cdbs.Write10(0, 1), write: true, expected: 512, immediateData: Bytes.Pattern(512),
            cmdSn: first + 1);
        initiator.SendCommand(Cdbs.Write10(0, 1), write: true, expected: 512, immediateData: Bytes.Pattern(512),
            cmdSn: first + 1);
        initiator.ReceiveNothing();
        Assert.Equal(3ul, world.Home.Counters.RequestsIgnored);
        initiator.SendCommand(Cdbs.TestUnitReady, cmdSn: first);

        Assert.Equal(2, initiator.ReceiveAll().Count);
        Assert.Equal(1, world.Disk.WriteCount);
    }

    [Fact]
    public void An_immediate_command_overtakes_and_uses_no_number()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();
        uint first = initiator.CmdSn;
        initiator.SendCommand(Cdbs.TestUnitReady, cmdSn: first + 1);

        Pdu response = initiator.ReceiveGood(initiator.SendCommand(Cdbs.TestUnitReady, immediate: true));

        Assert.Equal(first, response.ExpCmdSn);
        initiator.ReceiveGood(initiator.SendCommand(Cdbs.TestUnitReady, tag: 77));
        initiator.Receive(Opcode.ScsiResponse);
    }

    [Fact]
    public void Too_many_immediate_commands_are_rejected()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();
        world.Disk.Holds = true;
        for (int i = 0; i < IscsiLimits.ImmediateCommandsMax; i++)
            initiator.SendCommand(Cdbs.Read10(0, 1), read: true, expected: 512, immediate: true);
        initiator.ReceiveNothing();

        initiator.SendCommand(Cdbs.Read10(0, 1), read: true, expected: 512, immediate: true);

        Assert.Equal(RejectReason.ImmediateCommandReject,
            new RejectPdu(initiator.Receive(Opcode.Reject).Header).Reason);
    }

    [Fact]
    public void A_tag_in_use_is_rejected_and_its_number_is_used_up()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();
        world.Disk.Holds = true;
        uint tag = initiator.Read(0, 1);

        initiator.SendCommand(Cdbs.Read10(0, 1), read: true, expected: 512, tag: tag);

        Pdu reject = initiator.Receive(Opcode.Reject);
        Assert.Equal(RejectReason.TaskInProgress, new RejectPdu(reject.Header).Reason);
        Assert.Equal(initiator.CmdSn, reject.ExpCmdSn);
        world.Disk.LetGo();
        world.Run();
        Assert.Equal(512, initiator.ReceiveDataIn(tag).Data.Length);
    }

    [Fact]
    public void A_rejected_request_out_of_order_leaves_no_gap()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();
        uint first = initiator.CmdSn;

        // F=0 without W is an invalid field.
        initiator.SendCommand(Cdbs.TestUnitReady, final: false, cmdSn: first + 1);
        initiator.Receive(Opcode.Reject);
        initiator.SendCommand(Cdbs.TestUnitReady, cmdSn: first);

        Assert.Equal(first + 1, initiator.Receive(Opcode.ScsiResponse).ExpCmdSn);
        initiator.SendNop([1]);
        Assert.Equal(first + 2, initiator.Receive(Opcode.NopIn).ExpCmdSn);
    }

    [Fact]
    public void A_rejected_request_tells_that_its_number_was_taken()
    {
        using var world = new IscsiWorld(target => target with { QueueDepth = 1 });
        Initiator initiator = world.LogIn();

        // Expected data without a direction is an invalid field.
        initiator.SendCommand(Cdbs.TestUnitReady, expected: 512);
        Pdu reject = initiator.Receive(Opcode.Reject);

        Assert.Equal((initiator.CmdSn, initiator.CmdSn), (reject.ExpCmdSn, reject.MaxCmdSn));
    }

    [Fact]
    public void A_function_beyond_the_most_tells_that_its_number_was_taken()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();
        world.Disk.Holds = true;
        initiator.Read(0, 1);
        for (int i = 0; i < IscsiLimits.TaskManagementRequestsMax; i++)
            initiator.SendFunction(TaskManagementFunctionCode.AbortTaskSet);
        initiator.ReceiveNothing();

        initiator.SendFunction(TaskManagementFunctionCode.AbortTaskSet, immediate: false);

        Pdu reject = initiator.Receive(Opcode.Reject);
        Assert.Equal(RejectReason.LongOperationReject, new RejectPdu(reject.Header).Reason);
        Assert.Equal(initiator.CmdSn, reject.ExpCmdSn);
        // One command is still under way.
        Assert.Equal(initiator.CmdSn + (uint)world.Options.QueueDepth - 2, reject.MaxCmdSn);
    }

    /// <summary>Each abort closes the gap in front of the next one; on a small stack, a frame each would not
    /// fit.</summary>
    [Fact]
    public void Functions_that_close_gaps_for_each_other_do_not_pile_up()
    {
        const int Pairs = 2000;
        List<Pdu> answers = [];
        var thread = new Thread(Converse, 384 * 1024);
        thread.Start();
        thread.Join();

        Assert.Equal(1 + Pairs, answers.Count);
        Assert.All(answers[1..], answer => Assert.Equal(TaskManagementResponseCode.FunctionComplete,
            new TaskManagementResponsePdu(answer.Header).Response));

        void Converse()
        {
            using var world = new IscsiWorld(target => target with { QueueDepth = IscsiLimits.QueueDepthMax });
            Initiator initiator = world.LogIn();
            uint missing = initiator.CmdSn++;
            for (int i = 0; i < Pairs; i++)
            {
                uint cmdSn = initiator.CmdSn;
                initiator.CmdSn += 2;
                uint tag = initiator.SendCommand(Cdbs.TestUnitReady, cmdSn: cmdSn + 1);
                initiator.SendFunction(
                    TaskManagementFunctionCode.AbortTask, referenced: tag, immediate: false, cmdSn: cmdSn);
            }
            initiator.ReceiveNothing();
            initiator.SendCommand(Cdbs.TestUnitReady, cmdSn: missing);
            answers = initiator.ReceiveAll();
        }
    }
}
