using Scstd.Scsi;

namespace Scstd.Simulation;

/// <summary>Initiators ask for task management functions.</summary>
internal sealed class FunctionMoves(World world)
{
    public void Request()
    {
        SimulatedSession session = world.Sessions[world.Dice(world.Sessions.Count)];
        if (!session.TakesCommands)
            return;
        TaskManagementFunction function = Choose();
        SimulatedCommand? referenced = null;
        if (function is TaskManagementFunction.AbortTask or TaskManagementFunction.QueryTask)
        {
            if (session.Recent.Count == 0)
                return;
            referenced = session.Recent[world.Dice(session.Recent.Count)];
        }
        Request(session, function, referenced?.To ?? session.Nexuses[world.Dice(session.Nexuses.Count)], referenced);
    }

    /// <summary>A faulted nexus clears its ACA condition. False if nobody has one to clear.</summary>
    public bool ClearAca()
    {
        foreach (SimulatedSession session in world.Sessions)
        {
            if (!session.TakesCommands)
                continue;
            foreach (NexusModel nexus in session.Nexuses)
            {
                if (!nexus.Unit.Aca.MayBeFaulted(nexus) || nexus.Unit.Functions.Exists(function =>
                    function.Function == TaskManagementFunction.ClearAca && ReferenceEquals(function.Session, session)))
                    continue;
                Request(session, TaskManagementFunction.ClearAca, nexus, null);
                return true;
            }
        }
        return false;
    }

    private void Request(
        SimulatedSession session, TaskManagementFunction function, NexusModel nexus, SimulatedCommand? referenced)
    {
        bool isOnAll = function is TaskManagementFunction.TargetWarmReset or TaskManagementFunction.TargetColdReset or
            TaskManagementFunction.ItNexusReset;
        var request = new SimulatedFunction
        {
            Id = world.NextId(),
            Session = session,
            Function = function,
            Scope = isOnAll ? [.. session.Nexuses] : [nexus],
            Lun = Lun.FromNumber(nexus.Lun),
            Sequence = session.Sequence,
            Referenced = referenced,
            IsForOwnTaskSet = nexus.Unit.Mode.HasTaskSetPerNexus,
            RequestedAt = world.Now,
        };
        world.Trace?.Invoke($"requests {request} on {(isOnAll ? "all" : nexus.Unit.Name)} {referenced}");
        session.FunctionsOut++;
        world.Functions.Requested(request);
        session.Nexus!.TaskManagementRequested(request);
    }

    private TaskManagementFunction Choose() => world.Dice(17) switch
    {
        < 6 => TaskManagementFunction.AbortTask,
        < 8 => TaskManagementFunction.AbortTaskSet,
        < 10 => TaskManagementFunction.ClearTaskSet,
        < 12 => TaskManagementFunction.LogicalUnitReset,
        12 => world.Dice(2) == 0 ? TaskManagementFunction.TargetWarmReset : TaskManagementFunction.TargetColdReset,
        13 => TaskManagementFunction.ItNexusReset,
        14 => TaskManagementFunction.QueryTask,
        15 => TaskManagementFunction.ClearAca,
        _ => TaskManagementFunction.QueryTaskSet,
    };
}
