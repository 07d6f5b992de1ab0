using Scstd.Linux;

namespace Scstd.Backends.Tape.Cartridges;

/// <summary>What lies between two marks.</summary>
/// <param name="Partition">From 0 on.</param>
/// <param name="Number">Marks of the partition before it.</param>
/// <param name="FirstObject">Its first record's LOGICAL OBJECT NUMBER.</param>
/// <param name="Records">How many.</param>
/// <param name="LengthBytes">Of all of them, as they were written.</param>
/// <param name="StoredBytes">What they take of the capacity.</param>
/// <param name="Damaged">Records whose headers are damaged; no length counts them.</param>
/// <param name="EndedBy">The mark; none: the data ends.</param>
public readonly record struct TapeFile(
    int Partition, ulong Number, ulong FirstObject, ulong Records, ulong LengthBytes, ulong StoredBytes, ulong Damaged,
    TapeObjectKind EndedBy);

/// <summary>Tells what is on a cartridge, by the headers alone.</summary>
public static class CartridgeListing
{
    /// <summary>Calls back for each file; returns what the cartridge is. Throws <see cref="MediumFaultException"/>.
    /// </summary>
    public static CartridgeReport Run(string path, Action<CartridgeReport> begin, Action<TapeFile> each)
    {
        using ICartridgeFile file = CartridgeFiles.OpenReadOnly(path);
        try
        {
            OpenedCheckpoint opened = CheckpointReader.Open(file);
            var logs = new List<PartitionLog>();
            foreach (PartitionEnd end in opened.Checkpoint.Partitions)
            {
                var log = new PartitionLog(file, opened.Checkpoint.Label, logs.Count, end);
                opened.Recover(file, log);
                logs.Add(log);
            }
            var report = new CartridgeReport
            {
                Description = opened.Checkpoint.Label.Medium,
                Partitions = [.. logs.Select(log => log.Description)],
            };
            begin(report);
            foreach (PartitionLog log in logs)
                List(log, each);
            return report;
        }
        catch (LinuxException exception)
        {
            throw CartridgeFiles.Fault(file.Path, exception);
        }
    }

    private static void List(PartitionLog log, Action<TapeFile> each)
    {
        var file = new TapeFile(log.Number, 0, 0, 0, 0, 0, 0, TapeObjectKind.None);
        for (Cursor at = Cursor.Beginning; at.Object < log.End.ObjectCount; at = log.After(at))
        {
            EntryKind kind = log.KindAt(at.Object);
            if (kind != EntryKind.Record)
            {
                each(file with { EndedBy = (TapeObjectKind)kind });
                file = new TapeFile(
                    log.Number, file.Number + 1, at.Object + 1, 0, 0, 0, 0, TapeObjectKind.None);
            }
            else if (log.ReadHeader(at.Offset) is { Kind: EntryKind.Record } header && header.ObjectNumber == at.Object)
            {
                file = file with
                {
                    Records = file.Records + 1,
                    LengthBytes = file.LengthBytes + header.LengthBytes,
                    StoredBytes = file.StoredBytes + header.SizeBytes,
                };
            }
            else
            {
                file = file with { Records = file.Records + 1, Damaged = file.Damaged + 1 };
            }
        }
        if (file.Records > 0)
            each(file);
    }
}
