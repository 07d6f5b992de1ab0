using Scstd.Control;

namespace Scstd.Configuration;

/// <summary>The socket that administrators' programs talk to.</summary>
public sealed class ControlSection : Section
{
    // useradd(8): names have at most 32 characters; numbers fit.
    private const int MostGroupCharacters = 32;

    internal static readonly SectionRule<ControlSection> Rule = new("control", "The socket that scstctl talks to.",
        new Row<ControlSection, bool>("enabled", new BooleanRule(), (s, v) => s.IsEnabled = v,
            "No: there is no such socket. Default: yes."),
        new Row<ControlSection, Word>("socket",
            // unix(7): sun_path has 108 bytes, a zero among them.
            new NameRule("a path of at most 107 characters", 107, text => !text.Contains('\0'), null),
            (s, v) => s.Socket = v, "Where it is; a relative path starts beside the configuration. Written here, "
                + "the daemon does not start without it. Default: " + ControlProtocol.InstalledSocketPath + "."),
        new Row<ControlSection, Word>("group",
            new NameRule("the name or number of a group", MostGroupCharacters,
                text => !text.Any(character => char.IsWhiteSpace(character) || character == ':'), null),
            (s, v) => s.Group = v, "The group whose members may use it besides root and the daemon's own user. "
                + "Default: the group that the daemon runs as."));

    public bool IsEnabled { get; internal set; } = true;

    /// <summary>Null: where an installed daemon has it, if it can be had.</summary>
    public Word? Socket { get; internal set; }

    /// <summary>Null: the group of the process.</summary>
    public Word? Group { get; internal set; }
}
