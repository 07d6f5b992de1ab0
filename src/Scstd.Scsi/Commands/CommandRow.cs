namespace Scstd.Scsi;

/// <summary>What the mid-layer must know of a command besides how to do it.</summary>
[Flags]
public enum CommandTraits : ushort
{
    None = 0,

    /// <summary>Executed although a unit attention condition is pending, which stays (SPC-4 §5.14: INQUIRY,
    /// REPORT LUNS, REQUEST SENSE).</summary>
    BypassesUnitAttention = 1 << 0,

    /// <summary>Allowed although another I_T nexus holds an SPC-2 reservation.</summary>
    AllowedUnderReserve = 1 << 1,

    /// <summary>Allowed to a nexus that is not registered under a Write Exclusive persistent reservation.</summary>
    AllowedUnderWriteExclusive = 1 << 2,

    /// <summary>The same under Exclusive Access.</summary>
    AllowedUnderExclusiveAccess = 1 << 3,

    /// <summary>Changes the unit or must see it unchanging: runs alone on the unit, behind its closed gate.</summary>
    ChangesUnit = 1 << 4,

    /// <summary>Writes the medium: DATA PROTECT on a read-only mapping or a write-protected unit.</summary>
    WritesMedium = 1 << 5,

    /// <summary>Needs a medium that is present and started: NOT READY otherwise.</summary>
    NeedsMedium = 1 << 6,

    /// <summary>A SIMPLE one may be treated as HEAD OF QUEUE (SAM-5 §8.6.3 lets it for INQUIRY and the like).</summary>
    ImplicitHeadOfQueue = 1 << 7,

    /// <summary>With less Data-Out than the CDB asks for it is done for the whole blocks that came, and the residual
    /// overflow tells of the others (RFC 7143 §11.4.5.1). Not so a parameter list, or data to compare: half of that
    /// would mean something else.</summary>
    MayBeCutShort = 1 << 8,

    /// <summary>Atomic against whatever touches the same blocks: nothing that overlaps it is with the device server
    /// meanwhile.</summary>
    HoldsRange = 1 << 9,

    /// <summary>Done through a target port in standby (SPC-4 §5.15.2.4.4).</summary>
    AllowedInStandby = 1 << 10,

    /// <summary>Done through a target port that is unavailable (SPC-4 §5.15.2.4.5), or offline.</summary>
    AllowedWhenUnavailable = 1 << 11,

    /// <summary>Done while the target port's state is in transition (SPC-4 §5.15.2.5).</summary>
    AllowedInTransition = 1 << 12,
}

/// <summary>Bytes of data that a CDB asks to transfer. A WRITE or READ counts in logical blocks.</summary>
public delegate long TransferLength(ReadOnlySpan<byte> cdb, int blockLengthBytes);

/// <summary>Traits that this very CDB has besides its row's.</summary>
public delegate CommandTraits TraitsOfCdb(ReadOnlySpan<byte> cdb);

/// <summary>
/// One row per command: everything about it but how to do it. The row validates the CDB, tells the length and the
/// rules it stands under, and answers REPORT SUPPORTED OPERATION CODES.
/// </summary>
public sealed class CommandRow
{
    public required string Name { get; init; }

    public required byte OperationCode { get; init; }

    /// <summary>Null for commands without one.</summary>
    public ushort? ServiceAction { get; init; }

    public DataDirection Direction { get; init; }

    public CommandTraits Traits { get; init; }

    /// <summary>
    /// The CDB USAGE DATA of REPORT SUPPORTED OPERATION CODES (SPC-4 §6.32.3): one byte per CDB byte, a set bit where
    /// the device server looks at that bit. Byte 0 is the operation code; the service action field has its value.
    /// A bit that is clear here and set in a CDB is an INVALID FIELD IN CDB. NACA is looked at in every command, so its
    /// bit of the CONTROL byte is set here whatever the row says.
    /// </summary>
    public required byte[] Usage
    {
        get;
        init
        {
            field = value;
            int control = ControlByte.OffsetIn(value);
            if (control > 0)
                field[control] |= ControlByte.Naca;
        }
    }

    /// <summary>
    /// Bits that the standard tells to ignore: nothing looks at them, yet they are no invalid field. At most as long as
    /// <see cref="Usage"/>.
    /// </summary>
    public byte[] Ignored { get; init; } = [];

    /// <summary>
    /// For <see cref="Ignored"/>: bits 7 to 5 of byte 1, where SCSI-2 (§7.2.2) had the logical unit number. They have
    /// been reserved since, and a recipient need not check what is reserved (SPC-4 §3.3); drivers and tools of medium
    /// changers still write the number there.
    /// </summary>
    internal static byte[] FormerLogicalUnitNumber { get; } = [0, 0xE0];

    /// <summary>Null: no data.</summary>
    public TransferLength? TransferLength { get; init; }

    /// <summary>Where the length lies in the CDB, for the field pointer.</summary>
    public byte LengthFieldOffset { get; init; }

    public int CdbLengthBytes => Usage.Length;

    /// <summary>The CDB, which may be longer than the command in it, has NACA set.</summary>
    public bool HasNaca(ReadOnlySpan<byte> cdb)
    {
        int control = ControlByte.OffsetIn(cdb[..Math.Min(cdb.Length, CdbLengthBytes)]);
        return control > 0 && (cdb[control] & ControlByte.Naca) != 0;
    }

    /// <summary>For those whose allowances hang on a field (PREVENT ALLOW MEDIUM REMOVAL, START STOP UNIT).</summary>
    public TraitsOfCdb? TraitsOfCdb { get; init; }

    public bool Has(CommandTraits traits) => (Traits & traits) != 0;

    /// <summary>The same for one CDB; asked only where something is unusual already.</summary>
    public bool Has(CommandTraits traits, ReadOnlySpan<byte> cdb) =>
        Has(traits) || (TraitsOfCdb is { } more && (more(cdb) & traits) != 0);

    public override string ToString() => Name;
}
