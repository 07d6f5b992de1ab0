using System.Buffers.Binary;
using System.Numerics;
using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Backends.Disk;

/// <summary>When little room is left: so many bytes, or such a part of all that there is has been taken.</summary>
/// <param name="LeftBytes">Null: <paramref name="UsedPercent"/> counts.</param>
/// <param name="UsedPercent">Of the space that the disk takes from.</param>
public sealed record ThinThreshold(ulong? LeftBytes, int UsedPercent)
{
    /// <summary>What is left when it is reached.</summary>
    public ulong Left(StoreSpace space) =>
        LeftBytes ?? (ulong)((UInt128)space.TotalBytes * (uint)(100 - UsedPercent) / 100);
}

/// <summary>A threshold of the Logical Block Provisioning mode page.</summary>
public enum ThinResource
{
    /// <summary>Armed decreasing: reached when so little can still be taken.</summary>
    Available,

    /// <summary>Armed increasing: reached when the disk has taken so much.</summary>
    Used,
}

/// <summary>A threshold was reached, or there is room again.</summary>
/// <param name="Resource">Of what.</param>
/// <param name="ThresholdBytes">Where it lies.</param>
/// <param name="IsReached">False: it is armed again.</param>
public readonly record struct ThinCrossing(ThinResource Resource, ulong ThresholdBytes, bool IsReached);

/// <summary>
/// What a thin disk knows of its room (SBC-4 §4.7.3.7, logical block provisioning thresholds): the Logical Block
/// Provisioning mode page (1Ch/02h) with one soft threshold of what is left and one of what is used, the log page of
/// the same name (0Ch), and whether a threshold has been reached. Room is measured by whoever has the time to wait for
/// a file system; initiators are told what was measured last.
/// </summary>
/*  mode page, without its header of four:
    0      SITUA 0: every I_T nexus is told
    1-11   reserved
    then, for each threshold:
    0      ENABLED 7 | THRESHOLD TYPE 5-3 (000b: soft) | THRESHOLD ARMING 2-0 (000b decreasing, 001b increasing)
    1      THRESHOLD RESOURCE: the code of its log parameter
    2-3    reserved
    4-7    THRESHOLD COUNT, in threshold sets                                     */
public sealed class ThinProvisioning
{
    private const byte PageCode = 0x1C;
    private const byte SubpageCode = 0x02;
    private const byte LogPageCode = 0x0C;
    private const int FirstDescriptorOffset = 12;
    private const int DescriptorBytes = 8;
    private const byte Enabled = 0x80;
    private const byte ArmedIncreasing = 0x01;
    private const ushort AvailableResource = 0x0001;
    private const ushort UsedResource = 0x0002;

    private readonly Lock _lock = new();
    private readonly IBlockStore _store;
    private readonly ulong _setBytes;
    private readonly Watched[] _watched = [new(ThinResource.Available), new(ThinResource.Used)];
    private volatile StoreSpace _space;
    private bool _isClosed;

    private ThinProvisioning(IBlockStore store, StoreSpace space, ThinThreshold? threshold)
    {
        (_store, _space) = (store, space);
        ThresholdExponent = ExponentOf(store.BlockCount);
        _setBytes = (ulong)store.BlockLengthBytes << ThresholdExponent;
        byte[] values = Values(threshold);
        Page = new ModePage
        {
            PageCode = PageCode,
            SubpageCode = SubpageCode,
            Current = values,
            Default = [.. values],
            Changeable = Changeable(),
        };
        LogPage = new LogPage(LogPageCode, Parameters);
    }

    /// <summary>Null: the disk is not thin, or there is nothing to measure.</summary>
    public static ThinProvisioning? Of(DiskOptions options, IBlockStore store) =>
        options.Thin && store.MeasureSpace() is { } space
            ? new ThinProvisioning(store, space, options.ThinThreshold) : null;

    /// <summary>A threshold set has 2^n blocks.</summary>
    public int ThresholdExponent { get; }

    public ModePage Page { get; }

    public LogPage LogPage { get; }

    /// <summary>As it was measured last.</summary>
    public StoreSpace Space => _space;

    /// <summary>What is left when initiators are told; null: none asked for it.</summary>
    public ulong? LeftThresholdBytes =>
        DescriptorOf(Page.Current, ThinResource.Available) is { IsEnabled: true, Count: var count }
            ? count * _setBytes : null;

    /// <summary>Little is left by the threshold.</summary>
    public bool IsShort => _watched[(int)ThinResource.Available].IsReached;

    /// <summary>
    /// Measures anew, and tells which thresholds were crossed. THRESHOLD COUNT is the centre of a range as wide as one
    /// set; a threshold is reached at the far end of it and armed again at the near one, so that room which comes and
    /// goes is told once. A threshold that was changed is armed. May block; throws IOException.
    /// </summary>
    public IReadOnlyList<ThinCrossing> Measure()
    {
        lock (_lock)
        {
            // A file that is closed may be another's by now.
            if (_isClosed || _store.MeasureSpace() is not { } space)
                return [];
            _space = space;
            byte[] values = Page.Current;
            return [.. _watched.Select(one => Look(one, values, space)).OfType<ThinCrossing>()];
        }
    }

