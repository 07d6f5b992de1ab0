using Scstd.Backends.Tape;
using Scstd.Backends.Tape.Cartridges;

namespace Scstd.Backends.Tests.Tape.Cartridges;

/// <summary>Random moves, made by a cartridge and by the model; what they say must be the same.</summary>
internal sealed class TapeMoves(Random random, Cartridge cartridge, ModelMedium model, int mostBytes = 300)
{
    public static readonly MediumDescription Description =
        new("TST001L6", 0x5A, IsWorm: false, IsWriteProtected: false, IsCleaning: false, "S1", CapacityBytes);

    public const ulong CapacityBytes = 1UL << 40;

    private static readonly TapeKey[] Keys =
    [
        new([.. Enumerable.Repeat((byte)1, 32)], [1, 2, 3], []),
        new([.. Enumerable.Repeat((byte)2, 32)], [], [4, 5]),
    ];

    public Cartridge Cartridge { get; set; } = cartridge;

    public ModelMedium Model { get; set; } = model;

    public static CartridgeOptions Options(params ulong[] partitions) => new()
    {
        Barcode = Description.Barcode,
        DensityCode = Description.DensityCode,
        SerialNumber = Description.SerialNumber,
        CapacityBytes = CapacityBytes,
        Partitions = partitions,
    };

    public void Move()
    {
        switch (random.Next(20))
        {
            case < 5:
                Write();
                break;
            case < 7:
                WriteMarks();
                break;
            case 7:
                Locate();
                break;
            case 8:
                LocateFile();
                break;
            case < 13:
                Space();
                break;
            case < 17:
                Read();
                break;
            case 17 when random.Next(4) == 0:
                Erase();
                break;
            case 18 when random.Next(8) == 0:
                Format();
                break;
            case 19:
                SetAttribute();
                break;
            default:
                Both(medium => medium.Locate(medium.Position.Partition, 0));
                break;
        }
        RequireSamePlace();
    }

    public void Write()
    {
        int count = random.Next(8) == 0 ? random.Next(200) : 1;
        for (int i = 0; i < count; i++)
        {
            byte[] bytes = new byte[1 + random.Next(mostBytes)];
            if (random.Next(2) == 0)
                random.NextBytes(bytes);
            var options = new WriteOptions(random.Next(3) == 0, random.Next(6) == 0 ? Keys[random.Next(2)] : null);
            using var memory = new RecordMemory(bytes, 1 + random.Next(200));
            Both(medium => medium.Write(memory.Data, 0, bytes.Length, options));
        }
    }

    public void WriteMarks()
    {
        TapeObjectKind kind = random.Next(4) == 0 ? TapeObjectKind.SetMark : TapeObjectKind.FileMark;
        int count = random.Next(8) == 0 ? random.Next(1200) : random.Next(4);
        Both(medium => medium.WriteMarks(kind, count));
    }

    public void Locate()
    {
        int partition = random.Next(Model.Partitions.Count);
        ulong number = (ulong)random.Next(2 + Model.ObjectsOf(partition).Count);
        Both(medium => medium.Locate(partition, number));
    }

    public void LocateFile()
    {
        int partition = random.Next(Model.Partitions.Count);
        ulong number = (ulong)random.Next(
            2 + Model.ObjectsOf(partition).Count(one => one.Kind == TapeObjectKind.FileMark));
        Both(medium => medium.LocateFile(partition, number));
    }

    public void Space()
    {
        SpaceUnit unit = (SpaceUnit)random.Next(6);
        long most = random.Next(3) == 0 ? 1500 : 4;
        long count = random.NextInt64(-most, most + 1);
        Both(medium => medium.Space(unit, count));
    }

    public void Read()
    {
        bool backwards = random.Next(4) == 0;
        int count = 1 + random.Next(5);
        for (int i = 0; i < count; i++)
        {
            TapeObject next = Both(medium => medium.Peek(backwards) is var one
                ? new TapeObject(one.Kind, one.LengthBytes, one.IsEncrypted) : default);
            if (next.Kind == TapeObjectKind.None)
                return;
            if (next.Kind == TapeObjectKind.Record)
                ReadRecord(next, backwards);
            else
                Both(medium => { medium.Skip(backwards); return 0; });
        }
    }

