using Scstd.Frontends.Iscsi.Pdus;

namespace Scstd.Frontends.Iscsi.Tests.Pdus;

/// <summary>Each PDU against bytes laid out by hand from the diagrams of RFC 7143 §11.</summary>
public sealed class GoldenPduTests
{
    private const uint Itt = 0x11223344;
    private const uint Ttt = 0x55667788;
    private const ulong Lun = 0x0001_0000_0000_0000;

    // Filled with a pattern: what a writer does not clear, shows.
    private readonly byte[] _header = Enumerable.Repeat((byte)0xEE, 48).ToArray();

    [Fact]
    public void Scsi_command()
    {
        ScsiCommandPdu.WriteTo(_header, Lun, Itt, 0x1000, 7, 9, [0x2A, 0, 0, 0, 0, 1, 0, 0, 8, 0],
            write: true, final: false, immediate: true, attribute: TaskAttributeCode.Ordered, dataSegmentLength: 512,
            priority: 3);
        Hex.Equal("""
            41223000 00000200 00010000 00000000 11223344 00001000 00000007 00000009
            2a000000 00010000 08000000 00000000
            """, _header);
        var pdu = new ScsiCommandPdu(_header);
        Assert.True(pdu.Immediate && pdu.Write && !pdu.Read && !pdu.Final);
        Assert.Equal((TaskAttributeCode.Ordered, 3, 512), (pdu.Attribute, pdu.Priority, pdu.DataSegmentLength));
        Assert.Equal((Lun, Itt, 0x1000u, 7u, 9u), (
            pdu.Lun, pdu.InitiatorTaskTag, pdu.ExpectedDataTransferLength, pdu.CmdSn, pdu.ExpStatSn));
        Assert.Equal(0x2A, pdu.Cdb[0]);
        Assert.Equal(16, pdu.Cdb.Length);
    }

    [Fact]
    public void Scsi_response_with_sense_and_residual()
    {
        ScsiResponsePdu.WriteTo(_header, Itt, 0x02, Residual.Underflow(0x200), 3, 20);
        TargetSequence.Stamp(_header, 5, 6, 70);
        Hex.Equal("""
            21820002 00000014 00000000 00000000 11223344 00000000 00000005 00000006
            00000046 00000003 00000000 00000200
            """, _header);
        var pdu = new ScsiResponsePdu(_header);
        Assert.Equal((0x02, 3u, Residual.Underflow(0x200)), (pdu.Status, pdu.ExpDataSn, pdu.Residual));
        Assert.Equal((5u, 6u, 70u), (pdu.StatSn, pdu.ExpCmdSn, pdu.MaxCmdSn));
        Assert.Equal(Residual.None, pdu.BidirectionalReadResidual);
    }

    [Fact]
    public void Scsi_response_of_a_bidirectional_command()
    {
        ScsiResponsePdu.WriteTo(_header, Itt, 0, Residual.Overflow(1),
            bidirectionalReadResidual: Residual.Underflow(2), statusQualifier: 0x4001,
            response: ServiceResponse.TargetFailure);
        Hex.Equal("""
            218c0100 00000000 40010000 00000000 11223344 00000000 00000000 00000000
            00000000 00000000 00000002 00000001
            """, _header);
        var pdu = new ScsiResponsePdu(_header);
        Assert.Equal((Residual.Overflow(1), Residual.Underflow(2)), (pdu.Residual, pdu.BidirectionalReadResidual));
        Assert.Equal((ServiceResponse.TargetFailure, (ushort)0x4001), (pdu.Response, pdu.StatusQualifier));
    }

    [Fact]
    public void Sense_data_is_preceded_by_its_length()
    {
        var data = new byte[32];
        Assert.Equal(5, ScsiResponsePdu.WriteSense(data, [0x70, 0, 5]));
        Hex.Equal("0003 700005", data.AsSpan(0, 5));
        Assert.Equal(new byte[] { 0x70, 0, 5 }, ScsiResponsePdu.ReadSense(data).ToArray());
        Assert.True(ScsiResponsePdu.ReadSense([0, 9, 1]).IsEmpty);
        Assert.True(ScsiResponsePdu.ReadSense([0]).IsEmpty);
    }

