using System.Buffers.Binary;
using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Backends.Tape;

/// <summary>REWIND, SPACE, LOCATE and READ POSITION.</summary>
public sealed partial class TapeBackend
{
    private void Rewind(ScsiCommand command)
    {
        if (!TellDeferred(command))
            Move(command, static medium => medium.Locate(medium.Position.Partition, 0) ? null : EndOfData);
    }

    /// <summary>What is buffered is written first; then the position is another one.</summary>
    private void Move(ScsiCommand command, Func<ITapeMedium, SenseData?> work) => Work(command, medium =>
    {
        if (Flush(command, medium) is { } failed)
            return failed;
        _ahead = null;
        return work(medium);
    });

    // ---- SPACE -----------------------------------------------------------------------------------------------------

    /// <summary>CODE 4h and 5h are for setmarks, which no density here has; the rest is reserved.</summary>
    private static SenseData? ValidateSpace(ScsiCommand command) =>
        (command.Cdb[1] & 0x0F) > 3 ? SenseData.InvalidFieldInCdb(1, 3) : null;

    private void Space(ScsiCommand command)
    {
        if (TellDeferred(command))
            return;
        ReadOnlySpan<byte> cdb = command.Cdb;
        SpaceUnit unit = (cdb[1] & 0x0F) switch
        {
            0 => SpaceUnit.Records,
            1 => SpaceUnit.FileMarks,
            2 => SpaceUnit.SequentialFileMarks,
            _ => SpaceUnit.EndOfData,
        };
        long count = cdb[0] == Ssc.Space6.OperationCode
            ? (BinaryPrimitives.ReadInt32BigEndian(cdb[1..]) << 8) >> 8 : BinaryPrimitives.ReadInt64BigEndian(cdb[4..]);
        if (unit == SpaceUnit.EndOfData)
            Move(command, static medium =>
            {
                medium.Space(SpaceUnit.EndOfData, 0);
                return null;
            });
        else if (count == 0)
            command.Complete();
        else
            // The most negative number has no magnitude; nobody has written so much.
            Move(command, medium => ToldOf(
                medium.Space(unit, Math.Max(count, -long.MaxValue), () => command.IsAborted), medium));
    }

    /// <summary>SSC-4, SPACE: INFORMATION is what of the count was not spaced over, without a sign.</summary>
    private SenseData? ToldOf(SpaceResult result, ITapeMedium medium) => result.Stop switch
    {
        SpaceStop.FileMark => new SenseData(SenseKey.NoSense, AdditionalSense.FilemarkDetected)
        {
            Filemark = true,
            Information = result.Left,
        },
        SpaceStop.SetMark => new SenseData(SenseKey.NoSense, AdditionalSense.SetmarkDetected)
        {
            Filemark = true,
            Information = result.Left,
        },
        SpaceStop.EndOfData => AtEndOfData(medium) with { Information = result.Left },
        SpaceStop.BeginningOfPartition =>
            new SenseData(SenseKey.NoSense, AdditionalSense.BeginningOfPartitionDetected)
            {
                EndOfMedium = true,
                Information = result.Left,
            },
        _ => null,
    };

    // ---- LOCATE ----------------------------------------------------------------------------------------------------

    private SenseData? ValidateLocate10(ScsiCommand command) =>
        (command.Cdb[1] & 0x02) != 0 && _view is { } view && command.Cdb[8] >= view.Partitions.Count
            ? SenseData.InvalidFieldInCdb(8) : null;

    /// <summary>The address with BT is the same as without: an object's number.</summary>
    private void Locate10(ScsiCommand command)
    {
        if (TellDeferred(command))
            return;
        ReadOnlySpan<byte> cdb = command.Cdb;
        int? partition = (cdb[1] & 0x02) != 0 ? cdb[8] : null;
        ulong number = BinaryPrimitives.ReadUInt32BigEndian(cdb[3..]);
        Move(command, medium => medium.Locate(partition ?? medium.Position.Partition, number)
            ? null : AtEndOfData(medium));
    }

