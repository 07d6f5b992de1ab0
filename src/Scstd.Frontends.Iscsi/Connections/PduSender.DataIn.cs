using Scstd.Core;
using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Frontends.Iscsi.Sessions;
using Scstd.Scsi;
using Residual = Scstd.Frontends.Iscsi.Pdus.Residual;

namespace Scstd.Frontends.Iscsi.Connections;

/// <summary>The answer to a SCSI Command: Data-In PDUs and status.</summary>
internal sealed unsafe partial class PduSender
{
    /// <summary>Makes and queues the command's next PDU.</summary>
    private void EmitNext(IscsiCommand command)
    {
        int left = command.DataInToSendBytes - command.DataInSentBytes;
        if (left > 0)
            EmitDataIn(command, left);
        else if (command.HasEnded)
            EmitResponse(command);
    }

    /// <summary>It goes on, and comes again when there is more to send.</summary>
    private static bool HasSentWhatThereIs(IscsiCommand command) =>
        !command.HasEnded && command.DataInSentBytes >= command.DataInReadyBytes;

    private void LeaveQueue(IscsiCommand command)
    {
        if (!command.IsQueuedEarly)
            return;
        command.IsQueuedEarly = false;
        EarlyPartLeft(command);
    }

    private void EarlyPartLeft(IscsiCommand command)
    {
        command.EarlyPartsOut--;
        if (command.EarlyPartsOut > 0 || !command.IsForgotten)
            return;
        _answerBytes -= command.Data.LengthBytes;
        command.Session.AnswerSent(command);
    }

    private void EmitDataIn(IscsiCommand command, int leftBytes)
    {
        if (command.BurstLeftBytes == 0)
            command.BurstLeftBytes = MaxBurstLength;
        int lengthBytes = Math.Min(Math.Min(leftBytes, command.BurstLeftBytes),
            Math.Min(DataSegmentLengthMax, IscsiLimits.DataSegmentLengthMax));
        bool isEarly = !command.HasEnded;
        bool isLast = lengthBytes == leftBytes;
        bool withStatus = isLast && !isEarly && MayCarryStatus(command);
        nint slot = TakeSlot();
        WriteDataIn(command, slot, lengthBytes, isLast, withStatus);
        // What is sent ahead is a sequence of its own: nobody knows yet whether more will follow.
        command.BurstLeftBytes = isEarly && isLast ? 0 : command.BurstLeftBytes - lengthBytes;
        Queue(slot, DigestHeader(slot));
        uint crc = QueueDataIn(command, lengthBytes);
        QueueTail(slot, lengthBytes, crc);
        command.DataInSentBytes += lengthBytes;
        _inFlight.Enqueue(new InFlight
        {
            EndBytes = _queuedBytes,
            Slot = slot,
            Command = withStatus ? command : null,
            EarlyOf = isEarly ? command : null,
        });
        if (isEarly)
            command.EarlyPartsOut++;
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

    /// <summary>
    /// Queues the command's next bytes and computes their digest. Memory that a store has lent may be written by
    /// another command before the kernel reads it: without a digest the initiator gets one or the other, as with any
    /// disk; with one it would get a digest of neither, so it is copied.
    /// </summary>
    private uint QueueDataIn(IscsiCommand command, int lengthBytes)
    {
        uint crc = Crc32c.Seed;
        bool copies = DataDigest && command.Data.IsLent;
        if (copies)
            _home.Counters.PayloadCopiedBytes += (uint)lengthBytes;
        ReadOnlySpan<DataSegment> segments = (copies ? command.CopyOfLent : command.Data).Segments;
        int offsetBytes = command.DataInSentBytes;
        while (lengthBytes > 0)
        {
            DataSegment segment = segments[command.SegmentIndex];
            int part = Math.Min(lengthBytes, segment.LengthBytes - command.SegmentOffsetBytes);
            nint address = segment.Address + command.SegmentOffsetBytes;
            Queue(address, part);
            if (copies)
                crc = CopyDigesting(crc, command.Data, offsetBytes, new Span<byte>((void*)address, part));
            else if (DataDigest)
                crc = Crc32c.Append(crc, new ReadOnlySpan<byte>((void*)address, part));
            command.SegmentOffsetBytes += part;
            offsetBytes += part;
            lengthBytes -= part;
            if (command.SegmentOffsetBytes < segment.LengthBytes)
                continue;
            command.SegmentIndex++;
            command.SegmentOffsetBytes = 0;
        }
        return crc;
    }

    private static uint CopyDigesting(uint crc, DataBuffer source, int offsetBytes, Span<byte> copy)
    {
        while (!copy.IsEmpty)
        {
            ReadOnlySpan<byte> lent = source.Stretch(offsetBytes);
            lent = lent[..Math.Min(lent.Length, copy.Length)];
            crc = Crc32c.AppendCopying(crc, lent, copy);
            copy = copy[lent.Length..];
            offsetBytes += lent.Length;
        }
        return crc;
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
