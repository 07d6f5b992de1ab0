using Scstd.Core;
using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Frontends.Iscsi.Sessions;
using Scstd.Scsi;
using Residual = Scstd.Frontends.Iscsi.Pdus.Residual;

namespace Scstd.Frontends.Iscsi.Connections;

/// <summary>The answer to a SCSI Command: Data-In PDUs and status.</summary>
internal sealed unsafe partial class PduSender
{
    /// <summary>Makes and queues the command's next PDU; false when that has to wait for memory.</summary>
    private bool EmitNext(IscsiCommand command)
    {
        int left = command.DataInLengthBytes - command.DataInSentBytes;
        if (left > 0)
            return EmitDataIn(command, left);
        EmitResponse(command);
        return true;
    }

    private bool EmitDataIn(IscsiCommand command, int leftBytes)
    {
        if (command.BurstLeftBytes == 0)
            command.BurstLeftBytes = MaxBurstLength;
        int lengthBytes = Math.Min(Math.Min(leftBytes, command.BurstLeftBytes),
            Math.Min(DataSegmentLengthMax, IscsiLimits.DataSegmentLengthMax));
        nint copy = 0;
        if (DataDigest && command.Data.IsLent && !TryCopyDataIn(command, lengthBytes, out copy))
        {
            _retry.Arm(IscsiLimits.BufferRetryMs);
            return false;
        }
        bool isLast = lengthBytes == leftBytes;
        bool withStatus = isLast && MayCarryStatus(command);
        nint slot = TakeSlot();
        WriteDataIn(command, slot, lengthBytes, isLast, withStatus);
        command.BurstLeftBytes -= lengthBytes;
        Queue(slot, DigestHeader(slot));
        uint crc = copy != 0 ? QueueCopy(copy, lengthBytes) : QueueDataIn(command, lengthBytes);
        QueueTail(slot, lengthBytes, crc);
        command.DataInSentBytes += lengthBytes;
        _inFlight.Enqueue(new InFlight
        {
            EndBytes = _queuedBytes,
            Slot = slot,
            Lease = copy,
            LeaseBytes = lengthBytes,
            Command = withStatus ? command : null,
        });
        return true;
    }

    private void WriteDataIn(IscsiCommand command, nint slot, int lengthBytes, bool isLast, bool withStatus)
    {
        Span<byte> header = HeaderOf(slot);
        uint offset = (uint)command.DataInSentBytes;
        if (withStatus)
        {
            DataInPdu.WriteWithStatus(header, command.InitiatorTaskTag, command.DataSn++, offset, lengthBytes,
                (byte)command.Status, ResidualOf(command));
            command.Session.StatusQueued(command);
            Stamp(header, StatSnUse.Advances);
        }
        else
        {
            // §11.7.2: F ends a sequence, at the latest after MaxBurstLength.
            bool final = isLast || lengthBytes == command.BurstLeftBytes;
            DataInPdu.WriteTo(header, command.InitiatorTaskTag, command.DataSn++, offset, lengthBytes, final);
            TargetSequence.StampWithoutStatSn(header, Window!.ExpCmdSn, Window.MaxCmdSn);
        }
    }

    /// <summary>§11.7.3: status may travel with the last data when it brings no sense data. A bidirectional command has
    /// two residual counts, for which Data-In has no room.</summary>
    private static bool MayCarryStatus(IscsiCommand command) =>
        command.Status is ScsiStatus.Good or ScsiStatus.ConditionMet && !command.IsBidirectional;

    private static Residual ResidualOf(IscsiCommand command)
    {
        if (command.ResidualBytes == 0)
            return Residual.None;
        return command.IsOverflow
            ? Residual.Overflow(command.ResidualBytes) : Residual.Underflow(command.ResidualBytes);
    }

    private uint QueueDataIn(IscsiCommand command, int lengthBytes)
    {
        uint crc = Crc32c.Seed;
        ReadOnlySpan<DataSegment> segments = command.Data.Segments;
        while (lengthBytes > 0)
        {
            DataSegment segment = segments[command.SegmentIndex];
            int part = Math.Min(lengthBytes, segment.LengthBytes - command.SegmentOffsetBytes);
            nint address = segment.Address + command.SegmentOffsetBytes;
            Queue(address, part);
            if (DataDigest)
                crc = Crc32c.Append(crc, new ReadOnlySpan<byte>((void*)address, part));
            command.SegmentOffsetBytes += part;
            lengthBytes -= part;
            if (command.SegmentOffsetBytes < segment.LengthBytes)
                continue;
            command.SegmentIndex++;
            command.SegmentOffsetBytes = 0;
        }
        return crc;
    }

    /// <summary>
    /// Memory that a store has lent may be written by another command before the kernel reads it. Without a digest the
    /// initiator gets one or the other, as with any disk; with one it would get a digest of neither.
    /// </summary>
    private bool TryCopyDataIn(IscsiCommand command, int lengthBytes, out nint copy)
    {
        if (!_buffers.TryLease(lengthBytes, out copy))
            return false;
        command.Data.CopyTo(new Span<byte>((void*)copy, lengthBytes), command.DataInSentBytes);
        _home.Counters.PayloadCopiedBytes += (uint)lengthBytes;
        return true;
    }

    private uint QueueCopy(nint copy, int lengthBytes)
    {
        Queue(copy, lengthBytes);
        return Crc32c.Append(Crc32c.Seed, new ReadOnlySpan<byte>((void*)copy, lengthBytes));
    }

    private void EmitResponse(IscsiCommand command)
    {
        bool hasSense = command.Status == ScsiStatus.CheckCondition;
        nint slot = TakeSlot(hasSense);
        int dataBytes = hasSense ? WriteSense(command, InlineDataOf(slot)) : 0;
        Span<byte> header = HeaderOf(slot);
        // §11.4.8: ExpDataSN is zero when no Data-In was sent, however many R2Ts were.
        ScsiResponsePdu.WriteTo(header, command.InitiatorTaskTag, (byte)command.Status, ResidualOf(command),
            expDataSn: command.DataInSentBytes > 0 ? command.DataSn : 0, dataSegmentLength: dataBytes);
        command.Session.StatusQueued(command);
        Emit(new OutgoingPdu { Slot = slot, IsLarge = hasSense, StatSn = StatSnUse.Advances }, command);
    }

    private static int WriteSense(IscsiCommand command, Span<byte> dataSegment)
    {
        bool descriptor = command.ItlNexus is { } itl && ControlModePage.UsesDescriptorSense(itl.Unit.Control);
        Span<byte> sense = stackalloc byte[SenseWriter.MaxLengthBytes];
        int lengthBytes = SenseWriter.Write(command.Sense, descriptor, sense);
        return ScsiResponsePdu.WriteSense(dataSegment, sense[..lengthBytes]);
    }
}
