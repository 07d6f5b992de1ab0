using System.Buffers.Binary;

namespace Scstd.Scsi;

/// <summary>How a single level LUN carries its number, SAM-5 §4.7.7.</summary>
public enum LunAddressing
{
    /// <summary>Peripheral device addressing up to 255, flat space addressing above.</summary>
    Peripheral,

    /// <summary>Flat space addressing, 14 bits.</summary>
    Flat,

    /// <summary>Extended flat space addressing, 24 bits.</summary>
    Extended,
}

/// <summary>
/// A logical unit number as it stands on the wire: eight bytes, first level first (SAM-5 §4.7). The number of a single
/// level unit, 0 … 16383, is <see cref="TryGetNumber"/>.
/// </summary>
public readonly record struct Lun(ulong Value)
{
    /// <summary>Our choice and SAM's: 14 bits of flat space addressing.</summary>
    public const int MaxNumber = 16383;

    public const int LengthBytes = 8;

    /// <summary>REPORT LUNS well known logical unit, SAM-5 §4.7.7.5.</summary>
    public static readonly Lun WellKnownReportLuns = new(0xC101_0000_0000_0000);

    public static Lun Read(ReadOnlySpan<byte> bytes) => new(BinaryPrimitives.ReadUInt64BigEndian(bytes));

    /// <summary>Peripheral device addressing up to 255 (§4.7.7.2), flat space addressing above (§4.7.7.3).</summary>
    public static Lun FromNumber(int number)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)number, (uint)MaxNumber);
        return number < 256 ? new((ulong)number << 48) : new((0x4000UL | (uint)number) << 48);
    }

    /// <summary>The number as the method writes it. Peripheral device addressing has eight bits: what is above is
    /// written in flat space addressing (§4.7.7.3), as SAM asks of a target that has such units.</summary>
    public static Lun FromNumber(int number, LunAddressing addressing)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)number, (uint)MaxNumber);
        return addressing switch
        {
            LunAddressing.Flat => new((0x4000UL | (uint)number) << 48),
            LunAddressing.Extended => new((0xD200_0000UL | (uint)number) << 32),
            _ => FromNumber(number),
        };
    }

    /// <summary>Both say the same unit, each in its method.</summary>
    public bool IsSameUnitAs(Lun other) => Value == other.Value ||
        (TryGetNumber(out int number) && other.TryGetNumber(out int otherNumber) && number == otherNumber);

    public void Write(Span<byte> bytes) => BinaryPrimitives.WriteUInt64BigEndian(bytes, Value);

    /// <summary>The number, if this is a single level LUN in one of the methods that carry one: peripheral with bus 0,
    /// flat space, or logical unit addressing with bus 0 and target 0.</summary>
    public bool TryGetNumber(out int number)
    {
        number = 0;
        if ((Value & 0x0000_FFFF_FFFF_FFFF) != 0)
            return TryGetExtendedFlat(out number);
        int first = (int)(Value >> 48);
        switch (first >> 14)
        {
            case 0 when (first & 0x3F00) == 0:
                number = first & 0xFF;
                return true;
            case 1:
                number = first & 0x3FFF;
                return true;
            case 2 when (first & 0x3FE0) == 0:
                number = first & 0x1F;
                return true;
            default:
                return TryGetExtendedFlat(out number);
        }
    }

    /// <summary>Extended flat space addressing, §4.7.7.5.4: D2h, then 24 bits.</summary>
    private bool TryGetExtendedFlat(out int number)
    {
        number = (int)((Value >> 32) & 0x00FF_FFFF);
        return Value >> 56 == 0xD2 && (Value & 0xFFFF_FFFF) == 0 && number <= MaxNumber;
    }

    public override string ToString() => TryGetNumber(out int number) ? number.ToString() : $"{Value:X16}h";
}
