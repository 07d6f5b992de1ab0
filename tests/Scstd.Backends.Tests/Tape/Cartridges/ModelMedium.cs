using Scstd.Backends.Tape;
using Scstd.Core;

namespace Scstd.Backends.Tests.Tape.Cartridges;

/// <summary>What is at a place of a model tape.</summary>
internal sealed record ModelObject(TapeObjectKind Kind, byte[] Bytes, TapeKey? Key = null)
{
    public bool Equals(ModelObject? other) =>
        other is not null && Kind == other.Kind && Bytes.AsSpan().SequenceEqual(other.Bytes);

    public override int GetHashCode() => HashCode.Combine(Kind, Bytes.Length);
}

/// <summary>A tape as the contract describes it, in plain lists, walked object by object; knows nothing of files.
/// </summary>
internal sealed class ModelMedium : ITapeMedium
{
    private List<ModelObject>[] _partitions;
    private SortedDictionary<ushort, MediumAttribute>[] _attributes;
    private ulong[] _capacities;
    private int _partition;
    private int _at;

    public ModelMedium(MediumDescription description, params ulong[] capacities)
    {
        Description = description;
        _capacities = capacities;
        _partitions = [.. capacities.Select(_ => new List<ModelObject>())];
        _attributes = [.. capacities.Select(_ => new SortedDictionary<ushort, MediumAttribute>())];
    }

    private ModelMedium(ModelMedium other)
        : this(other.Description, other._capacities)
    {
        _partitions = [.. other._partitions.Select(objects => new List<ModelObject>(objects))];
        _attributes = [.. other._attributes.Select(all => new SortedDictionary<ushort, MediumAttribute>(all))];
        (_partition, _at) = (other._partition, other._at);
    }

    public MediumDescription Description { get; }

    public IReadOnlyList<PartitionDescription> Partitions =>
        [.. _partitions.Select((objects, i) => new PartitionDescription(_capacities[i], 0, (ulong)objects.Count))];

    public TapePosition Position => At(_at);

    public TapePosition EndOfData => At(Objects.Count);

    public IDictionary<string, ulong> Statistics { get; } = new Dictionary<string, ulong>();

    private List<ModelObject> Objects => _partitions[_partition];

    public ModelMedium Copy() => new(this);

    public IReadOnlyList<ModelObject> ObjectsOf(int partition) => _partitions[partition];

    /// <summary>The partition has these objects, as a crash left them.</summary>
    public void Settle(int partition, IEnumerable<ModelObject> objects) => _partitions[partition] = [.. objects];

    public bool Locate(int partition, ulong objectNumber)
    {
        _partition = partition;
        _at = (int)Math.Min(objectNumber, (ulong)Objects.Count);
        return objectNumber <= (ulong)Objects.Count;
    }

    public bool LocateFile(int partition, ulong fileNumber)
    {
        _partition = partition;
        for (_at = 0; fileNumber > 0 && _at < Objects.Count; _at++)
        {
            if (Objects[_at].Kind == TapeObjectKind.FileMark)
                fileNumber--;
        }
        return fileNumber == 0;
    }

