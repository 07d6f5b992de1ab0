using Scstd.Scsi;

namespace Scstd.Simulation;

/// <summary>The Control mode page of a unit (SPC-4 §7.5.8): what was set, and when what matters to others changed.
/// </summary>
internal sealed class ModeModel(World world, byte[] values, byte[] changeable)
{
    private readonly byte[] _default = [.. values];
    private byte[]? _saved;

    public byte[] Current { get; private set; } = [.. values];

    public byte[] Changeable { get; } = [.. changeable];

    public long TaskAbortedStatusChangedAt { get; private set; } = -1;

    public long WriteProtectionChangedAt { get; private set; } = -1;

    public bool ReportsTaskAborted => (Current[3] & 0x40) != 0;

    public bool IsWriteProtected => (Current[2] & 0x08) != 0;

    /// <summary>TST 001b: a task set for each nexus.</summary>
    public bool HasTaskSetPerNexus => Current[0] >> 5 == 1;

    /// <summary>A change of TST has taken effect and is being told.</summary>
    public bool TaskSetsAreChanging { get; set; }

    public long TaskSetsChangedAt { get; private set; }

    /// <summary>Which of two commands goes first is a question only within one task set.</summary>
    public static bool ShareTaskSet(SimulatedCommand one, SimulatedCommand other) =>
        !one.MayBeInEither && !other.MayBeInEither && one.IsInOwnTaskSet == other.IsInOwnTaskSet &&
        (!one.IsInOwnTaskSet || ReferenceEquals(one.To, other.To));

    /// <summary>A MODE SELECT with one whole Control page: what it must answer.</summary>
    public Expectation Judge(ReadOnlySpan<byte> page)
    {
        for (int i = 0; i < Current.Length; i++)
        {
            if (((page[i] ^ Current[i]) & ~Changeable[i]) != 0)
                return new(ScsiStatus.CheckCondition, AdditionalSense.InvalidFieldInParameterList);
        }
        return default;
    }

    /// <summary>It takes effect. False if nothing is other than before.</summary>
    public bool Select(ReadOnlySpan<byte> page, bool saves)
    {
        bool hasChanged = !page.SequenceEqual(Current);
        if (saves)
            _saved = page.ToArray();
        Set(page.ToArray());
        return hasChanged;
    }

    /// <summary>A logical unit reset brings the saved values back, or else the defaults.</summary>
    public void Reset() => Set([.. _saved ?? _default]);

    private void Set(byte[] values)
    {
        if (((values[0] ^ Current[0]) & 0xE0) != 0)
        {
            TaskSetsAreChanging = true;
            TaskSetsChangedAt = world.Now;
        }
        if (((values[3] ^ Current[3]) & 0x40) != 0)
            TaskAbortedStatusChangedAt = world.Now;
        if (((values[2] ^ Current[2]) & 0x08) != 0)
            WriteProtectionChangedAt = world.Now;
        Current = values;
    }
}
