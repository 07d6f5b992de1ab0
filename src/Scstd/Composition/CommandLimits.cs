using Scstd.Core;
using Scstd.Frontends.Iscsi;

namespace Scstd.Composition;

/// <summary>A limit of commands, of whom, and what it does on one reactor or on all.</summary>
/// <param name="Name">Of the unit or the target.</param>
/// <param name="Most">Commands at a time.</param>
/// <param name="View">Now.</param>
internal readonly record struct CommandLimitUse(string Name, int Most, CommandLimitView View);

/// <summary>The limits of commands that are in force.</summary>
internal static class CommandLimits
{
    /// <summary>Of all units that have one, as a reactor sees them; to be asked there.</summary>
    public static IReadOnlyList<CommandLimitUse> OfUnits(Server server, Lane lane) =>
    [
        .. from device in server.Devices
           where device.Section.QueueDepth is not null
           select new CommandLimitUse(device.Name, device.Section.QueueDepth!.Value,
               device.Unit.CommandLimitOn(lane.Executor) ?? default),
    ];

    /// <summary>Of all targets that have one, as a reactor sees them; to be asked there.</summary>
    public static IReadOnlyList<CommandLimitUse> OfTargets(Server server, Lane lane) =>
    [
        .. from target in server.Registry.Targets
           orderby target.Name
           let limit = target.Commands
           where limit is not null
           select new CommandLimitUse(target.Name, limit.Most, limit.ViewOn(lane.Executor)),
    ];

    /// <summary>What all reactors told, together.</summary>
    public static IReadOnlyList<CommandLimitUse> Sum(IEnumerable<CommandLimitUse> told) =>
    [
        .. from one in told
           group one by one.Name into same
           select new CommandLimitUse(same.Key, same.Last().Most, new CommandLimitView(
               same.Sum(use => use.View.InUse), same.Sum(use => use.View.Waiting),
               same.Aggregate(0UL, (sum, use) => sum + use.View.Refused))),
    ];
}
