using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace Scstd.Scsi;

/*  Fibre Channel, SPC-4 §7.6.4.2              iSCSI, SPC-4 §7.6.4.6
    0      00b | 0h                            0      00b or 01b | 5h
    1-7    reserved                            1      reserved
    8-15   N_PORT_NAME                         2-3    ADDITIONAL LENGTH, at least 20, a multiple of 4
    16-23  reserved                            4-…    the name; with 01b ",i,0x" and the ISID in hexadecimal digits
                                                      behind it; a null at the end, nulls up to a multiple of 4   */

/// <summary>
/// TransportID: an initiator port by its name, in the form that its transport protocol gives it. Two of them are equal
/// if they name the same port, however their bytes were written.
/// </summary>
public sealed class TransportId : IEquatable<TransportId>
{
    /// <summary>The shortest of all formats that we know.</summary>
    public const int MinLengthBytes = 24;

    private const byte FibreChannel = 0x0;
    private const byte Iscsi = 0x5;
    private const byte PortFormat = 0x40;
    private const int HeaderBytes = 4;
    private const string Separator = ",i,0x";
    private const string FibreChannelPrefix = "naa.";

    /// <summary>RFC 7143 §4.2.7.1.</summary>
    private const int MostNameBytes = 223;

    /// <summary>An ISID has 48 bits.</summary>
    private const int MostIsidDigits = 12;

    private readonly string _name;
    private readonly ulong? _session;

    private TransportId(byte protocol, string name, ulong? session)
    {
        (ProtocolIdentifier, _name, _session) = (protocol, name, session);
        LengthBytes = protocol == FibreChannel
            ? MinLengthBytes : HeaderBytes + AdditionalLength(Encoding.UTF8.GetByteCount(IscsiText));
    }

    /// <summary>SPC-4 §7.6.1.</summary>
    public byte ProtocolIdentifier { get; }

    public int LengthBytes { get; }

    /// <summary>It names one initiator port; false: an iSCSI initiator with all its ports (format 00b).</summary>
    public bool IsPort => ProtocolIdentifier != Iscsi || _session is not null;

    private string IscsiText => _session is { } isid ? $"{_name}{Separator}{isid:x12}" : _name;

    public static TransportId OfFibreChannelPort(ulong portName) =>
        new(FibreChannel, portName.ToString("x16", CultureInfo.InvariantCulture), null);

