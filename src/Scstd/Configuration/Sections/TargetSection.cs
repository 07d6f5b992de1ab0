namespace Scstd.Configuration;

/// <summary>A target device: a name, who may come, and what they see.</summary>
public sealed class TargetSection : Section
{
    // RFC 7143 §13.7: TargetAlias is a text of at most 255 bytes.
    private const int MostAliasCharacters = 255;

    internal static readonly SectionRule<TargetSection> Rule = new("target", "A target.",
        new Row<TargetSection, Word>("alias",
            new NameRule("a line of text", MostAliasCharacters, text => !text.Any(char.IsControl), null),
            (s, v) => s.Alias = v, "A description that initiators show to people (TargetAlias)."),
        new Row<TargetSection, IReadOnlyList<Word>>("portals", Names.Portals, (s, v) => s.Portals = v,
            "The portals through which the target can be seen. Default: all."),
        new Row<TargetSection, AuthenticationSection>("authentication", AuthenticationSection.NoneOrFull,
            (s, v) => s.Authentication = v, "Who may log in. Default: none, everybody."),
        new Row<TargetSection, TargetLimitsSection>("limits", TargetLimitsSection.Rule, (s, v) => s.Limits = v,
            "Limits of the target."),
        new Row<TargetSection, NegotiationSection>("negotiation", NegotiationSection.Rule,
            (s, v) => s.Negotiation = v, "How far the target goes in the negotiation of a login (RFC 7143 §13)."),
        new Row<TargetSection, IReadOnlyList<Named<int, LunSection>>>("luns", LunSection.Map,
            (s, v) => s.Luns = [.. v.Select(e => e.Value.Numbered(e.Key, e.Position))],
            "What an initiator sees that belongs to no group: LUN and device."),
        new Row<TargetSection, IReadOnlyList<GroupSection>>("groups",
            new ListRule<GroupSection>(GroupSection.Rule, orEmpty: true, orOne: false), (s, v) => s.Groups = v,
            "Groups of initiators that see something else. The first that matches decides."),
        new Row<TargetSection, LunAddressingChoice>("lun_addressing", LunSection.AddressingRule,
            (s, v) => s.LunAddressing = v, "How REPORT LUNS writes the numbers (SAM-5 §4.7.7); every method is "
                + "understood. peripheral: above 255 in flat space addressing. Default: peripheral."),
        new Row<TargetSection, bool>("asynchronous_events", new BooleanRule(), (s, v) => s.AsynchronousEvents = v,
            "Tell changed LUNs, units and capacities at once (RFC 7143 §11.9.1), not only with the next command. "
                + "Default: yes."),
        new Row<TargetSection, RedirectSection>("redirect", RedirectSection.ShortOrFull, (s, v) => s.Redirect = v,
            "Send everybody who wants to log in to another portal instead."));

    public Word Name { get; private set; }

    public Word? Alias { get; internal set; }

    /// <summary>Empty: all.</summary>
    public IReadOnlyList<Word> Portals { get; internal set; } = [];

    /// <summary>Null: not written.</summary>
    public AuthenticationSection? Authentication { get; internal set; }

    public TargetLimitsSection Limits { get; internal set; } = new();

    public NegotiationSection Negotiation { get; internal set; } = new();

    public IReadOnlyList<LunSection> Luns { get; internal set; } = [];

    public IReadOnlyList<GroupSection> Groups { get; internal set; } = [];

    public LunAddressingChoice LunAddressing { get; internal set; }

    public bool AsynchronousEvents { get; internal set; } = true;

    public RedirectSection? Redirect { get; internal set; }

    internal TargetSection Called(Word name)
    {
        Name = name;
        return this;
    }
}

public enum LunAddressingChoice
{
    Peripheral,
    Flat,
    Extended,
}

/// <summary>One LUN and the device behind it.</summary>
public sealed class LunSection : Section
{
    internal static readonly SectionRule<LunSection> Rule = new("lun", "A LUN and the device behind it.",
        new Row<LunSection, Word>("device", Names.Device, (s, v) => s.Device = v, "The device, by its name.",
            isRequired: true),
        new Row<LunSection, bool>("read_only", new BooleanRule(), (s, v) => s.IsReadOnly = v,
            "Refuse writes that come through this LUN. Default: no."));

    internal static readonly Rule<LunSection> ShortOrFull = new ShortRule<Word, LunSection>(Names.Device,
        (device, position) => new LunSection { Device = device, Position = position }, Rule);

    internal static readonly Rule<IReadOnlyList<Named<int, LunSection>>> Map = new MapRule<int, LunSection>(
        new IntegerRule(0, Scsi.Lun.MaxNumber, "a LUN"), ShortOrFull, "devices by LUN");

