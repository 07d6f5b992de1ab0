using Scstd.Backends.Tape;
using Scstd.Backends.Tape.Cartridges;

namespace Scstd.Backends.Tests.Tape.Cartridges;

/// <summary>
/// A cartridge whose power goes at a call of chance, and what may be found on it then: of each partition what was
/// synchronised, and of what was written since as much from the beginning on as chance has kept. A command that had not
/// ended has been done, or not, or in part.
/// </summary>
internal sealed class CrashWorld
{
    private const int MostCallsBeforeTheCrash = 40;
    private const string Counter = "synchronised";

    private readonly Random _random;
    private MemoryFile _file;
    private Cartridge _cartridge;
    private ModelMedium _model;
    private int[] _least;
    private ulong _counter;
    private ulong _counted;

    public CrashWorld(int seed)
    {
        _random = new Random(seed);
        ulong[] partitions = [.. Enumerable.Repeat(TapeMoves.CapacityBytes / 4, 1 + _random.Next(2))];
        _file = new MemoryFile();
        _cartridge = Cartridge.Create(_file, TapeMoves.Options(partitions));
        _model = new ModelMedium(TapeMoves.Description, partitions);
        _least = new int[partitions.Length];
    }

    public void LiveAndCrash()
    {
        bool isKilled = _random.Next(4) == 0;
        ModelMedium before = _model;
        int[] leastBefore = _least;
        _file.PowerLostAt = _file.Calls + _random.Next(MostCallsBeforeTheCrash);
        try
        {
            while (true)
            {
                before = _model.Copy();
                leastBefore = [.. _least];
                Move();
            }
        }
        catch (PowerLostException)
        {
            _file = isKilled ? _file.Killed() : _file.PowerLost(_random);
        }
        _cartridge = Cartridge.Open(_file);
        RequireWhatMayBe(before, leastBefore, isKilled);
    }

    /// <summary>The model moves first: what the cartridge does not end is then what it was at.</summary>
    private void Move()
    {
        int kind = _random.Next(24);
        if (kind < 8)
            Write();
        else if (kind < 12)
            WriteMarks();
        else if (kind < 15)
            Synchronize();
        else if (kind < 20)
            Locate();
        else if (kind == 20)
            Cut(medium => medium.Erase(_random.Next(2) == 0, () => false));
        else if (kind == 21)
            SetAttribute();
        else if (kind == 22 && _random.Next(4) == 0)
            Format();
        else
            _cartridge.Peek();
    }

    private void Write()
    {
        byte[] bytes = new byte[1 + _random.Next(_random.Next(4) == 0 ? 6000 : 700)];
        _random.NextBytes(bytes);
        using var memory = new RecordMemory(bytes);
        var options = new WriteOptions(_random.Next(4) == 0, null);
        Cut(medium => medium.Write(memory.Data, 0, bytes.Length, options));
    }

    private void WriteMarks()
    {
        int count = _random.Next(6) == 0 ? 1 + _random.Next(1100) : 1;
        Cut(medium => medium.WriteMarks(TapeObjectKind.FileMark, count));
    }

    private void Locate()
    {
        int partition = _random.Next(_model.Partitions.Count);
        int count = _model.ObjectsOf(partition).Count;
        ulong number = (ulong)(_random.Next(3) > 0 ? count : Math.Max(0, count - _random.Next(20)));
        _model.Locate(partition, number);
        _cartridge.Locate(partition, number);
    }

    /// <summary>What was synchronised before the position stays.</summary>
    private void Cut(Action<ITapeMedium> move)
    {
        int partition = _model.Position.Partition;
        int least = Math.Min(_least[partition], (int)_model.Position.ObjectNumber);
        move(_model);
        _least[partition] = least;
        move(_cartridge);
    }

    private void Synchronize()
    {
        ulong counter = _counter + 1;
        _cartridge.Statistics[Counter] = counter;
        _counter = counter;
        _cartridge.Synchronize();
        _counted = counter;
        _least = [.. _model.Partitions.Select(partition => (int)partition.ObjectCount)];
    }