    [Fact]
    public void Task_management_request_and_response()
    {
        TaskManagementRequestPdu.WriteTo(_header, TaskManagementFunctionCode.AbortTask, Lun, Itt, 8, 9, 0x0A0B0C0D, 7);
        Hex.Equal("""
            42810000 00000000 00010000 00000000 11223344 0a0b0c0d 00000008 00000009
            00000007 00000000 00000000 00000000
            """, _header);
        var request = new TaskManagementRequestPdu(_header);
        Assert.Equal((TaskManagementFunctionCode.AbortTask, 0x0A0B0C0Du, 7u, true),
            (request.Function, request.ReferencedTaskTag, request.RefCmdSn, request.Immediate));

        TaskManagementResponsePdu.WriteTo(_header, Itt, TaskManagementResponseCode.FunctionRejected);
        TargetSequence.Stamp(_header, 1, 2, 3);
        Hex.Equal("""
            2280ff00 00000000 00000000 00000000 11223344 00000000 00000001 00000002
            00000003 00000000 00000000 00000000
            """, _header);
        Assert.Equal(TaskManagementResponseCode.FunctionRejected, new TaskManagementResponsePdu(_header).Response);
    }

    [Fact]
    public void Data_out()
    {
        DataOutPdu.WriteTo(_header, Itt, Ttt, 2, 0x4000, 0x1000, true, Lun, 9);
        Hex.Equal("""
            05800000 00001000 00010000 00000000 11223344 55667788 00000000 00000009
            00000000 00000002 00004000 00000000
            """, _header);
        var pdu = new DataOutPdu(_header);
        Assert.True(pdu.Final && !pdu.Unsolicited);
        Assert.Equal((2u, 0x4000u, 0x1000, Ttt),
            (pdu.DataSn, pdu.BufferOffset, pdu.DataSegmentLength, pdu.TargetTransferTag));
    }

    [Fact]
    public void Data_in_without_status()
    {
        DataInPdu.WriteTo(_header, Itt, 1, 0x2000, 0x1FFD, true);
        TargetSequence.StampWithoutStatSn(_header, 6, 70);
        Hex.Equal("""
            25800000 00001ffd 00000000 00000000 11223344 ffffffff 00000000 00000006
            00000046 00000001 00002000 00000000
            """, _header);
        Assert.False(new DataInPdu(_header).HasStatus);
        Assert.Equal(0x2000, new BasicHeaderSegment(_header).PaddedDataSegmentLength);
    }

    [Fact]
    public void Data_in_with_status_and_residual()
    {
        DataInPdu.WriteWithStatus(_header, Itt, 0, 0, 0x200, 0x00, Residual.Overflow(0x10));
        TargetSequence.Stamp(_header, 5, 6, 70);
        Hex.Equal("""
            25850000 00000200 00000000 00000000 11223344 ffffffff 00000005 00000006
            00000046 00000000 00000000 00000010
            """, _header);
        var pdu = new DataInPdu(_header);
        Assert.True(pdu.HasStatus && pdu.Final && !pdu.Acknowledge);
        Assert.Equal((Residual.Overflow(0x10), 5u), (pdu.Residual, pdu.StatSn));
    }

    [Fact]
    public void Ready_to_transfer()
    {
        R2TPdu.WriteTo(_header, Lun, Itt, Ttt, 4, 0x10000, 0x8000);
        TargetSequence.Stamp(_header, 5, 6, 70);
        Hex.Equal("""
            31800000 00000000 00010000 00000000 11223344 55667788 00000005 00000006
            00000046 00000004 00010000 00008000
            """, _header);
        var pdu = new R2TPdu(_header);
        Assert.Equal((4u, 0x10000u, 0x8000u), (pdu.R2TSn, pdu.BufferOffset, pdu.DesiredDataTransferLength));
    }

