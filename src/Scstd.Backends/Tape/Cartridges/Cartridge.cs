using System.Security.Cryptography;
using Scstd.Core;
using Scstd.Linux;

namespace Scstd.Backends.Tape.Cartridges;

/// <summary>
/// A cartridge in a file: a log of objects for each partition, an index in it, and two checkpoints that take turns.
/// What <see cref="Synchronize"/> covered survives a loss of power, whatever becomes of the writes behind it;
/// docs/cartridge-format.md tells how.
/// </summary>
public sealed partial class Cartridge : ITapeMedium
{
    private readonly ICartridgeFile _file;
    private readonly RecordCoder _coder = new();
    private readonly Dictionary<string, ulong> _statistics;
    private CartridgeLabel _label;
    private PartitionLog[] _logs;
    private SortedDictionary<ushort, MediumAttribute>[] _attributes;
    private int _partition;
    private Cursor _at;
    private bool _isClosed;

    private Cartridge(ICartridgeFile file, Checkpoint checkpoint, bool isLabelCurrent)
    {
        _file = file;
        _label = checkpoint.Label;
        _covered = checkpoint;
        _saved = checkpoint.Encode();
        _isLabelCurrent = isLabelCurrent;
        _logs = [.. checkpoint.Partitions.Select((end, number) => new PartitionLog(file, _label, number, end))];
        _attributes = [.. checkpoint.Attributes];
        _statistics = new Dictionary<string, ulong>(checkpoint.Statistics, StringComparer.Ordinal);
    }

    /// <summary>What <see cref="SetAttributes"/> has room for, values and 5 bytes for each.</summary>
    public static int AttributeCapacityBytes => CartridgeFormat.AttributeBytesMax;

    public MediumDescription Description =>
        _file.IsReadOnly ? _label.Medium with { IsWriteProtected = true } : _label.Medium;

    public IReadOnlyList<PartitionDescription> Partitions => [.. _logs.Select(log => log.Description)];

    public TapePosition Position => PositionOf(_at);

    public TapePosition EndOfData => PositionOf(Log.EndCursor);

    public IDictionary<string, ulong> Statistics => _statistics;

    private PartitionLog Log => _logs[_partition];

    /// <summary>Makes a new file. Throws <see cref="MediumFaultException"/>; then there is none.</summary>
    public static Cartridge Create(string path, CartridgeOptions options)
    {
        CartridgeFiles.Judge(options);
        ICartridgeFile file = CartridgeFiles.Create(path);
        try
        {
            return Create(file, Guarded(file, () => CartridgeFiles.FitTo(file, options)));
        }
        catch
        {
            file.Dispose();
            File.Delete(path);
            throw;
        }
    }

    /// <summary>What a file is, by its checkpoints, whoever has it open meanwhile. Changes nothing and keeps nobody
    /// away. Throws <see cref="MediumFaultException"/>.</summary>
    public static MediumDescription Describe(string path)
    {
        using ICartridgeFile file = CartridgeFiles.OpenToLook(path);
        return Guarded(file, () =>
        {
            OpenedCheckpoint opened = CheckpointReader.Open(file);
            CartridgeLabel label = opened.Checkpoint.Label;
            int number = 0;
            foreach (PartitionEnd end in opened.Checkpoint.Partitions)
                opened.Require(new PartitionLog(file, label, number++, end));
            return label.Medium;
        });
    }

