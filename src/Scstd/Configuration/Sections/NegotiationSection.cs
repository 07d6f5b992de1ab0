namespace Scstd.Configuration;

public sealed class TargetLimitsSection : Section
{
    internal static readonly SectionRule<TargetLimitsSection> Rule = new("target_limits", "Limits of a target.",
        new Row<TargetLimitsSection, int>("sessions", new IntegerRule(1, 65536), (s, v) => s.Sessions = v,
            "Sessions at the same time. Default: 256."),
        new Row<TargetLimitsSection, int>("queue_depth", new IntegerRule(1, 4096), (s, v) => s.QueueDepth = v,
            "Commands that one session may have under way. Default: 128."),
        new Row<TargetLimitsSection, int>("commands", new IntegerRule(1, DeviceSection.MostCommands),
            (s, v) => s.Commands = v, "The most commands of all sessions together under way; one more is answered TASK "
                + "SET FULL, or BUSY to an initiator that has none at that device. Default: any number."),
        new Row<TargetLimitsSection, TimeSpan>("nop_interval",
            new DurationRule(TimeSpan.FromSeconds(1), TimeSpan.FromHours(1), orNone: true),
            (s, v) => s.NopInterval = v, "How long a connection may be silent before it is asked whether it lives. "
                + "Default: 10s."),
        new Row<TargetLimitsSection, TimeSpan>("nop_timeout",
            new DurationRule(TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)), (s, v) => s.NopTimeout = v,
            "How long it may take to answer before it is given up. Default: 15s."),
        new Row<TargetLimitsSection, TimeSpan>("stall_timeout",
            new DurationRule(TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)), (s, v) => s.StallTimeout = v,
            "How long an initiator may read none of what waits for it before it is given up. Default: 30s."),
        new Row<TargetLimitsSection, TimeSpan>("data_timeout",
            new DurationRule(TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)), (s, v) => s.DataTimeout = v,
            "How long the data of a write may be late before the initiator is given up. Default: 60s."));

    public int Sessions { get; internal set; } = 256;

    public int QueueDepth { get; internal set; } = 128;

    /// <summary>Null: any number.</summary>
    public int? Commands { get; internal set; }

    /// <summary>Zero: never.</summary>
    public TimeSpan NopInterval { get; internal set; } = TimeSpan.FromSeconds(10);

    public TimeSpan NopTimeout { get; internal set; } = TimeSpan.FromSeconds(15);

    public TimeSpan StallTimeout { get; internal set; } = TimeSpan.FromSeconds(30);

    public TimeSpan DataTimeout { get; internal set; } = TimeSpan.FromSeconds(60);
}

public enum DigestChoice
{
    None,
    Crc32c,
}

/// <summary>The keys of RFC 7143 §13, under their own names: how far the target goes.</summary>
public sealed class NegotiationSection : Section
{
    private static readonly Rule<IReadOnlyList<DigestChoice>> DigestRule = new ListRule<DigestChoice>(
        new WordRule<DigestChoice>(("CRC32C", DigestChoice.Crc32c), ("None", DigestChoice.None)));

    // RFC 7143 §13.13 and §13.14: 512 to 2**24 - 1.
    private static readonly SizeRule BurstRule = new(512, (1 << 24) - 1);

    // Our choice: a PDU's data fits in one piece of a buffer.
    private static readonly SizeRule SegmentRule = new(512, 1 << 20);

    internal static readonly SectionRule<NegotiationSection> Rule = new("negotiation",
        "How far the target goes in the negotiation of a login (RFC 7143 §13).",
        new Row<NegotiationSection, IReadOnlyList<DigestChoice>>("HeaderDigest", DigestRule,
            (s, v) => s.HeaderDigest = v, "The header digests that are accepted. Default: CRC32C and None."),
        new Row<NegotiationSection, IReadOnlyList<DigestChoice>>("DataDigest", DigestRule,
            (s, v) => s.DataDigest = v, "The data digests that are accepted. Default: CRC32C and None."),
        new Row<NegotiationSection, long>("MaxRecvDataSegmentLength", SegmentRule,
            (s, v) => s.MaxRecvDataSegmentLength = (int)v, "The longest data segment that the target receives in one "
                + "PDU. Default: 256KiB."),
        new Row<NegotiationSection, long>("MaxBurstLength", BurstRule, (s, v) => s.MaxBurstLength = (int)v,
            "The most data that one R2T asks for, or one sequence of Data-In carries. Default: 1MiB."),
        new Row<NegotiationSection, long>("FirstBurstLength", BurstRule, (s, v) => s.FirstBurstLength = (int)v,
            "The most data that an initiator sends without being asked. Default: 256KiB."),
        new Row<NegotiationSection, bool>("InitialR2T", new BooleanRule(), (s, v) => s.InitialR2T = v,
            "Yes: an initiator waits to be asked for data beyond what comes with the command. Default: no."),
        new Row<NegotiationSection, bool>("ImmediateData", new BooleanRule(), (s, v) => s.ImmediateData = v,
            "Data may come with the command. Default: yes."),
        new Row<NegotiationSection, int>("MaxOutstandingR2T", new IntegerRule(1, 8),
            (s, v) => s.MaxOutstandingR2T = v, "R2Ts of one command that may be unanswered. Default: 8."));

    public IReadOnlyList<DigestChoice> HeaderDigest { get; internal set; } = [DigestChoice.Crc32c, DigestChoice.None];

    public IReadOnlyList<DigestChoice> DataDigest { get; internal set; } = [DigestChoice.Crc32c, DigestChoice.None];

    public int MaxRecvDataSegmentLength { get; internal set; } = 256 << 10;

    public int MaxBurstLength { get; internal set; } = 1 << 20;

    public int FirstBurstLength { get; internal set; } = 256 << 10;

    public bool InitialR2T { get; internal set; }

    public bool ImmediateData { get; internal set; } = true;

    public int MaxOutstandingR2T { get; internal set; } = 8;
}
