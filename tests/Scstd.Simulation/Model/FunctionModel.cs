using Scstd.Scsi;

namespace Scstd.Simulation;

/// <summary>SAM-5 §7: what a task management function must and may do, and what its answer means.</summary>
internal sealed class FunctionModel(World world)
{
    public void Requested(SimulatedFunction function)
    {
        foreach (NexusModel nexus in function.Scope)
        {
            foreach (SimulatedFunction other in nexus.Unit.Functions)
                other.WasOverlapped = function.WasOverlapped = true;
            nexus.Unit.Functions.Add(function);
            foreach (SimulatedCommand command in nexus.Unit.Pending)
            {
                if (function.MustCover(command))
                    function.Covered.Add(command);
            }
            if (function.Function is TaskManagementFunction.ClearAca or TaskManagementFunction.ItNexusReset)
                nexus.Unit.Aca.ClearingBegins(nexus, function);
        }
        if (function.Function == TaskManagementFunction.ItNexusReset)
        {
            function.Consequences = new AttentionGroup(world);
            foreach (NexusModel nexus in function.Scope)
            {
                function.Consequences.Open(nexus, AdditionalSense.ItNexusLossOccurred);
            }
        }
        else if (function.Function == TaskManagementFunction.ClearTaskSet)
        {
            function.Consequences = new AttentionGroup(world);
            foreach (NexusModel nexus in function.CoversOthers ? function.Scope[0].Unit.Nexuses : [])
                Joined(function, nexus);
        }
    }

    /// <summary>A nexus is there while a function is under way.</summary>
    public void Joined(SimulatedFunction function, NexusModel nexus)
    {
        if (function.Function == TaskManagementFunction.ClearTaskSet && function.CoversOthers &&
            !ReferenceEquals(nexus.Session, function.Session) &&
            (function.ClearsEveryAca || function.Preempted?.Contains(nexus.Name) != false))
            function.Consequences!.Open(nexus, AdditionalSense.CommandsClearedByAnotherInitiator);
        else if (function.IsReset && function.Reset.Contains(nexus.Unit))
            function.Consequences!.OpenForNewcomer(nexus, function.ResetCondition);
    }

    public void Answered(SimulatedFunction function)
    {
        foreach (SimulatedCommand command in function.Covered)
        {
            world.Law(!command.IsPending, "{0} was answered before {1} was gone", function, command);
            world.Law(!command.Model.IsInside(command), "{0} was answered while {1} can act", function, command);
            command.GoneWith = function;
        }
        if (function.Preempted is null)
            CheckResponse(function);
        foreach (NexusModel nexus in function.Scope)
        {
            world.Law(!function.IsReset || nexus.IsGone || function.Reset.Contains(nexus.Unit),
                "{0} was answered without a reset", function);
            if (function.Function == TaskManagementFunction.ItNexusReset)
            {
                world.Law(!nexus.Unit.Reservation.HasHeldSince(function.Session, function.RequestedAt),
                    "{0} was answered and its nexus holds a reservation still", function);
                nexus.Unit.Reservation.Told(function.Session);
            }
            nexus.Unit.Functions.Remove(function);
            nexus.Unit.Aca.Cleared(function, function.Function == TaskManagementFunction.ItNexusReset);
            if (function.IsReset && !nexus.Unit.Functions.Exists(f => f.IsReset))
            {
                nexus.Unit.Reservation.Told(nexus.Unit);
                nexus.Unit.Mode.Told(nexus.Unit);
            }
        }
        if (function.Function == TaskManagementFunction.ClearTaskSet)
            JudgeCleared(function);
        function.IsAnswered = true;
        function.Consequences?.Close();
    }

