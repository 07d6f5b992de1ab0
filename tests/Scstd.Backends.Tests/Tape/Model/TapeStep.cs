using CsCheck;

namespace Scstd.Backends.Tests.Tape.Model;

internal enum TapeVerb
{
    Write,
    WriteFixed,
    WriteMarks,
    Read,
    ReadFixed,
    Verify,
    VerifyFixed,
    Space,
    LocateObject,
    LocateFile,
    LocateEnd,
    Rewind,
    Erase,
    SelectBlockLength,
    SelectPartitions,
    Format,
    Load,
    Unload,
    Reinsert,
}

/// <summary>One step of a sequence, from dice. What a number means is the verb's; what is of no use to it, it leaves.
/// </summary>
/// <param name="Verb">What is done.</param>
/// <param name="Count">Blocks, marks, or objects to space over.</param>
/// <param name="LengthBytes">Of a record.</param>
/// <param name="Number">Of an object or a file.</param>
/// <param name="Partition">Of an address.</param>
/// <param name="Dice">Eight bits for the options of a CDB.</param>
/// <param name="Initiator">Who does it.</param>
internal readonly record struct TapeStep(
    TapeVerb Verb, int Count, int LengthBytes, int Number, int Partition, int Dice, int Initiator)
{
    /// <summary>Few, so that a read often asks for just what was written, and often for less or more.</summary>
    private static readonly int[] Lengths = [512, 100, 512, 100, 64, 1000, 1, 513, 2048, 5000, 12_345];

    private static readonly int[] BlockLengths = [512, 0, 100, 512, 64, 1000];

    private static readonly (int Weight, TapeVerb Verb)[] Writes =
    [
        (8, TapeVerb.Write), (8, TapeVerb.WriteFixed), (4, TapeVerb.WriteMarks), (1, TapeVerb.SelectBlockLength),
        (1, TapeVerb.LocateEnd),
    ];

    private static readonly (int Weight, TapeVerb Verb)[] Verbs =
    [
        (5, TapeVerb.Write), (5, TapeVerb.WriteFixed), (4, TapeVerb.WriteMarks), (10, TapeVerb.Read),
        (14, TapeVerb.ReadFixed), (4, TapeVerb.Verify), (6, TapeVerb.VerifyFixed), (18, TapeVerb.Space),
        (16, TapeVerb.LocateObject), (5, TapeVerb.LocateFile), (2, TapeVerb.LocateEnd), (8, TapeVerb.Rewind),
        (1, TapeVerb.Erase), (5, TapeVerb.SelectBlockLength), (2, TapeVerb.SelectPartitions), (1, TapeVerb.Format),
        (1, TapeVerb.Load), (1, TapeVerb.Unload), (1, TapeVerb.Reinsert),
    ];

    /// <summary>Mostly few; sometimes so many that a tiny partition is full, or an index has to be gone through.
    /// </summary>
    private static readonly Gen<int> Counts = Gen.Select(
        Gen.Int[0, Few], Gen.Int[0, 700], Gen.Int[0, 47], static (few, many, die) => die == 47 ? many : few);

    /// <summary>Something is written first, that there is something to move over; then anything.</summary>
    public static readonly Gen<TapeStep[]> Sequences = Gen.Select(
        Of(Writes).Array[0, 12], Of(Verbs).Array[0, 28], static (writes, any) => (TapeStep[])[.. writes, .. any]);

    public static readonly Gen<int> AnyBlockLength = Gen.Int[0, BlockLengths.Length - 1].Select(i => BlockLengths[i]);

    private const int Few = 6;

    private static Gen<TapeStep> Of((int Weight, TapeVerb Verb)[] weights)
    {
        TapeVerb[] verbs = [.. weights.SelectMany(one => Enumerable.Repeat(one.Verb, one.Weight))];
        return Gen.Select(
            Gen.Int[0, verbs.Length - 1], Counts, Gen.Int[0, Lengths.Length - 1], Gen.Int[0, 999], Gen.Int[0, 1],
            Gen.Int[0, 255], Gen.Int[0, 9],
            (verb, count, length, number, partition, dice, initiator) => new TapeStep(
                verbs[verb], count, Lengths[length], number, partition, dice, initiator == 9 ? 1 : 0));
    }

    /// <summary>The CDB has sixteen bytes.</summary>
    public bool IsLong => Has(0x03);

    public int BlockLengthBytes => BlockLengths[Number % BlockLengths.Length];

    /// <summary>So many mostly, that there are records between them.</summary>
    public int Marks => Count > Few ? Count : Count % 4;

    /// <summary>A number from 0 on, and sometimes one more than there are.</summary>
    public int NumberOf(int most) => Number % (most + 2);

    /// <summary>All of these bits came up.</summary>
    public bool Has(int bits) => (Dice & bits) == bits;

    public override string ToString() =>
        $"{Verb}({Count}, {LengthBytes}, {Number}, {Partition}, {Dice:X2}h, {Initiator})";
}
