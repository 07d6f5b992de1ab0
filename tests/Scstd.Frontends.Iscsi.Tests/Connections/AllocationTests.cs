using System.Net;
using System.Runtime.InteropServices;
using Scstd.Core;
using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Linux;
using Scstd.Testing;

namespace Scstd.Frontends.Iscsi.Tests.Connections;

/// <summary>Nothing is allocated for a command once its session is warm.</summary>
public sealed unsafe class AllocationTests
{
    private const int Rounds = 2_000;

    [Fact]
    public void A_read_allocates_nothing() => AssertNothingAllocated([], (itt, cmdSn) =>
        [Command(itt, cmdSn, Cdbs.Read10(0, 8), read: true, [])]);

    [Fact]
    public void A_read_with_digests_allocates_nothing() => AssertNothingAllocated(
        ["HeaderDigest=CRC32C", "DataDigest=CRC32C"],
        (itt, cmdSn) => [Command(itt, cmdSn, Cdbs.Read10(0, 8), read: true, [], digests: true)]);

    [Fact]
    public void A_write_with_immediate_data_allocates_nothing() => AssertNothingAllocated([], (itt, cmdSn) =>
        [Command(itt, cmdSn, Cdbs.Write10(0, 8), read: false, new byte[4096])]);

    [Fact]
    public void A_write_with_R2T_allocates_nothing() => AssertNothingAllocated(
        ["ImmediateData=No", "InitialR2T=Yes"], (itt, cmdSn) =>
        {
            byte[] dataOut = new byte[48 + 4096];
            DataOutPdu.WriteTo(dataOut, itt, cmdSn - FirstCmdSn, 0, 0, 4096, final: true);
            return [Command(itt, cmdSn, Cdbs.Write10(0, 8), read: false, [], expected: 4096), dataOut];
        });

    private const uint FirstCmdSn = 100;

    private static byte[] Command(
        uint itt, uint cmdSn, byte[] cdb, bool read, byte[] data, uint expected = 4096, bool digests = false)
    {
        byte[] header = new byte[48];
        ScsiCommandPdu.WriteTo(header, 0, itt, expected, cmdSn, 1, cdb, read, !read, dataSegmentLength: data.Length);
        var encoder = new Initiator(null!, null!, null) { HeaderDigest = digests, DataDigest = digests };
        return encoder.Encode(header, data);
    }

    private static void AssertNothingAllocated(string[] keys, Func<uint, uint, byte[][]> pdusOf)
    {
        using var disk = new TestDisk();
        using var reactor = new StillReactor();
        using var pool = new BufferPool(new NativeSlabs());
        using var home = new IscsiReactor(reactor, new ReactorExecutor(reactor, pool));
        var unit = new LogicalUnit("disk", disk.Backend, [home.Executor]);
        var registry = new IscsiTargetRegistry([home]);
        registry.SetTargets([new TargetOptions
        {
            Name = IscsiWorld.TargetName,
            Luns = new LunMap([new LunMapEntry(0, unit)]),
        }]);
        registry.OpenPortal(new PortalOptions { EndPoint = new IPEndPoint(IPAddress.Loopback, 3260) }, home);
        reactor.Accept(new SocketHandle(-1));
        LogIn(reactor, keys);

        // The first command meets the unit attention; R2Ts then count their tags from 1.
        Feed(reactor, [Command(0, FirstCmdSn, Cdbs.TestUnitReady, read: true, [], expected: 0,
            digests: keys.Contains("HeaderDigest=CRC32C"))]);
        byte[][][] all = [.. Enumerable.Range(1, 2 * Rounds).Select(i => pdusOf((uint)i, FirstCmdSn + (uint)i))];
        foreach (byte[][] pdus in all.AsSpan(0, Rounds))
            Feed(reactor, pdus);
        long before = GC.GetAllocatedBytesForCurrentThread();
        foreach (byte[][] pdus in all.AsSpan(Rounds))
            Feed(reactor, pdus);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(0, allocated);
        Assert.Equal(2 * Rounds, disk.ReadCount + disk.WriteCount);
        Assert.False(reactor.Stream.IsClosing);
        reactor.Handler.Closed(StreamCloseReason.ClosedByPeer, "the end");
        Assert.Equal((0L, 0, 0), (pool.LeasesOut, home.HeaderSlotsOut, registry.SessionCount));
    }

    private static void LogIn(StillReactor reactor, string[] keys)
    {
        byte[] header = new byte[48];
        LoginRequestPdu.WriteTo(header, new Isid(1), 0, 0, 0, FirstCmdSn, 1,
            LoginStage.LoginOperationalNegotiation, LoginStage.FullFeaturePhase, transit: true, 0);
        byte[] text = Initiator.Keys(
            [$"InitiatorName={Initiator.DefaultName}", $"TargetName={IscsiWorld.TargetName}", .. keys]);
        Feed(reactor, [new Initiator(null!, null!, null).Encode(header, text)]);
        Assert.Equal(LoginStatus.Success, new LoginResponsePdu(reactor.Stream.First).Status);
    }

    private static void Feed(StillReactor reactor, byte[][] pdus)
    {
        foreach (byte[] pdu in pdus)
        {
            fixed (byte* bytes = pdu)
                reactor.Handler.Received((nint)bytes, pdu.Length);
            reactor.Handler.Sent(reactor.Stream.TakeUnsent());
        }
    }
}
