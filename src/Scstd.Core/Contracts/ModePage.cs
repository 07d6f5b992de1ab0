using System.Runtime.CompilerServices;

namespace Scstd.Core;

/// <summary>
/// One mode page: bytes without the page code and length header (SPC-4 §7.5). Changed only alone on the unit.
/// </summary>
public sealed class ModePage
{
    /// <summary>What single nexuses have set; goes with them.</summary>
    private readonly ConditionalWeakTable<ItNexus, byte[]> _ofNexuses = [];

    public required byte PageCode { get; init; }

    /// <summary>0 for pages in the page_0 format.</summary>
    public byte SubpageCode { get; init; }

    /// <summary>Of all nexuses; of a page with values for each, what a new nexus begins with.</summary>
    public required byte[] Current { get; set; }

    public required byte[] Default { get; set; }

    /// <summary>A set bit may be changed by MODE SELECT.</summary>
    public required byte[] Changeable { get; init; }

    public byte[]? Saved { get; set; }

    /// <summary>Every nexus has values of its own (mode page policy 11b, SPC-4 §7.8.10). They are not saved.</summary>
    public bool IsPerNexus { get; init; }

    /// <summary>For a page that an initiator may send shorter than it is told (SSC-4, Medium Partition: as many
    /// partition sizes as it wants): what is missing is zero. Null: it has one length.</summary>
    public int? ShortestLengthBytes { get; init; }

    /// <summary>Finds a value that nobody can be meant by, in values of which only changeable bits differ: its byte,
    /// and its bit or null for the whole byte. Null: there is none, or nothing to look for.</summary>
    public Func<byte[], (int Offset, int? Bit)?>? FindInvalidValue { get; init; }

    /// <summary>What holds for a nexus.</summary>
    public byte[] ValuesFor(ItNexus nexus) =>
        IsPerNexus && _ofNexuses.TryGetValue(nexus, out byte[]? own) ? own : Current;

    /// <summary>Of a page with values for each nexus.</summary>
    internal void SetFor(ItNexus nexus, byte[] values) => _ofNexuses.AddOrUpdate(nexus, values);

    internal void ForgetNexuses() => _ofNexuses.Clear();

    /// <summary>Nothing of it can be changed.</summary>
    public static ModePage Fixed(byte pageCode, byte[] values) => new()
    {
        PageCode = pageCode,
        Current = values,
        Default = [.. values],
        Changeable = new byte[values.Length],
    };
}
