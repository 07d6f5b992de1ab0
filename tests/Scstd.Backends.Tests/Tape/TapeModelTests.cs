using CsCheck;
using Scstd.Backends.Tape;
using Scstd.Backends.Tape.Cartridges;
using Scstd.Backends.Tests.Disk;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Backends.Tests.Tape;

/// <summary>
/// A drive with a cartridge of a file against a model that was written from the standard: sequences of commands from
/// dice, after each of which status, sense data, bytes and position must be those of the model.
/// </summary>
public sealed class TapeModelTests
{
    private static readonly Gen<Step> Steps = Gen.Select(
        Gen.Int[0, 9], Gen.Int[-6, 6], Gen.Int[1, 3000], Gen.Bool,
        static (kind, count, length, flag) => new Step(kind, count, length, flag));

    [Fact]
    public void Every_command_of_a_sequence_ends_as_the_model_says()
    {
        using var directory = new TemporaryDirectory();
        int number = 0;
        Steps.Array[1, 40].Sample(
            steps => Run(directory.File($"{Interlocked.Increment(ref number)}"), steps), iter: 150, threads: 1);
    }

    private static void Run(string path, Step[] steps)
    {
        var cartridge = Cartridge.Create(path, new CartridgeOptions { DensityCode = 0x58, CapacityBytes = 64 << 20 });
        using var world = TapeWorld.Of(cartridge, TapePersonality.Lto5);
        var model = new Model();
        foreach (Step step in steps)
        {
            (TestCommand command, Outcome expected) = Do(world, model, step);
            var got = new Outcome(
                command.Status == ScsiStatus.CheckCondition ? command.Sense : null, command.DataIn);
            Assert.Equal(expected.Sense, got.Sense);
            Assert.Equal(expected.Data, got.Data);
            Assert.Equal((0, (ulong)model.At, (ulong)model.Files), world.Position());
        }
    }

    private static (TestCommand Command, Outcome Expected) Do(TapeWorld world, Model model, Step step)
    {
        byte[] record = TapeWorld.Record(step.LengthBytes, step.Count + (step.LengthBytes * 7));
        int count = Math.Abs(step.Count);
        switch (step.Kind)
        {
            case 0 or 1:
                return (world.Write(record), model.Write(record));
            case 2:
                return (world.Marks(count, step.Flag), model.Marks(count));
            case 3 or 4:
                return (world.Read(step.LengthBytes, sili: step.Flag), model.Read(step.LengthBytes, step.Flag));
            case 5:
                return (world.Space(0, step.Count & 0xFFFFFF), model.SpaceRecords(step.Count));
            case 6:
                return (world.Space(1, step.Count & 0xFFFFFF), model.SpaceMarks(step.Count));
            case 7:
                return (world.Execute($"2B 00 00 00 00 00 {count:X2} 00 00 00"), model.Locate(count));
            case 8:
                return step.Flag ? (world.Space(3, 0), model.SpaceEnd()) : (world.Rewind(), model.Locate(0));
            default:
                return (world.Execute("19 00 00 00 00 00"), model.Erase());
        }
    }

    private readonly record struct Step(int Kind, int Count, int LengthBytes, bool Flag);

    private sealed record Outcome(SenseData? Sense, byte[] Data)
    {
        public static readonly Outcome Good = new(null, []);
    }

    /// <summary>Null is a filemark.</summary>
    private sealed class Model
    {
        private readonly List<byte[]?> _objects = [];

        public int At { get; private set; }

        public int Files => _objects.Take(At).Count(one => one is null);

        public Outcome Write(byte[] record)
        {
            Erase();
            _objects.Add(record);
            At++;
            return Outcome.Good;
        }

        public Outcome Marks(int count)
        {
            if (count > 0)
                Erase();
            for (int i = 0; i < count; i++, At++)
                _objects.Add(null);
            return Outcome.Good;
        }

        public Outcome Erase()
        {
            _objects.RemoveRange(At, _objects.Count - At);
            return Outcome.Good;
        }

        public Outcome Read(int askedBytes, bool suppressesIncorrectLength)
        {
            if (At == _objects.Count)
                return EndOfData((ulong)askedBytes);
            if (_objects[At++] is not { } record)
                return Filemark((ulong)askedBytes);
            byte[] data = record[..Math.Min(askedBytes, record.Length)];
            if (record.Length == askedBytes || suppressesIncorrectLength)
                return new Outcome(null, data);
            var sense = new SenseData(SenseKey.NoSense, AdditionalSense.None)
            {
                IncorrectLengthIndicator = true,
                Information = unchecked((ulong)(long)(askedBytes - record.Length)),
            };
            return new Outcome(sense, data);
        }

        public Outcome SpaceRecords(int count)
        {
            for (; count > 0; count--)
            {
                if (At == _objects.Count)
                    return EndOfData((ulong)count);
                if (_objects[At++] is null)
                    return Filemark((ulong)count);
            }
            for (; count < 0; count++)
            {
                if (At == 0)
                    return Beginning((ulong)-count);
                if (_objects[--At] is null)
                    return Filemark((ulong)-count);
            }
            return Outcome.Good;
        }

        public Outcome SpaceMarks(int count)
        {
            while (count > 0)
            {
                if (At == _objects.Count)
                    return EndOfData((ulong)count);
                if (_objects[At++] is null)
                    count--;
            }
            while (count < 0)
            {
                if (At == 0)
                    return Beginning((ulong)-count);
                if (_objects[--At] is null)
                    count++;
            }
            return Outcome.Good;
        }

        public Outcome SpaceEnd()
        {
            At = _objects.Count;
            return Outcome.Good;
        }

        public Outcome Locate(int number)
        {
            At = Math.Min(number, _objects.Count);
            return number <= _objects.Count
                ? Outcome.Good
                : new Outcome(new SenseData(SenseKey.BlankCheck, AdditionalSense.EndOfDataDetected), []);
        }

        private static Outcome EndOfData(ulong left) => new(
            new SenseData(SenseKey.BlankCheck, AdditionalSense.EndOfDataDetected) { Information = left }, []);

        private static Outcome Beginning(ulong left) => new(
            new SenseData(SenseKey.NoSense, AdditionalSense.BeginningOfPartitionDetected)
            {
                EndOfMedium = true,
                Information = left,
            }, []);

        private static Outcome Filemark(ulong left) => new(
            new SenseData(SenseKey.NoSense, AdditionalSense.FilemarkDetected) { Filemark = true, Information = left },
            []);
    }
}
