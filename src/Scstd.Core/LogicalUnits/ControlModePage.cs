namespace Scstd.Core;

/// <summary>The Control mode page, 0Ah (SPC-4 §7.5.8): what the mid-layer itself obeys. Bytes without the two byte
/// page header.</summary>
public static class ControlModePage
{
    public const byte PageCode = 0x0A;

    private const int LengthBytes = 10;

    // TST 000b: one task set for all nexuses. D_SENSE 0. Unrestricted reordering (QUEUE ALGORITHM MODIFIER 1h).
    // BUSY TIMEOUT PERIOD FFFFh: unlimited.
    internal static ModePage Create()
    {
        byte[] values = new byte[LengthBytes];
        values[1] = 0x10;
        values[6] = 0xFF;
        values[7] = 0xFF;
        byte[] changeable = new byte[LengthBytes];
        changeable[0] = 0x04; // D_SENSE
        changeable[2] = 0x08; // SWP
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
}
