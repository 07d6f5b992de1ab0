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
        command.Attribute is TaskAttribute.HeadOfQueue or TaskAttribute.Aca ||
        command.IsRefusedAtOnce || command.GoesFirst ||
        (command.Attribute == TaskAttribute.Simple && NeedsNoPlace(command));

    public static bool IsOrdered(SimulatedCommand command) =>
        command.Attribute == TaskAttribute.Ordered && !command.IsRefusedAtOnce && !command.GoesFirst;

    private static bool IsHeadOfQueue(SimulatedCommand command) =>
        command.Attribute == TaskAttribute.HeadOfQueue && !command.IsRefusedAtOnce && !command.GoesFirst;

    /// <summary>It waited for a place while TST changed.</summary>
    private static bool MayHaveComeIntoAnother(World world, SimulatedCommand command) =>
        world.Options.LimitsCommands && command.ReceivedAt <= command.Model.Mode.TaskSetsChangedAt;

    private static bool NeedsNoPlace(SimulatedCommand command) =>
        command.Kind is CommandKind.Inquiry or CommandKind.RequestSense or CommandKind.ReportLuns;

    public static void Begins(World world, SimulatedCommand command)
    {
        world.Law(!command.IsPassed, "younger ones slipped ahead of {0}", command);
        if (GoesFirst(command))
            return;
        foreach (SimulatedCommand other in command.Model.Pending)
        {
            if (ReferenceEquals(other, command) || MayHaveComeIntoAnother(world, other) ||
                MayHaveComeIntoAnother(world, command))
                continue;
            Meets(world, command, other);
        }
    }

    private static void Meets(World world, SimulatedCommand command, SimulatedCommand other)
    {
        bool isOlder = other.Id < command.Id;
        bool sameWay = ReferenceEquals(other.Session.Executor, command.Session.Executor);
        // Commands that wait for a place are not in the task set: they come in by turns between the nexuses, and
        // those that need no place pass them.
        bool mayPass = world.Options.LimitsCommands &&
            (!ReferenceEquals(other.To, command.To) || NeedsNoPlace(command));
        if (mayPass && !other.HasBegun)
            return;
        if (isOlder && sameWay && !mayPass && ModeModel.CameBeforeAChange(other, command))
            world.Law(false, "{0} began before {1} had ended, which came before TST changed", command, other);
        if (!ModeModel.ShareTaskSet(other, command))
            return;
        if (isOlder && sameWay && !mayPass && IsHeadOfQueue(other))
            Broken(world, other, $"{command} began before the older HEAD OF QUEUE {other} had ended");
        if (IsOrdered(other))
        {
            world.Law(!other.HasBegun, "{0} began beside the ORDERED {1}", command, other);
            if (isOlder && sameWay)
                Broken(world, other, $"{command} slipped ahead of the older ORDERED {other}");
        }
        if (!IsOrdered(command))
            return;
        bool isPassed = mayPass && GoesFirst(other);
        world.Law(!other.HasBegun || (GoesFirst(other) && !isOlder) || isPassed, "the ORDERED {0} began beside {1}",
            command, other);
        if (isOlder && !isPassed &&
            (sameWay || !(other.Attribute == TaskAttribute.Ordered || other.IsBehindOrdered)))
            Broken(world, other, $"the ORDERED {command} began before the older {other} had ended");
    }

    /// <summary>It has not been refused at once, or not because of an ACA condition.</summary>
    public static void WasNotRefused(World world, SimulatedCommand command) =>
        world.Law(command.Suspicion is null, "{0}", command.Suspicion);

    /// <summary>Unless the other is refused at once and so orders nothing: its answer will tell. With a limit it may
    /// have been refused, and is told so when its data has come and its turn: it must not begin any more.</summary>
    private static void Broken(World world, SimulatedCommand other, string law)
    {
        if (world.Options.LimitsCommands && !other.HasBegun)
        {
            other.IsPassed = true;
            return;
        }
        world.Law(other.MayBeRefusedAtOnce, "{0}", law);
        other.Suspicion ??= law;
    }
}