    [Fact]
    public void Async_message()
    {
        AsyncMessagePdu.WriteTo(_header, AsyncEvent.DropConnection, parameter1: 1, parameter2: 2, parameter3: 3);
        TargetSequence.Stamp(_header, 5, 6, 70);
        Hex.Equal("""
            32800000 00000000 00000000 00000000 ffffffff 00000000 00000005 00000006
            00000046 02000001 00020003 00000000
            """, _header);
        var pdu = new AsyncMessagePdu(_header);
        Assert.Equal((AsyncEvent.DropConnection, (ushort)1, (ushort)2, (ushort)3),
            (pdu.Event, pdu.Parameter1, pdu.Parameter2, pdu.Parameter3));
    }

    [Fact]
    public void Text_request_and_response()
    {
        TextRequestPdu.WriteTo(_header, Itt, BasicHeaderSegment.ReservedTag, 8, 9, 16, final: false, @continue: true);
        Hex.Equal("""
            04400000 00000010 00000000 00000000 11223344 ffffffff 00000008 00000009
            00000000 00000000 00000000 00000000
            """, _header);
        Assert.True(new TextRequestPdu(_header) is { Continue: true, Final: false, CmdSn: 8 });

        TextResponsePdu.WriteTo(_header, Itt, Ttt, 12, false, true);
        Hex.Equal("""
            24400000 0000000c 00000000 00000000 11223344 55667788 00000000 00000000
            00000000 00000000 00000000 00000000
            """, _header);
        Assert.True(new TextResponsePdu(_header) is { Continue: true, Final: false, DataSegmentLength: 12 });
    }

    [Fact]
    public void Login_request_and_response()
    {
        var isid = new Isid(0x00023D_010203);
        LoginRequestPdu.WriteTo(_header, isid, 0x0405, Itt, 0x0607, 8, 9, LoginStage.LoginOperationalNegotiation,
            LoginStage.FullFeaturePhase, transit: true, dataSegmentLength: 100);
        Hex.Equal("""
            43870000 00000064 00023d01 02030405 11223344 06070000 00000008 00000009
            00000000 00000000 00000000 00000000
            """, _header);
        var request = new LoginRequestPdu(_header);
        Assert.Equal((isid, (ushort)0x0405, (ushort)0x0607), (request.Isid, request.Tsih, request.Cid));
        Assert.Equal("0x00023d010203", request.Isid.ToString());
        Assert.Equal((LoginStage.LoginOperationalNegotiation, LoginStage.FullFeaturePhase),
            (request.CurrentStage, request.NextStage));

        LoginResponsePdu.WriteTo(_header, isid, 1, Itt, LoginStatus.NotFound, LoginStage.SecurityNegotiation,
            LoginStage.LoginOperationalNegotiation, false, true, 3);
        TargetSequence.Stamp(_header, 5, 6, 70);
        Hex.Equal("""
            23410000 00000003 00023d01 02030001 11223344 00000000 00000005 00000006
            00000046 02030000 00000000 00000000
            """, _header);
        var response = new LoginResponsePdu(_header);
        Assert.Equal((LoginStatus.NotFound, true, false), (response.Status, response.Continue, response.Transit));
    }

    [Fact]
    public void Logout_request_and_response()
    {
        LogoutRequestPdu.WriteTo(_header, LogoutReason.CloseConnection, Itt, 2, 8, 9);
        Hex.Equal("""
            46810000 00000000 00000000 00000000 11223344 00020000 00000008 00000009
            00000000 00000000 00000000 00000000
            """, _header);
        Assert.Equal((LogoutReason.CloseConnection, (ushort)2),
            (new LogoutRequestPdu(_header).Reason, new LogoutRequestPdu(_header).Cid));

        LogoutResponsePdu.WriteTo(_header, Itt, LogoutResponseCode.CidNotFound, 2, 20);
        Hex.Equal("""
            26800100 00000000 00000000 00000000 11223344 00000000 00000000 00000000
            00000000 00000000 00020014 00000000
            """, _header);
        var response = new LogoutResponsePdu(_header);
        Assert.Equal((LogoutResponseCode.CidNotFound, (ushort)2, (ushort)20),
            (response.Response, response.Time2WaitSeconds, response.Time2RetainSeconds));
    }

