using Scstd.Backends.Tape;
using Scstd.Backends.Tape.Cartridges;
using Scstd.Backends.Tests.Disk;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Backends.Tests.Tape;

/// <summary>A drive with a cartridge of a real file in it: that the two mean the same by what lies between them.
/// </summary>
public sealed class DriveAndCartridgeTests : IDisposable
{
    private const ulong Capacity = 32 << 20;

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Files_on_a_cartridge_are_found_again_when_it_comes_back()
    {
        byte[] fixedBlocks = TapeWorld.Record(512 * 100);
        using (TapeWorld world = New())
        {
            world.Write(TapeWorld.Record(100_000, 1)).MustBeGood();
            world.Write(TapeWorld.Record(7, 2)).MustBeGood();
            world.Marks(1).MustBeGood();
            world.SetBlockLength(512).MustBeGood();
            world.WriteFixed(fixedBlocks, 100).MustBeGood();
            world.Marks(2, immediate: true).MustBeGood();
            world.Execute("1B 00 00 00 00 00").MustBeGood();
        }
        using TapeWorld again = Open();
        again.Read(200_000, sili: true).MustBeGood();
        again.Space(1, 1).MustBeGood();
        Assert.Equal((0, 3UL, 1UL), again.Position());
        again.SetBlockLength(512).MustBeGood();
        TestCommand read = again.ReadFixed(200);
        read.MustBe(new SenseData(SenseKey.NoSense, AdditionalSense.FilemarkDetected)
        {
            Filemark = true,
            Information = 100,
        });
        Assert.Equal(fixedBlocks, read.DataIn);
        again.Space(2, 1).MustBeGood();
        Assert.Equal(105UL, again.At);
        again.Space(1, -3 & 0xFFFFFF).MustBeGood();
        again.Space(0, -1 & 0xFFFFFF).MustBeGood();
        TestCommand last = again.Read(7);
        last.MustBeGood();
        Assert.Equal(TapeWorld.Record(7, 2), last.DataIn);
        again.Execute("92 08 00 00 00 00 00 00 00 00 00 03 00 00 00 00").MustBeGood();
        Assert.Equal((0, 105UL, 3UL), again.Position());
        again.Read(10).MustBe(
            new SenseData(SenseKey.BlankCheck, AdditionalSense.EndOfDataDetected) { Information = 10 });
    }

    [Fact]
    public void The_end_of_a_cartridge_is_warned_of_and_then_met()
    {
        using TapeWorld world = New();
        byte[] record = TapeWorld.Record(1 << 20);
        int written = 0;
        TestCommand write = world.Write(record);
        for (; write.Status == ScsiStatus.Good; written++)
            write = world.Write(record);
        Assert.True(write.Sense is { EndOfMedium: true, Key: SenseKey.NoSense, Information: 0 }, write.ToString());
        for (; write.Sense.Key == SenseKey.NoSense; written++)
            write = world.Write(record);
        write.MustBe(new SenseData(SenseKey.VolumeOverflow, AdditionalSense.EndOfPartitionDetected)
        {
            EndOfMedium = true,
            Information = 1 << 20,
        });
        Assert.Equal((ulong)written, world.At);
        Assert.InRange(written, 30, 32);
        Assert.True(world.Marks(1).Sense is { Key: SenseKey.NoSense, EndOfMedium: true });
    }

    [Fact]
    public void Compressible_data_take_less_of_the_capacity()
    {
        using TapeWorld world = New();
        world.SelectPage("0F 0E C0 80 00 00 00 01 00 00 00 01 00 00 00 00").MustBeGood();
        for (int i = 0; i < 64; i++)
            world.Write(new byte[1 << 20]).MustBeGood();
        world.Rewind().MustBeGood();
        Assert.Equal(new byte[1 << 20], world.Read(1 << 20).DataIn);
    }

    [Fact]
    public void An_encrypted_record_needs_its_key_and_tells_its_name()
    {
        using TapeWorld world = New();
        Encrypt(world, key: 7);
        world.Write(TapeWorld.Record(5000)).MustBeGood();
        world.Rewind().MustBeGood();
        byte[] status = world.Execute("A2 20 00 21 00 00 00 00 04 00 00 00").DataIn;
        Assert.Equal(0x35, status[12]);
        Assert.Equal("00 00 00 02 4B 31", Hex.Of(status[16..]));
        Assert.Equal(TapeWorld.Record(5000), world.Read(5000).DataIn);
        world.Rewind();
        Encrypt(world, key: 8);
        world.Read(5000).MustBe(
            new SenseData(SenseKey.DataProtect, AdditionalSense.IncorrectDataEncryptionKey) { Information = 5000 });
        Assert.Equal(0UL, world.At);
        Assert.Equal(0x36, world.Execute("A2 20 00 21 00 00 00 00 04 00 00 00").DataIn[12]);
    }

