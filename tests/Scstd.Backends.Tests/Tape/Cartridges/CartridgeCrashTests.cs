using Scstd.Backends.Tape;
using Scstd.Backends.Tape.Cartridges;
using Scstd.Linux;

namespace Scstd.Backends.Tests.Tape.Cartridges;

/// <summary>The world ends at any call; what may be on the tape then.</summary>
public sealed class CartridgeCrashTests
{
    private static readonly WriteOptions Plain = default;

    [Theory]
    [InlineData(0, 600)]
    [InlineData(1, 600)]
    public void What_was_synchronised_survives_and_nothing_comes_back(int part, int worlds)
    {
        for (int seed = part * worlds; seed < (part + 1) * worlds; seed++)
        {
            try
            {
                var world = new CrashWorld(seed);
                for (int crashes = 0; crashes < 6; crashes++)
                    world.LiveAndCrash();
            }
            catch (Exception exception)
            {
                Assert.Fail($"seed {seed}: {exception}");
            }
        }
    }

    [Fact]
    public void Nothing_is_written_after_a_failed_sync_and_the_tape_ends_where_the_last_one_left_it()
    {
        var file = new MemoryFile();
        Cartridge cartridge = Cartridge.Create(file, TapeMoves.Options());
        cartridge.WriteMarks(TapeObjectKind.FileMark, 3);
        cartridge.Synchronize();
        cartridge.WriteMarks(TapeObjectKind.FileMark, 2);
        bool fails = true;
        file.Before = call =>
        {
            if (call != "sync" || !fails)
                return;
            fails = false;
            throw new LinuxException(ErrorNumber.InputOutput, "fdatasync");
        };

        MediumFault fault = Assert.Throws<MediumFaultException>(cartridge.Synchronize).Fault;

        Assert.Equal(new MediumFault(MediumFaultKind.Store, ErrorNumber.InputOutput), fault);
        Assert.Throws<MediumFaultException>(cartridge.Synchronize);
        Assert.Throws<MediumFaultException>(() => cartridge.WriteMarks(TapeObjectKind.FileMark, 1));
        Assert.Equal(5u, cartridge.EndOfData.ObjectNumber);
        Assert.Equal(3u, Cartridge.Open(file.Killed()).Partitions[0].ObjectCount);
    }

    [Fact]
    public void A_write_without_room_leaves_nothing_that_comes_back()
    {
        var file = new MemoryFile();
        Cartridge cartridge = Cartridge.Create(file, TapeMoves.Options());
        cartridge.WriteMarks(TapeObjectKind.FileMark, 1);
        int writes = 0;
        file.Before = call =>
        {
            // The marks of the first interval are written, the others find no room.
            if (call == "write" && ++writes == 2)
                throw new LinuxException(ErrorNumber.NoSpace, "pwritev2");
        };

        MediumFault fault = Assert.Throws<MediumFaultException>(
            () => cartridge.WriteMarks(TapeObjectKind.FileMark, 1000)).Fault;

        Assert.Equal(new MediumFault(MediumFaultKind.Store, ErrorNumber.NoSpace), fault);
        Assert.Equal(1u, cartridge.EndOfData.ObjectNumber);
        cartridge.WriteMarks(TapeObjectKind.FileMark, 1);
        Assert.Equal(2u, Cartridge.Open(file.Killed()).Partitions[0].ObjectCount);
    }

    [Fact]
    public void Erased_data_does_not_come_back_after_a_crash()
    {
        var file = new MemoryFile { PunchesHoles = false };
        Cartridge cartridge = Cartridge.Create(file, TapeMoves.Options());
        using var record = new RecordMemory(new byte[100]);
        for (int i = 0; i < 10; i++)
            cartridge.Write(record.Data, 0, 100, Plain);
        cartridge.Synchronize();
        cartridge.Locate(0, 4);
        cartridge.Erase(isLong: false, () => false);

        Assert.Equal(4u, Cartridge.Open(file.PowerLost(new Random(1))).Partitions[0].ObjectCount);
    }
}
