namespace Scstd.Configuration;

/// <summary>How much may be done a second.</summary>
public sealed class RateLimitSection : Section
{
    /// <summary>Our choice: above it a limit limits nothing.</summary>
    private const int MostCommands = 1_000_000_000;

    internal static readonly SectionRule<RateLimitSection> Rule = new("rate limit",
        "Limits of what may be done a second; commands beyond wait their turn. Only commands that read or write the "
            + "medium count.",
        new Row<RateLimitSection, int>("iops", new IntegerRule(1, MostCommands), (s, v) => s.Iops = v,
            "Commands a second. Default: any number."),
        new Row<RateLimitSection, long>("bandwidth", new SizeRule(4096, 1L << 50), (s, v) => s.BandwidthBytes = v,
            "Bytes a second. Default: any number."));

    /// <summary>Null: any number.</summary>
    public int? Iops { get; internal set; }

    /// <summary>Null: any number.</summary>
    public long? BandwidthBytes { get; internal set; }
}
