using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>
/// The unit attention conditions of one I_T_L nexus (SAM-5 §5.14): ordered, bounded, each reported once. Preallocated,
/// so that none is ever lost for want of memory.
/// </summary>
public sealed class UnitAttentions
{
    /// <summary>
    /// More than there are distinct conditions that we establish (21), so that none is ever lost. Only a device server
    /// with conditions of its own could fill the queue; then the oldest that is no reset goes, which SAM-5 §5.14.1
    /// leaves to us: the initiator still hears of the latest, and of every reset.
    /// </summary>
    public const int Capacity = 32;

    /// <summary>POWER ON, RESET, OR BUS DEVICE RESET OCCURRED and its kin.</summary>
    private const byte ResetCode = 0x29;

    private readonly AdditionalSense[] _pending = new AdditionalSense[Capacity];
    private readonly ItlNexus _nexus;

    internal UnitAttentions(ItlNexus nexus) => _nexus = nexus;

    public int Count { get; private set; }

    public ReadOnlySpan<AdditionalSense> Pending => _pending.AsSpan(0, Count);

    /// <summary>Adds a condition unless the same is pending. Resets (29h) go first and, since they tell that everything
    /// may have changed, end what was pending and is implied (SAM-5 §5.14.2, table 48: precedence).</summary>
    public void Establish(AdditionalSense condition)
    {
        if (Pending.Contains(condition))
            return;
        if (condition.Code == ResetCode)
        {
            EstablishReset(condition);
        }
        else
        {
            if (Count == Capacity)
                RemoveAt(FirstThatMayGo());
            _pending[Count++] = condition;
        }
        _nexus.Set(NexusConditions.UnitAttention, true);
    }

    /// <summary>Takes the first condition for its report.</summary>
    public bool TryTake(out AdditionalSense condition)
    {
        if (Count == 0)
        {
            condition = default;
            return false;
        }
        condition = _pending[0];
        RemoveAt(0);
        if (condition == AdditionalSense.ReportedLunsDataHasChanged)
            _nexus.Nexus.ReportedLunsChangeTold();
        return true;
    }

    /// <summary>A condition that could not be reported goes back to the front, behind a reset that came meanwhile.
    /// </summary>
    public void PutBack(AdditionalSense condition)
    {
        if (Pending.Contains(condition))
            return;
        if (Count == Capacity)
            RemoveAt(FirstThatMayGo());
        InsertAt(condition.Code == ResetCode ? 0 : Resets(), condition);
        _nexus.Set(NexusConditions.UnitAttention, true);
        if (condition == AdditionalSense.ReportedLunsDataHasChanged)
            _nexus.Nexus.ReportedLunsChangeUntold();
    }

    /// <summary>As if these had been established before those that are pending.</summary>
    internal void PutBefore(ReadOnlySpan<AdditionalSense> older)
    {
        if (older.IsEmpty)
            return;
        AdditionalSense[] younger = Pending.ToArray();
        older.CopyTo(_pending);
        Count = older.Length;
        _nexus.Set(NexusConditions.UnitAttention, true);
        foreach (AdditionalSense condition in younger)
            Establish(condition);
    }

    /// <summary>REPORT LUNS ends 3Fh/0Eh.</summary>
    public void Clear(AdditionalSense condition)
    {
        int index = Pending.IndexOf(condition);
        if (index >= 0)
            RemoveAt(index);
    }

    private void EstablishReset(AdditionalSense condition)
    {
        if (Count == Capacity)
            RemoveAt(FirstThatMayGo());
        InsertAt(Resets(), condition);
    }

    /// <summary>They are at the front.</summary>
    private int Resets()
    {
        int resets = 0;
        while (resets < Count && _pending[resets].Code == ResetCode)
            resets++;
        return resets;
    }

    private void InsertAt(int index, AdditionalSense condition)
    {
        Array.Copy(_pending, index, _pending, index + 1, Count - index);
        _pending[index] = condition;
        Count++;
    }

    private int FirstThatMayGo()
    {
        for (int i = 0; i < Count; i++)
        {
            if (_pending[i].Code != ResetCode)
                return i;
        }
        return Count - 1;
    }

    private void RemoveAt(int index)
    {
        Count--;
        Array.Copy(_pending, index + 1, _pending, index, Count - index);
        if (Count == 0)
            _nexus.Set(NexusConditions.UnitAttention, false);
    }
}
