using Scstd.Scsi;

namespace Scstd.Simulation;

/// <summary>The Control mode page of a unit (SPC-4 §7.5.8): what is set, and what those may still see who have not been
/// told of a change.</summary>
internal sealed class ModeModel(World world, byte[] values, byte[] changeable)
{
    private readonly byte[] _default = [.. values];
    private readonly List<Past> _past = [];
    private byte[]? _saved;

    public byte[] Current { get; private set; } = [.. values];

    public byte[] Changeable { get; } = [.. changeable];

    public bool IsWriteProtected => IsProtected(Current);

    /// <summary>TST 001b: a task set for each nexus.</summary>
    public bool HasTaskSetPerNexus => IsPerNexus(Current);

    // ---- What the values of a page mean -------------------------------------------------------------------------

    public static bool ReportsTaskAborted(byte[] page) => (page[3] & 0x40) != 0;

    public static bool IsProtected(byte[] page) => (page[2] & 0x08) != 0;

    public static bool IsPerNexus(byte[] page) => page[0] >> 5 == 1;

    public static bool AllowsTaskManagementOnly(byte[] page) => (page[0] & 0x10) != 0;

    public static bool RestrictsReordering(byte[] page) => page[1] >> 4 == 0;

    public static bool AbortsAll(byte[] page) => ((page[1] >> 1) & 3) == 1;

    public static bool AbortsOwn(byte[] page) => ((page[1] >> 1) & 3) == 3;

    public static bool KeepsAttentions(byte[] page) => ((page[2] >> 4) & 3) != 0;

    public static bool RemembersStatus(byte[] page) => ((page[2] >> 4) & 3) == 3;

    public long TaskSetsChangedAt { get; private set; }

    // ---- What is known of them ----------------------------------------------------------------------------------

    /// <summary>It may have been so at some moment since then.</summary>
    public bool May(long since, Func<byte[], bool> isSo)
    {
        if (isSo(Current))
            return true;
        for (int i = _past.Count - 1; i >= 0; i--)
        {
            if (_past[i].Until >= since && isSo(_past[i].Values))
                return true;
        }
        return false;
    }

    /// <summary>It was so all the time since then, for everybody.</summary>
    public bool Must(long since, Func<byte[], bool> isSo)
    {
        if (!isSo(Current))
            return false;
        for (int i = _past.Count - 1; i >= 0; i--)
        {
            if (_past[i].Until >= since && !isSo(_past[i].Values))
                return false;
        }
        return true;
    }

    /// <summary>It may have been both.</summary>
    public bool IsOpen(long since, Func<byte[], bool> isSo) => May(since, isSo) && !Must(since, isSo);

    /// <summary>Which of two commands goes first is a question only within one task set.</summary>
    public static bool ShareTaskSet(SimulatedCommand one, SimulatedCommand other) =>
        !one.MayBeInEither && !other.MayBeInEither && one.IsInOwnTaskSet == other.IsInOwnTaskSet &&
        (!one.IsInOwnTaskSet || ReferenceEquals(one.To, other.To));

    /// <summary>TST certainly changed between the coming of the one and that of the other.</summary>
    public static bool CameBeforeAChange(SimulatedCommand older, SimulatedCommand younger) =>
        !older.MayBeInEither && !younger.MayBeInEither && older.IsInOwnTaskSet != younger.IsInOwnTaskSet;

    /// <summary>A MODE SELECT with one whole Control page: what it must answer.</summary>
    public Expectation Judge(ReadOnlySpan<byte> page)
    {
        bool isWrong = ((page[1] >> 1) & 3) == 2 || ((page[2] >> 4) & 3) == 1;
        for (int i = 0; i < Current.Length; i++)
            isWrong |= ((page[i] ^ Current[i]) & ~Changeable[i]) != 0;
        return isWrong ? new(ScsiStatus.CheckCondition, AdditionalSense.InvalidFieldInParameterList) : default;
    }

    /// <summary>It takes effect. False if nothing is other than before.</summary>
    public bool Select(ReadOnlySpan<byte> page, bool saves, object by)
    {
        bool hasChanged = !page.SequenceEqual(Current);
        if (saves)
            _saved = page.ToArray();
        Set(page.ToArray(), by);
        return hasChanged;
    }

    /// <summary>A logical unit reset brings the saved values back, or else the defaults.</summary>
    public void Reset(object by) => Set([.. _saved ?? _default], by);

    /// <summary>After a power on the saved values are the current ones, or else the defaults (SPC-4 §5.9).</summary>
    public void BeginsAfter(ModeModel before, ReadOnlySpan<byte> savedLast)
    {
        _saved = savedLast.IsEmpty ? before._saved : savedLast.ToArray();
        Current = [.. _saved ?? _default];
    }

    /// <summary>The change has been answered.</summary>
    public void Told(object by)
    {
        foreach (Past past in _past)
        {
            if (ReferenceEquals(past.ReplacedBy, by) && past.Until == long.MaxValue)
                past.Until = world.Now;
        }
    }

    private void Set(byte[] values, object by)
    {
        if (values.AsSpan().SequenceEqual(Current))
            return;
        _past.Add(new Past(Current, by));
        if (IsPerNexus(values) != IsPerNexus(Current))
            TaskSetsChangedAt = world.Now;
        Current = values;
    }

    private sealed class Past(byte[] values, object replacedBy)
    {
        public byte[] Values => values;

        public object ReplacedBy => replacedBy;

        public long Until { get; set; } = long.MaxValue;
    }
}
