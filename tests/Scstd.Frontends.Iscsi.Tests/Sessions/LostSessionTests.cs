using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Frontends.Iscsi.Tests.Changes;
using Scstd.Frontends.Iscsi.Tests.Connections;

namespace Scstd.Frontends.Iscsi.Tests.Sessions;

/// <summary>The connection of a session is gone while its commands are at all their stages.</summary>
public sealed class LostSessionTests
{
    [Fact]
    public void A_session_may_end_while_a_write_to_a_lun_that_was_taken_away_waits_for_its_data()
    {
        using var world = new ChangingWorld();
        Initiator red = world.World.LogIn(["ImmediateData=No", "InitialR2T=Yes"], name: ChangingWorld.Red);
        red.Write(0, Bytes.Pattern(4096));
        red.Receive(Opcode.ReadyToTransfer);
        world.Apply(world.Target with { Groups = [ChangingWorld.Group(ChangingWorld.Red, world.Second)] });
        red.Peer.Reset();
        world.World.Run();
    }
}
