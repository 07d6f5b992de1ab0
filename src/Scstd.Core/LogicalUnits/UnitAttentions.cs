using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>
/// The unit attention conditions of one I_T_L nexus (SAM-5 §5.14): ordered, bounded, each reported once. Preallocated,
/// so that none is ever lost for want of memory.
/// </summary>
public sealed class UnitAttentions
{
    /// <summary>Our choice: more distinct conditions than one unit can have at once; SAM-5 §5.14.1 lets the oldest of
    /// lower precedence go when a queue is full.</summary>
    public const int Capacity = 16;

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
        if (condition.Code == 0x29)
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

    /// <summary>A condition that could not be reported goes back to the front.</summary>
    public void PutBack(AdditionalSense condition)
    {
        if (Pending.Contains(condition))
            return;
        if (Count == Capacity)
            RemoveAt(Capacity - 1);
        Array.Copy(_pending, 0, _pending, 1, Count++);
        _pending[0] = condition;
        _nexus.Set(NexusConditions.UnitAttention, true);
        if (condition == AdditionalSense.ReportedLunsDataHasChanged)
            _nexus.Nexus.ReportedLunsChangeUntold();
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
        int resets = 0;
        while (resets < Count && _pending[resets].Code == 0x29)
            resets++;
        if (Count == Capacity)
            RemoveAt(Capacity - 1);
        Array.Copy(_pending, resets, _pending, resets + 1, Count - resets);
        _pending[resets] = condition;
        Count++;
    }

    private int FirstThatMayGo()
    {
        for (int i = 0; i < Count; i++)
        {
            if (_pending[i].Code != 0x29)
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
