using System.Text;
using Scstd.Backends.Tape;
using Scstd.Backends.Tape.Cartridges;
using Scstd.Backends.Tests.Disk;
using Scstd.Linux;

namespace Scstd.Backends.Tests.Tape.Cartridges;

/// <summary>What a cartridge does beside what every tape does.</summary>
public sealed class CartridgeTests
{
    private static readonly TapeKey Key =
        new([.. Enumerable.Range(0, 32).Select(i => (byte)i)], [1, 2, 3], [4, 5, 6, 7]);

    private static readonly TapeKey Other = Key with { Key = new byte[32] };

    [Fact]
    public void A_record_goes_to_a_file_and_comes_back_from_it()
    {
        using var folder = new TemporaryDirectory();
        string path = folder.File("TST001L6");
        byte[] record = Noise(256 * 1024);
        using (Cartridge written = Cartridge.Create(path, TapeMoves.Options()))
        {
            Write(written, record, default);
            written.WriteMarks(TapeObjectKind.FileMark, 2);
            written.Statistics["loads"] = 7;
        }

        using Cartridge read = Cartridge.Open(path);

        Assert.Equal(TapeMoves.Description, read.Description);
        Assert.Equal(7u, read.Statistics["loads"]);
        Assert.Equal(record, Read(read));
        Assert.Equal(3u, read.EndOfData.ObjectNumber);
        Assert.Equal(2u, read.EndOfData.FileNumber);
    }

    [Fact]
    public void Capacity_is_what_the_file_takes()
    {
        var file = new MemoryFile();
        Cartridge cartridge = Cartridge.Create(file, TapeMoves.Options());
        for (int i = 0; i < 2000; i++)
            Write(cartridge, Noise(100 + i), default);
        cartridge.WriteMarks(TapeObjectKind.FileMark, 1000);

        Assert.Equal(file.LengthBytes - CartridgeFormat.LogsOffsetBytes, (long)cartridge.Partitions[0].UsedBytes);
    }

