using System.Buffers;
using System.Buffers.Binary;
using Scstd.Scsi;

namespace Scstd.Backends.Tape.Cartridges;

/// <summary>The state of a cartridge at a moment: all that it is but the logs themselves.</summary>
/// <param name="Sequence">The greater one counts.</param>
/// <param name="Label">What the cartridge is.</param>
/// <param name="Partitions">Where their data ended.</param>
/// <param name="Attributes">Of each partition, by their identifiers.</param>
/// <param name="Statistics">By their names.</param>
internal sealed record Checkpoint(
    ulong Sequence, CartridgeLabel Label, IReadOnlyList<PartitionEnd> Partitions,
    IReadOnlyList<SortedDictionary<ushort, MediumAttribute>> Attributes, IReadOnlyDictionary<string, ulong> Statistics)
{
    private const int LengthAt = 20;
    private const int ChecksumAt = 24;
    private const int HeaderBytes = 32;
    private const int AttributeCountMax = 4096;

    private static ReadOnlySpan<byte> Magic => "scstd-cartridge\n"u8;

    private static ReadOnlySpan<byte> LabelMagic => "scstd-cart-label"u8;

    /// <summary>The bytes that go to its place in the file.</summary>
    public byte[] Encode()
    {
        byte[] bytes = ArrayPool<byte>.Shared.Rent(CartridgeFormat.CheckpointBytes);
        FormatWriter to = Begin(bytes, Magic);
        to.UInt64(Sequence);
        Label.Write(to);
        for (int i = 0; i < Partitions.Count; i++)
        {
            Partitions[i].Write(to);
            to.UInt16((ushort)Attributes[i].Count);
            foreach (MediumAttribute attribute in Attributes[i].Values)
            {
                to.UInt16(attribute.Identifier);
                to.Byte(attribute.Format);
                to.UInt16((ushort)attribute.Value.Length);
                to.Bytes(attribute.Value.Span);
            }
        }
        to.UInt16((ushort)Statistics.Count);
        foreach ((string name, ulong value) in Statistics.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            to.Text(name);
            to.UInt64(value);
        }
        return Finish(bytes, to);
    }

    public static byte[] EncodeLabel(CartridgeLabel label)
    {
        byte[] bytes = ArrayPool<byte>.Shared.Rent(CartridgeFormat.LabelBytes);
        FormatWriter to = Begin(bytes, LabelMagic);
        label.Write(to);
        return Finish(bytes, to);
    }

    /// <summary>Null: these bytes are no whole checkpoint.</summary>
    public static Checkpoint? Decode(ReadOnlySpan<byte> bytes)
    {
        if (!IsWhole(bytes, Magic, out int length))
            return null;
        var from = new FormatReader(bytes[HeaderBytes..length]);
        ulong sequence = from.UInt64();
        if (CartridgeLabel.Read(ref from) is not { } label)
            return null;
        var partitions = new List<PartitionEnd>();
        var attributes = new List<SortedDictionary<ushort, MediumAttribute>>();
        foreach (PartitionRegion region in label.Regions)
        {
            partitions.Add(PartitionEnd.Read(ref from, region));
            attributes.Add(ReadAttributes(ref from));
        }
        var statistics = new Dictionary<string, ulong>(StringComparer.Ordinal);
        for (int left = from.Count(CartridgeFormat.StatisticsMax); left > 0 && from.IsGood; left--)
            statistics[from.Text(CartridgeFormat.StatisticNameBytesMax)] = from.UInt64();
        return from.IsGood ? new Checkpoint(sequence, label, partitions, attributes, statistics) : null;
    }

    public static CartridgeLabel? DecodeLabel(ReadOnlySpan<byte> bytes)
    {
        if (!IsWhole(bytes, LabelMagic, out int length))
            return null;
        var from = new FormatReader(bytes[HeaderBytes..length]);
        return CartridgeLabel.Read(ref from);
    }

    /// <summary>The version that a checkpoint or label says it has; null: it is neither.</summary>
    public static uint? VersionOf(ReadOnlySpan<byte> bytes) =>
        bytes.Length >= HeaderBytes && (bytes.StartsWith(Magic) || bytes.StartsWith(LabelMagic))
            ? BinaryPrimitives.ReadUInt32LittleEndian(bytes[Magic.Length..]) : null;

    private static SortedDictionary<ushort, MediumAttribute> ReadAttributes(ref FormatReader from)
    {
        var attributes = new SortedDictionary<ushort, MediumAttribute>();
        for (int left = from.Count(AttributeCountMax); left > 0 && from.IsGood; left--)
        {
            ushort identifier = from.UInt16();
            byte format = from.Byte();
            int length = from.Count(CartridgeFormat.AttributeBytesMax);
            attributes[identifier] = new MediumAttribute(identifier, format, from.Bytes(length));
        }
        return attributes;
    }

    private static FormatWriter Begin(byte[] bytes, ReadOnlySpan<byte> magic)
    {
        var to = new FormatWriter(bytes);
        to.Bytes(magic);
        to.UInt32(CartridgeFormat.Version);
        to.Bytes(new byte[HeaderBytes - LengthAt]);
        return to;
    }

    /// <summary>The rest of its place need not be written. Takes the bytes back into the pool.</summary>
    private static byte[] Finish(byte[] bytes, FormatWriter to)
    {
        Span<byte> whole = bytes.AsSpan(0, to.Length);
        BinaryPrimitives.WriteInt32LittleEndian(whole[LengthAt..], to.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(whole[ChecksumAt..], Crc32c.Compute(whole));
        byte[] used = bytes[..to.Length];
        ArrayPool<byte>.Shared.Return(bytes);
        return used;
    }

    private static bool IsWhole(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> magic, out int length)
    {
        length = 0;
        if (VersionOf(bytes) != CartridgeFormat.Version || !bytes.StartsWith(magic))
            return false;
        length = BinaryPrimitives.ReadInt32LittleEndian(bytes[LengthAt..]);
        if (length < HeaderBytes || length > bytes.Length)
            return false;
        uint state = Crc32c.Append(Crc32c.Seed, bytes[..ChecksumAt]);
        state = Crc32c.Append(state, stackalloc byte[sizeof(uint)]);
        state = Crc32c.Append(state, bytes[(ChecksumAt + sizeof(uint))..length]);
        return Crc32c.Finish(state) == BinaryPrimitives.ReadUInt32LittleEndian(bytes[ChecksumAt..]);
    }
}

/// <summary>Where a partition's data ended.</summary>
/// <param name="Epoch">Of the entries that may follow.</param>
/// <param name="End">Which the data reaches on stable storage.</param>
internal readonly record struct PartitionEnd(uint Epoch, LogEnd End)
{
    public void Write(FormatWriter to)
    {
        to.UInt32(Epoch);
        to.UInt64(End.Offset);
        to.UInt64(End.ObjectCount);
        to.UInt64(End.FileCount);
        to.UInt64(End.SetCount);
        to.UInt32(End.Checksum);
        byte[] pointer = new byte[NodePointer.Bytes];
        foreach (NodePointer[] levels in (ReadOnlySpan<NodePointer[]>)[End.Levels, End.PreviousLevels])
        {
            foreach (NodePointer level in levels)
            {
                level.Write(pointer);
                to.Bytes(pointer);
            }
        }
        for (int i = 0; i < End.TailCount; i++)
            to.UInt64(End.Tail[i]);
    }

    public static PartitionEnd Read(ref FormatReader from, PartitionRegion region)
    {
        uint epoch = from.UInt32();
        ulong offset = from.UInt64(region.CapacityBytes);
        ulong objects = from.UInt64(CartridgeFormat.ObjectsMax);
        ulong files = from.UInt64(objects);
        ulong sets = from.UInt64(objects);
        uint checksum = from.UInt32();
        ulong nodes = objects / CartridgeFormat.IntervalObjects;
        NodePointer[] levels = ReadLevels(ref from, nodes, offset);
        NodePointer[] previous = ReadLevels(ref from, nodes == 0 ? 0 : nodes - 1, offset);
        var end = new LogEnd(offset, objects, files, sets, checksum, levels, previous, LogEnd.NewTail());
        ulong before = 0;
        for (int i = 0; i < end.TailCount && from.IsGood; i++)
        {
            end.Tail[i] = from.UInt64();
            from.Require(Interval.IsEntry(end.Tail[i]) && Interval.OffsetOf(end.Tail[i]) < offset
                && (i == 0 || Interval.OffsetOf(end.Tail[i]) > before));
            before = Interval.OffsetOf(end.Tail[i]);
        }
        from.Require(offset % CartridgeFormat.AlignmentBytes == 0 && files + sets <= objects);
        return new PartitionEnd(epoch, end);
    }

    private static NodePointer[] ReadLevels(ref FormatReader from, ulong nodes, ulong endOffset)
    {
        if (!from.IsGood)
            return [];
        var levels = new NodePointer[IndexNode.LevelsOf(nodes)];
        for (int i = 0; i < levels.Length; i++)
        {
            byte[] bytes = from.Bytes(NodePointer.Bytes);
            if (!from.IsGood)
                return [];
            levels[i] = NodePointer.Read(bytes);
            from.Require(levels[i].Offset < endOffset);
        }
        return levels;
    }
}
