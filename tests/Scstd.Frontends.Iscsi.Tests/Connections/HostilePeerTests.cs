using CsCheck;
using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Testing;

namespace Scstd.Frontends.Iscsi.Tests.Connections;

/// <summary>Streams that no initiator would send: whatever comes, nothing throws, nothing leaks (the world checks it
/// at its end), and an initiator beside them notices nothing.</summary>
public sealed class HostilePeerTests
{
    private static readonly Opcode[] Requests =
    [
        Opcode.ScsiCommand, Opcode.ScsiCommand, Opcode.ScsiCommand, Opcode.DataOut, Opcode.DataOut, Opcode.NopOut,
        Opcode.TextRequest, Opcode.TaskManagementFunctionRequest, Opcode.SnackRequest, Opcode.LoginRequest,
    ];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Plausible_nonsense_in_full_feature_phase_harms_nobody_else(int family)
    {
        string[] keys = family switch
        {
            1 => [],
            2 => ["InitialR2T=No", "MaxOutstandingR2T=4", "MaxBurstLength=2048", "FirstBurstLength=2048"],
            3 => ["HeaderDigest=CRC32C", "DataDigest=CRC32C"],
            _ => ["InitialR2T=Yes", "ImmediateData=No", "MaxRecvDataSegmentLength=512", "iSCSIProtocolLevel=2"],
        };
        Gen.Int.Sample(seed => Misbehave(keys, new Random(seed)), iter: 200);
    }

    [Fact]
    public void Random_bytes_from_the_first_on_harm_nobody_else() =>
        Gen.Byte.Array[1, 600].Sample(bytes =>
        {
            using var world = new IscsiWorld();
            Initiator initiator = world.Connect();
            initiator.Peer.Send(bytes);
            world.Run();
            AssertServes(world);
        }, iter: 300);

    [Fact]
    public void A_mutated_login_harms_nobody_else() =>
        Gen.Select(Gen.Int[0, 300], Gen.Byte, Gen.Int[0, 300], Gen.Byte).Sample((at, value, at2, value2) =>
        {
            using var world = new IscsiWorld();
            Initiator initiator = world.Connect();
            byte[] header = new byte[48];
            LoginRequestPdu.WriteTo(header, initiator.Isid, 0, 0, 0, 1, 1, LoginStage.LoginOperationalNegotiation,
                LoginStage.FullFeaturePhase, transit: true, 0);
            byte[] pdu = initiator.Encode(header, Initiator.Keys(
                $"InitiatorName={initiator.Name}", $"TargetName={IscsiWorld.TargetName}", "MaxBurstLength=65536"));
            pdu[at % pdu.Length] = value;
            pdu[at2 % pdu.Length] = value2;
            initiator.Peer.Send(pdu);
            world.Run();
            AssertServes(world);
        }, iter: 300);

    private static void AssertServes(IscsiWorld world)
    {
        Initiator other = world.LogIn(name: "iqn.2026-11.test:bystander");
        other.ReceiveGood(other.SendCommand(Cdbs.TestUnitReady));
    }

    private static void Misbehave(string[] keys, Random random)
    {
        using var world = new IscsiWorld(target => target with
        {
            QueueDepth = 16,
            Timers = new TimerOptions { NopIntervalMs = 0, DataOutTimeoutMs = 4_000 },
        });
        Initiator initiator = world.LogIn(keys, new InMemoryStreamOptions { Seed = random.Next() });
        Initiator other = world.LogIn(name: "iqn.2026-11.test:bystander");
        world.Disk.Lends = random.Next(2) == 0;
        if (random.Next(2) == 0)
            world.Unit.Control.Current[3] |= 0x40; // TAS, byte 5 of the page (SPC-4 §7.5.8)
        for (int i = 0; i < 60 && !initiator.IsClosed; i++)
        {
            world.Disk.Holds = random.Next(4) == 0;
            byte[] bytes = NextPdu(initiator, random);
            if (random.Next(20) == 0)
                bytes[random.Next(Math.Min(bytes.Length, 64))] ^= (byte)(1 << random.Next(8));
            initiator.Peer.Send(random.Next(40) == 0 ? bytes.AsSpan(0, random.Next(bytes.Length)) : bytes);
            if (random.Next(3) > 0)
                world.Run();
            if (random.Next(3) == 0)
                world.Disk.HasReadSome(random);
            if (random.Next(10) == 0)
                world.Disk.LetGo();
            if (random.Next(8) == 0)
                other.SendFunction(TaskManagementFunctionCode.LogicalUnitReset);
        }
        world.Run();
        world.Disk.Holds = false;
        world.Disk.LetGo();
        world.Run();
        // Data that does not come may hold up a reset, or who stands behind an ORDERED command, but only so long.
        world.Advance(8_000 + IscsiLimits.LentBufferTimeoutMs);
        // A flipped bit may have made a function a cold reset.
        if (other.IsClosed)
            other = world.LogIn(name: other.Name);
        other.ReceiveAll();
        other.SendCommand(Cdbs.TestUnitReady);
        Assert.Single(other.ReceiveAll());
    }

    private static byte[] NextPdu(Initiator initiator, Random random)
    {
        byte[] header = new byte[48];
        uint tag = (uint)random.Next(12);
        int unitBytes = random.Next(8) switch { 0 => 8192, 1 => 4096, _ => 512 };
        byte[] data = random.Next(2) == 0 ? [] : new byte[random.Next(1, 5) * unitBytes];
        uint cmdSn = random.Next(4) == 0 ? initiator.CmdSn + (uint)random.Next(-3, 20) : initiator.CmdSn++;
        bool final = random.Next(4) > 0;
        Opcode opcode = Requests[random.Next(Requests.Length)];
        switch (opcode)
        {
            case Opcode.ScsiCommand:
                int blocks = random.Next(0, 70);
                bool write = random.Next(2) == 0;
                uint expected = (uint)(random.Next(5) == 0 ? random.Next() : blocks * 512);
                ScsiCommandPdu.WriteTo(header, 0, tag, expected, cmdSn, 1,
                    write ? Cdbs.Write10(0, blocks) : Cdbs.Read10(0, blocks), !write, write, final || !write,
                    random.Next(8) == 0, (TaskAttributeCode)random.Next(0, 5));
                if (!write)
                    data = [];
                break;
            case Opcode.DataOut:
                uint transferTag = random.Next(2) == 0 ? BasicHeaderSegment.ReservedTag : (uint)random.Next(30);
                DataOutPdu.WriteTo(header, tag, transferTag, (uint)random.Next(3), (uint)random.Next(4) * 512,
                    data.Length, final);
                break;
            case Opcode.TaskManagementFunctionRequest:
                // A cold reset would end the bystander's session too, and rightly.
                var function = (TaskManagementFunctionCode)random.Next(1, 12);
                if (function == TaskManagementFunctionCode.TargetColdReset)
                    function = TaskManagementFunctionCode.TargetWarmReset;
                TaskManagementRequestPdu.WriteTo(header, function, 0, 1000 + tag, cmdSn, 1,
                    (uint)random.Next(12), cmdSn - (uint)random.Next(8), immediate: random.Next(2) == 0);
                data = [];
                break;
            default:
                random.NextBytes(header);
                header[0] = (byte)((byte)opcode | (random.Next(2) == 0 ? 0x40 : 0));
                header[4] = 0;
                System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(24), cmdSn);
                break;
        }
        return initiator.Encode(header, data);
    }
}