    [Fact]
    public void Compression_saves_capacity_and_only_where_it_does()
    {
        var file = new MemoryFile();
        Cartridge cartridge = Cartridge.Create(file, TapeMoves.Options());
        byte[] text = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("the quick brown fox ", 3000)));
        var options = new WriteOptions(Compress: true, null);
        Write(cartridge, text, options);
        ulong compressed = cartridge.Position.BytesBefore;
        Write(cartridge, Noise(5000), options);

        Assert.True(compressed < (ulong)text.Length / 10, $"{compressed} bytes");
        Assert.Equal(5000u + ObjectHeader.Bytes, cartridge.Position.BytesBefore - compressed);
        cartridge.Locate(0, 0);
        TapeObject next = cartridge.Peek();
        Assert.Equal((text.Length, true, (int)compressed), (next.LengthBytes, next.IsCompressed, next.StoredBytes));
        Assert.Equal(text, Read(cartridge));
        Assert.False(cartridge.Peek().IsCompressed);
    }

    [Fact]
    public void Marks_that_were_told_to_have_failed_do_not_come_back()
    {
        var file = new MemoryFile();
        Cartridge cartridge = Cartridge.Create(file, TapeMoves.Options());
        Write(cartridge, Noise(100), default);
        cartridge.Synchronize();
        const int NoSpace = 28;
        int writes = 0;
        file.Before = call =>
        {
            if (call == "write" && ++writes == 2)
                throw new LinuxException(NoSpace, "pwritev");
        };
        Assert.Throws<MediumFaultException>(() => cartridge.WriteMarks(TapeObjectKind.FileMark, 1000));
        file.Before = null;
        cartridge.Synchronize();

        Assert.Equal(1u, Cartridge.Open(file.Killed()).EndOfData.ObjectNumber);
    }

    /// <summary>So that a recovery does not read a whole tape.</summary>
    [Fact]
    public void A_checkpoint_is_never_far_behind_what_is_written()
    {
        var file = new MemoryFile();
        Cartridge cartridge = Cartridge.Create(file, TapeMoves.Options());
        cartridge.CoveredAtLeastEveryBytes = 64 * 1024;
        int syncs = 0;
        file.Before = call => syncs += call == "sync" ? 1 : 0;
        for (int i = 0; i < 40; i++)
            Write(cartridge, Noise(10_000), default);

        Assert.InRange(syncs, 2 * 5, 2 * 7);
    }

    /// <summary>A long record is tried on a sample, and those behind one that was not worth it are of the same file.
    /// </summary>
    [Fact]
    public void Behind_a_long_record_that_does_not_compress_the_next_few_are_not_tried()
    {
        const int LongBytes = 256 * 1024;
        Cartridge cartridge = Cartridge.Create(new MemoryFile(), TapeMoves.Options());
        var options = new WriteOptions(Compress: true, null);
        byte[] halfNoise = [.. Noise(LongBytes / 2), .. new byte[LongBytes / 2]];
        Write(cartridge, halfNoise, options);
        Write(cartridge, Noise(LongBytes), options);
        for (int i = 0; i < 8; i++)
            Write(cartridge, new byte[LongBytes], options);
        cartridge.Locate(0, 0);
        var compressed = new List<bool>();
        for (int i = 0; i < 10; i++)
        {
            compressed.Add(cartridge.Peek().IsCompressed);
            cartridge.Skip();
        }

        Assert.Equal([true, false, .. Enumerable.Repeat(false, 7), true], compressed);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_encrypted_record_tells_its_key_data_and_opens_with_its_key_alone(bool compress)
    {
        var file = new MemoryFile();
        Cartridge cartridge = Cartridge.Create(file, TapeMoves.Options());
        byte[] secret = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("nobody may read this ", 100)));
        Write(cartridge, secret, new WriteOptions(compress, Key));
        cartridge.Locate(0, 0);

        TapeObject next = cartridge.Peek();
        Assert.True(next.IsEncrypted);
        Assert.Equal(secret.Length, next.LengthBytes);
        Assert.Equal(Key.Authenticated, next.KeyAssociatedData.ToArray());
        Assert.Equal(Key.Unauthenticated, next.UnauthenticatedData.ToArray());
        Assert.Equal(new MediumFault(MediumFaultKind.WrongKey), Fault(() => Read(cartridge)));
        Assert.Equal(new MediumFault(MediumFaultKind.WrongKey), Fault(() => Read(cartridge, Other)));
        Assert.Equal(0u, cartridge.Position.ObjectNumber);
        Assert.Equal(secret, Read(cartridge, Key));
        byte[] stored = file.Bytes(CartridgeFormat.LogsOffsetBytes, (int)cartridge.Position.BytesBefore);
        Assert.Equal(-1, stored.AsSpan().IndexOf("nobody"u8));
    }

    [Fact]
    public void An_encrypted_record_in_the_place_of_another_does_not_open()
    {
        var file = new MemoryFile();
        Cartridge cartridge = Cartridge.Create(file, TapeMoves.Options());
        Write(cartridge, new byte[96], new WriteOptions(false, Key));
        ulong size = cartridge.Position.BytesBefore;
        Write(cartridge, new byte[96], new WriteOptions(false, Key));
        long first = CartridgeFormat.LogsOffsetBytes + ObjectHeader.Bytes;
        byte[] stored = file.Bytes(first, (int)size - ObjectHeader.Bytes);

        // With a header that says that it is right, as one would forge it.
        ObjectHeader header = ObjectHeader.Read(
            file.Bytes(CartridgeFormat.LogsOffsetBytes + (long)size, ObjectHeader.Bytes), SeedOf(file), 0, size)!.Value;
        byte[] forged = new byte[ObjectHeader.Bytes];
        (header with { StoredChecksum = Scstd.Scsi.Crc32c.Compute(stored.AsSpan(0, (int)header.StoredBytes)) })
            .Write(forged, SeedOf(file));
        file.Put(forged, CartridgeFormat.LogsOffsetBytes + (long)size);
        file.Put(stored, first + (long)size);

        cartridge = Cartridge.Open(file.Killed());
        cartridge.Locate(0, 1);
        Assert.Equal(MediumFaultKind.WrongKey, Fault(() => Read(cartridge, Key)).Kind);
    }

    [Fact]
    public void A_partition_that_is_full_takes_no_more_and_keeps_what_it_has()
    {
        var file = new MemoryFile();
        const ulong Capacity = 10_000;
        Cartridge cartridge = Cartridge.Create(file, TapeMoves.Options(Capacity, 20_000));
        using var memory = new RecordMemory(Noise(3000));
        int records = 0;
        while (cartridge.Write(memory.Data, 0, 3000, default))
            records++;

        Assert.Equal(3, records);
        Assert.Equal(3u, cartridge.Position.ObjectNumber);
        Assert.False(cartridge.WriteMarks(TapeObjectKind.FileMark, 13));
        Assert.True(cartridge.WriteMarks(TapeObjectKind.FileMark, 12));
        Assert.False(cartridge.WriteMarks(TapeObjectKind.FileMark, 1));
        Assert.True(cartridge.Partitions[0].UsedBytes <= Capacity);
        cartridge.Locate(0, 0);
        Assert.True(cartridge.Write(memory.Data, 0, 3000, default));
    }

    [Fact]
    public void A_worm_cartridge_is_appended_to_and_nothing_else()
    {
        var file = new MemoryFile();
        Cartridge cartridge = Cartridge.Create(file, TapeMoves.Options() with { IsWorm = true });
        cartridge.Format([TapeMoves.CapacityBytes]);
        Write(cartridge, Noise(10), default);
        cartridge.WriteMarks(TapeObjectKind.FileMark, 2);
        var refused = new MediumFault(MediumFaultKind.WriteProtected);

        Assert.Equal(refused, Fault(() => cartridge.Format([TapeMoves.CapacityBytes])));
        cartridge.Locate(0, 0);
        Assert.Equal(refused, Fault(() => Write(cartridge, Noise(10), default)));
        Assert.Equal(refused, Fault(() => cartridge.WriteMarks(TapeObjectKind.FileMark, 1)));
        Assert.Equal(refused, Fault(() => cartridge.Erase(true, () => false)));
        cartridge.Locate(0, 2);
        Write(cartridge, Noise(20), default);
        Assert.Equal(3u, cartridge.EndOfData.ObjectNumber);
        Assert.Equal(3u, Cartridge.Open(file.Killed()).Partitions[0].ObjectCount);
    }

    [Fact]
    public void A_write_protected_cartridge_is_only_read()
    {
        var file = new MemoryFile();
        Cartridge written = Cartridge.Create(file, TapeMoves.Options());
        Write(written, Noise(10), default);
        written.Dispose();
        MemoryFile kept = file.Killed();
        kept.IsReadOnly = true;

        using Cartridge cartridge = Cartridge.Open(kept);

        Assert.True(cartridge.Description.IsWriteProtected);
        Assert.Equal(10, Read(cartridge).Length);
        Assert.Equal(MediumFaultKind.WriteProtected, Fault(() => Write(cartridge, Noise(10), default)).Kind);
        Assert.Equal(
            MediumFaultKind.WriteProtected, Fault(() => cartridge.SetAttributes(0, [new(0x800, 0, new byte[1])])).Kind);
        cartridge.Statistics["loads"] = 1;
        cartridge.Synchronize();
        Assert.Equal(0, kept.Calls);
        Cartridge tab = Cartridge.Create(new MemoryFile(), TapeMoves.Options() with { IsWriteProtected = true });
        Assert.Equal(MediumFaultKind.WriteProtected, Fault(() => Write(tab, Noise(10), default)).Kind);
    }

    [Fact]
    public void A_cartridge_is_no_longer_than_its_file_may_become()
    {
        var file = new MemoryFile { LargestBytes = 16L << 40 };
        var options = new CartridgeOptions
        {
            DensityCode = 0x60,
            CapacityBytes = 18_000_000_000_000,
            ShrinksToFileSystem = true,
        };
        ulong most = CartridgeFiles.FitTo(file, options).CapacityBytes;
        long End(ulong capacity) => CartridgeLabel.Lay([capacity])[0].EndBytes;
        Assert.InRange(
            End(most), file.LargestBytes - (6 * CartridgeFormat.PartitionAlignmentBytes), file.LargestBytes);
        // However it is divided.
        Assert.True(
            CartridgeLabel.Lay([most / 4, most / 4, (most / 4) - 1, (most / 4) + 1])[^1].EndBytes <= file.LargestBytes);
        Assert.Equal(12_000_000_000_000UL,
            CartridgeFiles.FitTo(file, options with { CapacityBytes = 12_000_000_000_000 }).CapacityBytes);
        MediumFaultException refused = Assert.Throws<MediumFaultException>(
            () => CartridgeFiles.FitTo(file, options with { ShrinksToFileSystem = false }));
        Assert.Equal(ErrorNumber.TooLarge, refused.Fault.Error);
        Assert.Contains($"at most {most} bytes", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_cartridge_that_was_closed_touches_no_file_any_more()
    {
        using var directory = new TemporaryDirectory();
        Cartridge cartridge = Cartridge.Create(directory.File("A"), TapeMoves.Options());
        cartridge.WriteMarks(TapeObjectKind.FileMark, 3);
        cartridge.Synchronize();
        cartridge.Abandon();
        // The number of its file is another's now.
        using FileStream other = File.Create(directory.File("B"));
        foreach (Action work in (Action[])
            [
                () => cartridge.Locate(0, 0), () => cartridge.Space(SpaceUnit.EndOfData, 0),
                () => cartridge.WriteMarks(TapeObjectKind.FileMark, 1), cartridge.Synchronize,
                () => cartridge.Erase(true, () => false), () => cartridge.Format([1 << 20]),
                () => cartridge.SetAttributes(0, [new MediumAttribute(0x800, 1, new byte[1])]),
            ])
            Assert.Throws<MediumFaultException>(work);
        cartridge.Dispose();
        Assert.Equal(0, other.Length);
        using Cartridge again = Cartridge.Open(directory.File("A"));
        Assert.Equal(3UL, again.Partitions[0].ObjectCount);
    }

    [Fact]
    public void Attributes_have_as_much_room_as_they_say()
    {
        Cartridge cartridge = Cartridge.Create(new MemoryFile(), TapeMoves.Options());
        int identifier = 0x800;
        MediumFault? full = null;
        for (int used = 0; full is null; used += 1005)
        {
            Assert.True(used <= Cartridge.AttributeCapacityBytes);
            Exception? thrown = Record.Exception(
                () => cartridge.SetAttributes(0, [new MediumAttribute((ushort)identifier++, 1, new byte[1000])]));
            full = (thrown as MediumFaultException)?.Fault;
        }

        Assert.Equal(new MediumFault(MediumFaultKind.Store, ErrorNumber.NoSpace), full);
        Assert.Equal(Cartridge.AttributeCapacityBytes / 1005, cartridge.Attributes(0).Count);
        // Two that together are too much: neither is there.
        Assert.NotNull(Record.Exception(() => cartridge.SetAttributes(
            0, [new MediumAttribute(0x800, 1, new byte[1]), new MediumAttribute(0x900, 1, new byte[1999])])));
        Assert.Equal(1000, cartridge.Attributes(0)[0].Value.Length);
        Assert.DoesNotContain(cartridge.Attributes(0), one => one.Identifier == 0x900);
        cartridge.SetAttributes(
            0, [new MediumAttribute(0x800, 1, default), new MediumAttribute(0x900, 1, new byte[1000])]);
    }

    [Fact]
    public void A_long_erase_can_be_given_up_and_the_data_has_ended_all_the_same()
    {
        var file = new MemoryFile { PunchesHoles = false };
        Cartridge cartridge = Cartridge.Create(file, TapeMoves.Options());
        for (int i = 0; i < 4; i++)
            Write(cartridge, Noise(1 << 20), default);
        cartridge.Locate(0, 1);
        int asked = 0;

        cartridge.Erase(isLong: true, () => asked++ == 2);

        Assert.Equal(3, asked);
        Assert.Equal(1u, cartridge.EndOfData.ObjectNumber);
        long end = CartridgeFormat.LogsOffsetBytes + (long)cartridge.EndOfData.BytesBefore;
        Assert.Equal(-1, file.Bytes(end, 1 << 20).AsSpan().IndexOfAnyExcept((byte)0));
        Assert.NotEqual(-1, file.Bytes(file.LengthBytes - (1 << 19), 1 << 19).AsSpan().IndexOfAnyExcept((byte)0));
    }

    /// <summary>What is read is counted: how long it takes is the machine's affair.</summary>
    [Fact]
    public void Any_of_a_million_records_is_found_by_a_handful_of_reads()
    {
        const int Records = 1_000_000;
        var file = new MemoryFile(4096) { Remembers = false };
        Cartridge cartridge = Cartridge.Create(file, TapeMoves.Options());
        using var memory = new RecordMemory(new byte[8]);
        for (int i = 0; i < Records; i++)
        {
            BitConverter.TryWriteBytes(memory.Data.Stretch(0), (long)i);
            cartridge.Write(memory.Data, 0, 8, default);
            if (i % 1000 == 999)
                cartridge.WriteMarks(TapeObjectKind.FileMark, 1);
        }
        cartridge.Synchronize();
        cartridge = Cartridge.Open(file);
        var random = new Random(1);
        for (int i = 0; i < 2000; i++)
        {
            // Record r is object r + r / 1000, behind so many marks.
            int record = i == 0 ? Records - 1 : random.Next(Records);
            int files = record / 1000;
            int before = file.Reads;
            Assert.True(i % 2 == 0 ? cartridge.Locate(0, (ulong)(record + files))
                : cartridge.LocateFile(0, (ulong)files)
                    && cartridge.Space(SpaceUnit.Records, record % 1000).Stop == SpaceStop.Done);
            Assert.Equal(record, BitConverter.ToInt64(Read(cartridge)));
            Assert.True(file.Reads - before < (i == 0 ? 4 : 40), $"{file.Reads - before} reads");
        }
    }

    private static void Write(Cartridge cartridge, byte[] record, in WriteOptions options)
    {
        using var memory = new RecordMemory(record, 10_000);
        Assert.True(cartridge.Write(memory.Data, 0, record.Length, options));
    }

    private static byte[] Read(Cartridge cartridge, TapeKey? key = null)
    {
        int length = cartridge.Peek().LengthBytes;
        using var memory = new RecordMemory(length, 10_000);
        Assert.Equal(length, cartridge.Read(memory.Data, 0, length, key: key));
        return memory.ToArray(length);
    }

    private static MediumFault Fault(Action action) => Assert.Throws<MediumFaultException>(action).Fault;

    private static uint SeedOf(MemoryFile file) => CheckpointReader.Open(file).Checkpoint.Label.Seed;

    private static byte[] Noise(int lengthBytes)
    {
        byte[] bytes = new byte[lengthBytes];
        new Random(lengthBytes).NextBytes(bytes);
        return bytes;
    }
}