    [Fact]
    public void A_cartridge_is_divided_and_its_partitions_come_back()
    {
        using (TapeWorld world = New(densityCode: 0x5A))
        {
            // Kilobytes: 10 000 and what is left.
            world.SelectPage("11 0A 03 01 2C 03 03 00 27 10 FF FF").MustBeGood();
            world.Execute("04 00 01 00 00 00").MustBeGood();
            world.Write(TapeWorld.Record(10, 0)).MustBeGood();
            world.Execute("2B 02 00 00 00 00 00 00 01 00").MustBeGood();
            world.Write(TapeWorld.Record(10, 1)).MustBeGood();
            world.Marks(0).MustBeGood();
        }
        using TapeWorld again = Open();
        Assert.Equal(1, again.ModePage(0x11)[1]);
        Assert.Equal(TapeWorld.Record(10, 0), again.Read(10).DataIn);
        again.Execute("92 02 00 01 00 00 00 00 00 00 00 00 00 00 00 00").MustBeGood();
        Assert.Equal(TapeWorld.Record(10, 1), again.Read(10).DataIn);
        again.Execute("92 1A 00 00 00 00 00 00 00 00 00 00 00 00 00 00").MustBeGood();
        Assert.Equal((0, 1UL, 0UL), again.Position());
    }

    [Fact]
    public void Capacity_can_be_taken_and_given_back()
    {
        using TapeWorld world = New();
        world.Execute("0B 00 00 40 00 00").MustBeGood();
        Assert.Equal(8, Remaining(world));
        world.Execute("0B 00 00 FF FF 00").MustBeGood();
        Assert.Equal(32, Remaining(world));
    }

    [Fact]
    public void A_worm_cartridge_is_appended_to_and_nothing_else()
    {
        using TapeWorld world = New(isWorm: true);
        world.Write(TapeWorld.Record(10)).MustBeGood();
        world.Marks(2).MustBeGood();
        world.Space(1, -1 & 0xFFFFFF).MustBeGood();
        world.Write(TapeWorld.Record(10)).MustBeGood();
        world.Rewind();
        world.Write(TapeWorld.Record(10)).MustBe(
            new SenseData(SenseKey.DataProtect, AdditionalSense.WormMediumOverwriteAttempted) { Information = 10 });
    }

    [Fact]
    public void Attributes_and_loads_go_with_the_cartridge()
    {
        using (TapeWorld world = New())
        {
            byte[] list = Hex.Bytes("00 00 00 0D 08 00 01 00 08 4C 54 46 53 20 20 20 20");
            world.Execute($"8D 00 00 00 00 00 00 00 00 00 00 00 00 {list.Length:X2} 00 00", list).MustBeGood();
        }
        using TapeWorld again = Open();
        Assert.Equal(
            "00 00 00 0D 08 00 01 00 08 4C 54 46 53 20 20 20 20",
            again.Execute("8C 00 00 00 00 00 00 00 08 00 00 00 04 00 00 00").DataOfGood());
        Assert.Equal(2, again.Execute("8C 00 00 00 00 00 00 00 00 03 00 00 00 11 00 00").DataIn[16]);
    }

    private static byte Remaining(TapeWorld world) =>
        world.Execute("8C 00 00 00 00 00 00 00 00 00 00 00 00 11 00 00").DataIn[16];

    private static void Encrypt(TapeWorld world, byte key)
    {
        byte[] page =
        [
            .. Hex.Bytes("00 10 00 36 40 00 02 03 01 00 00 00 00 00 00 00 00 00 00 20"),
            .. Enumerable.Repeat(key, 32), .. Hex.Bytes("00 00 00 02 4B 31"),
        ];
        world.Execute($"B5 20 00 10 00 00 00 00 00 {page.Length:X2} 00 00", page).MustBeGood();
        world.TakeAttentions();
    }

    private TapeWorld New(byte densityCode = 0x58, bool isWorm = false) => TapeWorld.Of(
        Cartridge.Create(File, new CartridgeOptions
        {
            Barcode = "TAPE01L5",
            DensityCode = densityCode,
            CapacityBytes = Capacity,
            IsWorm = isWorm,
        }),
        TapePersonality.Lto6);

    private TapeWorld Open() => TapeWorld.Of(Cartridge.Open(File), TapePersonality.Lto6);

    private string File => _directory.File("TAPE01L5");
}
