namespace Scstd.Scsi;

/// <summary>ASYMMETRIC ACCESS STATE of a target port group (SPC-4 §5.15.2, §6.37).</summary>
public enum AsymmetricAccessState : byte
{
    ActiveOptimized = 0x0,
    ActiveNonOptimized = 0x1,
    Standby = 0x2,
    Unavailable = 0x3,
    Offline = 0xE,
    Transitioning = 0xF,
}

/// <summary>STATUS CODE of a target port group: by what its state was changed last (SPC-4 §6.37).</summary>
public enum AsymmetricAccessCause : byte
{
    /// <summary>By nothing since the target began.</summary>
    None = 0x0,

    /// <summary>By SET TARGET PORT GROUPS.</summary>
    Explicit = 0x1,

    /// <summary>By the target itself.</summary>
    Implicit = 0x2,
}

/// <summary>What the states mean for commands.</summary>
public static class AsymmetricAccess
{
    /// <summary>Every command is done.</summary>
    public static bool IsActive(AsymmetricAccessState state) =>
        state is AsymmetricAccessState.ActiveOptimized or AsymmetricAccessState.ActiveNonOptimized;

    /// <summary>What a row must have to be done in a state in which not every command is.</summary>
    public static CommandTraits Needed(AsymmetricAccessState state) => state switch
    {
        AsymmetricAccessState.Standby => CommandTraits.AllowedInStandby,
        AsymmetricAccessState.Transitioning => CommandTraits.AllowedInTransition,
        _ => CommandTraits.AllowedWhenUnavailable,
    };

    /// <summary>What is said of the others (SPC-4 §5.15.2: NOT READY); null: all are done.</summary>
    public static SenseData? NotReady(AsymmetricAccessState state) => state switch
    {
        AsymmetricAccessState.Standby => new(SenseKey.NotReady, AdditionalSense.TargetPortInStandbyState),
        AsymmetricAccessState.Unavailable => new(SenseKey.NotReady, AdditionalSense.TargetPortInUnavailableState),
        AsymmetricAccessState.Offline => new(SenseKey.NotReady, AdditionalSense.LogicalUnitOffline),
        AsymmetricAccessState.Transitioning =>
            new(SenseKey.NotReady, AdditionalSense.AsymmetricAccessStateTransition),
        _ => null,
    };
}
