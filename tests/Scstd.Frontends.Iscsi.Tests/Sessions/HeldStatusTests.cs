using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Frontends.Iscsi.Tests.Connections;
using Scstd.Scsi;

namespace Scstd.Frontends.Iscsi.Tests.Sessions;

/// <summary>A command that ends while its initiator still owes announced data answers when the data has come (RFC 7143
/// §11.4.2), unless a function takes it back.</summary>
public sealed class HeldStatusTests
{
    private static readonly string[] Keys = ["ImmediateData=No", "InitialR2T=No", "iSCSIProtocolLevel=2"];

    [Theory]
    [InlineData(TaskManagementFunctionCode.ClearAca)]
    [InlineData(TaskManagementFunctionCode.QueryAsynchronousEvent)]
    [InlineData(TaskManagementFunctionCode.QueryTaskSet)]
    public void A_function_that_aborts_nothing_leaves_it(TaskManagementFunctionCode function)
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(Keys);
        uint tag = Refused(initiator);

        initiator.ReceiveFunctionResponse(initiator.SendFunction(function));

        AssertAnswers(initiator, tag);
    }

    [Fact]
    public void An_abort_that_names_another_unit_leaves_it()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(Keys);
        uint tag = Refused(initiator);

        uint abort = initiator.SendFunction(
            TaskManagementFunctionCode.AbortTask, referenced: tag, lun: 0x0005_0000_0000_0000);

        Assert.Equal(TaskManagementResponseCode.LunDoesNotExist, initiator.ReceiveFunctionResponse(abort));
        AssertAnswers(initiator, tag);
    }

    [Theory]
    [InlineData(TaskManagementFunctionCode.AbortTask)]
    [InlineData(TaskManagementFunctionCode.AbortTaskSet)]
    [InlineData(TaskManagementFunctionCode.ClearTaskSet)]
    [InlineData(TaskManagementFunctionCode.LogicalUnitReset)]
    [InlineData(TaskManagementFunctionCode.TargetWarmReset)]
    public void A_function_that_covers_it_takes_it_back(TaskManagementFunctionCode function)
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(Keys);
        uint tag = Refused(initiator);

        uint abort = initiator.SendFunction(function, referenced: tag);

        Assert.Equal(TaskManagementResponseCode.FunctionComplete, initiator.ReceiveFunctionResponse(abort));
        initiator.SendDataOut(tag, BasicHeaderSegment.ReservedTag, 0, 0, Bytes.Pattern(8192), final: true);
        initiator.ReceiveNothing();
        Assert.Equal(1ul, world.Home.Counters.LateDataOuts);
    }

    [Fact]
    public void A_unit_attention_in_a_status_that_is_taken_back_is_reported_by_the_next_command()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.Connect();
        initiator.LogIn(Keys);
        uint tag = Refused(initiator);

        initiator.ReceiveFunctionResponse(
            initiator.SendFunction(TaskManagementFunctionCode.AbortTask, referenced: tag));

        initiator.TakeUnitAttention();
        initiator.ReceiveGood(initiator.SendCommand(Cdbs.TestUnitReady));
    }

    /// <summary>A WRITE with a reserved bit set, which is refused at once, and with data announced.</summary>
    private static uint Refused(Initiator initiator)
    {
        byte[] cdb = Cdbs.Write10(0, 16);
        cdb[6] = 0x80;
        uint tag = initiator.SendCommand(cdb, write: true, expected: 8192, final: false);
        initiator.ReceiveNothing();
        return tag;
    }

    private static void AssertAnswers(Initiator initiator, uint tag)
    {
        initiator.SendDataOut(tag, BasicHeaderSegment.ReservedTag, 0, 0, Bytes.Pattern(8192), final: true);
        Pdu response = initiator.Receive(Opcode.ScsiResponse);
        Assert.Equal((tag, ScsiStatus.CheckCondition), (response.InitiatorTaskTag, response.Status));
        Assert.Equal(SenseKey.IllegalRequest, response.Sense.Key);
    }
}
