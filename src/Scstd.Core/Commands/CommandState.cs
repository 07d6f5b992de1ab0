namespace Scstd.Core;

/// <summary>The life of a command, in its order. Moved by the mid-layer alone.</summary>
public enum CommandState : byte
{
    /// <summary>In the hands of a frontend's pool.</summary>
    Released,

    /// <summary>Routed and judged.</summary>
    Received,

    /// <summary>The frontend fetches its Data-Out.</summary>
    AwaitingDataOut,

    /// <summary>SAM: dormant. Waits for its turn in the task set, or for the gate.</summary>
    Dormant,

    /// <summary>SAM: enabled. The device server has it.</summary>
    Enabled,

    /// <summary>Its change of the unit is done and is being told to every executor.</summary>
    Publishing,

    /// <summary>Its status is fixed; the frontend has it, for the last time.</summary>
    Ended,
}
