using Scstd.Scsi;

namespace Scstd.Backends.Tests.Tape.Model;

/// <summary>READ, VERIFY, WRITE, WRITE FILEMARKS and ERASE.</summary>
internal sealed partial class TapeModel
{
    /// <summary>READ, and with <paramref name="isVerify"/> the same without a transfer.</summary>
    public ModelAnswer Read(ModelTransfer transfer, bool isVerify = false, byte[]? compared = null)
    {
        if (JudgeFixed(transfer) is { } invalid)
            return invalid;
        if (transfer.IsFixed && transfer.SuppressesIncorrectLength)
            return Invalid(1, 1);
        if (!Exists(transfer.Address))
            return Invalid(3);
        if (transfer.Count == 0)
            return ModelAnswer.Good;
        if (transfer.Address is { } to && LocateObject(to.Partition, to.Number, 3) is { Sense: not null } lost)
            return lost;
        var data = new List<byte[]>();
        ModelAnswer answer = ModelAnswer.Good;
        int blocks = BlocksOf(transfer);
        for (int done = 0; done < blocks && answer.Sense is null; done++)
            answer = ReadOne(transfer, done, data, compared) with { DoneBlocks = done };
        return answer with { Data = isVerify ? [] : [.. data.SelectMany(one => one)] };
    }

    /// <summary>What a VERIFY with BYTCMP of the same transfer would find equal, filled up with zeros.</summary>
    public byte[] Expect(ModelTransfer transfer)
    {
        int length = LengthOfEach(transfer);
        byte[] bytes = new byte[BlocksOf(transfer) * length];
        (int partition, int at) = transfer.Address is { } to ? (to.Partition, to.Number) : (Partition, At);
        for (int i = 0; partition < PartitionCount && i < BlocksOf(transfer); i++, at++)
        {
            if (at >= _partitions[partition].Count || _partitions[partition][at] is not { } record)
                break;
            record.AsSpan(0, Math.Min(record.Length, length)).CopyTo(bytes.AsSpan(i * length));
        }
        return bytes;
    }

    /// <param name="transfer">What the CDB asks for.</param>
    /// <param name="data">Of all blocks.</param>
    /// <param name="told">How it ended in truth: only the drive knows how much a partition holds.</param>
    public ModelAnswer Write(ModelTransfer transfer, byte[] data, SenseData? told)
    {
        if (JudgeFixed(transfer) is { } invalid)
            return invalid;
        if (!Exists(transfer.Address))
            return Invalid(3);
        if (transfer.Count == 0)
            return ModelAnswer.Good;
        if (Approach(transfer, (ulong)transfer.Count) is { } lost)
            return lost;
        int length = LengthOfEach(transfer);
        int blocks = BlocksOf(transfer);
        int left = LeftByOverflow(told, transfer.Count);
        int done = left == 0 ? blocks : transfer.IsFixed ? blocks - left : 0;
        if (left > 0 && !transfer.IsFixed)
            Assert.Equal(transfer.Count, left);
        for (int i = 0; i < done; i++)
            Now.Put(At++, data[(i * length)..((i + 1) * length)]);
        return Written(left, length) with { DoneBlocks = left == 0 ? 0 : done };
    }

    /// <summary>A count of zero writes nothing, and only brings what is buffered to the medium.</summary>
    public ModelAnswer WriteMarks(ModelTransfer transfer, SenseData? told)
    {
        if (!Exists(transfer.Address))
            return Invalid(3);
        if (transfer.Count == 0)
            return ModelAnswer.Good;
        if (Approach(transfer, (ulong)transfer.Count) is { } lost)
            return lost;
        int left = LeftByOverflow(told, transfer.Count);
        for (int i = left; i < transfer.Count; i++)
            Now.Put(At++, null);
        return Written(left, 0, left);
    }

    /// <summary>The data ends at the position (SHORT ERASE MODE 2h), and with LONG so too.</summary>
    public ModelAnswer Erase(ModelTransfer transfer)
    {
        if (!Exists(transfer.Address))
            return Invalid(3);
        if (Approach(transfer, null) is { } lost)
            return lost;
        Now.Cut(At);
        return ModelAnswer.Good;
    }

    private ModelAnswer? JudgeFixed(ModelTransfer transfer) =>
        transfer.IsFixed && BlockLengthBytes == 0 ? Invalid(1, 0) : null;

    private static int BlocksOf(ModelTransfer transfer) =>
        transfer.IsFixed ? transfer.Count : Math.Min(transfer.Count, 1);

    private int LengthOfEach(ModelTransfer transfer) => transfer.IsFixed ? BlockLengthBytes : transfer.Count;

    private ModelAnswer ReadOne(ModelTransfer transfer, int done, List<byte[]> data, byte[]? compared)
    {
        ulong left = (ulong)(transfer.IsFixed ? transfer.Count - done : transfer.Count);
        if (At == Now.Count)
            return AtEndOfData(left);
        if (Now[At++] is not { } record)
            return AtFilemark(left);
        int length = LengthOfEach(transfer);
        byte[] taken = record[..Math.Min(length, record.Length)];
        data.Add(taken);
        if (compared is not null && !taken.AsSpan().SequenceEqual(compared.AsSpan(done * length, taken.Length)))
        {
            return ModelAnswer.Refused(new SenseData(SenseKey.Miscompare, AdditionalSense.MiscompareDuringVerify)
            {
                Information = left,
            });
        }
        bool isSuppressed = !transfer.IsFixed && transfer.SuppressesIncorrectLength &&
            (record.Length < length || BlockLengthBytes == 0);
        if (record.Length == length || isSuppressed)
            return ModelAnswer.Good;
        return ModelAnswer.Refused(new SenseData(SenseKey.NoSense, AdditionalSense.None)
        {
            IncorrectLengthIndicator = true,
            Information = transfer.IsFixed ? left : unchecked((ulong)(long)(length - record.Length)),
        });
    }

    /// <summary>The first of a sequence goes to where its CDB says, and the others must stand there already.</summary>
    private ModelAnswer? Approach(ModelTransfer transfer, ulong? left)
    {
        if (transfer.Address is not { } to || (to.Partition, to.Number) == (Partition, At))
            return null;
        if (!transfer.IsFirstInSequence)
        {
            return ModelAnswer.Refused(
                SenseData.IllegalRequest(AdditionalSense.SequentialPositioningError) with { Information = left });
        }
        return LocateObject(to.Partition, to.Number, 3).Sense is null ? null : AtEndOfData(left);
    }

    private static int LeftByOverflow(SenseData? told, int count)
    {
        if (told is not { Key: SenseKey.VolumeOverflow })
            return 0;
        ulong left = told.Value.Information ?? 0;
        Assert.InRange(left, 1UL, (ulong)count);
        return (int)left;
    }

    /// <summary>VOLUME OVERFLOW with what was not written, if something was not.</summary>
    private ModelAnswer Written(int left, int nextBytes, int marks = 1)
    {
        if (left == 0)
            return ModelAnswer.Good with { Warning = ModelWarning.IsTold };
        Now.RequireFull(At, nextBytes, marks);
        return ModelAnswer.Refused(new SenseData(SenseKey.VolumeOverflow, AdditionalSense.EndOfPartitionDetected)
        {
            EndOfMedium = true,
            Information = (ulong)left,
        });
    }
}