    [Fact]
    public void Nop_out_and_nop_in()
    {
        NopOutPdu.WriteTo(_header, BasicHeaderSegment.ReservedTag, Ttt, 8, 9, lun: Lun);
        Hex.Equal("""
            40800000 00000000 00010000 00000000 ffffffff 55667788 00000008 00000009
            00000000 00000000 00000000 00000000
            """, _header);
        Assert.Equal(Ttt, new NopOutPdu(_header).TargetTransferTag);

        NopInPdu.WriteAnswer(_header, Itt, 4);
        Hex.Equal("""
            20800000 00000004 00000000 00000000 11223344 ffffffff 00000000 00000000
            00000000 00000000 00000000 00000000
            """, _header);
        NopInPdu.WritePing(_header, Ttt, Lun);
        Hex.Equal("""
            20800000 00000000 00010000 00000000 ffffffff 55667788 00000000 00000000
            00000000 00000000 00000000 00000000
            """, _header);
    }

    [Fact]
    public void Snack_and_reject()
    {
        SnackPdu.WriteTo(_header, SnackType.Status, BasicHeaderSegment.ReservedTag, 4, 5, 9);
        Hex.Equal("""
            10810000 00000000 00000000 00000000 ffffffff ffffffff 00000000 00000009
            00000000 00000000 00000004 00000005
            """, _header);
        Assert.Equal((SnackType.Status, 4u, 5u),
            (new SnackPdu(_header).Type, new SnackPdu(_header).BegRun, new SnackPdu(_header).RunLength));

        RejectPdu.WriteTo(_header, RejectReason.InvalidPduField, 48);
        TargetSequence.Stamp(_header, 5, 6, 70);
        Hex.Equal("""
            3f800900 00000030 00000000 00000000 ffffffff 00000000 00000005 00000006
            00000046 00000000 00000000 00000000
            """, _header);
        Assert.Equal(RejectReason.InvalidPduField, new RejectPdu(_header).Reason);
    }

    [Theory]
    [InlineData(0, 0, false, false, 48)]
    [InlineData(0, 0, true, true, 52)] // no data segment, no data digest
    [InlineData(5, 0, false, false, 56)]
    [InlineData(5, 2, true, true, 72)]
    public void Length_on_the_wire_counts_segments_padding_and_digests(
        int data, int ahsWords, bool headerDigest, bool dataDigest, int expected)
    {
        _header[4] = (byte)ahsWords;
        BasicHeaderSegment.SetDataSegmentLength(_header, data);
        Assert.Equal(expected, new BasicHeaderSegment(_header).WireLength(headerDigest, dataDigest));
    }

    [Fact]
    public void Lengths_that_do_not_fit_their_field_are_a_bug_of_the_caller()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => BasicHeaderSegment.SetDataSegmentLength(_header, 1 << 24));
        Assert.Throws<ArgumentOutOfRangeException>(() => BasicHeaderSegment.SetTotalAhsLength(_header, 6));
        Assert.Throws<ArgumentOutOfRangeException>(() => BasicHeaderSegment.SetTotalAhsLength(_header, 1024));
    }

    [Fact]
    public void Writing_the_headers_of_the_data_path_allocates_nothing()
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            ScsiCommandPdu.WriteTo(_header, Lun, Itt, 0x1000, 7, 9, [0x28], read: true);
            var command = new ScsiCommandPdu(_header);
            DataInPdu.WriteWithStatus(_header, command.InitiatorTaskTag, 0, 0, 0x1000, 0);
            R2TPdu.WriteTo(_header, Lun, Itt, Ttt, 0, 0, 0x1000);
            ScsiResponsePdu.WriteTo(_header, Itt, 0);
            TargetSequence.Stamp(_header, 1, 2, 3);
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
