using Scstd.Scsi;

namespace Scstd.Configuration;

/// <summary>A target port group: ports of targets that are in one state of asymmetric access (SPC-4 §5.15).</summary>
public sealed class PortGroupSection : Section
{
    private static readonly (string Word, AsymmetricAccessState State)[] States =
    [
        ("active-optimized", AsymmetricAccessState.ActiveOptimized),
        ("active-non-optimized", AsymmetricAccessState.ActiveNonOptimized),
        ("standby", AsymmetricAccessState.Standby),
        ("unavailable", AsymmetricAccessState.Unavailable),
        ("offline", AsymmetricAccessState.Offline),
        ("transitioning", AsymmetricAccessState.Transitioning),
    ];

    private static readonly Rule<IReadOnlyList<Word>> TargetNames = new ListRule<Word>(Names.Target);

    private static readonly Rule<IReadOnlyList<Word>> DeviceNames = new ListRule<Word>(Names.Device);

    internal static readonly SectionRule<PortGroupSection> Rule = new("port_group", "A target port group.",
        new Row<PortGroupSection, int>("id", new IntegerRule(1, 65535), (s, v) => s.Id = v,
            "The number that initiators know the group by.", isRequired: true),
        new Row<PortGroupSection, AsymmetricAccessState>("state", new WordRule<AsymmetricAccessState>(States),
            (s, v) => s.State = v, "What can be done through its ports: everything (active-optimized; "
                + "active-non-optimized: initiators prefer others), what concerns no medium (standby), hardly anything "
                + "(unavailable, offline); transitioning: another state comes soon. Default: active-optimized."),
        new Row<PortGroupSection, bool>("preferred", new BooleanRule(), (s, v) => s.IsPreferred = v,
            "Initiators shall prefer it among those of the same state. Default: no."),
        new Row<PortGroupSection, bool>("explicit", new BooleanRule(), (s, v) => s.IsExplicit = v,
            "Initiators may change the state (SET TARGET PORT GROUPS). Default: no, only the administrator."),
        new Row<PortGroupSection, IReadOnlyList<Word>>("targets", TargetNames, (s, v) => s.Targets = v,
            "The targets whose ports belong to it. Default: all, through the portals that are named."),
        new Row<PortGroupSection, IReadOnlyList<Word>>("portals", Names.Portals, (s, v) => s.Portals = v,
            "The portals whose target ports belong to it; all portals of a tag are one port. Default: all, of the "
                + "targets that are named."),
        new Row<PortGroupSection, IReadOnlyList<Word>>("devices", DeviceNames, (s, v) => s.Devices = v,
            "The devices that it concerns. Default: all."));

    /// <summary>As the configuration writes them.</summary>
    public static IEnumerable<string> StateWords => States.Select(row => row.Word);

    public Word Name { get; private set; }

    public int Id { get; internal set; }

    public AsymmetricAccessState State { get; internal set; }

    public bool IsPreferred { get; internal set; }

    public bool IsExplicit { get; internal set; }

    /// <summary>Empty: all.</summary>
    public IReadOnlyList<Word> Targets { get; internal set; } = [];

    /// <summary>Empty: all.</summary>
    public IReadOnlyList<Word> Portals { get; internal set; } = [];

    /// <summary>Empty: all.</summary>
    public IReadOnlyList<Word> Devices { get; internal set; } = [];

    public static string WordOf(AsymmetricAccessState state) => States.First(row => row.State == state).Word;

    /// <summary>Null: no such state.</summary>
    public static AsymmetricAccessState? StateOf(string word) =>
        States.Where(row => string.Equals(row.Word, word, StringComparison.OrdinalIgnoreCase))
            .Select(row => (AsymmetricAccessState?)row.State).FirstOrDefault();

    internal PortGroupSection Called(Word name)
    {
        Name = name;
        return this;
    }

    internal bool Concerns(string device) => Devices.Count == 0 || Devices.Any(one => one.Text == device);

    /// <summary>Its target ports: names of targets and portal group tags.</summary>
    internal IEnumerable<(string Target, ushort Tag)> PortsIn(DaemonSection daemon)
    {
        IEnumerable<string> targets = (Targets.Count > 0 ? Targets : daemon.Targets.Select(target => target.Name))
            .Select(name => name.Text);
        ushort[] tags =
        [
            .. daemon.Portals
                .Where(portal => Portals.Count == 0 || Portals.Any(name => name.Text == portal.Name.Text))
                .Select(portal => (ushort)portal.Tag).Distinct().Order(),
        ];
        return targets.SelectMany(_ => tags, (target, tag) => (target, tag));
    }
}