    /// <summary>Opens a file, locked; for reading only if it may not be written. Throws
    /// <see cref="MediumFaultException"/>.</summary>
    public static Cartridge Open(string path)
    {
        ICartridgeFile file = CartridgeFiles.Open(path);
        try
        {
            return Open(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    internal static Cartridge Create(ICartridgeFile file, CartridgeOptions options)
    {
        IReadOnlyList<ulong> capacities = options.Partitions.Count > 0 ? options.Partitions : [options.CapacityBytes];
        byte[] identity = RandomNumberGenerator.GetBytes(16);
        var medium = new MediumDescription(
            options.Barcode, options.DensityCode, options.IsWorm, options.IsWriteProtected, options.IsCleaning,
            options.SerialNumber ?? Convert.ToHexString(identity.AsSpan(0, 5)), options.CapacityBytes);
        CartridgeLabel label = new(identity, NewSeed(0), medium, CartridgeLabel.Lay(capacities));
        var checkpoint = new Checkpoint(
            1, label, [.. capacities.Select(_ => new PartitionEnd(0, LogEnd.Empty(label.Seed)))],
            [.. capacities.Select(_ => new SortedDictionary<ushort, MediumAttribute>())],
            new Dictionary<string, ulong>());
        return Guarded(file, () =>
        {
            // All of both places is written, so that no checkpoint ever wants for room.
            foreach (ulong sequence in (ulong[])[1, 2])
            {
                byte[] place = new byte[CartridgeFormat.CheckpointBytes];
                checkpoint = checkpoint with { Sequence = sequence };
                checkpoint.Encode().CopyTo(place, 0);
                file.Write(place, PlaceOf(sequence));
            }
            byte[] labelPlace = new byte[CartridgeFormat.LabelBytes];
            Checkpoint.EncodeLabel(label).CopyTo(labelPlace, 0);
            file.Write(labelPlace, CartridgeFormat.LabelOffsetBytes);
            file.Sync();
            return new Cartridge(file, checkpoint, isLabelCurrent: true);
        });
    }

    internal static Cartridge Open(ICartridgeFile file) => Guarded(file, () =>
    {
        OpenedCheckpoint opened = CheckpointReader.Open(file);
        var cartridge = new Cartridge(file, opened.Checkpoint, opened.IsLabelCurrent);
        cartridge.Recover(opened);
        return cartridge;
    });

    /// <summary>Keeps what can be kept; who must know whether it could calls <see cref="Synchronize"/> first.</summary>
    public void Dispose()
    {
        if (_isClosed)
            return;
        try
        {
            Synchronize();
        }
        catch (MediumFaultException)
        {
            // Nobody is left to be told.
        }
        Abandon();
    }

    public void Abandon()
    {
        _isClosed = true;
        _coder.Dispose();
        _file.Dispose();
    }

    /// <summary>What was closed is opened anew or not used at all.</summary>
    private void RequireOpen()
    {
        if (_isClosed)
            throw Fault(MediumFaultKind.Store, "was closed");
    }

    /// <summary>Where the checkpoint of a number goes.</summary>
    internal static long PlaceOf(ulong sequence) =>
        (long)(sequence % CartridgeFormat.CheckpointCount) * CartridgeFormat.CheckpointBytes;

    private static uint NewSeed(uint old)
    {
        uint seed;
        do
            seed = (uint)RandomNumberGenerator.GetInt32(int.MaxValue) + 1;
        while (seed == old);
        return seed;
    }

    private TapePosition PositionOf(in Cursor at) => new(_partition, at.Object, at.File, at.Set, at.Offset);

    /// <summary>What was written behind the last checkpoint and is whole belongs to the tape.</summary>
    private void Recover(OpenedCheckpoint opened)
    {
        foreach (PartitionLog log in _logs)
        {
            ulong covered = log.End.ObjectCount;
            opened.Recover(_file, log);
            _hasUnsyncedData |= log.End.ObjectCount != covered;
        }
    }

    private static T Guarded<T>(ICartridgeFile file, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (LinuxException exception)
        {
            throw CartridgeFiles.Fault(file.Path, exception);
        }
    }

    private MediumFaultException Fault(MediumFaultKind kind, string why) =>
        new(new MediumFault(kind), $"{_file.Path}: {why}");

    private PartitionLog LogOf(int partition)
    {
        Invariant.That(partition >= 0 && partition < _logs.Length, "a partition is one of the cartridge's");
        return _logs[partition];
    }
}
