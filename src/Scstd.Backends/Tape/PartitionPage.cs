using System.Buffers.Binary;
using Scstd.Core;

namespace Scstd.Backends.Tape;

/// <summary>Medium Partition, 11h (SSC-4 §8.3): how the medium is divided, and after MODE SELECT how FORMAT MEDIUM will
/// divide it (POFM).</summary>
/*   0   MAXIMUM ADDITIONAL PARTITIONS
     1   ADDITIONAL PARTITIONS DEFINED
     2   FDP 7 | SDP 6 | IDP 5 | PSUM 4-3 | POFM 2 | CLEAR 1 | ADDP 0
     3   MEDIUM FORMAT RECOGNITION
     4   PARTITION UNITS 3-0
     6-  PARTITION SIZE, two bytes each                                     */
internal sealed class PartitionPage
{
    private const int SizesOffset = 6;
    private const int Fixed = 0x80;
    private const int Selected = 0x40;
    private const int InitiatorDefined = 0x20;
    private const int OnFormat = 0x04;
    private const int AllThatIsLeft = 0xFFFF;

    private readonly int _maxPartitions;

    public PartitionPage(int maxPartitions)
    {
        _maxPartitions = maxPartitions;
        byte[] values = Describe(null);
        byte[] changeable = new byte[values.Length];
        changeable[1] = 0xFF;
        changeable[2] = Fixed | Selected | InitiatorDefined | 0x18;
        changeable[4] = 0x0F;
        changeable.AsSpan(SizesOffset).Fill(0xFF);
        Page = new ModePage
        {
            PageCode = 0x11,
            Current = values,
            Default = [.. values],
            Changeable = changeable,
            ShortestLengthBytes = SizesOffset,
            FindInvalidValue = FindInvalidValue,
        };
    }

    public ModePage Page { get; }

    /// <summary>Of the page as it is now, for a medium of this capacity; null: they do not fit.</summary>
    /// <param name="capacityBytes">Of the whole medium.</param>
    /// <param name="leastBytes">A partition that is asked for smaller is rounded up to this, where another takes what
    /// is left.</param>
    public IReadOnlyList<ulong>? Capacities(ulong capacityBytes, ulong leastBytes)
    {
        byte[] values = Page.Current;
        int count = values[1] + 1;
        // As LTO drives do: nearly everything, and behind it the smallest partition that there is.
        if ((values[2] & Fixed) != 0)
            return [capacityBytes - leastBytes, leastBytes];
        if ((values[2] & Selected) != 0)
            return [.. Enumerable.Repeat(capacityBytes / (ulong)count, count)];
        return InitiatorsCapacities(values, count, capacityBytes, leastBytes);
    }

    private static List<ulong>? InitiatorsCapacities(
        byte[] values, int count, ulong capacityBytes, ulong leastBytes)
    {
        bool isOpen = Enumerable.Range(0, count).Any(i => SizeOf(values, i) == AllThatIsLeft);
        double unit = Unit(values);
        var sizes = new List<ulong>();
        ulong left = capacityBytes;
        int open = -1;
        for (int i = 0; i < count; i++)
        {
            int size = SizeOf(values, i);
            double bytes = size == AllThatIsLeft ? 0 : isOpen ? Math.Max(size * unit, leastBytes) : size * unit;
            if (size == AllThatIsLeft)
                open = i;
            if (bytes > left)
                return null;
            sizes.Add((ulong)bytes);
            left -= (ulong)bytes;
        }
        if (open >= 0)
            sizes[open] = left;
        return sizes.Contains(0) ? null : sizes;
    }

    /// <summary>PSUM: bytes, kilobytes, megabytes, or a power of ten.</summary>
    private static double Unit(byte[] values) => ((values[2] >> 3) & 0x03) switch
    {
        0 => 1,
        1 => 1e3,
        2 => 1e6,
        _ => Math.Pow(10, values[4] & 0x0F),
    };

    private static int SizeOf(byte[] values, int partition) =>
        BinaryPrimitives.ReadUInt16BigEndian(values.AsSpan(SizesOffset + (partition * 2)));

    public void Show(MediumView? view)
    {
        byte[] values = Describe(view);
        Page.Current = values;
        Page.Default = [.. values];
    }

    private byte[] Describe(MediumView? view)
    {
        byte[] values = new byte[SizesOffset + (_maxPartitions * 2)];
        int exponent = view?.Description.CapacityBytes switch { > 65_000_000_000 => 9, > 65_000_000 => 6, _ => 3 };
        values[0] = (byte)(_maxPartitions - 1);
        values[1] = (byte)((view?.Partitions.Count ?? 1) - 1);
        values[2] = InitiatorDefined | 0x18 | OnFormat;
        values[3] = 0x03; // format and partitions are recognised
        values[4] = (byte)exponent;
        // Without a medium: one partition with all there will be.
        BinaryPrimitives.WriteUInt16BigEndian(values.AsSpan(SizesOffset), AllThatIsLeft);
        for (int i = 0; i < Math.Min(view?.Partitions.Count ?? 0, _maxPartitions); i++)
        {
            double size = view!.Partitions[i].CapacityBytes / Math.Pow(10, exponent);
            BinaryPrimitives.WriteUInt16BigEndian(
                values.AsSpan(SizesOffset + (i * 2)), (ushort)Math.Clamp(size, 1, AllThatIsLeft - 1));
        }
        return values;
    }

    private (int Offset, int? Bit)? FindInvalidValue(byte[] values)
    {
        if (values[1] > values[0])
            return (1, null);
        // Of FDP, SDP and IDP exactly one.
        int kind = values[2] & (Fixed | Selected | InitiatorDefined);
        if (kind is not (Fixed or Selected or InitiatorDefined))
            return (2, 7);
        if (kind == Fixed && _maxPartitions < 2)
            return (2, 7);
        if (kind != InitiatorDefined)
            return null;
        bool hasOpen = false;
        for (int i = 0; i <= values[1]; i++)
        {
            int size = SizeOf(values, i);
            if (size == 0 || (size == AllThatIsLeft && hasOpen))
                return (SizesOffset + (i * 2), null);
            hasOpen |= size == AllThatIsLeft;
        }
        return null;
    }
}
