using System.Globalization;
using System.Text.Json.Nodes;
using Scstd.Linux;

namespace Scstd.Configuration;

/// <summary>The whole file.</summary>
public sealed class DaemonSection : Section
{
    internal static readonly SectionRule<DaemonSection> Rule = new("configuration",
        "What scstd serves, to whom, and by which means.",
        new Row<DaemonSection, LogSection>("log", LogSection.Rule, (s, v) => s.Log = v,
            "What is written to the log."),
        new Row<DaemonSection, ReactorsSection>("reactors", ReactorsSection.Rule, (s, v) => s.Reactors = v,
            "The threads that do all the work: one per CPU, each with its own connections."),
        new Row<DaemonSection, MemoryBound>("memory", MemoryBound.Rule, (s, v) => s.Memory = v,
            "The most memory that data on its way may take, as a size or as a part of the machine's memory. "
            + "Memory disks come on top of it. Default: 25%."),
        new Row<DaemonSection, LimitsSection>("limits", LimitsSection.Rule, (s, v) => s.Limits = v,
            "Limits of the whole daemon."),
        new Row<DaemonSection, Word>("state_directory",
            new NameRule("a path, or 'none'", 4096, text => !text.Contains('\0'), null), (s, v) => s.StateDirectory = v,
            "Where is kept what units must remember when the daemon ends: persistent reservations. One "
            + "daemon alone may use it; a relative path starts beside the configuration; none: nothing is kept. "
            + "Default: the state directory that systemd gives, else /var/lib/scstd."),
        new Row<DaemonSection, ControlSection>("control", ControlSection.Rule, (s, v) => s.Control = v,
            "The socket that scstctl talks to."),
        new Row<DaemonSection, IReadOnlyList<Named<Word, DeviceSection>>>("devices",
            new MapRule<Word, DeviceSection>(Names.Device, DeviceSection.Rule, "devices by name"),
            (s, v) => s.Devices = [.. v.Select(e => e.Value.Called(new Word(e.Key.Text, e.Position)))],
            "The devices, by names of your choice."),
        new Row<DaemonSection, IReadOnlyList<Named<Word, LibrarySection>>>("libraries",
            new MapRule<Word, LibrarySection>(Names.Library, LibrarySection.Rule, "libraries by name"),
            (s, v) => s.Libraries = [.. v.Select(e => e.Value.Called(new Word(e.Key.Text, e.Position)))],
            "The tape libraries, by names of your choice. Default: none."),
        new Row<DaemonSection, IReadOnlyList<Named<Word, PortalSection>>>("portals",
            new MapRule<Word, PortalSection>(Names.Portal, PortalSection.ShortOrFull, "portals by name"),
            (s, v) => s.Portals = [.. v.Select(e => e.Value.Called(new Word(e.Key.Text, e.Position)))],
            "Where scstd listens, by names of your choice."),
        new Row<DaemonSection, DiscoverySection>("discovery", DiscoverySection.Rule, (s, v) => s.Discovery = v,
            "Discovery sessions, in which an initiator asks which targets there are."),
        new Row<DaemonSection, IReadOnlyList<Named<Word, TargetSection>>>("targets",
            new MapRule<Word, TargetSection>(Names.Target, TargetSection.Rule, "targets by their iSCSI names"),
            (s, v) => s.Targets = [.. v.Select(e => e.Value.Called(new Word(e.Key.Text, e.Position)))],
            "The targets, by their iSCSI names."),
        new Row<DaemonSection, IReadOnlyList<Named<Word, PortGroupSection>>>("port_groups",
            new MapRule<Word, PortGroupSection>(Names.Group, PortGroupSection.Rule, "target port groups by name"),
            (s, v) => s.PortGroups = [.. v.Select(e => e.Value.Called(new Word(e.Key.Text, e.Position)))],
            "Target port groups (ALUA), by names of your choice: which paths initiators shall use. Ports that are in "
                + "none are active. Default: none, all paths are alike."));

    /// <summary>Where it was read from; null: nowhere. Not public, for it is not what the configuration says.</summary>
    internal string? File { get; set; }

    public LogSection Log { get; internal set; } = new();

