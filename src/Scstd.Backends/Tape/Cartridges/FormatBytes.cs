using System.Buffers.Binary;
using System.Text;

namespace Scstd.Backends.Tape.Cartridges;

/// <summary>Puts fields one behind the other.</summary>
internal sealed class FormatWriter(byte[] to)
{
    public int Length { get; private set; }

    public void Byte(byte value) => Take(1)[0] = value;

    public void UInt16(ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(Take(2), value);

    public void UInt32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Take(4), value);

    public void UInt64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Take(8), value);

    public void Bytes(ReadOnlySpan<byte> value) => value.CopyTo(Take(value.Length));

    public void Text(string value)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(value);
        Byte((byte)bytes.Length);
        Bytes(bytes);
    }

    private Span<byte> Take(int count)
    {
        Span<byte> taken = to.AsSpan(Length, count);
        Length += count;
        return taken;
    }
}

/// <summary>Takes fields one behind the other. What lies beyond the end, or is out of its bounds, is zero or empty and
/// makes the whole unbelievable: <see cref="IsGood"/>.</summary>
internal ref struct FormatReader(ReadOnlySpan<byte> from)
{
    private ReadOnlySpan<byte> _left = from;

    public bool IsGood { get; private set; } = true;

    public byte Byte() => Take(1) is { IsEmpty: false } bytes ? bytes[0] : (byte)0;

    public ushort UInt16() =>
        Take(2) is { IsEmpty: false } bytes ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : (ushort)0;

    public uint UInt32() => Take(4) is { IsEmpty: false } bytes ? BinaryPrimitives.ReadUInt32LittleEndian(bytes) : 0;

    public ulong UInt64() => Take(8) is { IsEmpty: false } bytes ? BinaryPrimitives.ReadUInt64LittleEndian(bytes) : 0;

    /// <summary>A number that allows no more than <paramref name="most"/>.</summary>
    public ulong UInt64(ulong most)
    {
        ulong value = UInt64();
        Require(value <= most);
        return IsGood ? value : 0;
    }

    public int Count(int most)
    {
        ushort value = UInt16();
        Require(value <= most);
        return IsGood ? value : 0;
    }

    public byte[] Bytes(int count) => Take(count).ToArray();

    public string Text(int most)
    {
        byte length = Byte();
        Require(length <= most);
        return IsGood ? Encoding.UTF8.GetString(Take(length)) : "";
    }

    public void Require(bool condition) => IsGood &= condition;

    private ReadOnlySpan<byte> Take(int count)
    {
        Require(count <= _left.Length);
        if (!IsGood)
            return [];
        ReadOnlySpan<byte> taken = _left[..count];
        _left = _left[count..];
        return taken;
    }
}