    /// <summary>The store is about to be closed: nothing measures it any more.</summary>
    public void Close()
    {
        lock (_lock)
            _isClosed = true;
    }

    /// <summary>The configuration wants another threshold. What an initiator has saved stays in force. Calls back on
    /// the unit's home; the others are told as by a MODE SELECT if anything changed (SBC-4 §6.5.7).</summary>
    public void SetDefault(LogicalUnit unit, ThinThreshold? threshold, Action done) => unit.ChangeAlone(() =>
    {
        byte[] values = Values(threshold);
        Page.Default = values;
        if (Page.Saved is not null || Page.Current.AsSpan().SequenceEqual(values))
            return;
        Page.Current = [.. values];
        unit.EstablishUnitAttention(AdditionalSense.ModeParametersChanged, except: null);
    }, done);

    /// <summary>Our choice: a set is between a 512th and a 256th of the disk, fine enough for a threshold and coarse
    /// enough for room that comes and goes. Not zero, which would mean that there are no thresholds.</summary>
    private static int ExponentOf(ulong blocks) => Math.Max(1, BitOperations.Log2(Math.Max(1, blocks)) - 8);

    private static byte[] Changeable()
    {
        byte[] page = new byte[FirstDescriptorOffset + (2 * DescriptorBytes)];
        foreach (ThinResource resource in Enum.GetValues<ThinResource>())
        {
            Span<byte> descriptor = SpanOf(page, resource);
            descriptor[0] = Enabled;
            descriptor[4..].Fill(0xFF);
        }
        return page;
    }

    private byte[] Values(ThinThreshold? threshold)
    {
        byte[] page = new byte[FirstDescriptorOffset + (2 * DescriptorBytes)];
        Span<byte> available = SpanOf(page, ThinResource.Available);
        available[1] = (byte)AvailableResource;
        if (threshold is not null)
        {
            available[0] = Enabled;
            // The range is reached at its lower end: not later than when so much is left.
            ulong left = threshold.Left(_space) + (_setBytes / 2);
            BinaryPrimitives.WriteUInt32BigEndian(available[4..], CountOf(left + _setBytes - 1));
        }
        Span<byte> used = SpanOf(page, ThinResource.Used);
        used[0] = ArmedIncreasing;
        used[1] = (byte)UsedResource;
        return page;
    }

    private static Span<byte> SpanOf(byte[] page, ThinResource resource) =>
        page.AsSpan(FirstDescriptorOffset + ((int)resource * DescriptorBytes), DescriptorBytes);

    private static Descriptor DescriptorOf(byte[] page, ThinResource resource)
    {
        Span<byte> bytes = SpanOf(page, resource);
        return new Descriptor((bytes[0] & Enabled) != 0, BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]));
    }

    private ThinCrossing? Look(Watched watched, byte[] page, StoreSpace space)
    {
        Descriptor now = DescriptorOf(page, watched.Resource);
        bool wasReached = watched.IsReached;
        if (now != watched.Threshold)
            (watched.Threshold, watched.IsReached, wasReached) = (now, false, false);
        if (!now.IsEnabled)
            return null;
        ulong centre = now.Count * _setBytes;
        ulong below = centre - Math.Min(centre, _setBytes / 2);
        ulong above = centre + (_setBytes / 2);
        watched.IsReached = watched.Resource == ThinResource.Available
            ? space.AvailableBytes <= below || (wasReached && space.AvailableBytes < above)
            : space.UsedBytes >= above || (wasReached && space.UsedBytes > below);
        return watched.IsReached == wasReached
            ? null : new ThinCrossing(watched.Resource, centre, watched.IsReached);
    }

    /// <summary>SBC-4 §6.4.5: in threshold sets, and whether others take from the same.</summary>
    private IReadOnlyList<LogParameter> Parameters()
    {
        const byte DedicatedToUnit = 0x01;
        const byte NotDedicated = 0x02;
        StoreSpace space = _space;
        return
        [
            new(AvailableResource, Resource(space.AvailableBytes, space.IsShared ? NotDedicated : DedicatedToUnit)),
            new(UsedResource, Resource(space.UsedBytes, DedicatedToUnit)),
        ];
    }

    private byte[] Resource(ulong bytes, byte scope)
    {
        byte[] value = new byte[8];
        BinaryPrimitives.WriteUInt32BigEndian(value, CountOf(bytes));
        value[4] = scope;
        return value;
    }

    private uint CountOf(ulong bytes) => (uint)Math.Min(uint.MaxValue, bytes / _setBytes);

    private readonly record struct Descriptor(bool IsEnabled, uint Count);

    private sealed class Watched(ThinResource resource)
    {
        public ThinResource Resource { get; } = resource;

        public Descriptor Threshold { get; set; }

        public bool IsReached { get; set; }
    }
}
