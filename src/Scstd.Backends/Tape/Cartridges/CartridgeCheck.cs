using Scstd.Linux;

namespace Scstd.Backends.Tape.Cartridges;

/// <summary>What was found in the file of a cartridge.</summary>
public sealed class CartridgeReport
{
    /// <summary>Our choice: who has more than that does not read them.</summary>
    private const int FindingsKept = 1000;

    private readonly List<string> _findings = [];

    /// <summary>Null: the file says nothing of it that could be believed.</summary>
    public MediumDescription? Description { get; internal set; }

    public IReadOnlyList<PartitionDescription> Partitions { get; internal set; } = [];

    /// <summary>What is wrong, the first of it.</summary>
    public IReadOnlyList<string> Findings => _findings;

    /// <summary>How much is wrong.</summary>
    public long FindingCount { get; private set; }

    public bool IsWhole => FindingCount == 0;

    internal void Add(string finding)
    {
        if (FindingCount++ < FindingsKept)
            _findings.Add(finding);
    }
}

/// <summary>Looks at every byte that a cartridge is made of, and changes none.</summary>
public static class CartridgeCheck
{
    /// <summary>Throws <see cref="MediumFaultException"/> if the file cannot be read, or is no cartridge.</summary>
    public static CartridgeReport Run(string path)
    {
        using ICartridgeFile file = CartridgeFiles.OpenReadOnly(path);
        return Run(file);
    }

    internal static CartridgeReport Run(ICartridgeFile file)
    {
        var report = new CartridgeReport();
        try
        {
            Check(file, report);
        }
        catch (LinuxException exception)
        {
            throw CartridgeFiles.Fault(file.Path, exception);
        }
        catch (MediumFaultException exception) when (exception.Fault.Kind == MediumFaultKind.DamagedFormat)
        {
            report.Add(exception.Message);
        }
        return report;
    }

    private static void Check(ICartridgeFile file, CartridgeReport report)
    {
        byte[] head = CheckpointReader.Head(file);
        int whole = CheckpointReader.Checkpoints(head).Count;
        if (whole == 1)
            report.Add("one of the two checkpoints is damaged");
        CartridgeLabel? label = CheckpointReader.LabelOf(head);
        if (label is null)
            report.Add("the label is damaged");
        report.Description = label?.Medium;
        OpenedCheckpoint opened = CheckpointReader.Open(file);
        if (label is not null && !opened.IsLabelCurrent)
            report.Add("the label is not that of the checkpoints");
        report.Description = opened.Checkpoint.Label.Medium;
        var partitions = new List<PartitionDescription>();
        for (int number = 0; number < opened.Checkpoint.Partitions.Count; number++)
        {
            var log = new PartitionLog(file, opened.Checkpoint.Label, number, opened.Checkpoint.Partitions[number]);
            opened.Recover(file, log);
            partitions.Add(log.Description);
            report.Partitions = partitions;
            new LogCheck(file, log, report).Run();
        }
    }
}

/// <summary>Looks at the log of a partition, entry by entry.</summary>
internal sealed class LogCheck(ICartridgeFile file, PartitionLog log, CartridgeReport report)
{
    private readonly LogScanner _scanner = new(file, log);

    /// <summary>Of the entry before; null: it is not known.</summary>
    private uint? _previous = log.Seed;

    private uint _epoch;

    public void Run()
    {
        for (ulong first = 0; first < log.End.ObjectCount; first += CartridgeFormat.IntervalObjects)
        {
            Interval interval = log.IntervalOf(first);
            Cursor at = log.CursorAt(first);
            for (int i = 0; i < interval.Count; i++)
            {
                CheckObject(at, Interval.KindOf(interval.Table[i]));
                at = log.After(at);
            }
            if (interval.Number < log.End.NodeCount)
                CheckNode(interval.Number + 1);
        }
    }

    private void CheckObject(in Cursor at, EntryKind kind)
    {
        ObjectHeader? read = log.ReadHeader(at.Offset);
        if (read is not { } header || header.Kind != kind || header.ObjectNumber != at.Object
            || header.FileNumber != at.File || header.SetNumber != at.Set)
        {
            string known = kind == EntryKind.Record ? "" : "; the index has the mark";
            Add($"object {at.Object}: its header is damaged{known}");
            _previous = null;
            return;
        }
        if (_previous is { } previous && header.PreviousChecksum != previous)
            Add($"object {at.Object}: does not follow the one before it");
        if (header.Epoch < _epoch)
            Add($"object {at.Object}: is older than the one before it");
        if (!_scanner.IsWhole(header))
            Add($"object {at.Object}: a record of {header.LengthBytes} bytes is damaged");
        (_previous, _epoch) = (header.Checksum, header.Epoch);
    }

    private void CheckNode(ulong node)
    {
        NodePointer pointer = log.PointerTo(node);
        if (log.ReadNode(node, pointer) is null)
            Add($"index node {node} is damaged; its objects are found without it");
        _previous = pointer.Checksum;
    }

    private void Add(string finding) => report.Add($"partition {log.Number}, {finding}");
}