    public SpaceResult Space(SpaceUnit unit, long count, Func<bool>? isGivenUp = null)
    {
        if (unit == SpaceUnit.EndOfData)
        {
            _at = Objects.Count;
            return new SpaceResult(SpaceStop.Done, 0);
        }
        bool backwards = count < 0;
        ulong left = backwards ? (ulong)-count : (ulong)count;
        ulong asked = left;
        ulong run = 0;
        while (left > 0)
        {
            if (backwards ? _at == 0 : _at == Objects.Count)
                return new SpaceResult(backwards ? SpaceStop.BeginningOfPartition : SpaceStop.EndOfData, left);
            TapeObjectKind kind = Objects[backwards ? --_at : _at++].Kind;
            switch (unit)
            {
                case SpaceUnit.Records when kind != TapeObjectKind.Record:
                    return new SpaceResult(
                        kind == TapeObjectKind.FileMark ? SpaceStop.FileMark : SpaceStop.SetMark, left);
                case SpaceUnit.Records:
                    left--;
                    break;
                case SpaceUnit.FileMarks when kind == TapeObjectKind.SetMark:
                    return new SpaceResult(SpaceStop.SetMark, left);
                case SpaceUnit.FileMarks:
                    left -= kind == TapeObjectKind.FileMark ? 1u : 0;
                    break;
                case SpaceUnit.SetMarks:
                    left -= kind == TapeObjectKind.SetMark ? 1u : 0;
                    break;
                default:
                    run = kind == (unit == SpaceUnit.SequentialFileMarks
                        ? TapeObjectKind.FileMark : TapeObjectKind.SetMark) ? run + 1 : 0;
                    left = run == asked ? 0 : asked;
                    break;
            }
        }
        return new SpaceResult(SpaceStop.Done, 0);
    }

    public TapeObject Peek(bool backwards = false)
    {
        int at = backwards ? _at - 1 : _at;
        return at < 0 || at == Objects.Count
            ? new TapeObject(TapeObjectKind.None)
            : new TapeObject(Objects[at].Kind, Objects[at].Bytes.Length, Objects[at].Key is not null);
    }

    public int Read(
        DataBuffer destination, int offsetBytes, int maxLengthBytes, bool backwards = false, TapeKey? key = null)
    {
        ModelObject found = Objects[backwards ? --_at : _at++];
        destination.CopyFrom(found.Bytes.AsSpan(0, Math.Min(maxLengthBytes, found.Bytes.Length)), offsetBytes);
        return found.Bytes.Length;
    }

    public void Skip(bool backwards = false) => _at += backwards ? -1 : 1;

    public bool Write(DataBuffer source, int offsetBytes, int lengthBytes, in WriteOptions options)
    {
        byte[] bytes = new byte[lengthBytes];
        source.CopyTo(bytes, offsetBytes);
        Put(new ModelObject(TapeObjectKind.Record, bytes, options.Key));
        return true;
    }

    public bool WriteMarks(TapeObjectKind kind, int count)
    {
        for (int i = 0; i < count; i++)
            Put(new ModelObject(kind, []));
        return true;
    }

    public void Erase(bool isLong, Func<bool> isGivenUp) => Objects.RemoveRange(_at, Objects.Count - _at);

    public void Synchronize()
    {
    }

    public void Format(IReadOnlyList<ulong> partitionCapacitiesBytes)
    {
        _capacities = [.. partitionCapacitiesBytes];
        _partitions = [.. _capacities.Select(_ => new List<ModelObject>())];
        _attributes =
        [
            _attributes[0], .. _capacities.Skip(1).Select(_ => new SortedDictionary<ushort, MediumAttribute>()),
        ];
        (_partition, _at) = (0, 0);
    }

    public IReadOnlyList<MediumAttribute> Attributes(int partition) => [.. _attributes[partition].Values];

    public void SetAttributes(int partition, IReadOnlyList<MediumAttribute> attributes)
    {
        foreach (MediumAttribute attribute in attributes)
        {
            if (attribute.Value.IsEmpty)
                _attributes[partition].Remove(attribute.Identifier);
            else
                _attributes[partition][attribute.Identifier] = attribute;
        }
    }

    public void Abandon()
    {
    }

    public void Dispose()
    {
    }

    private void Put(ModelObject one)
    {
        Objects.RemoveRange(_at, Objects.Count - _at);
        Objects.Add(one);
        _at++;
    }

    private TapePosition At(int at) => new(
        _partition, (ulong)at, (ulong)Objects.Take(at).Count(one => one.Kind == TapeObjectKind.FileMark),
        (ulong)Objects.Take(at).Count(one => one.Kind == TapeObjectKind.SetMark), 0);
}
