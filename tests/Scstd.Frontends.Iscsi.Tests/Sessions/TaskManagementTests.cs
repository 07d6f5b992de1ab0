using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Frontends.Iscsi.Tests.Connections;
using Scstd.Scsi;

namespace Scstd.Frontends.Iscsi.Tests.Sessions;

/// <summary>RFC 7143 §11.5, §11.6 and RFC 7144 §4.3: what a function covers, and when it is answered.</summary>
public sealed class TaskManagementTests
{
    private static readonly string[] Solicited = ["ImmediateData=No", "InitialR2T=Yes"];

    [Fact]
    public void Abort_task_is_answered_when_the_device_server_has_let_go_and_the_command_never_is()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();
        world.Disk.Holds = true;
        uint command = initiator.Read(0, 8);

        uint function = initiator.SendFunction(TaskManagementFunctionCode.AbortTask, command, initiator.CmdSn - 1);
        initiator.ReceiveNothing();
        world.Disk.LetGo();
        world.Run();

        Assert.Equal(TaskManagementResponseCode.FunctionComplete, initiator.ReceiveFunctionResponse(function));
        initiator.ReceiveNothing();
    }

    [Fact]
    public void Abort_task_ends_a_write_that_waits_for_its_data_and_late_data_is_dropped()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(Solicited);
        byte[] data = Bytes.Pattern(4096);
        uint command = initiator.Write(0, data);
        Pdu r2T = initiator.Receive(Opcode.ReadyToTransfer);

        uint function = initiator.SendFunction(TaskManagementFunctionCode.AbortTask, command, initiator.CmdSn - 1);
        Assert.Equal(TaskManagementResponseCode.FunctionComplete, initiator.ReceiveFunctionResponse(function));
        initiator.Answer(r2T, data, pduBytes: 1024);

        initiator.ReceiveNothing();
        Assert.Equal((0, 4ul), (world.Disk.WriteCount, world.Home.Counters.LateDataOuts));
        initiator.ReceiveGood(initiator.SendCommand(Cdbs.TestUnitReady, tag: command));
    }

    [Fact]
    public void An_abort_from_elsewhere_waits_for_a_buffer_that_the_stream_has()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(Solicited);
        Initiator other = world.LogIn(name: "iqn.2026-11.test:other");
        byte[] data = Bytes.Pattern(65536);
        uint command = initiator.Write(0, data);
        var r2T = new R2TPdu(initiator.Receive(Opcode.ReadyToTransfer).Header);
        byte[] header = new byte[48];
        DataOutPdu.WriteTo(header, command, r2T.TargetTransferTag, 0, 0, data.Length, final: true);
        byte[] pdu = initiator.Encode(header, data);
        initiator.SendRaw(pdu.AsSpan(0, 2000));

        uint function = other.SendFunction(TaskManagementFunctionCode.LogicalUnitReset);
        other.ReceiveNothing();
        initiator.SendRaw(pdu.AsSpan(2000, 10));

        Assert.Equal(TaskManagementResponseCode.FunctionComplete, other.ReceiveFunctionResponse(function));
        initiator.SendRaw(pdu.AsSpan(2010));
        initiator.ReceiveNothing();
        Assert.Equal(0, world.Disk.WriteCount);
        initiator.TakeUnitAttention();
    }

    [Fact]
    public void A_peer_that_keeps_the_buffer_of_an_aborted_command_loses_its_connection()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(Solicited);
        Initiator other = world.LogIn(name: "iqn.2026-11.test:other");
        byte[] data = Bytes.Pattern(65536);
        uint command = initiator.Write(0, data);
        var r2T = new R2TPdu(initiator.Receive(Opcode.ReadyToTransfer).Header);
        byte[] header = new byte[48];
        DataOutPdu.WriteTo(header, command, r2T.TargetTransferTag, 0, 0, data.Length, final: true);
        initiator.SendRaw(initiator.Encode(header, data).AsSpan(0, 2000));
        uint function = other.SendFunction(TaskManagementFunctionCode.LogicalUnitReset);

        world.Advance(IscsiLimits.LentBufferTimeoutMs + 100);

        Assert.True(initiator.IsClosed);
        Assert.Equal(TaskManagementResponseCode.FunctionComplete, other.ReceiveFunctionResponse(function));
    }

    [Fact]
    public void Abort_task_of_an_unknown_task_tells_by_RefCmdSN()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();

        // Long gone: below the window.
        uint function = initiator.SendFunction(TaskManagementFunctionCode.AbortTask, 4711, initiator.CmdSn - 1);
        Assert.Equal(TaskManagementResponseCode.TaskDoesNotExist, initiator.ReceiveFunctionResponse(function));
        // Not sent yet: not older than the function.
        function = initiator.SendFunction(TaskManagementFunctionCode.AbortTask, 4711, initiator.CmdSn);
        Assert.Equal(TaskManagementResponseCode.TaskDoesNotExist, initiator.ReceiveFunctionResponse(function));
    }

    [Fact]
    public void Abort_task_of_a_task_that_was_lost_takes_its_CmdSN_as_received()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();
        uint lost = initiator.CmdSn++;
        uint behind = initiator.SendCommand(Cdbs.TestUnitReady);
        initiator.ReceiveNothing();

        uint function = initiator.SendFunction(TaskManagementFunctionCode.AbortTask, 4711, lost);

        initiator.ReceiveGood(behind);
        Assert.Equal(TaskManagementResponseCode.FunctionComplete, initiator.ReceiveFunctionResponse(function));
        // It comes after all: out of the window now.
        initiator.SendCommand(Cdbs.TestUnitReady, tag: 4711, cmdSn: lost);
        initiator.ReceiveNothing();
    }

    [Fact]
    public void Abort_task_of_a_task_that_waits_for_older_ones_takes_it_out()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();
        uint first = initiator.CmdSn;
        uint held = initiator.SendCommand(Cdbs.Write10(0, 1), write: true, expected: 512,
            immediateData: Bytes.Pattern(512), cmdSn: first + 1);

        initiator.CmdSn = first + 2;
        uint function = initiator.SendFunction(TaskManagementFunctionCode.AbortTask, held, first + 1);
        Assert.Equal(TaskManagementResponseCode.FunctionComplete, initiator.ReceiveFunctionResponse(function));
        initiator.SendCommand(Cdbs.TestUnitReady, cmdSn: first);

        Assert.Equal(first + 1, initiator.Receive(Opcode.ScsiResponse).ExpCmdSn);
        initiator.ReceiveNothing();
        Assert.Equal(0, world.Disk.WriteCount);
    }

    [Fact]
    public void A_function_on_many_tasks_waits_for_older_commands_that_are_missing()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();
        world.Disk.Holds = true;
        uint missing = initiator.CmdSn++;
        initiator.Read(0, 1);

        uint function = initiator.SendFunction(TaskManagementFunctionCode.AbortTaskSet);
        initiator.ReceiveNothing();
        initiator.SendCommand(Cdbs.Read10(0, 1), read: true, expected: 512, cmdSn: missing);
        initiator.ReceiveNothing();
        Assert.Equal(2, world.Disk.WaitingCount);
        world.Disk.LetGo();
        world.Run();

        Assert.Equal(TaskManagementResponseCode.FunctionComplete, initiator.ReceiveFunctionResponse(function));
        initiator.ReceiveNothing();
    }

    [Fact]
    public void A_function_covers_only_what_is_older()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();
        world.Disk.Holds = true;
        uint older = initiator.CmdSn;
        initiator.Read(0, 1);
        uint younger = initiator.Read(0, 1);

        // As if it had been sent between the two.
        uint function = initiator.SendFunction(TaskManagementFunctionCode.AbortTaskSet, cmdSn: older + 1);
        world.Disk.LetGo();
        world.Run();

        Assert.Equal([younger, function],
            initiator.ReceiveAll().Select(pdu => pdu.InitiatorTaskTag).Order());
    }

    [Fact]
    public void A_response_is_sent_behind_the_responses_before_it()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();
        initiator.Peer.WindowBytes = 1;
        uint read = initiator.Read(0, 8);
        uint function = initiator.SendFunction(TaskManagementFunctionCode.LogicalUnitReset);
        initiator.Peer.WindowBytes = int.MaxValue;
        world.Run();

        initiator.ReceiveDataIn(read);
        Assert.Equal(TaskManagementResponseCode.FunctionComplete, initiator.ReceiveFunctionResponse(function));
        initiator.TakeUnitAttention();
    }

    [Fact]
    public void A_status_that_waits_for_announced_data_is_dropped_with_its_aborted_command()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(["InitialR2T=No"]);
        uint refused = initiator.SendCommand(
            [0xEE], write: true, expected: 8192, immediateData: Bytes.Pattern(1024), final: false);

        uint function = initiator.SendFunction(TaskManagementFunctionCode.AbortTask, refused, initiator.CmdSn - 1);

        Assert.Equal(TaskManagementResponseCode.FunctionComplete, initiator.ReceiveFunctionResponse(function));
        initiator.SendDataOut(
            refused, BasicHeaderSegment.ReservedTag, 0, 1024, Bytes.Pattern(1024), final: true);
        initiator.ReceiveNothing();
    }

    [Theory]
    [InlineData(TaskManagementFunctionCode.TaskReassign,
        TaskManagementResponseCode.TaskAllegianceReassignmentNotSupported)]
    [InlineData((TaskManagementFunctionCode)99, TaskManagementResponseCode.TaskManagementFunctionNotSupported)]
    [InlineData(TaskManagementFunctionCode.ClearAca, TaskManagementResponseCode.FunctionComplete)]
    [InlineData(TaskManagementFunctionCode.QueryTaskSet,
        TaskManagementResponseCode.TaskManagementFunctionNotSupported)]
    [InlineData(TaskManagementFunctionCode.TargetWarmReset, TaskManagementResponseCode.FunctionComplete)]
    [InlineData(TaskManagementFunctionCode.ClearTaskSet, TaskManagementResponseCode.FunctionComplete)]
    public void Each_function_has_its_response(TaskManagementFunctionCode code, TaskManagementResponseCode response)
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();

        Assert.Equal(response, initiator.ReceiveFunctionResponse(initiator.SendFunction(code)));
        Assert.Equal(response, initiator.ReceiveFunctionResponse(initiator.SendFunction(code, immediate: false)));
    }

    [Fact]
    public void Queries_are_answered_from_protocol_level_2_on()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(["iSCSIProtocolLevel=2"]);
        world.Disk.Holds = true;
        uint command = initiator.Read(0, 1);

        uint task = initiator.SendFunction(TaskManagementFunctionCode.QueryTask, command);
        Assert.Equal(TaskManagementResponseCode.FunctionSucceeded, initiator.ReceiveFunctionResponse(task));
        uint set = initiator.SendFunction(TaskManagementFunctionCode.QueryTaskSet);
        Assert.Equal(TaskManagementResponseCode.FunctionSucceeded, initiator.ReceiveFunctionResponse(set));
    }

    [Fact]
    public void A_function_on_a_LUN_without_a_unit_is_told_so()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();

        uint function = initiator.SendFunction(
            TaskManagementFunctionCode.LogicalUnitReset, lun: Lun.FromNumber(9).Value);

        Assert.Equal(TaskManagementResponseCode.LunDoesNotExist, initiator.ReceiveFunctionResponse(function));
    }

    [Fact]
    public void A_cold_reset_is_answered_and_then_ends_all_sessions_of_the_target()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();
        Initiator other = world.LogIn(name: "iqn.2026-11.test:other");

        uint function = initiator.SendFunction(TaskManagementFunctionCode.TargetColdReset);

        Assert.Equal(TaskManagementResponseCode.FunctionComplete, initiator.ReceiveFunctionResponse(function));
        foreach (Initiator dropped in (Initiator[])[initiator, other])
        {
            Assert.Equal(AsyncEvent.DropAllConnections,
                new AsyncMessagePdu(dropped.Receive(Opcode.AsyncMessage).Header).Event);
            Assert.True(dropped.IsClosed);
        }
        Assert.Equal(0, world.Registry.SessionCount);
    }

    [Fact]
    public void Too_many_functions_at_once_are_rejected()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();
        world.Disk.Holds = true;
        initiator.Read(0, 1);
        for (int i = 0; i < IscsiLimits.TaskManagementRequestsMax; i++)
            initiator.SendFunction(TaskManagementFunctionCode.AbortTaskSet);
        initiator.ReceiveNothing();

        initiator.SendFunction(TaskManagementFunctionCode.AbortTaskSet);

        Assert.Equal(RejectReason.ImmediateCommandReject,
            new RejectPdu(initiator.Receive(Opcode.Reject).Header).Reason);
        world.Disk.LetGo();
        world.Run();
        Assert.Equal(IscsiLimits.TaskManagementRequestsMax, initiator.ReceiveAll().Count);
    }
}
