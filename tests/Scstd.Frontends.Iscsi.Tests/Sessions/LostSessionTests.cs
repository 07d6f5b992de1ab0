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

    [Theory]
    [InlineData(0x20, 0x10, TaskAttributeCode.Ordered)]
    [InlineData(0x00, 0x00, TaskAttributeCode.Simple)]
    [InlineData(0x00, 0x10, TaskAttributeCode.Ordered)]
    public void A_lost_session_writes_no_commit_record_whose_journal_never_came(
        byte taskSetType, byte queueAlgorithm, TaskAttributeCode attribute)
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(["ImmediateData=Yes", "InitialR2T=Yes"]);
        byte[] page = [0, 0, 0, 0, 0x0A, 0x0A, taskSetType, queueAlgorithm, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0];
        uint select = initiator.SendCommand([0x15, 0x10, 0, 0, 16, 0], write: true, expected: 16, immediateData: page);
        initiator.ReceiveGood(select);
        // The journal's data is asked for and never comes; the commit record came with its command.
        Write(0, []);
        initiator.Receive(Opcode.ReadyToTransfer);
        Write(8, Bytes.Pattern(512));
        Assert.Equal(0, world.Disk.WriteCount);
        initiator.Peer.Reset();
        world.Run();
        Assert.Equal(0, world.Disk.WriteCount);

        void Write(byte block, byte[] immediate) => initiator.SendCommand(
            Cdbs.Write10(block, 1), write: true, expected: 512, immediateData: immediate, attribute: attribute);
    }
}
