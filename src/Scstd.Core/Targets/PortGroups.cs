using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>A primary target port group as a unit knows it (SPC-4 §5.15). Immutable.</summary>
/// <param name="Id">TARGET PORT GROUP.</param>
/// <param name="State">What can be done through its ports.</param>
/// <param name="IsPreferred">PREF.</param>
/// <param name="IsExplicit">SET TARGET PORT GROUPS may change the state.</param>
public sealed record TargetPortGroup(ushort Id, AsymmetricAccessState State, bool IsPreferred, bool IsExplicit)
{
    /// <summary>Of all targets that lead to the unit.</summary>
    public IReadOnlyList<TargetPortName> Ports { get; init; } = [];

    public AsymmetricAccessCause Cause { get; init; }

    /// <summary>Whatever caused its state.</summary>
    public bool IsSameAs(TargetPortGroup other) =>
        (this with { Ports = [], Cause = default }) == (other with { Ports = [], Cause = default })
        && Ports.SequenceEqual(other.Ports);
}

/// <summary>The target port groups of one unit. Immutable; a change is a new one.</summary>
public sealed class PortGroups
{
    private readonly Dictionary<TargetPortName, TargetPortGroup> _byPort = [];

    /// <param name="groups">Each with another number above 0, and no port in two of them.</param>
    public PortGroups(IEnumerable<TargetPortGroup> groups)
    {
        Groups = [.. groups.OrderBy(group => group.Id)];
        foreach (TargetPortGroup group in Groups)
        {
            Invariant.That(group.Id != Rest.Id, "number 0 is of the ports that are in no other group");
            foreach (TargetPortName port in group.Ports)
            {
                bool isNew = _byPort.TryAdd(port, group);
                Invariant.That(isNew, "a port is in one group");
            }
        }
    }

    /// <summary>Every port is in a primary target port group (SPC-4 §5.15.1): those that nobody put into one are in
    /// this.</summary>
    public static TargetPortGroup Rest { get; } = new(0, AsymmetricAccessState.ActiveOptimized, false, false);

    /// <summary>In the order of their numbers, without <see cref="Rest"/>.</summary>
    public IReadOnlyList<TargetPortGroup> Groups { get; }

    /// <summary>Initiators may change some state.</summary>
    public bool AllowsExplicit => Groups.Any(group => group.IsExplicit);

    public TargetPortGroup Of(TargetPortName port) => _byPort.GetValueOrDefault(port, Rest);

    public bool IsSameAs(PortGroups? other) => other is not null && Groups.Count == other.Groups.Count
        && Groups.Zip(other.Groups).All(pair => pair.First.IsSameAs(pair.Second));

    /// <summary>The same with other states.</summary>
    public PortGroups With(
        IReadOnlyDictionary<ushort, AsymmetricAccessState> states, AsymmetricAccessCause cause) => new(
        Groups.Select(group => states.TryGetValue(group.Id, out AsymmetricAccessState state) && state != group.State
            ? group with { State = state, Cause = cause } : group));

    /// <summary>The same with what is known of the past: a group whose state is another than it was has been changed by
    /// the target.</summary>
    internal PortGroups After(PortGroups? previous) => previous is null ? this : new(Groups.Select(group =>
        previous.Groups.FirstOrDefault(one => one.Id == group.Id) is { } was
            ? group with
            {
                Cause = group.State == was.State ? was.Cause
                    : group.Cause == AsymmetricAccessCause.None ? AsymmetricAccessCause.Implicit : group.Cause,
            }
            : group));
}
