using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Simulation;

/// <summary>
/// Task attributes, SAM-5 §8.6. Commands that come by the same executor come one after the other; between two executors
/// the order of arrival is only what can be told from what happened.
/// </summary>
internal static class OrderModel
{
    /// <summary>It is enabled at once: HEAD OF QUEUE, those that may be treated so, and those that are refused anyway.
    /// </summary>
    public static bool GoesFirst(SimulatedCommand command) =>
        command.Attribute == TaskAttribute.HeadOfQueue || command.IsRefusedAtOnce ||
        (command.Attribute == TaskAttribute.Simple && command.Kind is CommandKind.Inquiry or
            CommandKind.RequestSense or CommandKind.ReportLuns);

    /// <summary>It waited for a place while TST changed.</summary>
    private static bool MayHaveComeIntoAnother(World world, SimulatedCommand command) =>
        world.Options.LimitsCommands && command.ReceivedAt <= command.Model.Mode.TaskSetsChangedAt;

    private static bool NeedsNoPlace(SimulatedCommand command) =>
        command.Kind is CommandKind.Inquiry or CommandKind.RequestSense or CommandKind.ReportLuns;

    public static bool IsOrdered(SimulatedCommand command) =>
        command.Attribute == TaskAttribute.Ordered && !command.IsRefusedAtOnce;

    public static void Begins(World world, SimulatedCommand command)
    {
        world.Law(!command.IsPassed, "younger ones slipped ahead of the ORDERED {0}", command);
        if (GoesFirst(command))
            return;
        foreach (SimulatedCommand other in command.Model.Pending)
        {
            if (ReferenceEquals(other, command) || !ModeModel.ShareTaskSet(other, command) ||
                MayHaveComeIntoAnother(world, other) || MayHaveComeIntoAnother(world, command))
                continue;
            bool isOlder = other.Id < command.Id;
            bool sameWay = ReferenceEquals(other.Session.Executor, command.Session.Executor);
            // Commands that wait for a place are not in the task set: they come in by turns between the nexuses, and
            // those that need no place pass them.
            bool mayPass = world.Options.LimitsCommands &&
                (!ReferenceEquals(other.To, command.To) || NeedsNoPlace(command));
            if (mayPass && !other.HasBegun)
                continue;
            if (IsOrdered(other))
            {
                world.Law(!other.HasBegun, "{0} began beside the ORDERED {1}", command, other);
                // With a limit it may have been refused, and is told so when its data has come.
                if (world.Options.LimitsCommands && other.State == CommandState.AwaitingDataOut && isOlder && sameWay)
                    other.IsPassed = true;
                else
                    world.Law(!(isOlder && sameWay), "{0} slipped ahead of the older ORDERED {1}", command, other);
            }
            if (!IsOrdered(command))
                continue;
            bool isPassed = mayPass && GoesFirst(other);
            world.Law(!other.HasBegun || (GoesFirst(other) && !isOlder) || isPassed,
                "the ORDERED {0} began beside {1}", command, other);
            world.Law(!isOlder || isPassed || (!sameWay && (IsOrdered(other) || other.IsBehindOrdered)),
                "the ORDERED {0} began before the older {1} had ended", command, other);
        }
    }
}
