namespace Scstd.Core;

/// <summary>
/// Keeps commands away from the device server for a while. A kept command is dormant, in the task set and not with the
/// device server: a task management function or the loss of its nexus ends it at once.
/// </summary>
internal interface IKeeper
{
    /// <summary>The command has left by an abort.</summary>
    void Forget(ScsiCommand command);

    /// <summary>For a diagnosis.</summary>
    string WaitsFor(ScsiCommand command);
}

/// <summary>What a command has behind it on its way to the device server, so that it stands before each once.</summary>
[Flags]
internal enum RegulationStage : byte
{
    None = 0,
    Faults = 1,
    GroupLimit = 2,
    UnitLimit = 4,
}
