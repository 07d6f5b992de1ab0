using System.Buffers.Binary;
using System.Text;

namespace Scstd.Scsi;

/// <summary>
/// Puts parameter data together, field after field, in network order. Lengths that are known only later are written
/// when their part is done, by the <c>Close…</c> methods.
/// </summary>
public ref struct ParameterDataWriter(Span<byte> destination)
{
    private readonly Span<byte> _all = destination;

    public int LengthBytes { get; private set; }

    public readonly ReadOnlySpan<byte> Written => _all[..LengthBytes];

    public void Byte(int value) => _all[LengthBytes++] = (byte)value;

    public void Two(int value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_all[LengthBytes..], (ushort)value);
        LengthBytes += 2;
    }

    public void Four(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_all[LengthBytes..], value);
        LengthBytes += 4;
    }

    public void Bytes(scoped ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_all[LengthBytes..]);
        LengthBytes += bytes.Length;
    }

    public void Zeros(int count)
    {
        _all.Slice(LengthBytes, count).Clear();
        LengthBytes += count;
    }

    /// <summary>SPC-4 §4.4.1: ASCII data, left aligned, filled up with spaces, cut where it is too long.</summary>
    public void Ascii(string text, int lengthBytes)
    {
        Span<byte> field = _all.Slice(LengthBytes, lengthBytes);
        field.Fill((byte)' ');
        // What is not ASCII would be sent as two bytes or more: SPC-4 allows 20h … 7Eh alone.
        for (int i = 0; i < Math.Min(text.Length, lengthBytes); i++)
            field[i] = text[i] is >= ' ' and <= '~' ? (byte)text[i] : (byte)'?';
        LengthBytes += lengthBytes;
    }

    /// <summary>UTF-8, a null at the end, filled up with nulls to a multiple of four (SPC-4 §7.8.6.11).</summary>
    public void NullTerminatedUtf8(string text)
    {
        int start = LengthBytes;
        LengthBytes += Encoding.UTF8.GetBytes(text, _all[LengthBytes..]);
        Zeros(4 - ((LengthBytes - start) & 3));
    }

    /// <summary>Writes at <paramref name="offset"/> how many bytes were written after that one byte field.</summary>
    public readonly void CloseByte(int offset) => _all[offset] = (byte)(LengthBytes - offset - 1);

    /// <summary>The same for a field of two bytes.</summary>
    public readonly void CloseTwo(int offset) =>
        BinaryPrimitives.WriteUInt16BigEndian(_all[offset..], (ushort)(LengthBytes - offset - 2));

    /// <summary>The same for a field of four bytes.</summary>
    public readonly void CloseFour(int offset) =>
        BinaryPrimitives.WriteUInt32BigEndian(_all[offset..], (uint)(LengthBytes - offset - 4));
}
