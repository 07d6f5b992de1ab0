using System.Buffers.Binary;
using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using Scstd.Backends.Disk;
using Scstd.Core;
using Scstd.Frontends.Iscsi;
using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Linux;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.HotPath;

/// <summary>
/// A target with one disk and an initiator that is logged in to it: frontend, mid-layer and backend as the daemon puts
/// them together, on one thread, without a kernel below. What the initiator sends lies ready; for each command only its
/// tag, its numbers and its address are written into it.
/// </summary>
public sealed unsafe class HotSession : IDisposable
{
    private const string TargetName = "iqn.2026-11.test:hot";
    private const int BlockBytes = 512;
    private const int DiskBytes = 16 << 20;
    private const int DataOutBytes = 16384;
    private const int PoolNotesBytes = 64;
    private const int DigestBytes = BasicHeaderSegment.DigestLength;

    private readonly HotLoad _load;
    private readonly StillReactor _reactor = new();
    private readonly BufferPool _pool = new(new NativeSlabs());
    private readonly IscsiReactor _home;
    private readonly DiskBackend _disk;
    private readonly string? _file;
    private readonly byte* _commands;
    private readonly byte* _dataOut;
    private readonly int _commandWireBytes;
    private readonly int _headerWireBytes;
    private int _copiesLeft = 1600;
    private uint _cmdSn = 1;
    private uint _block;

    public HotSession(HotLoad load)
    {
        _load = load;
        if (load.Store == DiskStoreKind.File)
            _file = Path.Combine(Path.GetTempPath(), $"scstd-hot-{Guid.NewGuid():N}.img");
        _disk = DiskBackend.Open(
            new DiskOptions { Name = "disk", Store = load.Store, Path = _file, SizeBytes = DiskBytes }, [_reactor]);
        _home = new IscsiReactor(_reactor, new StillExecutor(_reactor, _pool));
        var unit = new LogicalUnit("disk", _disk, [_home.Executor]);
        var registry = new IscsiTargetRegistry([_home]);
        registry.SetTargets(
            [new TargetOptions { Name = TargetName, Luns = new LunMap([new LunMapEntry(0, unit)]) }]);
        registry.OpenPortal(new PortalOptions { EndPoint = new IPEndPoint(IPAddress.Loopback, 3260) }, _home);
        _reactor.RunPass();
        _reactor.Accept(new SocketHandle(-1));
        _reactor.RunPass();

        _headerWireBytes = BasicHeaderSegment.Length + (load.HasDigests ? DigestBytes : 0);
        int immediateBytes = load.IsRead || load.Asked ? 0 : load.LengthBytes;
        _commandWireBytes = _headerWireBytes + WireBytes(immediateBytes);
        _commands = (byte*)NativeMemory.AllocZeroed((nuint)(_commandWireBytes * load.Together));
        _dataOut = (byte*)NativeMemory.AllocZeroed((nuint)(_headerWireBytes + WireBytes(DataOutBytes)));
        LogIn();
        Prepare(immediateBytes);
        // The first command meets the unit attention of a new nexus.
        Send(1);
        Invariant.That(_reactor.Stream.Attentions == 1, "a new nexus has a unit attention");
    }

    /// <summary>Commands that ended with GOOD.</summary>
    public long Answered => _reactor.Stream.Answered;

    /// <summary>Sends so many, rounded up to whole receives, and lets all of them end.</summary>
    public void Run(int commands)
    {
        for (int sent = 0; sent < commands; sent += _load.Together)
            Send(_load.Together);
    }

    public void Dispose()
    {
        _reactor.Handler.Closed(StreamCloseReason.ClosedByPeer, "the end");
        _reactor.RunPass();
        Invariant.That(_pool.LeasesOut == 0 && _home.HeaderSlotsOut == 0, "nothing is left behind");
        _home.Dispose();
        _pool.Dispose();
        _disk.Dispose();
        _reactor.Dispose();
        NativeMemory.Free(_commands);
        NativeMemory.Free(_dataOut);
        if (_file is not null)
            File.Delete(_file);
    }

    private int WireBytes(int dataBytes) => dataBytes == 0 ? 0 : dataBytes + (_load.HasDigests ? DigestBytes : 0);

    private void LogIn()
    {
        string digests = _load.HasDigests ? "HeaderDigest=CRC32C\0DataDigest=CRC32C\0" : "";
        string asked = _load.Asked ? "ImmediateData=No\0InitialR2T=Yes\0" : "";
        byte[] text = Encoding.UTF8.GetBytes(
            $"InitiatorName=iqn.2026-11.test:initiator\0TargetName={TargetName}\0{digests}{asked}");
        byte[] pdu = new byte[BasicHeaderSegment.Length + BasicHeaderSegment.Pad(text.Length)];
        text.CopyTo(pdu, BasicHeaderSegment.Length);
        LoginRequestPdu.WriteTo(pdu, new Isid(0x8000_0000_0001), 0, 0, 0, _cmdSn, 1,
            LoginStage.LoginOperationalNegotiation, LoginStage.FullFeaturePhase, transit: true, text.Length);
        fixed (byte* bytes = pdu)
            Receive(bytes, pdu.Length);
        EndPass();
        Invariant.That(_reactor.Stream.LoginsAnswered == 1, "the login is answered");
        _reactor.Stream.HasDigests = _load.HasDigests;
    }

