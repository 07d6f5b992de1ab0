namespace Scstd.Backends.Tape.Cartridges;

/// <summary>The checkpoint that a file was opened with.</summary>
/// <param name="Checkpoint">The newer one that is whole.</param>
/// <param name="IsAlone">The other is not: it may have been newer.</param>
/// <param name="IsLabelCurrent">The label says the same as the checkpoint.</param>
/// <param name="LengthBytes">Of the file.</param>
/// <param name="Path">Its.</param>
internal sealed record OpenedCheckpoint(
    Checkpoint Checkpoint, bool IsAlone, bool IsLabelCurrent, long LengthBytes, string Path)
{
    /// <summary>The log reaches as far as the checkpoint says, and ends as that says if it has to be asked.</summary>
    public bool Fits(PartitionLog log) => !IsCut(log) && (!IsAlone || HasLast(log));

    /// <summary>The same. Throws <see cref="MediumFaultException"/>.</summary>
    public void Require(PartitionLog log)
    {
        if (IsCut(log))
        {
            throw CheckpointReader.Damaged(
                Path, $"the file has been cut short: it has {LengthBytes} bytes, and the data of partition "
                + $"{log.Number} ends at {log.Region.StartBytes + (long)log.End.Offset}");
        }
        if (IsAlone && !HasLast(log))
        {
            throw CheckpointReader.Damaged(
                Path, "its newer checkpoint is damaged, and the older one does not fit the data any more");
        }
    }

    /// <summary>What was written behind the checkpoint and is whole belongs to the log. Throws as
    /// <see cref="Require"/>, and LinuxException.</summary>
    public void Recover(ICartridgeFile file, PartitionLog log)
    {
        Require(log);
        log.End = new LogScanner(file, log).Follow(log.End, log.Epoch);
    }

    /// <summary>The bytes that fill a last entry up need not be there: a record that recovery took in may lack them.
    /// </summary>
    private bool IsCut(PartitionLog log) => log.End.Offset > 0
        && log.Region.StartBytes + (long)log.End.Offset - CartridgeFormat.AlignmentBytes >= LengthBytes;

    private static bool HasLast(PartitionLog log)
    {
        LogEnd end = log.End;
        if (end.ObjectCount == 0)
            return true;
        ulong last = end.TailCount > 0 ? Interval.OffsetOf(end.Tail[end.TailCount - 1]) : end.Levels[0].Offset;
        return log.ReadHeader(last) is { } header && header.Checksum == end.Checksum;
    }
}

/// <summary>Finds out what a file is.</summary>
internal static class CheckpointReader
{
    /// <summary>Throws <see cref="MediumFaultException"/> and LinuxException.</summary>
    public static OpenedCheckpoint Open(ICartridgeFile file)
    {
        byte[] head = Head(file);
        List<Checkpoint> whole = Checkpoints(head);
        if (whole.Count == 0)
            throw Damaged(file.Path, "both of its checkpoints are damaged");
        Checkpoint newest = whole.MaxBy(checkpoint => checkpoint.Sequence)!;
        bool isLabelCurrent = LabelOf(head) is { } label && label.Seed == newest.Label.Seed
            && label.Identity.AsSpan().SequenceEqual(newest.Label.Identity);
        return new OpenedCheckpoint(newest, whole.Count == 1, isLabelCurrent, file.LengthBytes, file.Path);
    }

    /// <summary>All that is before the logs, of a file that is a cartridge of a version known here. Throws
    /// <see cref="MediumFaultException"/> and LinuxException.</summary>
    public static byte[] Head(ICartridgeFile file)
    {
        if (file.LengthBytes == 0)
        {
            throw new MediumFaultException(
                new MediumFault(MediumFaultKind.UnknownFormat),
                $"{file.Path}: the file is empty, it never became a cartridge");
        }
        byte[] head = new byte[CartridgeFormat.LogsOffsetBytes];
        head = head[..(int)file.Read(head.AsSpan(), 0)];
        RequireVersion(file.Path, head);
        return head;
    }

    public static List<Checkpoint> Checkpoints(ReadOnlySpan<byte> head)
    {
        var whole = new List<Checkpoint>();
        for (int place = 0; place < CartridgeFormat.CheckpointCount; place++)
        {
            if (Checkpoint.Decode(Place(head, place)) is { } checkpoint
                && checkpoint.Sequence % CartridgeFormat.CheckpointCount == (ulong)place)
                whole.Add(checkpoint);
        }
        return whole;
    }

    public static CartridgeLabel? LabelOf(ReadOnlySpan<byte> head) =>
        Checkpoint.DecodeLabel(Place(head, CartridgeFormat.CheckpointCount));

    private static void RequireVersion(string path, ReadOnlySpan<byte> head)
    {
        uint? version = null;
        for (int place = 0; place <= CartridgeFormat.CheckpointCount; place++)
        {
            if (Checkpoint.VersionOf(Place(head, place)) is { } found && (version is null || found > version))
                version = found;
        }
        if (version is null)
        {
            throw new MediumFaultException(
                new MediumFault(MediumFaultKind.UnknownFormat), $"{path}: this is no cartridge");
        }
        if (version > CartridgeFormat.Version)
        {
            throw new MediumFaultException(
                new MediumFault(MediumFaultKind.UnknownFormat),
                $"{path}: a cartridge of version {version}; this scstd knows version {CartridgeFormat.Version}");
        }
    }

    public static MediumFaultException Damaged(string path, string why) => new(
        new MediumFault(MediumFaultKind.DamagedFormat),
        $"{path}: {why}. 'scstd cartridge repair' makes it usable again, as far as it is whole");

    private static ReadOnlySpan<byte> Place(ReadOnlySpan<byte> head, int place)
    {
        int start = Math.Min(place * CartridgeFormat.CheckpointBytes, head.Length);
        int length = place == CartridgeFormat.CheckpointCount
            ? CartridgeFormat.LabelBytes : CartridgeFormat.CheckpointBytes;
        return head.Slice(start, Math.Min(length, head.Length - start));
    }
}
