using Scstd.Scsi;

namespace Scstd.Simulation;

/// <summary>QERR of the Control mode page (SPC-4 §7.5.8): with a CHECK CONDITION the other commands of the task set go,
/// or those of the same nexus, before its status is sent. Those of other nexuses are told so.</summary>
internal sealed class QueueErrorModel(World world, UnitModel unit)
{
    private static readonly Func<byte[], bool> Aborts = static page =>
        ModeModel.AbortsAll(page) || ModeModel.AbortsOwn(page);

    /// <summary>A CHECK CONDITION may take others with it.</summary>
    public bool MayBeOn(long since) => unit.Mode.May(since, Aborts);

    /// <summary>Commands whose CHECK CONDITION, which is still to come, may have taken this one.</summary>
    public List<SimulatedCommand> CausesOf(SimulatedCommand victim, bool ofOwnNexus)
    {
        var causes = new List<SimulatedCommand>();
        foreach (SimulatedCommand other in unit.Pending)
        {
            if (ReferenceEquals(other, victim) || ReferenceEquals(other.To, victim.To) != ofOwnNexus)
                continue;
            bool may = unit.Mode.May(other.ReceivedAt, ModeModel.AbortsAll) &&
                (ofOwnNexus || unit.Mode.May(other.ReceivedAt, static page => !ModeModel.IsPerNexus(page)));
            if (may || (ofOwnNexus && unit.Mode.May(other.ReceivedAt, ModeModel.AbortsOwn)))
                causes.Add(other);
        }
        return causes;
    }

    /// <summary>No function explains the abort of this one: a CHECK CONDITION must follow.</summary>
    public void Promise(SimulatedCommand victim, List<SimulatedCommand> own, List<SimulatedCommand> foreign)
    {
        bool isTold = own.Count == 0 && victim.Outcome == Outcome.Pending &&
            unit.Mode.Must(victim.ReceivedAt, static page => !ModeModel.ReportsTaskAborted(page));
        unit.Promises.Add(new Promise
        {
            Law = $"{victim} was aborted though no function covers it and no CHECK CONDITION took it",
            Candidates = [.. own, .. foreign],
            IsKeptBy = Simulation.Promise.IsCheckCondition,
            Settled = isTold ? () => victim.To.Attentions.EstablishUnlessReported(
                AdditionalSense.CommandsClearedByAnotherInitiator, victim.ReceivedAt) : null,
        });
    }

    /// <summary>2Fh/00h is reported and nobody has lost a command yet: one of the nexus' own must go.</summary>
    public void ClearedEarly(SimulatedCommand reporter)
    {
        AttentionModel attentions = reporter.To.Attentions;
        if (attentions.MayReport(AdditionalSense.CommandsClearedByAnotherInitiator) || !MayBeOn(reporter.ReceivedAt))
            return;
        attentions.Establish(AdditionalSense.CommandsClearedByAnotherInitiator, isCertain: false);
        unit.Promises.Add(new Promise
        {
            Law = $"{reporter} told of cleared commands and none was cleared",
            Candidates = unit.Pending.FindAll(c => !ReferenceEquals(c, reporter) && ReferenceEquals(c.To, reporter.To)),
            IsKeptBy = Simulation.Promise.IsAborted,
        });
    }

    /// <summary>A CHECK CONDITION is answered: what it takes has gone.</summary>
    public void Answered(SimulatedCommand command)
    {
        bool takesAll = unit.Mode.Must(command.ReceivedAt, ModeModel.AbortsAll);
        bool ofAllNexuses = takesAll &&
            unit.Mode.Must(command.ReceivedAt, static page => !ModeModel.IsPerNexus(page));
        if (!takesAll && !unit.Mode.Must(command.ReceivedAt, ModeModel.AbortsOwn))
            return;
        foreach (SimulatedCommand other in unit.Pending)
        {
            bool isCovered = !ReferenceEquals(other, command) && other.ReceivedAt < command.ReceivedAt &&
                (ofAllNexuses || ReferenceEquals(other.To, command.To));
            world.Law(!isCovered, "{0} ended with CHECK CONDITION and QERR spared {1}", command, other);
        }
    }
}
