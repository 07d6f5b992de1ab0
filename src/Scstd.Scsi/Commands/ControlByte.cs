namespace Scstd.Scsi;

/// <summary>The CONTROL byte of a CDB, SAM-5 §5.2.</summary>
public static class ControlByte
{
    /// <summary>NACA: a CHECK CONDITION establishes an ACA condition.</summary>
    public const byte Naca = 0x04;

    private const byte VariableLength = 0x7F;
    private const int ShortestCdbBytes = 6;

    /// <summary>The last byte, or byte 1 of a variable length CDB (SPC-4 §4.3.3); 0: it is no whole CDB.</summary>
    public static int OffsetIn(ReadOnlySpan<byte> cdb) =>
        cdb.Length < ShortestCdbBytes ? 0 : cdb[0] == VariableLength ? 1 : cdb.Length - 1;

    /// <summary>The same for a command that nobody knows: the operation code's group tells its length (SPC-4
    /// §4.2.5.1), unless it is a vendor's.</summary>
    public static bool HasNaca(ReadOnlySpan<byte> unknownCdb)
    {
        int lengthBytes = (unknownCdb[0] >> 5) switch
        {
            0 => 6,
            1 or 2 => 10,
            4 => 16,
            5 => 12,
            _ => unknownCdb[0] == VariableLength ? unknownCdb.Length : 0,
        };
        if (lengthBytes > unknownCdb.Length)
            return false;
        int control = OffsetIn(unknownCdb[..lengthBytes]);
        return control > 0 && (unknownCdb[control] & Naca) != 0;
    }
}
