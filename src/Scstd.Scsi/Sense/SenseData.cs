namespace Scstd.Scsi;

/// <summary>
/// Sense data as a value: what happened, without a format. Fixed or descriptor format is chosen when it is written
/// (D_SENSE), so nothing is lost by converting (SPC-4 §4.5).
/// </summary>
public readonly record struct SenseData(SenseKey Key, AdditionalSense Additional)
{
    /// <summary>INFORMATION, valid if not null; a negative number in two's complement of 64 bits.</summary>
    public ulong? Information { get; init; }

    /// <summary>COMMAND-SPECIFIC INFORMATION, valid if not null.</summary>
    public ulong? CommandSpecificInformation { get; init; }

    /// <summary>The byte in the CDB or the parameter list that is wrong, with ILLEGAL REQUEST (§4.5.2.4.2).</summary>
    public ushort? FieldPointer { get; init; }

    /// <summary>The most significant bit of the wrong field in that byte, or null for the whole byte.</summary>
    public byte? BitPointer { get; init; }

    /// <summary>C/D: the field is in the CDB, not in the parameter list.</summary>
    public bool FieldIsInCdb { get; init; }

    /// <summary>PROGRESS INDICATION in 1/65536, with NO SENSE or NOT READY (§4.5.2.4.4).</summary>
    public ushort? Progress { get; init; }

    /// <summary>An earlier command's error (response code 71h or 73h).</summary>
    public bool IsDeferred { get; init; }

    public bool Filemark { get; init; }

    public bool EndOfMedium { get; init; }

    public bool IncorrectLengthIndicator { get; init; }

    public static SenseData InvalidFieldInCdb(int fieldPointer, int? bitPointer = null) =>
        new(SenseKey.IllegalRequest, AdditionalSense.InvalidFieldInCdb)
        {
            FieldPointer = (ushort)fieldPointer,
            BitPointer = (byte?)bitPointer,
            FieldIsInCdb = true,
        };

    /// <summary>A field further on than the pointer's 16 bits reach is not pointed to at all (SKSV zero).</summary>
    public static SenseData InvalidFieldInParameterList(int fieldPointer, int? bitPointer = null)
    {
        var sense = new SenseData(SenseKey.IllegalRequest, AdditionalSense.InvalidFieldInParameterList);
        return fieldPointer > ushort.MaxValue
            ? sense
            : sense with { FieldPointer = (ushort)fieldPointer, BitPointer = (byte?)bitPointer };
    }

    public static SenseData IllegalRequest(AdditionalSense additional) => new(SenseKey.IllegalRequest, additional);

    public static SenseData UnitAttention(AdditionalSense additional) => new(SenseKey.UnitAttention, additional);
}
