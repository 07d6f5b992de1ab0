using System.Collections.Concurrent;
using CsCheck;
using Scstd.Backends.Tests.Disk;

namespace Scstd.Backends.Tests.Tape.Model;

/// <summary>A drive with a cartridge of a file against a model that was written from SSC-4: sequences of commands from
/// dice. A failure names the shortest sequence that was found, the seed that brings it back, and its CDBs.</summary>
public sealed class TapeModelTests
{
    private const int Sequences = 10_000;

    /// <summary>A file system in memory: nothing here ends with a loss of power.</summary>
    private const string InMemory = "/dev/shm";

    /// <summary>What so many sequences must have met, or the dice are not worth much.</summary>
    private static readonly string[] Endings =
    [
        "Write GOOD", "Write NoSense EOM", "Write VolumeOverflow EOM", "Write BlankCheck", "Write IllegalRequest",
        "WriteFixed GOOD", "WriteFixed NoSense EOM", "WriteFixed VolumeOverflow EOM",
        "WriteFixed VolumeOverflow EOM behind some", "WriteFixed IllegalRequest",
        "WriteMarks GOOD", "WriteMarks NoSense EOM", "WriteMarks VolumeOverflow EOM",
        "Read GOOD", "Read NoSense ILI", "Read NoSense FILEMARK", "Read BlankCheck", "Read BlankCheck EOM",
        "ReadFixed GOOD behind some", "ReadFixed NoSense ILI", "ReadFixed NoSense ILI behind some",
        "ReadFixed NoSense FILEMARK", "ReadFixed NoSense FILEMARK behind some", "ReadFixed BlankCheck",
        "ReadFixed BlankCheck behind some", "ReadFixed BlankCheck EOM", "ReadFixed IllegalRequest",
        "Verify GOOD", "Verify NoSense ILI", "Verify NoSense FILEMARK", "Verify BlankCheck", "Verify Miscompare",
        "VerifyFixed GOOD behind some", "VerifyFixed NoSense ILI behind some", "VerifyFixed Miscompare",
        "Space GOOD", "Space NoSense FILEMARK", "Space NoSense EOM", "Space BlankCheck", "Space BlankCheck EOM",
        "LocateObject GOOD", "LocateObject BlankCheck", "LocateObject BlankCheck EOM", "LocateObject IllegalRequest",
        "LocateFile GOOD", "LocateFile BlankCheck", "LocateFile IllegalRequest", "LocateEnd GOOD", "Rewind GOOD",
        "Erase GOOD", "SelectBlockLength GOOD", "SelectPartitions GOOD", "Format GOOD", "Format IllegalRequest",
        "Load GOOD", "Unload GOOD", "Unit attention 28h/00h", "Unit attention 2Ah/01h",
    ];

    /// <summary>A third of the cartridges are so small that a sequence fills them.</summary>
    private static readonly Gen<int> TinyKilobytes = Gen.Select(
        Gen.Int[0, 2], Gen.Int[6, 24], static (die, kilobytes) => die == 2 ? kilobytes : 0);

    [Fact]
    public void Ten_thousand_sequences_of_commands_end_as_the_model_of_the_standard_says()
    {
        using var directory = new TemporaryDirectory(Directory.Exists(InMemory) ? InMemory : null);
        var met = new ConcurrentDictionary<string, int>();
        int number = 0;
        Gen.Select(TinyKilobytes, Gen.Bool, TapeStep.AnyBlockLength, TapeStep.Sequences).Sample(
            (kilobytes, isDivided, blockLengthBytes, steps) =>
            {
                string path = directory.File($"{Interlocked.Increment(ref number)}");
                using var run = new TapeModelRun(path, kilobytes, isDivided, met);
                run.Play(blockLengthBytes, steps);
            },
            iter: Sequences);
        Assert.Empty(Endings.Except(met.Keys));
    }
}
