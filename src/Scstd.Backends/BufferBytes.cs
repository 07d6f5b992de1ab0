using Scstd.Core;

namespace Scstd.Backends;

/// <summary>Bytes of a buffer that lie in several segments, seen one stretch at a time.</summary>
internal static class BufferBytes
{
    public static void Clear(DataBuffer data, int offsetBytes, int lengthBytes)
    {
        while (lengthBytes > 0)
        {
            Span<byte> stretch = data.Stretch(offsetBytes);
            stretch = stretch[..Math.Min(stretch.Length, lengthBytes)];
            stretch.Clear();
            offsetBytes += stretch.Length;
            lengthBytes -= stretch.Length;
        }
    }

    /// <summary>Fills <paramref name="target"/> with copies of the first bytes of <paramref name="source"/>.</summary>
    public static void Repeat(DataBuffer source, int patternBytes, DataBuffer target)
    {
        // A block is a power of two and lies in one segment, and every segment holds whole blocks.
        ReadOnlySpan<byte> pattern = source.Stretch(0)[..patternBytes];
        for (int offset = 0; offset < target.LengthBytes;)
        {
            Span<byte> stretch = target.Stretch(offset);
            offset += stretch.Length;
            for (; !stretch.IsEmpty; stretch = stretch[patternBytes..])
                pattern.CopyTo(stretch);
        }
    }

    public static bool IsZero(DataBuffer data, int lengthBytes) =>
        !data.Stretch(0)[..lengthBytes].ContainsAnyExcept((byte)0);

    /// <summary>Where the two first differ, counted from their offsets, or −1.</summary>
    public static int FindDifference(
        DataBuffer left, int leftOffsetBytes, DataBuffer right, int rightOffsetBytes, int lengthBytes)
    {
        int doneBytes = 0;
        while (doneBytes < lengthBytes)
        {
            ReadOnlySpan<byte> a = left.Stretch(leftOffsetBytes + doneBytes);
            ReadOnlySpan<byte> b = right.Stretch(rightOffsetBytes + doneBytes);
            int take = Math.Min(lengthBytes - doneBytes, Math.Min(a.Length, b.Length));
            int equal = a[..take].CommonPrefixLength(b[..take]);
            doneBytes += equal;
            if (equal < take)
                return doneBytes;
        }
        return -1;
    }

    /// <summary>ORs bytes of one buffer into another (SBC-4 §5.13 ORWRITE).</summary>
    public static void Or(
        DataBuffer target, int targetOffsetBytes, DataBuffer source, int sourceOffsetBytes, int lengthBytes)
    {
        int doneBytes = 0;
        while (doneBytes < lengthBytes)
        {
            Span<byte> to = target.Stretch(targetOffsetBytes + doneBytes);
            ReadOnlySpan<byte> from = source.Stretch(sourceOffsetBytes + doneBytes);
            int take = Math.Min(lengthBytes - doneBytes, Math.Min(to.Length, from.Length));
            for (int i = 0; i < take; i++)
                to[i] |= from[i];
            doneBytes += take;
        }
    }
}