    public void Erase()
    {
        bool isLong = random.Next(2) == 0;
        Both(medium => { medium.Erase(isLong, () => false); return 0; });
    }

    public void Format()
    {
        ulong[] capacities = [.. Enumerable.Range(0, 1 + random.Next(3)).Select(i => CapacityBytes / 4 - (ulong)i)];
        Both(medium => { medium.Format(capacities); return 0; });
    }

    public void SetAttribute()
    {
        MediumAttribute[] attributes =
        [
            .. Enumerable.Range(0x800 + random.Next(6), 1 + random.Next(3)).Select(identifier =>
            {
                byte[] value = new byte[random.Next(4) == 0 ? 0 : random.Next(100)];
                random.NextBytes(value);
                return new MediumAttribute((ushort)identifier, 0, value);
            }),
        ];
        int partition = random.Next(Model.Partitions.Count);
        Both(medium => { medium.SetAttributes(partition, attributes); return 0; });
    }

    /// <summary>Everything on the tape is read and compared.</summary>
    public void RequireSameTape()
    {
        Assert.Equal(Model.Partitions.Count, Cartridge.Partitions.Count);
        for (int partition = 0; partition < Model.Partitions.Count; partition++)
        {
            Assert.Equal(Model.ObjectsOf(partition).AsEnumerable(), ReadAll(Cartridge, partition));
            Assert.Equal(
                Model.Attributes(partition).Select(one => (one.Identifier, Convert.ToHexString(one.Value.Span))),
                Cartridge.Attributes(partition).Select(one => (one.Identifier, Convert.ToHexString(one.Value.Span))));
        }
        Both(medium => medium.Locate(0, 0));
    }

    public static List<ModelObject> ReadAll(Cartridge cartridge, int partition)
    {
        var objects = new List<ModelObject>();
        cartridge.Locate(partition, 0);
        for (TapeObject next; (next = cartridge.Peek()).Kind != TapeObjectKind.None;)
        {
            if (next.Kind != TapeObjectKind.Record)
            {
                cartridge.Skip();
                objects.Add(new ModelObject(next.Kind, []));
                continue;
            }
            using var memory = new RecordMemory(next.LengthBytes);
            TapeKey? key = next.IsEncrypted ? KeyOf(next) : null;
            Assert.Equal(next.LengthBytes, cartridge.Read(memory.Data, 0, next.LengthBytes, key: key));
            objects.Add(new ModelObject(TapeObjectKind.Record, memory.ToArray(next.LengthBytes), key));
        }
        Assert.Equal(cartridge.EndOfData, cartridge.Position);
        return objects;
    }

    private static TapeKey KeyOf(in TapeObject next) => Keys[next.UnauthenticatedData.Length > 0 ? 0 : 1];

    private void ReadRecord(TapeObject next, bool backwards)
    {
        int most = random.Next(3) == 0 ? random.Next(next.LengthBytes + 1) : next.LengthBytes;
        int offset = random.Next(50);
        int piece = 1 + random.Next(200);
        TapeKey? key = next.IsEncrypted ? KeyOf(Cartridge.Peek(backwards)) : null;
        byte[] read = Both(medium =>
        {
            using var memory = new RecordMemory(offset + next.LengthBytes, piece);
            Assert.Equal(next.LengthBytes, medium.Read(memory.Data, offset, most, backwards, key));
            return memory.ToArray(offset + next.LengthBytes);
        });
        Assert.Equal(offset + next.LengthBytes, read.Length);
    }

    private T Both<T>(Func<ITapeMedium, T> move)
    {
        T expected = move(Model);
        T actual = move(Cartridge);
        Assert.Equal(expected, actual);
        return actual;
    }

    private void RequireSamePlace()
    {
        Assert.Equal(Model.Position, Cartridge.Position with { BytesBefore = 0 });
        Assert.Equal(Model.EndOfData, Cartridge.EndOfData with { BytesBefore = 0 });
        Assert.Equal(
            Model.Partitions, Cartridge.Partitions.Select(partition => partition with { UsedBytes = 0 }));
        PartitionDescription here = Cartridge.Partitions[Cartridge.Position.Partition];
        Assert.Equal(here.UsedBytes, Cartridge.EndOfData.BytesBefore);
        Assert.True(Cartridge.Position.BytesBefore <= here.UsedBytes);
    }
}
