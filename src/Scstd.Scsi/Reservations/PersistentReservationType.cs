namespace Scstd.Scsi;

/// <summary>TYPE of a persistent reservation, SPC-4 §6.15.3.4. SCOPE 0h, the logical unit, is the only one.</summary>
public enum PersistentReservationType : byte
{
    WriteExclusive = 0x1,
    ExclusiveAccess = 0x3,
    WriteExclusiveRegistrantsOnly = 0x5,
    ExclusiveAccessRegistrantsOnly = 0x6,
    WriteExclusiveAllRegistrants = 0x7,
    ExclusiveAccessAllRegistrants = 0x8,
}

public static class PersistentReservationTypes
{
    /// <summary>Every registrant is a holder.</summary>
    public static bool IsAllRegistrants(this PersistentReservationType type) => type is
        PersistentReservationType.WriteExclusiveAllRegistrants or
        PersistentReservationType.ExclusiveAccessAllRegistrants;

    /// <summary>Every registrant may do what the holder may, but only one holds it.</summary>
    public static bool IsRegistrantsOnly(this PersistentReservationType type) => type is
        PersistentReservationType.WriteExclusiveRegistrantsOnly or
        PersistentReservationType.ExclusiveAccessRegistrantsOnly;

    /// <summary>Others may read.</summary>
    public static bool IsWriteExclusive(this PersistentReservationType type) => type is
        PersistentReservationType.WriteExclusive or
        PersistentReservationType.WriteExclusiveRegistrantsOnly or
        PersistentReservationType.WriteExclusiveAllRegistrants;
}

/// <summary>Service actions of PERSISTENT RESERVE OUT, SPC-4 §6.16.2.</summary>
public enum PersistentReserveOutAction : byte
{
    Register = 0x00,
    Reserve = 0x01,
    Release = 0x02,
    Clear = 0x03,
    Preempt = 0x04,
    PreemptAndAbort = 0x05,
    RegisterAndIgnoreExistingKey = 0x06,
    RegisterAndMove = 0x07,
}
