using Scstd.Backends.Tape;
using Scstd.Core;

namespace Scstd.Backends.Tests.Tape;

/// <summary>A cartridge of lists: says what <see cref="ITapeMedium"/> means, as plainly as can be.</summary>
internal sealed class MemoryMedium : ITapeMedium
{
    private readonly List<Partition> _partitions = [];
    private readonly List<(int Partition, MediumAttribute Attribute)> _attributes = [];
    private int _partition;
    private int _at;

    public MemoryMedium(ulong capacityBytes = 1 << 20, byte densityCode = 0x58, bool isWorm = false)
    {
        Description = new MediumDescription("ABC123L5", densityCode, isWorm, false, false, "SERIAL-1", capacityBytes);
        Divide([capacityBytes]);
    }

    public MediumDescription Description { get; set; }

    /// <summary>How much less a record takes that is compressed; 1: it cannot be.</summary>
    public int CompressionRatio { get; set; } = 1;

    /// <summary>What the next call of <see cref="Synchronize"/> throws, and all after it.</summary>
    public MediumFault? SynchronizeFault { get; set; }

    /// <summary>What the next write throws.</summary>
    public MediumFault? WriteFault { get; set; }

    /// <summary>What no store may throw: the next write does.</summary>
    public Exception? Bug { get; set; }

    /// <summary>Of something that was written.</summary>
    public int Synchronizations { get; private set; }

    private bool HasUnsynchronized { get; set; }

    public bool IsDisposed { get; private set; }

    public bool IsAbandoned { get; private set; }

    public IDictionary<string, ulong> Statistics { get; } = new Dictionary<string, ulong>();

    /// <summary>As they would be after a crash.</summary>
    public IReadOnlyDictionary<string, ulong> KeptStatistics { get; private set; } = new Dictionary<string, ulong>();

    public IReadOnlyList<PartitionDescription> Partitions =>
        [.. _partitions.Select(one => new PartitionDescription(one.CapacityBytes, one.UsedBytes, (ulong)one.Count))];

    public TapePosition Position => PositionAt(_at);

    public TapePosition EndOfData => PositionAt(Now.Count);

    private Partition Now => _partitions[_partition];

    /// <summary>The object of this number cannot be read from now on.</summary>
    public void Damage(int partition, int number) => _partitions[partition][number].IsDamaged = true;

    public bool Locate(int partition, ulong objectNumber)
    {
        if (MoveBug is { } bug)
        {
            MoveBug = null;
            throw bug;
        }
        _partition = partition;
        _at = (int)Math.Min(objectNumber, (ulong)Now.Count);
        return objectNumber <= (ulong)Now.Count;
    }

    public bool LocateFile(int partition, ulong fileNumber)
    {
        _partition = partition;
        for (_at = 0; fileNumber > 0 && _at < Now.Count; _at++)
        {
            if (Now[_at].Kind == TapeObjectKind.FileMark)
                fileNumber--;
        }
        return fileNumber == 0;
    }

    public SpaceResult Space(SpaceUnit unit, long count, Func<bool>? isGivenUp = null)
    {
        if (unit == SpaceUnit.EndOfData)
        {
            _at = Now.Count;
            return new SpaceResult(SpaceStop.Done, 0);
        }
        bool backwards = count < 0;
        ulong left = (ulong)Math.Abs(count);
        int run = 0;
        while (left > 0)
        {
            if (_at == (backwards ? 0 : Now.Count))
                return new SpaceResult(backwards ? SpaceStop.BeginningOfPartition : SpaceStop.EndOfData, left);
            bool isMark = Now[backwards ? --_at : _at++].Kind == TapeObjectKind.FileMark;
            run = isMark ? run + 1 : 0;
            if (unit == SpaceUnit.Records && isMark)
                return new SpaceResult(SpaceStop.FileMark, left);
            if (unit == SpaceUnit.Records || (unit == SpaceUnit.FileMarks && isMark))
                left--;
            else if (unit == SpaceUnit.SequentialFileMarks && run == (int)left)
                left = 0;
        }
        return new SpaceResult(SpaceStop.Done, 0);
    }

    public TapeObject Peek(bool backwards = false)
    {
        int at = backwards ? _at - 1 : _at;
        if (at < 0 || at >= Now.Count)
            return default;
        Entry entry = Now[at];
        return new TapeObject(
            entry.Kind, entry.Bytes.Length, entry.Key is not null, entry.IsCompressed, entry.StoredBytes,
            entry.Key?.Authenticated ?? [], entry.Key?.Unauthenticated ?? []);
    }

