using Scstd.Backends.Tape;
using Scstd.Backends.Tape.Cartridges;

namespace Scstd.Backends.Tests.Tape.Cartridges;

/// <summary>Files that are not as they were written.</summary>
public sealed class CartridgeDamageTests
{
    private const long Log = CartridgeFormat.LogsOffsetBytes;

    [Fact]
    public void A_damaged_record_is_an_error_at_that_record_and_the_next_is_read()
    {
        (MemoryFile file, Cartridge cartridge, ModelMedium model) = Written(1, 20);
        List<ulong> places = Places(cartridge);
        int damaged = Enumerable.Range(3, 10).First(i => model.ObjectsOf(0)[i].Kind == TapeObjectKind.Record);
        file.Put([0x5A, 0xA5], Log + (long)places[damaged] + ObjectHeader.Bytes);

        cartridge.Locate(0, (ulong)damaged);
        using var memory = new RecordMemory(1 << 16);
        MediumFault fault = Assert.Throws<MediumFaultException>(() => cartridge.Read(memory.Data, 0, 1 << 16)).Fault;

        Assert.Equal(new MediumFault(MediumFaultKind.DamagedRecord, IsPassed: true), fault);
        Assert.Equal((ulong)damaged + 1, cartridge.Position.ObjectNumber);
        RequireTheOthers(cartridge, model, [damaged]);
        Assert.Contains($"object {damaged}: a record", Assert.Single(CartridgeCheck.Run(file).Findings));
    }

    [Fact]
    public void A_record_whose_header_is_gone_is_passed_and_the_next_is_read()
    {
        (MemoryFile file, Cartridge cartridge, ModelMedium model) = Written(2, 20);
        List<ulong> places = Places(cartridge);
        int damaged = Enumerable.Range(3, 10).First(i => model.ObjectsOf(0)[i].Kind == TapeObjectKind.Record);
        file.Put(new byte[ObjectHeader.Bytes], Log + (long)places[damaged]);

        cartridge = Cartridge.Open(file.Killed());
        cartridge.Locate(0, (ulong)damaged);
        Assert.Equal(TapeObjectKind.Record, cartridge.Peek().Kind);
        RequireTheOthers(cartridge, model, [damaged]);
    }

