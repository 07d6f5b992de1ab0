using Scstd.Scsi;

namespace Scstd.Backends.Tests.Tape.Model;

/// <summary>How a command ends.</summary>
/// <param name="Sense">Null: GOOD.</param>
/// <param name="Data">What the initiator gets.</param>
/// <param name="Warning">What early warning has to do with it.</param>
internal sealed record ModelAnswer(SenseData? Sense, byte[] Data, ModelWarning Warning = ModelWarning.None)
{
    public static readonly ModelAnswer Good = new(null, []);

    /// <summary>Blocks before the one where it ended.</summary>
    public int DoneBlocks { get; init; }

    public static ModelAnswer Refused(SenseData sense) => new(sense, []);

    /// <summary>When it is known whether the drive now stands behind early warning.</summary>
    public SenseData? SenseWhere(bool isBehindWarning) => Warning switch
    {
        ModelWarning.SetsEndOfMedium => Sense!.Value with { EndOfMedium = isBehindWarning },
        ModelWarning.IsTold when isBehindWarning =>
            new SenseData(SenseKey.NoSense, AdditionalSense.EndOfPartitionDetected)
            {
                EndOfMedium = true,
                Information = 0,
            },
        _ => Sense,
    };
}

internal enum ModelWarning
{
    None,

    /// <summary>The end of data was met: EOM, if it lies behind early warning.</summary>
    SetsEndOfMedium,

    /// <summary>Something was written: NO SENSE with EOM, if it ends behind early warning.</summary>
    IsTold,
}

/// <summary>An explicit address of a CDB.</summary>
internal readonly record struct ModelAddress(int Partition, int Number);

/// <summary>What a CDB asks to be transferred.</summary>
internal readonly record struct ModelTransfer(
    bool IsFixed, int Count, bool SuppressesIncorrectLength = false, ModelAddress? Address = null,
    bool IsFirstInSequence = false);

/// <summary>
/// A drive with a cartridge, written from SSC-4 in plain lists that are walked object by object; knows nothing of the
/// drive that is tested. Here: what it remembers, mode parameters, unit attentions, and the medium as a whole.
/// </summary>
internal sealed partial class TapeModel
{
    private readonly HashSet<AdditionalSense>[] _attentions = [[], []];
    private List<ModelPartition> _partitions;

    public TapeModel(IReadOnlyList<ulong> capacitiesBytes)
    {
        _partitions = [.. capacitiesBytes.Select(one => new ModelPartition(one, one))];
        SelectedPartitions = PartitionCount;
    }

    public int Partition { get; private set; }

    /// <summary>The number of the object that comes next.</summary>
    public int At { get; private set; }

    public int Files => Now.MarksBefore(At);

    public int Objects => Now.Count;

    public int PartitionCount => _partitions.Count;

    /// <summary>Of the block descriptor; 0: variable.</summary>
    public int BlockLengthBytes { get; private set; }

    /// <summary>As it stands in the mode parameter header.</summary>
    public byte BufferedMode { get; private set; } = 0x10;

    /// <summary>Into so many FORMAT MEDIUM divides by the Medium Partition page.</summary>
    public int SelectedPartitions { get; set; }

    private ModelPartition Now => _partitions[Partition];

    // ---- Unit attentions (SPC-4: of what one initiator changes the others are told, once) --------------------------

    public bool HasAttention(int initiator) => _attentions[initiator].Count > 0;

    public bool TakeAttention(int initiator, AdditionalSense attention) => _attentions[initiator].Remove(attention);

    public void TellOthers(int initiator, AdditionalSense attention) => _attentions[1 - initiator].Add(attention);

    // ---- Mode parameters --------------------------------------------------------------------------------------------

    public ModelAnswer SelectMode(int initiator, byte bufferedMode, int blockLengthBytes)
    {
        if (bufferedMode != BufferedMode || blockLengthBytes != BlockLengthBytes)
            TellOthers(initiator, AdditionalSense.ModeParametersChanged);
        (BufferedMode, BlockLengthBytes) = (bufferedMode, blockLengthBytes);
        return ModelAnswer.Good;
    }

    // ---- The medium as a whole --------------------------------------------------------------------------------------

    /// <summary>From the beginning of partition 0 alone.</summary>
    public SenseData? JudgeFormat() => Partition == 0 && At == 0
        ? null : SenseData.IllegalRequest(AdditionalSense.PositionPastBeginningOfMedium);

    /// <summary>Everything is gone, for everyone.</summary>
    public void Format(int initiator, IEnumerable<ModelPartition> partitions)
    {
        _partitions = [.. partitions];
        SelectedPartitions = PartitionCount;
        (Partition, At) = (0, 0);
        TellOthers(initiator, AdditionalSense.MediumMayHaveChanged);
    }

    /// <summary>LOAD: to the beginning of partition 0. Of a volume that was not loaded the others are told.</summary>
    public ModelAnswer Load(int initiator, bool wasLoaded)
    {
        (Partition, At) = (0, 0);
        if (!wasLoaded)
            TellOthers(initiator, AdditionalSense.MediumMayHaveChanged);
        return ModelAnswer.Good;
    }

    /// <summary>The robot has taken the volume out and put it in again: the page tells what the volume is like.
    /// </summary>
    public void Reinsert()
    {
        SelectedPartitions = PartitionCount;
        Load(0, wasLoaded: false);
        Load(1, wasLoaded: false);
    }

    /// <summary>The drive has told whether it stands behind early warning.</summary>
    public void Learn(bool isBehindWarning) => Now.Learn(At, isBehindWarning);

    private bool Exists(ModelAddress? address) => address is null || address.Value.Partition < PartitionCount;

    private static ModelAnswer Invalid(int offset, int? bit = null) =>
        ModelAnswer.Refused(SenseData.InvalidFieldInCdb(offset, bit));

    private static ModelAnswer AtEndOfData(ulong? left, params byte[] data) => new(
        new SenseData(SenseKey.BlankCheck, AdditionalSense.EndOfDataDetected) { Information = left }, data,
        ModelWarning.SetsEndOfMedium);

    private static ModelAnswer AtFilemark(ulong left, params byte[] data) => new(
        new SenseData(SenseKey.NoSense, AdditionalSense.FilemarkDetected) { Filemark = true, Information = left },
        data);
}