    private void Prepare(int immediateBytes)
    {
        byte[] cdb = new byte[10];
        cdb[0] = (byte)(_load.IsRead ? 0x28 : 0x2A);
        BinaryPrimitives.WriteUInt16BigEndian(cdb.AsSpan(7), (ushort)(_load.LengthBytes / BlockBytes));
        for (int i = 0; i < _load.Together; i++)
        {
            byte* pdu = _commands + (i * _commandWireBytes);
            ScsiCommandPdu.WriteTo(new Span<byte>(pdu, BasicHeaderSegment.Length), 0, 0, (uint)_load.LengthBytes, 0, 1,
                cdb, _load.IsRead, !_load.IsRead, dataSegmentLength: immediateBytes);
            FillData(pdu + _headerWireBytes, immediateBytes);
        }
        FillData(_dataOut + _headerWireBytes, DataOutBytes);
    }

    private void FillData(byte* data, int lengthBytes)
    {
        for (int i = 0; i < lengthBytes; i++)
            data[i] = (byte)(i * 7);
        if (lengthBytes > 0 && _load.HasDigests)
            Digest(data, lengthBytes);
    }

    private static void Digest(byte* bytes, int lengthBytes) => BinaryPrimitives.WriteUInt32LittleEndian(
        new Span<byte>(bytes + lengthBytes, DigestBytes), Crc32c.Compute(new ReadOnlySpan<byte>(bytes, lengthBytes)));

    private void Send(int commands)
    {
        for (int i = 0; i < commands; i++)
        {
            byte* pdu = _commands + (i * _commandWireBytes);
            Write(pdu + 16, _cmdSn);
            Write(pdu + 24, _cmdSn++);
            Write(pdu + 34, _block);
            _block = (_block + (uint)(_load.LengthBytes / BlockBytes)) % (DiskBytes / BlockBytes);
            if (_load.HasDigests)
                Digest(pdu, BasicHeaderSegment.Length);
        }
        Receive(_commands, commands * _commandWireBytes);
        EndPass();
        while (_reactor.Stream.TryTakeWanted(out WantedData wanted))
            Answer(wanted);
    }

    /// <summary>The data segments are received where the connection wants them, as by a real stream.</summary>
    private void Answer(WantedData wanted)
    {
        uint sent = 0;
        for (uint dataSn = 0; sent < wanted.LengthBytes; dataSn++)
        {
            int part = (int)Math.Min(DataOutBytes, wanted.LengthBytes - sent);
            Invariant.That(part == DataOutBytes, "R2Ts ask for whole PDUs");
            DataOutPdu.WriteTo(new Span<byte>(_dataOut, BasicHeaderSegment.Length), wanted.TaskTag, wanted.TransferTag,
                dataSn, wanted.OffsetBytes + sent, part, final: sent + (uint)part == wanted.LengthBytes);
            if (_load.HasDigests)
                Digest(_dataOut, BasicHeaderSegment.Length);
            Receive(_dataOut, _headerWireBytes);
            byte* data = _dataOut + _headerWireBytes;
            int placed = Place(data);
            Receive(data + placed, WireBytes(part) - placed);
            sent += (uint)part;
        }
        EndPass();
    }

    /// <summary>Copying is the kernel's work, so it is not counted: all data is alike and buffers come back, so what
    /// the first transfers placed serves for all, but for the beginning of a block, where the pool has its list of free
    /// ones. A digest would tell of a buffer without it.</summary>
    private int Place(byte* data)
    {
        IoVector* vectors = stackalloc IoVector[StreamConnection.MaxDirectVectors];
        int count = _reactor.Handler.DirectVectors(vectors, StreamConnection.MaxDirectVectors);
        int placed = 0;
        for (int i = 0; i < count; i++)
        {
            int part = (int)vectors[i].LengthBytes;
            int copied = _copiesLeft > 0 ? part : Math.Min(part, PoolNotesBytes);
            NativeMemory.Copy(data + placed, (void*)vectors[i].Address, (nuint)copied);
            placed += part;
        }
        _copiesLeft -= Math.Sign(_copiesLeft);
        if (placed > 0)
            _reactor.Handler.ReceivedDirect(placed);
        return placed;
    }

    private void Receive(byte* bytes, int lengthBytes)
    {
        if (lengthBytes > 0)
            _reactor.Handler.Received((nint)bytes, lengthBytes);
        Invariant.That(!(_reactor.Stream?.IsClosing ?? false), "the connection stays");
    }

    private void EndPass()
    {
        _reactor.RunPass();
        _reactor.Handler.Sent(_reactor.Stream.TakeUnsent());
        _reactor.RunPass();
    }

    private static void Write(byte* at, uint value) =>
        BinaryPrimitives.WriteUInt32BigEndian(new Span<byte>(at, sizeof(uint)), value);
}