    [Theory]
    [InlineData(0, 60)]
    [InlineData(1, 60)]
    public void What_lies_around_an_overwritten_stretch_is_found_before_and_after_a_repair(int part, int count)
    {
        for (int seed = part * count; seed < (part + 1) * count; seed++)
        {
            var random = new Random(seed);
            (MemoryFile file, Cartridge cartridge, ModelMedium model) = Written(seed, 1500 + random.Next(2500));
            List<ulong> places = Places(cartridge);
            places.Add(cartridge.Partitions[0].UsedBytes);
            byte[] noise = new byte[1 + random.Next(random.Next(2) == 0 ? 2000 : 60_000)];
            random.NextBytes(noise);
            long start = random.NextInt64((long)places[^1] - noise.Length);
            file.Put(noise, Log + start);
            HashSet<int> damaged = [.. Enumerable.Range(0, places.Count - 1).Where(
                i => (long)places[i] < start + noise.Length && (long)places[i + 1] > start)];

            RequireTheOthers(Cartridge.Open(file.Killed()), model, damaged);
            Assert.False(CartridgeCheck.Run(file.Killed()).IsWhole && damaged.Count > 1, $"seed {seed}: not seen");
            MemoryFile repaired = file.Killed();
            CartridgeRepair.Run(repaired);
            RequireTheOthers(Cartridge.Open(repaired), model, damaged);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void One_damaged_checkpoint_is_no_matter(int place)
    {
        (MemoryFile file, Cartridge cartridge, ModelMedium model) = Written(3, 700);
        cartridge.Synchronize();
        cartridge.WriteMarks(TapeObjectKind.FileMark, 2);
        model.Space(SpaceUnit.EndOfData, 0);
        model.WriteMarks(TapeObjectKind.FileMark, 2);
        file.Put(new byte[100], place * CartridgeFormat.CheckpointBytes + 30);

        MemoryFile damaged = file.Killed();
        RequireTheOthers(Cartridge.Open(damaged), model, []);
        Assert.Contains("one of the two checkpoints is damaged", CartridgeCheck.Run(damaged).Findings);
        Assert.True(CartridgeRepair.Run(damaged).Left.IsWhole);
    }

    [Fact]
    public void An_older_checkpoint_that_does_not_fit_any_more_is_not_believed()
    {
        (MemoryFile file, Cartridge cartridge, ModelMedium model) = Written(4, 700);
        cartridge.Locate(0, 100);
        cartridge.Erase(isLong: true, () => false);
        model.Locate(0, 100);
        model.Erase(isLong: true, () => false);
        // The erase was one checkpoint: the newer one.
        int newer = CartridgeFormat.CheckpointBytes
            * (int)(CheckpointReader.Open(file).Checkpoint.Sequence % CartridgeFormat.CheckpointCount);
        file.Put(new byte[100], newer + 30);

        Assert.Equal(
            MediumFaultKind.DamagedFormat, Assert.Throws<MediumFaultException>(() => Cartridge.Open(file)).Fault.Kind);
        Assert.True(CartridgeRepair.Run(file).Left.IsWhole);
        RequireTheOthers(Cartridge.Open(file), model, []);
    }

    [Fact]
    public void Without_any_checkpoint_the_log_is_enough()
    {
        (MemoryFile file, Cartridge cartridge, ModelMedium model) = Written(5, 3000);
        cartridge.Dispose();
        file.Put(new byte[CartridgeFormat.LabelOffsetBytes], 0);

        MediumFaultException thrown = Assert.Throws<MediumFaultException>(() => Cartridge.Open(file));
        Assert.Equal(MediumFaultKind.DamagedFormat, thrown.Fault.Kind);
        Assert.Contains("scstd cartridge repair", thrown.Message);
        Assert.False(CartridgeCheck.Run(file).IsWhole);
        RepairReport report = CartridgeRepair.Run(file);
        Assert.True(report.Left.IsWhole, string.Join('\n', report.Left.Findings));
        cartridge = Cartridge.Open(file);
        Assert.Equal(TapeMoves.Description.Barcode, cartridge.Description.Barcode);
        RequireTheOthers(cartridge, model, []);
        Assert.Empty(CartridgeRepair.Run(file).Done);
    }

    [Fact]
    public void A_file_that_was_cut_short_says_so_and_is_repaired_up_to_there()
    {
        (MemoryFile file, Cartridge cartridge, ModelMedium model) = Written(6, 3000);
        List<ulong> places = Places(cartridge);
        cartridge.Dispose();
        file.Cut(Log + (long)places[2000] + 3);

        MediumFaultException thrown = Assert.Throws<MediumFaultException>(() => Cartridge.Open(file));
        Assert.Equal(MediumFaultKind.DamagedFormat, thrown.Fault.Kind);
        Assert.Contains("cut short", thrown.Message);
        RepairReport report = CartridgeRepair.Run(file);
        Assert.True(report.Left.IsWhole, string.Join('\n', report.Left.Findings));
        cartridge = Cartridge.Open(file);
        Assert.Equal(2000u, cartridge.Partitions[0].ObjectCount);
        Assert.Equal(model.ObjectsOf(0).Take(2000), TapeMoves.ReadAll(cartridge, 0));
    }

    [Fact]
    public void A_whole_cartridge_needs_no_repair()
    {
        (MemoryFile file, Cartridge cartridge, _) = Written(7, 2000);
        cartridge.Dispose();
        int calls = file.Calls;

        RepairReport report = CartridgeRepair.Run(file);

        Assert.True(report.Left.IsWhole, string.Join('\n', report.Left.Findings));
        Assert.Empty(report.Done);
        Assert.Equal(calls, file.Calls);
    }

    [Fact]
    public void Noise_anywhere_is_never_more_than_a_fault()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            (MemoryFile file, Cartridge cartridge, _) = Written(seed, 600);
            cartridge.Dispose();
            long end = Log + (long)cartridge.Partitions[0].UsedBytes;
            for (int hits = 1 + random.Next(30); hits > 0; hits--)
            {
                byte[] noise = new byte[1 + random.Next(16)];
                random.NextBytes(noise);
                file.Put(noise, random.Next(3) == 0 ? random.NextInt64(CartridgeFormat.LogsOffsetBytes)
                    : random.NextInt64(Log, end));
            }
            if (random.Next(4) == 0)
                file.Cut(random.NextInt64(end));
            Faults(() => ReadEverything(Cartridge.Open(file.Killed())));
            Faults(() => CartridgeCheck.Run(file.Killed()));
            MemoryFile repaired = file.Killed();
            Faults(() =>
            {
                CartridgeRepair.Run(repaired);
                ReadEverything(Cartridge.Open(repaired));
            });
        }
    }

