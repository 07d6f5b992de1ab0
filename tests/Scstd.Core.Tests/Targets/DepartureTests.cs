using Scstd.Core.Tests.LogicalUnits;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests.Targets;

/// <summary>A LUN is taken away while commands to it are under way, and then something else happens.</summary>
public sealed class DepartureTests
{
    [Fact]
    public void The_nexus_may_be_lost_while_a_command_of_a_lun_that_was_taken_away_waits()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login(), b = unit.Target.Login();
        unit.Send(b, HeldUnit.Move);
        unit.Send(a, HeldUnit.Move, TaskAttribute.Ordered);
        a.Nexus.ChangeMap(LunMap.Empty);
        unit.Target.Executor.Run();
        bool ended = false;
        a.Nexus.End(() => ended = true);
        unit.Target.Executor.Run();
        Assert.True(ended);
    }
}