    public ReactorsSection Reactors { get; internal set; } = new();

    public MemoryBound Memory { get; internal set; } = new(null, 25);

    /// <summary>A path, or none; null: the usual one.</summary>
    public Word? StateDirectory { get; internal set; }

    public LimitsSection Limits { get; internal set; } = new();

    public ControlSection Control { get; internal set; } = new();

    public IReadOnlyList<DeviceSection> Devices { get; internal set; } = [];

    public IReadOnlyList<LibrarySection> Libraries { get; internal set; } = [];

    public IReadOnlyList<PortalSection> Portals { get; internal set; } = [];

    public DiscoverySection Discovery { get; internal set; } = new();

    public IReadOnlyList<TargetSection> Targets { get; internal set; } = [];

    public IReadOnlyList<PortGroupSection> PortGroups { get; internal set; } = [];

    /// <summary>All that a LUN can lead to: the devices, and what libraries consist of.</summary>
    internal IReadOnlyList<string> UnitNames =>
        [.. Devices.Select(device => device.Name.Text), .. Libraries.SelectMany(library => library.UnitNames)];

    /// <summary>"file:line:column: " in front of what is wrong with a value; nothing, if it stands in no file.
    /// </summary>
    internal string At(SourcePosition position) => File is null ? "" : $"{File}:{position}: ";
}

public enum LogLevel
{
    Verbose,
    Debug,
    Information,
    Warning,
    Error,
}

public sealed class LogSection : Section
{
    internal static readonly SectionRule<LogSection> Rule = new("log", "What is written to the log.",
        new Row<LogSection, LogLevel>("level",
            new WordRule<LogLevel>(("verbose", LogLevel.Verbose), ("debug", LogLevel.Debug),
                ("information", LogLevel.Information), ("warning", LogLevel.Warning), ("error", LogLevel.Error)),
            (s, v) => s.Level = v, "The least important events that are logged. Default: information."));

    public LogLevel Level { get; internal set; } = LogLevel.Information;
}

public enum ReactorIo
{
    Auto,
    IoUring,
    Epoll,
}

public sealed class ReactorsSection : Section
{
    /// <summary>Our choice: more cores than one storage daemon has ever been given.</summary>
    public const int MostReactors = 256;

    internal static readonly SectionRule<ReactorsSection> Rule = new("reactors",
        "The threads that do all the work: one per CPU, each with its own connections.",
        new Row<ReactorsSection, int?>("count",
            new ParsedRule<int?>($"'auto' or a whole number from 1 to {MostReactors}", TryParseCount,
                schema: new JsonObject
                {
                    ["anyOf"] = new JsonArray(new JsonObject { ["enum"] = new JsonArray("auto") },
                        new JsonObject { ["type"] = "integer", ["minimum"] = 1, ["maximum"] = MostReactors }),
                }),
            (s, v) => s.Count = v, "How many reactors. Default: auto, one for each CPU that may be used."),
        new Row<ReactorsSection, IReadOnlyList<int>>("cpus",
            new ParsedRule<IReadOnlyList<int>>("a list of CPUs such as 0-3,8, each once", Units.TryParseCpus,
                "^[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*$"),
            (s, v) => s.Cpus = v, "The CPUs that reactors are bound to. Default: all that the process may use."),
        new Row<ReactorsSection, ReactorIo>("io",
            new WordRule<ReactorIo>(("auto", ReactorIo.Auto), ("io_uring", ReactorIo.IoUring),
                ("epoll", ReactorIo.Epoll)),
            (s, v) => s.Io = v, "The kernel interface. Default: auto, io_uring where the kernel grants it."),
        new Row<ReactorsSection, ReactorLatency>("latency",
            new WordRule<ReactorLatency>(("power", ReactorLatency.Power), ("balanced", ReactorLatency.Balanced),
                ("low", ReactorLatency.Low)),
            (s, v) => s.Latency = v, "What a reactor without work does. power: sleeps at once, which takes the least "
                + "CPU time. low: looks for work for a millisecond before it sleeps, which takes the whole CPU while "
                + "commands come more often than that. balanced: looks for up to 50 us, and only while that finds "
                + "work. An idle daemon sleeps with each of them. Default: balanced."),
        new Row<ReactorsSection, bool>("zero_copy",
            new WordRule<bool>(("auto", true), ("off", false)),
            (s, v) => s.ZeroCopy = v, "Whether large answers to other machines are sent without copying them. auto: on "
                + "io_uring, as long as the kernel says that the network device can do it. Default: off."));

