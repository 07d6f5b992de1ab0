using Scstd.Composition;
using Scstd.Linux;

namespace Scstd.Configuration;

/// <summary>
/// What a single value cannot tell: names that refer to each other, things that exclude each other, and what the
/// machine has. Runs over whatever could be read, and never speaks of a key whose value was wrong already.
/// </summary>
internal sealed partial class ConfigurationChecks
{
    private readonly DaemonSection _daemon;
    private readonly Problems _problems;
    private readonly Surroundings _surroundings;
    private readonly List<Problem> _warnings = [];

    private ConfigurationChecks(DaemonSection daemon, Problems problems, Surroundings surroundings)
    {
        _daemon = daemon;
        _problems = problems;
        _surroundings = surroundings;
    }

    /// <summary>Adds to the problems, reads the secrets' files, and returns what is allowed and yet worth a word.
    /// </summary>
    public static IReadOnlyList<Problem> Run(DaemonSection daemon, Problems problems, Surroundings surroundings)
    {
        var checks = new ConfigurationChecks(daemon, problems, surroundings);
        checks.Reactors();
        checks.Places();
        checks.Devices();
        checks.Libraries();
        checks.Portals();
        if (daemon.Discovery.Authentication is { } discovery)
            checks.Authentication(discovery);
        foreach (TargetSection target in daemon.Targets)
            checks.Target(target);
        checks.PortGroups();
        if (daemon.Targets.Count == 0 && !daemon.Has("targets"))
            problems.AddMissing(daemon.Position, "there is nothing to serve: the key 'targets' is missing");
        else if (daemon.Targets.Count == 0 && problems.Count == 0)
            problems.AddMissing(daemon.PositionOf("targets"), "there is nothing to serve: no target is described");
        return [.. checks._warnings.OrderBy(warning => warning.Position)];
    }

    /// <summary>What is wrong with the lists of LUNs of a configuration that was changed by one value at run time. What
    /// the machine has is not asked, and secrets are not read anew.</summary>
    public static IReadOnlyList<Problem> OfLuns(DaemonSection daemon, Surroundings surroundings)
    {
        var problems = new Problems();
        var checks = new ConfigurationChecks(daemon, problems, surroundings);
        foreach (TargetSection target in daemon.Targets)
        {
            checks.Luns(target.Luns);
            foreach (GroupSection group in target.Groups)
                checks.Luns(group.Luns);
        }
        return problems.All;
    }

    private void Reactors()
    {
        ReactorsSection reactors = _daemon.Reactors;
        if (reactors.Count > reactors.Cpus.Count && reactors.Cpus.Count > 0)
        {
            _problems.Add(reactors.PositionOf("count"),
                $"{reactors.Count} reactors need as many CPUs, and 'cpus' lists {reactors.Cpus.Count}");
        }
        int[] missing = [.. reactors.Cpus.Where(cpu => _surroundings.OnlineCpus?.Contains(cpu) == false)];
        if (missing.Length > 0)
        {
            _problems.Add(reactors.PositionOf("cpus"),
                $"this machine has no CPU {string.Join(", ", missing)} (it has {_surroundings.OnlineCpuList})");
        }
    }

    /// <summary>What the daemon asks the machine for besides devices and addresses.</summary>
    private void Places()
    {
        if (_daemon.Control is { IsEnabled: true, Group: { } group } && !uint.TryParse(group.Text, out _)
            && LocalSocketCalls.FindGroup(group.Text) is null)
        {
            _problems.Add(group.Position, $"there is no group '{group}' on this system");
        }
        if (_daemon.StateDirectory is not { Text: not UnitStates.None } states)
            return;
        string full = _surroundings.FullPath(states.Text);
        if (PathProbe.KindOf(full) is { } kind and not (PathKind.Directory or PathKind.Missing))
            _problems.Add(states.Position, $"expected a folder, found {Word(kind)} {full}");
        else if (PathProbe.KindOf(full) == PathKind.Directory && PathProbe.Refusal(full, writes: true) is not null)
        {
            _warnings.Add(new Problem(states.Position, $"{full}: user {Environment.UserName}, who looks at it now, may "
                + "not write there; the daemon must"));
        }
    }

    private void Portals()
    {
        if (_daemon.Portals.Count == 0 && !_daemon.Has("portals"))
            _problems.AddMissing(_daemon.Position, "the key 'portals' is missing: scstd would listen nowhere");
        for (int i = 0; i < _daemon.Portals.Count; i++)
        {
            PortalSection portal = _daemon.Portals[i];
            PortalSection? other = _daemon.Portals.Take(i).FirstOrDefault(earlier => Clash(earlier, portal));
            if (other is not null)
            {
                _problems.Add(portal.PositionOf("address"), $"portal '{portal.Name}' wants {portal.Address}, which "
                    + $"portal '{other.Name}' ({other.Address}, line {other.Name.Position.Line}) has already");
            }
        }
    }

    /// <summary>The kernel lets nobody listen on an address of which another socket has all: the wildcard address of
    /// the family.</summary>
    private static bool Clash(PortalSection left, PortalSection right)
    {
        if (left.Address is null || right.Address is null || left.Address.Port != right.Address.Port
            || left.Address.Port == 0 || left.Address.AddressFamily != right.Address.AddressFamily)
        {
            return false;
        }
        return left.Address.Address.Equals(right.Address.Address) || IsWildcard(left) || IsWildcard(right);
    }

    private static bool IsWildcard(PortalSection portal) =>
        portal.Address!.Address.Equals(System.Net.IPAddress.Any)
        || portal.Address.Address.Equals(System.Net.IPAddress.IPv6Any);

    /// <summary>Each name is declared, and stands once.</summary>
    private void References(IReadOnlyList<Word> names, IEnumerable<string> declared, string what)
    {
        string[] known = [.. declared];
        var seen = new HashSet<string>();
        foreach (Word name in names)
        {
            if (!known.Contains(name.Text))
                Undeclared(name, known, what);
            else if (!seen.Add(name.Text))
                _problems.Add(name.Position, $"{what} '{name}' stands in this list twice");
        }
    }

    private void Undeclared(Word name, IReadOnlyCollection<string> known, string what)
    {
        string suggestion = Spelling.Suggest(name.Text, known);
        string among = known.Count is > 0 and <= 8 ? $" (there are: {string.Join(", ", known)})" : "";
        _problems.AddMissing(name.Position, $"there is no {what} '{name}'{suggestion}{among}");
    }

    /// <summary>No two of the words are the same.</summary>
    private void Unique(IEnumerable<Word> words, string what, StringComparer comparer)
    {
        var first = new Dictionary<string, Word>(comparer);
        foreach (Word word in words)
        {
            if (!first.TryAdd(word.Text, word))
            {
                _problems.Add(word.Position,
                    $"{what} '{word}' is used twice; first on line {first[word.Text].Position.Line}");
            }
        }
    }
}
