using Scstd.Core;
using Scstd.Frontends.Iscsi.Connections;
using Scstd.Frontends.Iscsi.Pdus;

namespace Scstd.Frontends.Iscsi.Sessions;

/// <summary>Data-Out: what was announced is received, what is missing is asked for by R2T (RFC 7143 §4.2.5, §11.7,
/// §11.8).</summary>
internal sealed partial class IscsiSession
{
    private readonly int _maxOutstandingR2T;
    private uint _lastTransferTag;

    public void ReceiveDataOut(ScsiCommand wanting)
    {
        var command = (IscsiCommand)wanting;
        command.IsReceivingDataOut = true;
        command.DataOut.Want((uint)command.Data.LengthBytes);
        Invariant.That(command.DataOut.ReceivedBytes == 0 || !command.EarlyData.IsEmpty,
            "the mid-layer asks for Data-Out when it takes the command over, or never");
        if (!command.EarlyData.IsEmpty)
            TakeEarlyData(command);
        ContinueDataOut(command);
    }

    public void TerminateDataTransfer(ScsiCommand aborted)
    {
        var command = (IscsiCommand)aborted;
        command.IsReceivingDataOut = false;
        if (_connection.Lends(command))
        {
            command.IsTerminating = true;
            _connection.ReclaimSoon();
            return;
        }
        command.DataTransferTerminated();
    }

    /// <summary>The stream has given back the buffer of a command that was aborted meanwhile.</summary>
    public void PlacementStopped(IscsiCommand command)
    {
        command.IsTerminating = false;
        command.DataTransferTerminated();
    }

    /// <summary>A data segment that belongs to the command has come to its end.</summary>
    public void DataEnded(IscsiCommand command, uint lengthBytes, bool isFinal, bool isImmediate, bool digestRight)
    {
        if (!digestRight && !DigestWrong(command, isImmediate))
            return;
        _home.Counters.DataOutBytes += lengthBytes;
        Counters.DataOutBytes += lengthBytes;
        // Not each PDU moves the deadline: one byte a minute, or none at all, could else hold up a unit for ever.
        if (isFinal || isImmediate)
            command.DataOutMovedMs = _home.Executor.NowMs;
        if (isImmediate)
            command.DataOut.ImmediateDataEnded(lengthBytes);
        else
            command.DataOut.PduEnded(lengthBytes, isFinal);
        ContinueDataOut(command);
    }

    /// <summary>Whether a command waits for data since before this time.</summary>
    public bool HasStalledDataOut(long beforeMs)
    {
        foreach (IscsiCommand command in _tasks.Values)
        {
            if (command.DataOut.AwaitsInitiator && command.DataOutMovedMs < beforeMs)
                return true;
        }
        return false;
    }

    private void DataOutReceived(ReadOnlySpan<byte> header)
    {
        var pdu = new DataOutPdu(header);
        // Data for a command that has ended, or was aborted, was under way when the initiator learned it.
        if (!_tasks.TryGetValue(pdu.InitiatorTaskTag, out IscsiCommand? command))
        {
            _home.Counters.LateDataOuts++;
            return;
        }
        DataOutVerdict verdict = command.DataOut.Judge(pdu);
        if (verdict == DataOutVerdict.NotExpected)
        {
            Reject(header, pdu.Unsolicited ? RejectReason.ProtocolError : RejectReason.InvalidPduField);
            return;
        }
        if (verdict == DataOutVerdict.Drop && command.IsReceivingDataOut)
            _home.Counters.DataOutFaults++;
        if (pdu.DataSegmentLength == 0)
            DataEnded(command, 0, pdu.Final, isImmediate: false, digestRight: true);
        else
            _connection.Place(command, verdict == DataOutVerdict.Place ? pdu.BufferOffset : NoPlace, pdu.Final,
                isImmediate: false);
    }

    /// <summary>An offset beyond any buffer: what goes there is dropped.</summary>
    private const uint NoPlace = 0x8000_0000;

    /// <summary>
    /// §7.8: a Data-Out PDU with a wrong digest is rejected, and its command ends with CHECK CONDITION when the rest
    /// of the data is in. Immediate data is part of a command PDU, whose loss leaves a gap that ErrorRecoveryLevel 0
    /// cannot fill: false, the session ends.
    /// </summary>
    private bool DigestWrong(IscsiCommand command, bool isImmediate)
    {
        ReadOnlySpan<byte> header = _connection.KeptHeader;
        if (isImmediate)
        {
            EndWithReject(header, RejectReason.DataDigestError);
            return false;
        }
        Reject(header, RejectReason.DataDigestError);
        command.DataOut.Fail(DataOutTransfer.ProtocolServiceCrcError);
        return true;
    }

    private void ContinueDataOut(IscsiCommand command)
    {
        DataOutTransfer transfer = command.DataOut;
        if (command.IsStatusHeld)
        {
            if (transfer.AwaitsInitiator)
                return;
            command.IsStatusHeld = false;
            _sender.SendCommand(command);
            return;
        }
        if (!command.IsReceivingDataOut)
            return;
        if (transfer.IsComplete)
        {
            command.IsReceivingDataOut = false;
            if (transfer.Fault is { } fault)
                command.DataOutFailed(fault);
            else
                command.DataOutReceived();
            return;
        }
        uint maxBurstBytes = (uint)Parameters.MaxBurstLength;
        while (transfer.TryAsk(NextTransferTag(), _maxOutstandingR2T, maxBurstBytes, out ReadyToTransfer r2T))
            SendR2T(command, r2T);
    }

    private void SendR2T(IscsiCommand command, ReadyToTransfer r2T)
    {
        _lastTransferTag = r2T.TargetTransferTag;
        command.DataOutMovedMs = _home.Executor.NowMs;
        nint slot = _sender.TakeSlot();
        R2TPdu.WriteTo(PduSender.HeaderOf(slot), command.Lun.Value, command.InitiatorTaskTag, r2T.TargetTransferTag,
            command.DataSn++, r2T.OffsetBytes, r2T.LengthBytes);
        _sender.SendHeader(slot, StatSnUse.Shows);
    }

    private uint NextTransferTag() =>
        _lastTransferTag + 1 == BasicHeaderSegment.ReservedTag ? 0 : _lastTransferTag + 1;

    private unsafe void TakeEarlyData(IscsiCommand command)
    {
        int offset = 0;
        int left = (int)Math.Min(command.DataOut.ReceivedBytes, (uint)command.Data.LengthBytes);
        foreach (ref readonly DataSegment segment in command.EarlyData.Segments)
        {
            int part = Math.Min(left, segment.LengthBytes);
            if (part == 0)
                break;
            command.Data.CopyFrom(new ReadOnlySpan<byte>((void*)segment.Address, part), offset);
            offset += part;
            left -= part;
        }
        _home.Counters.PayloadCopiedBytes += (uint)offset;
        command.EarlyData.Return();
    }
}