    public int Read(
        DataBuffer destination, int offsetBytes, int maxLengthBytes, bool backwards = false, TapeKey? key = null)
    {
        Entry entry = Now[backwards ? _at - 1 : _at];
        Assert.Equal(TapeObjectKind.Record, entry.Kind);
        if (entry.Key is { } own && (key is null || !key.Key.AsSpan().SequenceEqual(own.Key)))
            throw new MediumFaultException(new MediumFault(MediumFaultKind.WrongKey), "it has another key");
        Skip(backwards);
        if (entry.IsDamaged)
        {
            throw new MediumFaultException(
                new MediumFault(MediumFaultKind.DamagedRecord, IsPassed: true), "the record is damaged");
        }
        destination.CopyFrom(entry.Bytes.AsSpan(0, Math.Min(maxLengthBytes, entry.Bytes.Length)), offsetBytes);
        return entry.Bytes.Length;
    }

    public void Skip(bool backwards = false) => _at += backwards ? -1 : 1;

    public bool Write(DataBuffer source, int offsetBytes, int lengthBytes, in WriteOptions options)
    {
        TakeWriteFault();
        byte[] bytes = new byte[lengthBytes];
        source.CopyTo(bytes, offsetBytes);
        bool isCompressed = options.Compress && CompressionRatio > 1;
        int storedBytes = isCompressed ? lengthBytes / CompressionRatio : lengthBytes;
        if (Position.BytesBefore + (ulong)storedBytes > Now.CapacityBytes)
            return false;
        Cut();
        Now.Add(new Entry(TapeObjectKind.Record, bytes, storedBytes, isCompressed, options.Key));
        _at++;
        return true;
    }

    public bool WriteMarks(TapeObjectKind kind, int count)
    {
        TakeWriteFault();
        if (Position.BytesBefore > Now.CapacityBytes)
            return false;
        Cut();
        for (int i = 0; i < count; i++)
            Now.Add(new Entry(kind, [], 0, false, null));
        _at += count;
        return true;
    }

    public void Erase(bool isLong, Func<bool> isGivenUp) => Cut();

    /// <summary>What no store may throw: the next synchronisation, or the next move, does.</summary>
    public Exception? SynchronizeBug { get; set; }

    public Exception? MoveBug { get; set; }

    /// <summary>Happens while it synchronises.</summary>
    public Action? OnSynchronize { get; set; }

    public void Synchronize()
    {
        OnSynchronize?.Invoke();
        if (SynchronizeBug is { } bug)
        {
            SynchronizeBug = null;
            throw bug;
        }
        if (SynchronizeFault is { } fault)
            throw new MediumFaultException(fault, "nothing more is kept");
        if (HasUnsynchronized)
            Synchronizations++;
        HasUnsynchronized = false;
        KeptStatistics = new Dictionary<string, ulong>(Statistics);
    }

    public void Format(IReadOnlyList<ulong> partitionCapacitiesBytes)
    {
        _attributes.RemoveAll(one => one.Partition > 0);
        Divide(partitionCapacitiesBytes);
    }

    public IReadOnlyList<MediumAttribute> Attributes(int partition) =>
    [
        .. _attributes.Where(one => one.Partition == partition).Select(one => one.Attribute)
            .OrderBy(one => one.Identifier),
    ];

    public void SetAttributes(int partition, IReadOnlyList<MediumAttribute> attributes)
    {
        foreach (MediumAttribute attribute in attributes)
        {
            ushort identifier = attribute.Identifier;
            _attributes.RemoveAll(one => one.Partition == partition && one.Attribute.Identifier == identifier);
            if (attribute.Value.Length > 0)
                _attributes.Add((partition, attribute));
        }
    }

    public void Abandon() => IsAbandoned = true;

    public void Dispose() => IsDisposed = true;

    private void TakeWriteFault()
    {
        if (Bug is { } bug)
        {
            Bug = null;
            throw bug;
        }
        if (WriteFault is { } fault)
        {
            WriteFault = null;
            throw new MediumFaultException(fault, "the write has failed");
        }
    }

    private TapePosition PositionAt(int at)
    {
        IEnumerable<Entry> before = Now.Take(at);
        return new TapePosition(
            _partition, (ulong)at, (ulong)before.Count(one => one.Kind == TapeObjectKind.FileMark), 0,
            (ulong)before.Sum(one => (long)one.StoredBytes));
    }

    private void Cut()
    {
        HasUnsynchronized = true;
        Now.RemoveRange(_at, Now.Count - _at);
    }

    private void Divide(IReadOnlyList<ulong> capacities)
    {
        _partitions.Clear();
        _partitions.AddRange(capacities.Select(capacity => new Partition(capacity)));
        _partition = _at = 0;
    }

    private sealed class Partition(ulong capacityBytes) : List<Entry>
    {
        public ulong CapacityBytes { get; } = capacityBytes;

        public ulong UsedBytes => (ulong)this.Sum(one => (long)one.StoredBytes);
    }

    private sealed class Entry(TapeObjectKind kind, byte[] bytes, int storedBytes, bool isCompressed, TapeKey? key)
    {
        public TapeObjectKind Kind { get; } = kind;

        public byte[] Bytes { get; } = bytes;

        public int StoredBytes { get; } = storedBytes;

        public bool IsCompressed { get; } = isCompressed;

        public TapeKey? Key { get; } = key;

        public bool IsDamaged { get; set; }
    }
}
