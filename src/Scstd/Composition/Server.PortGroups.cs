using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Composition;

/// <summary>Target port groups: of the configuration, of the units, and what initiators make of them.</summary>
internal sealed partial class Server
{
    /// <summary>An initiator has set states by SET TARGET PORT GROUPS. They hold for its unit already; the
    /// configuration in force takes them over, and so do the other units of the groups, as by an administrator.
    /// </summary>
    private void FollowPortGroups(LogicalUnit unit, IReadOnlyDictionary<ushort, AsymmetricAccessState> states) =>
        Task.Run(async () =>
        {
            try
            {
                ChangeOutcome outcome = await ChangeAsync(daemon => daemon.WithPortGroups(group =>
                    states.TryGetValue((ushort)group.Id, out AsymmetricAccessState state) ? state : null));
                foreach (string change in outcome.Changes)
                    _log.Information("SET TARGET PORT GROUPS on {Unit:l}: {Change:l}", unit.Name, change);
            }
            catch (ChangeRefusedException refusal)
            {
                _log.Warning("SET TARGET PORT GROUPS on {Unit:l} holds there alone: {Why:l}", unit.Name,
                    refusal.Message);
            }
        });
}
