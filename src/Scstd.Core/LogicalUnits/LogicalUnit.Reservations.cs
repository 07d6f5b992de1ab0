using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>A port of a target device through which a unit can be reached.</summary>
/// <param name="TargetName">The device's name.</param>
/// <param name="RelativePortId">RELATIVE TARGET PORT IDENTIFIER.</param>
public readonly record struct TargetPortName(string TargetName, ushort RelativePortId);

public sealed partial class LogicalUnit
{
    /// <summary>Our choice: far more than a cluster has paths, and few enough to be saved in a moment.</summary>
    public const int UsualMaxRegistrations = 4096;

    /// <summary>PERSISTENT RESERVE OUT is refused (55h/04h) if there were more registrations than this after it.
    /// </summary>
    public int MaxRegistrations { get; init; } = UsualMaxRegistrations;

    /// <summary>All ports that lead here, whoever uses them now; known to who composes the targets. Replaced whole,
    /// from any thread.</summary>
    public IReadOnlyList<TargetPortName> TargetPorts { get; set; } = [];

    /// <summary>Changed only alone on the unit; who does not run alone asks its turnstile.</summary>
    internal PersistentReservation PersistentReservation { get; private set; } = PersistentReservation.None;

    internal IReadOnlyCollection<ushort> PortsOf(string targetName) =>
        [.. TargetPorts.Where(port => port.TargetName == targetName).Select(port => port.RelativePortId).Distinct()];

    /// <summary>A PERSISTENT RESERVE OUT has changed the state; it runs alone now, and its consequences are told before
    /// its status is sent.</summary>
    internal void Take(PersistentReserveOutOutcome outcome, RegistrantName requester, ScsiCommand? by = null)
    {
        PersistentReservation = outcome.State;
        AddConsequence(turnstile => turnstile.SetPersistentReservation(outcome, requester));
        if (outcome.Aborted.Count > 0 || outcome.ClearsEveryAca)
        {
            _abort = new AbortOfChange(
                (turnstile, barrier) => turnstile.AbortPreempted(outcome, by, barrier),
                nexus => outcome.ClearsEveryAca || outcome.Aborted.Contains(nexus.Registrant));
        }
    }

    /// <summary>What was saved is in effect again before anybody can log in.</summary>
    private void LoadPersistentReservation()
    {
        if (StateStore?.Load(Name, PersistentReserveOut.StatePart) is not { } content)
            return;
        PersistentReservation = PersistentReservationText.Read(Name, content);
        foreach (Turnstile turnstile in Turnstiles)
            turnstile.BeginWith(PersistentReservation);
    }
}