    /// <summary>Null: one for each CPU.</summary>
    public int? Count { get; internal set; }

    /// <summary>Empty: all that the process may use.</summary>
    public IReadOnlyList<int> Cpus { get; internal set; } = [];

    public ReactorIo Io { get; internal set; }

    public ReactorLatency Latency { get; internal set; } = ReactorLatency.Balanced;

    public bool ZeroCopy { get; internal set; }

    private static bool TryParseCount(string text, out int? count)
    {
        bool isNumber = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number);
        count = isNumber ? number : null;
        return text == "auto" || (isNumber && number is >= 1 and <= MostReactors);
    }
}

/// <summary>Bytes, or a part of the machine's memory.</summary>
public sealed record MemoryBound(long? Bytes, int Percent)
{
    /// <summary>One slab of the buffer pool for a few reactors; below that nothing can be served.</summary>
    private const long LeastBytes = 16L << 20;

    private const long MostBytes = 1L << 50;

    internal static readonly Rule<MemoryBound> Rule = new ParsedRule<MemoryBound>(
        $"a size of at least {Units.FormatSize(LeastBytes)} such as 512MiB, or a part such as 25%", TryParse,
        "^[0-9]+(\\.[0-9]+)? ?(%|B|[kK]B|[MGTP]B|[KMGTP]|[KMGTP]iB)$");

    /// <param name="machineBytes">What the process may have: the machine's memory or its control group's.</param>
    public long ToBytes(long machineBytes) =>
        Bytes ?? Math.Max(LeastBytes, (long)((decimal)machineBytes * Percent / 100));

    private static bool TryParse(string text, out MemoryBound bound)
    {
        bool isSize = Units.TryParseSize(text, out long bytes);
        bool isPercent = Units.TryParsePercent(text, out int percent);
        bound = new MemoryBound(isSize ? bytes : null, percent);
        return isPercent || (isSize && bytes is >= LeastBytes and <= MostBytes);
    }
}

public sealed class LimitsSection : Section
{
    internal static readonly SectionRule<LimitsSection> Rule = new("limits", "Limits of the whole daemon.",
        new Row<LimitsSection, int>("connections", new IntegerRule(1, 65536), (s, v) => s.Connections = v,
            "Connections of one portal at the same time; further ones are closed at once. Default: 4096."),
        new Row<LimitsSection, TimeSpan>("login_timeout",
            new DurationRule(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5)), (s, v) => s.LoginTimeout = v,
            "How long a connection may take to log in. Default: 15s."),
        new Row<LimitsSection, TimeSpan>("stop_timeout",
            new DurationRule(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5)), (s, v) => s.StopTimeout = v,
            "How long commands may take to end when the daemon is stopped. Default: 10s."));

    public int Connections { get; internal set; } = 4096;

    public TimeSpan LoginTimeout { get; internal set; } = TimeSpan.FromSeconds(15);

    public TimeSpan StopTimeout { get; internal set; } = TimeSpan.FromSeconds(10);
}

public sealed class DiscoverySection : Section
{
    internal static readonly SectionRule<DiscoverySection> Rule = new("discovery",
        "Discovery sessions, in which an initiator asks which targets there are.",
        new Row<DiscoverySection, bool>("enabled", new BooleanRule(), (s, v) => s.IsEnabled = v,
            "No: initiators have to know their targets by name. Default: yes."),
        new Row<DiscoverySection, AuthenticationSection>("authentication", AuthenticationSection.NoneOrFull,
            (s, v) => s.Authentication = v, "Who may ask. Default: none, everybody."));

    public bool IsEnabled { get; internal set; } = true;

    /// <summary>Null: everybody may ask.</summary>
    public AuthenticationSection? Authentication { get; internal set; }
}