    /// <summary>Records and marks of all sizes on a tape of one partition, and what they are.</summary>
    private static (MemoryFile File, Cartridge Cartridge, ModelMedium Model) Written(int seed, int objects)
    {
        var random = new Random(seed);
        var file = new MemoryFile(4096) { Remembers = false };
        Cartridge cartridge = Cartridge.Create(file, TapeMoves.Options());
        var model = new ModelMedium(TapeMoves.Description, TapeMoves.CapacityBytes);
        for (int i = 0; i < objects; i++)
        {
            byte[] bytes = new byte[1 + random.Next(random.Next(20) == 0 ? 3000 : 100)];
            random.NextBytes(bytes);
            using var memory = new RecordMemory(bytes);
            foreach (ITapeMedium medium in (ITapeMedium[])[cartridge, model])
            {
                if (i % 17 == 16)
                    medium.WriteMarks(i % 51 == 50 ? TapeObjectKind.SetMark : TapeObjectKind.FileMark, 1);
                else
                    medium.Write(memory.Data, 0, bytes.Length, default);
            }
        }
        cartridge.Synchronize();
        return (file, cartridge, model);
    }

    private static List<ulong> Places(Cartridge cartridge)
    {
        var places = new List<ulong>();
        cartridge.Locate(0, 0);
        for (; cartridge.Peek().Kind != TapeObjectKind.None; cartridge.Skip())
            places.Add(cartridge.Position.BytesBefore);
        return places;
    }

    /// <summary>All but the damaged objects are there, in their places, by way of each look-up; the damaged ones are
    /// whole all the same, or faults that are passed.</summary>
    private static void RequireTheOthers(Cartridge cartridge, ModelMedium model, HashSet<int> damaged)
    {
        IReadOnlyList<ModelObject> objects = model.ObjectsOf(0);
        Assert.Equal((ulong)objects.Count, cartridge.Partitions[0].ObjectCount);
        using var memory = new RecordMemory(1 << 16);
        ulong files = 0;
        for (int i = 0; i < objects.Count; i++)
        {
            Assert.True(cartridge.Locate(0, (ulong)i));
            if (!damaged.Contains(i))
            {
                Assert.Equal((objects[i].Kind, files), (cartridge.Peek().Kind, cartridge.Position.FileNumber));
                if (objects[i].Kind == TapeObjectKind.Record)
                {
                    int length = cartridge.Read(memory.Data, 0, 1 << 16);
                    Assert.Equal(objects[i].Bytes, memory.ToArray(length));
                }
            }
            else if (cartridge.Peek().Kind == TapeObjectKind.Record)
            {
                try
                {
                    cartridge.Read(memory.Data, 0, 1 << 16);
                }
                catch (MediumFaultException exception)
                {
                    Assert.Equal(new MediumFault(MediumFaultKind.DamagedRecord, IsPassed: true), exception.Fault);
                }
                Assert.Equal((ulong)i + 1, cartridge.Position.ObjectNumber);
            }
            files += objects[i].Kind == TapeObjectKind.FileMark ? 1u : 0;
            if (objects[i].Kind == TapeObjectKind.FileMark && !damaged.Contains(i))
            {
                Assert.True(cartridge.LocateFile(0, files));
                Assert.Equal((ulong)i + 1, cartridge.Position.ObjectNumber);
            }
        }
    }

    private static void ReadEverything(Cartridge cartridge)
    {
        using var memory = new RecordMemory(1 << 12);
        cartridge.Locate(0, 0);
        for (TapeObject next; (next = cartridge.Peek()).Kind != TapeObjectKind.None;)
        {
            if (next.Kind == TapeObjectKind.Record)
                Faults(() => cartridge.Read(memory.Data, 0, 1 << 12));
            else
                cartridge.Skip();
        }
        cartridge.Space(SpaceUnit.FileMarks, -3);
        cartridge.WriteMarks(TapeObjectKind.FileMark, 1);
        cartridge.Synchronize();
    }

    private static void Faults(Action action)
    {
        Exception? thrown = Record.Exception(action);
        Assert.True(thrown is null or MediumFaultException, $"{thrown}");
    }
}
