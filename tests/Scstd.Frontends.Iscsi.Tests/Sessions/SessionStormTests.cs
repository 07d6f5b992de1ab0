using CsCheck;
using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Frontends.Iscsi.Tests.Connections;
using Scstd.Testing;

namespace Scstd.Frontends.Iscsi.Tests.Sessions;

/// <summary>
/// Initiators that log in, work, reset, log out, die and come back in each other's place, on two reactors, and are
/// moved. Whatever the order: in the end nothing is left (the world checks it), and who comes then is served.
/// </summary>
public sealed class SessionStormTests
{
    private const int Steps = 120;
    private const int Ports = 5;

    [Fact]
    public void Nothing_is_left_of_sessions_that_come_and_go_at_random() =>
        Gen.Int.Sample(seed => Storm(new Random(seed)), iter: 60);

    private static void Storm(Random random)
    {
        using var world = new IscsiWorld(target => target with { MaxSessions = 4 }, reactors: 2);
        var live = new List<Initiator>();
        for (int step = 0; step < Steps; step++)
        {
            world.Disk.Holds = random.Next(3) == 0;
            live.RemoveAll(initiator => initiator.IsClosed);
            if (live.Count == 0 || random.Next(4) == 0)
                live.Add(Arrive(world, random));
            else
                Act(live[random.Next(live.Count)], random);
            if (random.Next(3) == 0 && world.Registry.DescribeSessions() is { Count: > 0 } all)
                _ = world.Registry.MoveAsync(all[random.Next(all.Count)].Tsih, random.Next(2));
            if (random.Next(2) == 0)
                world.Disk.HasReadSome(random);
            if (random.Next(4) == 0)
                world.Disk.LetGo();
            world.Run();
        }
        world.Disk.Holds = false;
        world.Disk.LetGo();
        world.Run();
        live.ForEach(initiator => initiator.Peer.Reset());
        world.Advance(world.Portal.Options.LoginTimeoutMs + 1000);
        Assert.Equal(0, world.Registry.SessionCount);
        Assert.All(world.Homes, home => Assert.Equal(0, world.Unit.AdmittedOn(home.Executor)));
        Initiator last = world.LogIn();
        last.ReceiveGood(last.SendCommand(Cdbs.TestUnitReady));
    }

    /// <summary>Half a login, or a whole one of an initiator port that may be there already.</summary>
    private static Initiator Arrive(IscsiWorld world, Random random)
    {
        Initiator initiator = world.Connect(
            new InMemoryStreamOptions { Seed = random.Next() }, $"iqn.2026-11.test:port{random.Next(Ports)}");
        if (random.Next(6) == 0)
            initiator.SendRaw(new byte[random.Next(1, 47)]);
        else
            initiator.SendLogin(["InitialR2T=No", "FirstBurstLength=4096"], discovery: random.Next(10) == 0);
        return initiator;
    }

    private static void Act(Initiator initiator, Random random)
    {
        initiator.Peer.Receive();
        switch (random.Next(9))
        {
            case 0:
                initiator.Peer.Reset();
                break;
            case 1:
                initiator.Peer.EndSending();
                break;
            case 2 when !initiator.IsClosed:
                initiator.SendLogout(immediate: random.Next(2) == 0);
                break;
            case 3:
                initiator.SendFunction(random.Next(2) == 0
                    ? TaskManagementFunctionCode.LogicalUnitReset : TaskManagementFunctionCode.AbortTaskSet);
                break;
            case 4:
                initiator.SendCommand(Cdbs.Write10(0, 16), write: true, expected: 8192, final: false,
                    attribute: (TaskAttributeCode)random.Next(1, 4));
                break;
            case 5:
                initiator.Write(0, Bytes.Pattern(8192), immediateBytes: 4096);
                break;
            default:
                initiator.Read(0, random.Next(1, 64));
                break;
        }
    }
}
