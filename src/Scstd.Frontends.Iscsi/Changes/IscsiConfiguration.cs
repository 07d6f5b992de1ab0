namespace Scstd.Frontends.Iscsi;

/// <summary>All that this frontend is told by an administrator.</summary>
/// <param name="Targets">Each name once.</param>
/// <param name="Portals">Each address once.</param>
/// <param name="Discovery">Who may discover.</param>
public sealed record IscsiConfiguration(
    IReadOnlyList<TargetOptions> Targets, IReadOnlyList<PortalOptions> Portals, DiscoveryOptions Discovery);

/// <summary>What a change of the configuration did.</summary>
/// <param name="SessionsChanged">Sessions that see other LUNs now.</param>
/// <param name="SessionsEnded">Sessions that were told to end.</param>
/// <param name="Settled">Completes when nothing can act by the old configuration any more: what was under way through
/// LUNs that were taken away has ended, and so have the sessions. A unit that no target has any more can be given up
/// then.</param>
public sealed record ConfigurationOutcome(int SessionsChanged, int SessionsEnded, Task Settled);

/// <summary>What a change of the configuration means for one session.</summary>
internal enum SessionFate
{
    Untouched,
    Changed,
    Ended,
}
