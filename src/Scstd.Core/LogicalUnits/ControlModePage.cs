namespace Scstd.Core;

/// <summary>QERR of the Control mode page, SPC-4 §7.5.8: what a CHECK CONDITION does to the commands beside it.
/// </summary>
internal enum QueueErrorManagement
{
    Continue = 0b00,
    AbortAll = 0b01,
    AbortOwn = 0b11,
}

/// <summary>UA_INTLCK_CTRL of the Control mode page, SPC-4 §7.5.8.</summary>
internal enum UnitAttentionInterlock
{
    /// <summary>A unit attention condition ends with its report.</summary>
    None = 0b00,

    /// <summary>It ends with REQUEST SENSE alone.</summary>
    Kept = 0b10,

    /// <summary>The same, and BUSY, TASK SET FULL and RESERVATION CONFLICT establish one.</summary>
    KeptWithPreviousStatus = 0b11,
}

/// <summary>The Control mode page, 0Ah (SPC-4 §7.5.8): what the mid-layer itself obeys. Bytes without the two byte
/// page header.</summary>
/*  0    TST 7-5 | TMF_ONLY 4 | DPICZ 3 | D_SENSE 2 | GLTSD 1 | RLEC 0
    1    QUEUE ALGORITHM MODIFIER 7-4 | NUAR 3 | QERR 2-1
    2    VS 7 | RAC 6 | UA_INTLCK_CTRL 5-4 | SWP 3
    3    ATO 7 | TAS 6 | ATMPE 5 | RWWP 4 | AUTOLOAD MODE 2-0
    6-7  BUSY TIMEOUT PERIOD
    8-9  EXTENDED SELF-TEST COMPLETION TIME                          */
public static class ControlModePage
{
    public const byte PageCode = 0x0A;

    private const int LengthBytes = 10;

    // TST 000b: one task set for all nexuses. D_SENSE 0. Unrestricted reordering (QUEUE ALGORITHM MODIFIER 1h), unless
    // the device is none for that. BUSY TIMEOUT PERIOD FFFFh: unlimited.
    internal static ModePage Create(bool restrictsReordering)
    {
        byte[] values = new byte[LengthBytes];
        values[1] = (byte)(restrictsReordering ? 0x00 : 0x10);
        values[6] = 0xFF;
        values[7] = 0xFF;
        byte[] changeable = new byte[LengthBytes];
        // Of TST and QUEUE ALGORITHM MODIFIER the lowest bit: the values above 1 are reserved or the vendor's.
        changeable[0] = 0x3C; // TST, TMF_ONLY, DPICZ, D_SENSE
        changeable[1] = 0x16; // QUEUE ALGORITHM MODIFIER, QERR
        changeable[2] = 0x38; // UA_INTLCK_CTRL, SWP
        changeable[3] = 0x40; // TAS
        return new ModePage
        {
            PageCode = PageCode,
            Current = values,
            Default = [.. values],
            Changeable = changeable,
        };
    }

    /// <summary>Sense data in descriptor format.</summary>
    public static bool UsesDescriptorSense(ModePage page) => (page.Current[0] & 0x04) != 0;

    public static bool IsSoftwareWriteProtected(ModePage page) => (page.Current[2] & 0x08) != 0;

    /// <summary>TAS: a command aborted by another nexus ends with TASK ABORTED.</summary>
    public static bool ReportsTaskAborted(ModePage page) => (page.Current[3] & 0x40) != 0;

    /// <summary>TST 001b: a task set for each nexus.</summary>
    internal static bool HasTaskSetPerNexus(ModePage page) => (page.Current[0] & 0xE0) == 0x20;

    /// <summary>TMF_ONLY: an ACA condition is dealt with by task management alone.</summary>
    internal static bool AllowsTaskManagementOnly(ModePage page) => (page.Current[0] & 0x10) != 0;

    /// <summary>QUEUE ALGORITHM MODIFIER 0h.</summary>
    internal static bool RestrictsReordering(ModePage page) => (page.Current[1] & 0xF0) == 0;

    internal static QueueErrorManagement QueueError(ModePage page) =>
        (QueueErrorManagement)((page.Current[1] >> 1) & 0x03);

    internal static UnitAttentionInterlock Interlock(ModePage page) =>
        (UnitAttentionInterlock)((page.Current[2] >> 4) & 0x03);

    /// <summary>The place of a value that the standard reserves: byte and bit; null: there is none.</summary>
    internal static (int Offset, int Bit)? FindReservedValue(ReadOnlySpan<byte> values)
    {
        if (((values[1] >> 1) & 0x03) == 0b10)
            return (1, 2);
        return ((values[2] >> 4) & 0x03) == 0b01 ? (2, 5) : null;
    }
}