    /// <summary>DEST_TYPE 10b, a set, is for densities with setmarks.</summary>
    private SenseData? ValidateLocate16(ScsiCommand command)
    {
        ReadOnlySpan<byte> cdb = command.Cdb;
        int destination = (cdb[1] >> 3) & 0x07;
        if (destination is not (0 or 1 or 3))
            return SenseData.InvalidFieldInCdb(1, 5);
        return (cdb[1] & 0x02) != 0 && _view is { } view && cdb[3] >= view.Partitions.Count
            ? SenseData.InvalidFieldInCdb(3) : null;
    }

    private void Locate16(ScsiCommand command)
    {
        if (TellDeferred(command))
            return;
        ReadOnlySpan<byte> cdb = command.Cdb;
        int destination = (cdb[1] >> 3) & 0x07;
        int? partition = (cdb[1] & 0x02) != 0 ? cdb[3] : null;
        ulong number = BinaryPrimitives.ReadUInt64BigEndian(cdb[4..]);
        Move(command, medium =>
        {
            int to = partition ?? medium.Position.Partition;
            if (destination == 3)
            {
                if (to != medium.Position.Partition)
                    medium.Locate(to, 0);
                medium.Space(SpaceUnit.EndOfData, 0);
                return null;
            }
            bool isThere = destination == 1 ? medium.LocateFile(to, number) : medium.Locate(to, number);
            return isThere ? null : AtEndOfData(medium);
        });
    }

    // ---- READ POSITION ----------------------------------------------------------------------------------------------

    // BOP 7 | EOP 6 | LOCU 5 | BYCU 4 | LOLU 2 | PERR 1 | BPEW 0. Nothing that a command has written stays in a buffer
    // of the drive: what is not synchronised has its place in the partition already, so no object is told as buffered.

    private byte PositionFlags(in MediumView view) => (byte)(
        (view.Position.IsBeginningOfPartition ? 0x80 : 0) |
        (IsPastEarlyWarning(PartitionOf(view), view.Position) ? 0x40 : 0) |
        (IsPastProgrammableWarning(PartitionOf(view), view.Position) ? 0x01 : 0));

    private static PartitionDescription PartitionOf(MediumView view) => view.Partitions[view.Position.Partition];

    private void ReadPositionShort(ScsiCommand command)
    {
        if (TellDeferred(command))
            return;
        MediumView view = _view!;
        var to = new ParameterDataWriter(stackalloc byte[20]);
        bool isTooFar = view.Position.ObjectNumber > uint.MaxValue;
        uint number = (uint)Math.Min(view.Position.ObjectNumber, uint.MaxValue);
        // PERR: the number is more than the field can hold.
        to.Byte(PositionFlags(view) | (isTooFar ? 0x02 : 0));
        to.Byte(view.Position.Partition);
        to.Zeros(2);
        to.Four(number);
        to.Four(number);
        to.Zeros(8);
        command.CompleteWithData(to.Written);
    }

    /// <summary>LOGICAL SET IDENTIFIER is zero where there are no setmarks.</summary>
    private void ReadPositionLong(ScsiCommand command)
    {
        if (TellDeferred(command))
            return;
        MediumView view = _view!;
        Span<byte> answer = stackalloc byte[32];
        answer.Clear();
        // Here bits 3 and 2 say that the numbers are not known; BOP, EOP and BPEW are where they are in the others.
        answer[0] = PositionFlags(view);
        BinaryPrimitives.WriteUInt32BigEndian(answer[4..], (uint)view.Position.Partition);
        BinaryPrimitives.WriteUInt64BigEndian(answer[8..], view.Position.ObjectNumber);
        BinaryPrimitives.WriteUInt64BigEndian(answer[16..], view.Position.FileNumber);
        BinaryPrimitives.WriteUInt64BigEndian(answer[24..], view.Position.SetNumber);
        command.CompleteWithData(answer);
    }

    private void ReadPositionExtended(ScsiCommand command)
    {
        if (TellDeferred(command))
            return;
        MediumView view = _view!;
        Span<byte> answer = stackalloc byte[32];
        answer.Clear();
        answer[0] = PositionFlags(view);
        answer[1] = (byte)view.Position.Partition;
        answer[3] = 0x1C; // ADDITIONAL LENGTH
        BinaryPrimitives.WriteUInt64BigEndian(answer[8..], view.Position.ObjectNumber);
        BinaryPrimitives.WriteUInt64BigEndian(answer[16..], view.Position.ObjectNumber);
        command.CompleteWithData(answer);
    }
}