    internal static readonly Rule<LunAddressingChoice> AddressingRule = new WordRule<LunAddressingChoice>(
        ("peripheral", LunAddressingChoice.Peripheral), ("flat", LunAddressingChoice.Flat),
        ("extended", LunAddressingChoice.Extended));

    public int Number { get; private set; }

    public Word Device { get; internal set; }

    public bool IsReadOnly { get; internal set; }

    internal LunSection Numbered(int number, SourcePosition position)
    {
        Number = number;
        Position = position;
        return this;
    }
}

/// <summary>Initiators that see something else than the rest.</summary>
public sealed class GroupSection : Section
{
    // RFC 7143 §4.2.7.1: names have at most 223 bytes; one more for the '!'.
    private const int MostPatternCharacters = 224;

    private static readonly Rule<string> PatternRule = new PatternText();

    internal static readonly SectionRule<GroupSection> Rule = new("group",
        "Initiators that see something else than the rest.",
        new Row<GroupSection, Word>("name", Names.Group, (s, v) => s.Name = v, "Its name, of your choice.",
            isRequired: true),
        new Row<GroupSection, IReadOnlyList<string>>("initiators", new ListRule<string>(PatternRule),
            (s, v) => s.Initiators = v, "Who belongs to it: iSCSI names in which '*' stands for anything and '?' for "
                + "one character; '!' in front excludes. The first that matches decides.", isRequired: true),
        new Row<GroupSection, AuthenticationSection>("authentication", AuthenticationSection.NoneOrFull,
            (s, v) => s.Authentication = v, "Who may log in. Default: as the target says."),
        new Row<GroupSection, IReadOnlyList<Named<int, LunSection>>>("luns", LunSection.Map,
            (s, v) => s.Luns = [.. v.Select(e => e.Value.Numbered(e.Key, e.Position))],
            "What they see: LUN and device. Without any, the target is hidden from them."),
        new Row<GroupSection, RateLimitSection>("limits", RateLimitSection.Rule, (s, v) => s.Limits = v,
            "Limits for all sessions of the group together, over all their LUNs. Default: none."),
        new Row<GroupSection, LunAddressingChoice>("lun_addressing", LunSection.AddressingRule,
            (s, v) => s.LunAddressing = v, "How REPORT LUNS writes the numbers. Default: as the target says."));

    public Word Name { get; internal set; }

    public IReadOnlyList<string> Initiators { get; internal set; } = [];

    /// <summary>Null: as the target says.</summary>
    public AuthenticationSection? Authentication { get; internal set; }

    /// <summary>Null: none.</summary>
    public RateLimitSection? Limits { get; internal set; }

    public IReadOnlyList<LunSection> Luns { get; internal set; } = [];

    /// <summary>Null: as the target says.</summary>
    public LunAddressingChoice? LunAddressing { get; internal set; }

    private sealed class PatternText : ScalarRule<string>
    {
        public override string Expected => "an iSCSI name or a pattern such as iqn.2026-11.com.example:host*";

        public override System.Text.Json.Nodes.JsonObject Schema(SchemaDefinitions definitions) =>
            new() { ["type"] = "string", ["pattern"] = "^!?[^\\s!]+$", ["maxLength"] = MostPatternCharacters };

        protected override bool TryParse(ScalarNode scalar, out string value)
        {
            value = scalar.Text;
            string name = value.StartsWith('!') ? value[1..] : value;
            return name.Length > 0 && value.Length <= MostPatternCharacters && !name.Contains('!')
                && !name.Any(character => char.IsWhiteSpace(character) || char.IsControl(character));
        }
    }
}

/// <summary>RFC 7143 §11.13.5: "Target moved temporarily / permanently".</summary>
public sealed class RedirectSection : Section
{
    internal static readonly SectionRule<RedirectSection> Rule = new("redirect", "Another portal to log in to.",
        new Row<RedirectSection, System.Net.IPEndPoint>("to", PortalSection.AddressRule, (s, v) => s.To = v,
            "The other portal's address.", isRequired: true),
        new Row<RedirectSection, bool>("permanent", new BooleanRule(), (s, v) => s.IsPermanent = v,
            "The initiator may remember it. Default: no."));

    internal static readonly Rule<RedirectSection> ShortOrFull =
        new ShortRule<System.Net.IPEndPoint, RedirectSection>(PortalSection.AddressRule,
            (to, position) => new RedirectSection { To = to, Position = position }, Rule);

    public System.Net.IPEndPoint? To { get; internal set; }

    public bool IsPermanent { get; internal set; }
}
