namespace Scstd.Simulation;

/// <summary>What kind of world a seed becomes. The seed chooses what is not given here.</summary>
internal sealed record WorldOptions
{
    public int Steps { get; init; } = 1200;

    /// <summary>Slabs of memory for all executors together; few of them and commands meet BUSY.</summary>
    public int? SlabLimit { get; init; }

    /// <summary>An administrator limits how many commands a unit lets in, now so and now so, and a target does too.
    /// </summary>
    public bool LimitsCommands { get; init; }

    /// <summary>How often functions are asked for, in a thousand begun moves.</summary>
    public int FunctionsPerMille { get; init; } = 80;

    public CommandMix? Mix { get; init; }

    /// <summary>Told of every move.</summary>
    public Action<string>? Trace { get; init; }
}

/// <summary>What initiators mostly ask for.</summary>
internal enum CommandMix
{
    Everything,

    /// <summary>Writes, so that there is something to abort.</summary>
    Writes,

    /// <summary>Writes among RESERVE and RELEASE.</summary>
    Reserves,

    /// <summary>Writes among PERSISTENT RESERVE OUT, PREEMPT AND ABORT before all.</summary>
    Preempts,

    /// <summary>Reads and writes among PERSISTENT RESERVE OUT and IN of all kinds.</summary>
    Registrants,
}