    /// <summary>Of a port's name as the transport protocol writes it: iSCSI's name,i,0xISID; Fibre Channel's
    /// naa.N_PORT_NAME. Null if it is neither.</summary>
    public static TransportId? OfPortName(string portName)
    {
        if (portName.StartsWith(FibreChannelPrefix, StringComparison.Ordinal) &&
            portName.Length == FibreChannelPrefix.Length + 16 &&
            TryParseHex(portName.AsSpan(FibreChannelPrefix.Length), 16, out ulong name))
            return OfFibreChannelPort(name);
        return OfIscsiText(portName, isPort: portName.Contains(Separator, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>Reads the one that the bytes begin with. False if it is cut off, reserved, or wrong in itself;
    /// <paramref name="wrongOffset"/> is then the field that is to blame.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out TransportId? id, out int wrongOffset)
    {
        id = null;
        wrongOffset = 0;
        if (bytes.Length < MinLengthBytes)
            return false;
        return (bytes[0] & 0x0F) switch
        {
            FibreChannel => TryReadFibreChannel(bytes, out id, out wrongOffset),
            Iscsi => TryReadIscsi(bytes, out id, out wrongOffset),
            _ => false,
        };
    }

    /// <summary>How many bytes it took where it was read: a writer may pad more than we do.</summary>
    public int ReadLengthBytes(ReadOnlySpan<byte> bytes) => ProtocolIdentifier == FibreChannel
        ? MinLengthBytes
        : HeaderBytes + BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);

    public void Write(Span<byte> destination)
    {
        Span<byte> to = destination[..LengthBytes];
        to.Clear();
        to[0] = ProtocolIdentifier;
        if (ProtocolIdentifier == FibreChannel)
        {
            BinaryPrimitives.WriteUInt64BigEndian(to[8..], ulong.Parse(
                _name, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
            return;
        }
        to[0] |= _session is null ? (byte)0 : PortFormat;
        BinaryPrimitives.WriteUInt16BigEndian(to[2..], (ushort)(LengthBytes - HeaderBytes));
        Encoding.UTF8.GetBytes(IscsiText, to[HeaderBytes..]);
    }

    public bool Equals(TransportId? other) =>
        other is not null && ProtocolIdentifier == other.ProtocolIdentifier && _session == other._session &&
        string.Equals(_name, other._name, StringComparison.Ordinal);

    public override bool Equals(object? other) => Equals(other as TransportId);

    public override int GetHashCode() => HashCode.Combine(ProtocolIdentifier, _name, _session);

    /// <summary>As <see cref="OfPortName"/> reads it.</summary>
    public override string ToString() =>
        ProtocolIdentifier == FibreChannel ? FibreChannelPrefix + _name : IscsiText;

    private static bool TryReadFibreChannel(ReadOnlySpan<byte> bytes, out TransportId? id, out int wrongOffset)
    {
        id = null;
        wrongOffset = (bytes[0] & 0xF0) != 0 ? 0
            : bytes[1..8].ContainsAnyExcept((byte)0) ? 1 + bytes[1..8].IndexOfAnyExcept((byte)0)
            : bytes[16..24].ContainsAnyExcept((byte)0) ? 16 + bytes[16..24].IndexOfAnyExcept((byte)0)
            : -1;
        if (wrongOffset >= 0)
            return false;
        id = OfFibreChannelPort(BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));
        return true;
    }

    private static bool TryReadIscsi(ReadOnlySpan<byte> bytes, out TransportId? id, out int wrongOffset)
    {
        id = null;
        wrongOffset = 0;
        bool isPort = (bytes[0] & 0xF0) == PortFormat;
        if (!isPort && (bytes[0] & 0xF0) != 0)
            return false;
        wrongOffset = 1;
        if (bytes[1] != 0)
            return false;
        wrongOffset = 2;
        int length = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        if (length < MinLengthBytes - HeaderBytes || length % 4 != 0 || HeaderBytes + length > bytes.Length)
            return false;
        wrongOffset = HeaderBytes;
        ReadOnlySpan<byte> text = bytes.Slice(HeaderBytes, length);
        int end = text.IndexOf((byte)0);
        if (end <= 0 || text[end..].ContainsAnyExcept((byte)0))
            return false;
        // RFC 7143 §4.2.7.1: a name is UTF-8. What is not would come out as another name, and perhaps a longer one.
        if (!Utf8.IsValid(text[..end]))
            return false;
        id = OfIscsiText(Encoding.UTF8.GetString(text[..end]), isPort);
        return id is not null;
    }

    /// <summary>Judged as it is kept: a letter may take more bytes in lower case.</summary>
    private static TransportId? OfIscsiText(string anyCase, bool isPort)
    {
        string text = anyCase.ToLowerInvariant();
        if (!isPort)
            return IsName(text) ? new TransportId(Iscsi, text, null) : null;
        int at = text.LastIndexOf(Separator, StringComparison.Ordinal);
        return at >= 0 && IsName(text[..at]) &&
            TryParseHex(text.AsSpan(at + Separator.Length), MostIsidDigits, out ulong isid)
            ? new TransportId(Iscsi, text[..at], isid)
            : null;
    }

    /// <summary>No comma: the separator of a port's name would be found in it.</summary>
    private static bool IsName(string name) =>
        name.Length > 0 && Encoding.UTF8.GetByteCount(name) <= MostNameBytes && !name.Contains(',') &&
        !name.Any(char.IsControl) && !name.Any(char.IsWhiteSpace);

    private static bool TryParseHex(ReadOnlySpan<char> digits, int most, out ulong value)
    {
        value = 0;
        return digits.Length > 0 && digits.Length <= most && ulong.TryParse(
            digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }

    /// <summary>With at least one null behind the text.</summary>
    private static int AdditionalLength(int textBytes) =>
        Math.Max(MinLengthBytes - HeaderBytes, (textBytes + 1 + 3) & ~3);
}
