namespace Scstd.Backends.Tests.Tape.Model;

/// <summary>
/// A partition of the model: records and filemarks in their order. How many bytes an object takes of the capacity, and
/// where early warning begins, is the drive's to choose; the model holds it to its choice. A place is behind early
/// warning or it is not as long as nothing before it is overwritten, everything beyond it is too, and a partition is
/// neither called full that has room nor takes more than it can.
/// </summary>
internal sealed class ModelPartition(ulong leastBytes, ulong mostBytes)
{
    /// <summary>What docs/cartridge-format.md says an object costs beside its bytes: its header, and the padding.
    /// </summary>
    private const ulong MostBytesBesideAnObject = 72;

    /// <summary>An index stands behind every 512 objects, and is no larger than this.</summary>
    private const ulong MostBytesOfAnIndex = 8192;

    private const int ObjectsOfAnIndex = 512;

    private readonly List<byte[]?> _objects = [];
    private int _lastBeforeWarning = -1;
    private int _firstBehindWarning = int.MaxValue;

    public int Count => _objects.Count;

    /// <summary>Null: a filemark.</summary>
    public byte[]? this[int number] => _objects[number];

    public bool IsMark(int number) => _objects[number] is null;

    public int MarksBefore(int number) => _objects.Take(number).Count(one => one is null);

    /// <summary>The data ends here.</summary>
    public void Cut(int at)
    {
        _objects.RemoveRange(at, Count - at);
        _lastBeforeWarning = Math.Min(_lastBeforeWarning, at);
        if (_firstBehindWarning > at)
            _firstBehindWarning = int.MaxValue;
    }

    /// <summary>An object takes the place of everything from a place on.</summary>
    public void Put(int at, byte[]? one)
    {
        Cut(at);
        _objects.Add(one);
        Assert.True(BytesBefore(Count) <= mostBytes, "more was written than the partition holds");
    }

    /// <summary>The drive says that a record, or so many marks at once, do not fit here.</summary>
    public void RequireFull(int at, int lengthBytes, int objects) => Assert.True(
        BytesBefore(at) + MostBeside(at + objects) + (ulong)lengthBytes > leastBytes,
        "the partition has room, and was called full");

    /// <summary>The drive says whether a place is behind early warning.</summary>
    public void Learn(int at, bool isBehindWarning)
    {
        if (isBehindWarning)
        {
            Assert.True(at > _lastBeforeWarning, "this place was before early warning");
            Assert.True(
                BytesBefore(at) + MostBeside(at) >= leastBytes / 2, "early warning in the first half of the partition");
            _firstBehindWarning = Math.Min(_firstBehindWarning, at);
        }
        else
        {
            Assert.True(at < _firstBehindWarning, "this place was behind early warning");
            Assert.True(BytesBefore(at) < mostBytes, "a partition that is full is behind early warning");
            _lastBeforeWarning = Math.Max(_lastBeforeWarning, at);
        }
    }

    private ulong BytesBefore(int at) => (ulong)_objects.Take(at).Sum(one => (long)(one?.Length ?? 0));

    private static ulong MostBeside(int objects) => ((ulong)objects * MostBytesBesideAnObject) +
        ((ulong)(objects / ObjectsOfAnIndex) * MostBytesOfAnIndex);
}