    private void SetAttribute()
    {
        int first = 0x800 + _random.Next(4);
        MediumAttribute[] attributes =
        [
            .. Enumerable.Range(first, 1 + _random.Next(3)).Select(identifier =>
            {
                byte[] value = new byte[1 + _random.Next(200)];
                _random.NextBytes(value);
                return new MediumAttribute((ushort)identifier, 0, value);
            }),
        ];
        int partition = _random.Next(_model.Partitions.Count);
        _model.SetAttributes(partition, attributes);
        _cartridge.SetAttributes(partition, attributes);
    }

    private void Format()
    {
        ulong[] capacities =
            [.. Enumerable.Range(0, 1 + _random.Next(3)).Select(i => (ulong)_random.NextInt64(1L << 20, 1L << 30))];
        _model.Format(capacities);
        _least = new int[capacities.Length];
        _cartridge.Format(capacities);
    }

    private void RequireWhatMayBe(ModelMedium before, int[] leastBefore, bool isKilled)
    {
        if (!HasPartitionsOf(_model))
        {
            Assert.True(HasPartitionsOf(before), "the partitions are those of before or of after a format");
            (_model, _least) = (before, leastBefore);
        }
        if (!HasPartitionsOf(before))
            (before, leastBefore) = (_model, new int[_model.Partitions.Count]);
        _least = new int[_model.Partitions.Count];
        for (int partition = 0; partition < _least.Length; partition++)
        {
            List<ModelObject> found = TapeMoves.ReadAll(_cartridge, partition);
            IReadOnlyList<ModelObject> after = _model.ObjectsOf(partition);
            bool mayBeAfter = IsBeginning(found, after, Least(before, after, partition, leastBefore, isKilled));
            bool mayBeBefore = IsBeginning(
                found, before.ObjectsOf(partition),
                isKilled ? before.ObjectsOf(partition).Count : leastBefore[partition]);
            Assert.True(
                mayBeAfter || mayBeBefore,
                $"partition {partition}: {found.Count} objects, of {before.ObjectsOf(partition).Count} before and "
                + $"{after.Count} after, {leastBefore[partition]} synchronised");
            _model.Settle(partition, found);
            _least[partition] = found.Count;
            RequireAttributes(before, partition);
        }
        ulong counter = _cartridge.Statistics.TryGetValue(Counter, out ulong value) ? value : 0;
        Assert.InRange(counter, _counted, _counter);
        _counter = _counted = counter;
        _model.Locate(0, 0);
        _cartridge.Locate(0, 0);
    }

    /// <summary>Of what is there after the command that had not ended.</summary>
    private int Least(
        ModelMedium before, IReadOnlyList<ModelObject> after, int partition, int[] leastBefore, bool isKilled)
    {
        int common = before.ObjectsOf(partition).Zip(after).TakeWhile(pair => ReferenceEquals(pair.First, pair.Second))
            .Count();
        return Math.Min(common, isKilled ? int.MaxValue : leastBefore[partition]);
    }

    private void RequireAttributes(ModelMedium before, int partition)
    {
        string found = Text(_cartridge.Attributes(partition));
        string after = Text(_model.Attributes(partition));
        Assert.True(
            found == after || found == Text(before.Attributes(partition)),
            "an attribute that was set is there");
        if (found == after)
            return;
        _model.SetAttributes(
            partition, [.. _model.Attributes(partition).Select(attribute => attribute with { Value = default })]);
        _model.SetAttributes(partition, before.Attributes(partition));
    }

    private bool HasPartitionsOf(ModelMedium model) =>
        _cartridge.Partitions.Select(partition => partition.CapacityBytes)
            .SequenceEqual(model.Partitions.Select(partition => partition.CapacityBytes));

    private static bool IsBeginning(List<ModelObject> found, IReadOnlyList<ModelObject> whole, int least) =>
        found.Count >= least && found.Count <= whole.Count && found.SequenceEqual(whole.Take(found.Count));

    private static string Text(IReadOnlyList<MediumAttribute> attributes) =>
        string.Join(' ', attributes.Select(one => $"{one.Identifier:X}={Convert.ToHexString(one.Value.Span)}"));
}