    /// <summary>A command has ended by an abort: somebody must have asked for it.</summary>
    public void Aborted(SimulatedCommand command, bool isSilent)
    {
        bool mayBeSilent = command.Session.IsEnding;
        bool isCovered = mayBeSilent;
        long since = long.MaxValue;
        foreach (SimulatedFunction function in command.Model.Functions)
        {
            if (!function.MayCover(command))
                continue;
            isCovered = true;
            bool own = ReferenceEquals(function.Session, command.Session);
            mayBeSilent |= own;
            if (!own)
                since = Math.Min(since, function.RequestedAt);
            if (!function.Cleared.Contains(command.To))
                function.Cleared.Add(command.To);
        }
        ModeModel mode = command.Model.Mode;
        QueueErrorModel errors = command.Model.QueueErrors;
        List<SimulatedCommand> sisters = errors.CausesOf(command, ofOwnNexus: true);
        List<SimulatedCommand> foreign = errors.CausesOf(command, ofOwnNexus: false);
        foreach (SimulatedCommand other in foreign)
            since = Math.Min(since, other.ReceivedAt);
        mayBeSilent |= sisters.Count > 0;
        if (isSilent)
            world.Law(mayBeSilent || mode.May(since, static page => !ModeModel.ReportsTaskAborted(page)),
                "{0} got no TASK ABORTED status although TAS is set", command);
        else
            world.Law(since != long.MaxValue && mode.May(since, ModeModel.ReportsTaskAborted),
                "{0} got TASK ABORTED although TAS is not set or nobody else aborted it", command);
        if (foreign.Count > 0 && isSilent)
            command.To.Attentions.Establish(AdditionalSense.CommandsClearedByAnotherInitiator, isCertain: false);
        if (!isCovered)
            errors.Promise(command, isSilent ? sisters : [], foreign);
        if (!isSilent || mayBeSilent || foreign.Count > 0 || mode.May(since, ModeModel.ReportsTaskAborted))
            return;
        foreach (SimulatedFunction function in command.Model.Functions)
        {
            if (function.MayCover(command) && function.Covered.Contains(command) &&
                !function.Silenced.Contains(command.To))
                function.Silenced.Add(command.To);
        }
    }

    /// <summary>SAM-5 §5.6: without TAS those whose commands were cleared are told so, and nobody else.</summary>
    private static void JudgeCleared(SimulatedFunction function)
    {
        function.WasOverlapped |= function.Scope[0].Unit.QueueErrors.MayBeOn(function.RequestedAt);
        foreach (NexusModel nexus in function.Scope[0].Unit.Nexuses)
        {
            if (function.Consequences!.Find(nexus) is not { } window)
                continue;
            window.IsCertain = function.Silenced.Contains(nexus) && !function.WasOverlapped;
            window.IsAmbiguous = function.WasOverlapped;
            window.IsFalse = !function.Cleared.Contains(nexus) && !nexus.Session.IsEnding;
        }
    }

    private void CheckResponse(SimulatedFunction function)
    {
        bool isKnown = function.Function switch
        {
            TaskManagementFunction.QueryTask or TaskManagementFunction.QueryTaskSet => function.Response is
                TaskManagementResponse.FunctionComplete or TaskManagementResponse.FunctionSucceeded,
            TaskManagementFunction.AbortTask => function.Response == TaskManagementResponse.FunctionComplete ||
                (function.Covered.Count == 0 && function.Response == TaskManagementResponse.TaskDoesNotExist),
            _ => function.Response == TaskManagementResponse.FunctionComplete,
        };
        world.Law(isKnown, "{0} was answered with {1}", function, function.Response);
        bool isThere = function.Function switch
        {
            TaskManagementFunction.QueryTask =>
                function.Referenced is SimulatedCommand { IsPending: true } one && function.IsOn(one.Model),
            TaskManagementFunction.QueryTaskSet => function.Scope[0].PendingCount > 0,
            _ => false,
        };
        world.Law(isThere == (function.Response == TaskManagementResponse.FunctionSucceeded),
            "{0} was answered with {1}", function, function.Response);
    }
}
