using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>Asymmetric logical unit access, SPC-4 §5.15.</summary>
public sealed partial class LogicalUnit
{
    /// <summary>Null: access is symmetric. Changed only alone on the unit, replaced whole.</summary>
    public PortGroups? PortGroups { get; private set; }

    /// <summary>An initiator has set states here by SET TARGET PORT GROUPS; called on its executor. Groups may concern
    /// other units as well, which is for who composes them to see to.</summary>
    public Action<IReadOnlyDictionary<ushort, AsymmetricAccessState>>? PortGroupStatesSet { get; set; }

    /// <summary>TPGS of INQUIRY (SPC-4 §6.6.2): 01b implicit, 11b explicit as well.</summary>
    internal byte TargetPortGroupSupport =>
        PortGroups is not { } groups ? (byte)0b00 : groups.AllowsExplicit ? (byte)0b11 : (byte)0b01;

    /// <summary>What it starts with, before anything of the unit is in use.</summary>
    public void BeginWith(PortGroups? groups)
    {
        PortGroups = groups;
        Commands = Table();
        foreach (Turnstile turnstile in Turnstiles)
            turnstile.BeginWith(groups);
    }

    /// <summary>
    /// Puts other groups or states in force, alone on the unit: what is with the device server ends under the old
    /// state, and nothing begins before every executor knows the new one. Nexuses whose port's group has another state
    /// or preference are told (2Ah/06h), those whose port has another group, or that can ask otherwise than before,
    /// that INQUIRY tells something else (3Fh/03h). From any thread.
    /// </summary>
    /// <param name="next">Null: access is symmetric.</param>
    /// <param name="ended">On the home executor, once: false if it was given up before it began.</param>
    public PendingChange ChangePortGroups(PortGroups? next, Action<bool> ended) =>
        ChangeAlone(() => Take(next, except: null), ended);

    /// <summary>Alone on the unit.</summary>
    internal void Take(PortGroups? next, ItNexus? except)
    {
        if (next is null ? PortGroups is null : next.IsSameAs(PortGroups))
            return;
        PortGroups = next?.After(PortGroups);
        Commands = Table();
        PortGroups? taken = PortGroups;
        AddConsequence(turnstile => turnstile.SetPortGroups(taken, except));
    }

    private CommandTable Table() => new([.. PrimaryCommands.BindingsFor(this), .. Backend.Commands]);
}
