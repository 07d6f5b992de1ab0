using System.Buffers.Binary;
using System.Text;
using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Frontends.Iscsi.Tests.Connections;

/// <summary>A PDU as an initiator received it.</summary>
internal sealed record Pdu(byte[] Header, byte[] Data)
{
    public Opcode Opcode => new BasicHeaderSegment(Header).Opcode;

    public uint InitiatorTaskTag => new BasicHeaderSegment(Header).InitiatorTaskTag;

    public uint StatSn => TargetSequence.StatSn(Header);

    public uint ExpCmdSn => TargetSequence.ExpCmdSn(Header);

    public uint MaxCmdSn => TargetSequence.MaxCmdSn(Header);

    public bool Final => (Header[1] & 0x80) != 0;

    public ScsiStatus Status => (ScsiStatus)Header[3];

    public string Text => Encoding.UTF8.GetString(Data);

    /// <summary>Key and ASC/ASCQ of a SCSI Response with sense data in fixed format.</summary>
    public (SenseKey Key, AdditionalSense Additional) Sense
    {
        get
        {
            ReadOnlySpan<byte> sense = ScsiResponsePdu.ReadSense(Data);
            return ((SenseKey)(sense[2] & 0xF), new AdditionalSense(sense[12], sense[13]));
        }
    }
}

/// <summary>An initiator in the hands of a test: it sends what it is told, right or wrong, and takes PDUs
/// apart.</summary>
internal sealed class Initiator(IscsiWorld world, InMemoryStreamPeer peer, string? name)
{
    public const string DefaultName = "iqn.2026-11.test:initiator";

    private uint _nextTag = 1;

    public InMemoryStreamPeer Peer { get; } = peer;

    public string Name { get; } = name ?? DefaultName;

    public Isid Isid { get; set; } = new(0x8000_0000_0001);

    public ushort Tsih { get; set; }

    public ushort Cid { get; set; }

    public uint CmdSn { get; set; } = 100;

    public uint ExpStatSn { get; set; } = 1;

    public bool HeaderDigest { get; set; }

    public bool DataDigest { get; set; }

    public ushort LastTsih { get; private set; }

    public bool IsClosed => Peer.EndOfStream;

    public uint NextTag() => _nextTag++;

    // ---- Bytes -------------------------------------------------------------------------------------------------

    public byte[] Encode(byte[] header, ReadOnlySpan<byte> data = default, byte[]? ahs = null)
    {
        byte[] head = [.. header, .. ahs ?? []];
        BasicHeaderSegment.SetTotalAhsLength(head, ahs?.Length ?? 0);
        BasicHeaderSegment.SetDataSegmentLength(head, data.Length);
        var bytes = new List<byte>(head);
        if (HeaderDigest)
            bytes.AddRange(Digest(head));
        if (data.IsEmpty)
            return [.. bytes];
        byte[] padded = [.. data, .. new byte[-data.Length & 3]];
        bytes.AddRange(padded);
        if (DataDigest)
            bytes.AddRange(Digest(padded));
        return [.. bytes];
    }

    public void Send(byte[] header, ReadOnlySpan<byte> data = default, byte[]? ahs = null)
    {
        Peer.Send(Encode(header, data, ahs));
        world.Run();
    }

    public void SendRaw(ReadOnlySpan<byte> bytes)
    {
        Peer.Send(bytes);
        world.Run();
    }

    /// <summary>The next PDU; there must be one, whole and with right digests.</summary>
    public Pdu Receive()
    {
        byte[] header = Peer.Receive(BasicHeaderSegment.Length);
        var segment = new BasicHeaderSegment(header);
        Assert.Equal(0, segment.TotalAhsLengthBytes);
        if (HeaderDigest)
            Assert.Equal(Digest(header), Peer.Receive(4));
        byte[] padded = Peer.Receive(segment.PaddedDataSegmentLength);
        if (DataDigest && padded.Length > 0)
            Assert.Equal(Digest(padded), Peer.Receive(4));
        Assert.All(padded[segment.DataSegmentLength..], padding => Assert.Equal(0, padding));
        return new Pdu(header, padded[..segment.DataSegmentLength]);
    }

    /// <summary>All PDUs that have come.</summary>
    public List<Pdu> ReceiveAll()
    {
        var all = new List<Pdu>();
        while (Peer.AvailableBytes > 0)
            all.Add(Receive());
        return all;
    }

    public Pdu Receive(Opcode opcode)
    {
        Pdu pdu = Receive();
        Assert.Equal(opcode, pdu.Opcode);
        return pdu;
    }

    public void ReceiveNothing() => Assert.Equal(0, Peer.AvailableBytes);

    // ---- Login -------------------------------------------------------------------------------------------------

    public static byte[] Keys(params IEnumerable<string> pairs) =>
        Encoding.UTF8.GetBytes(string.Concat(pairs.Select(pair => pair + "\0")));

    /// <summary>One request that goes from the operational stage to full feature phase.</summary>
    public void SendLogin(string[] keys, bool discovery = false, string? target = null)
    {
        string[] names = discovery
            ? [$"InitiatorName={Name}", "SessionType=Discovery"]
            : [$"InitiatorName={Name}", $"TargetName={target ?? IscsiWorld.TargetName}"];
        SendLoginText([.. names, .. keys], LoginStage.LoginOperationalNegotiation);
    }

    public void SendLoginText(string[] keys, LoginStage stage, LoginStage next = LoginStage.FullFeaturePhase)
    {
        byte[] header = new byte[48];
        LoginRequestPdu.WriteTo(header, Isid, Tsih, 0, Cid, CmdSn, ExpStatSn, stage, next, transit: true, 0);
        Send(header, Keys(keys));
    }

    /// <summary>Logs in with one request; digests are on when the keys ask for them.</summary>
    public Pdu LogIn(params string[] keys) => LogIn(keys, discovery: false);

    public Pdu LogIn(string[] keys, bool discovery)
    {
        SendLogin(keys, discovery);
        return LoggedIn(keys);
    }

    public Pdu LoggedIn(string[] keys)
    {
        Pdu response = Receive(Opcode.LoginResponse);
        Assert.Equal(LoginStatus.Success, new LoginResponsePdu(response.Header).Status);
        Assert.True(new LoginResponsePdu(response.Header).Transit);
        LastTsih = new LoginResponsePdu(response.Header).Tsih;
        HeaderDigest = keys.Contains("HeaderDigest=CRC32C");
        DataDigest = keys.Contains("DataDigest=CRC32C");
        ExpStatSn = response.StatSn + 1;
        return response;
    }

    public LoginStatus RefusedLogin() => new LoginResponsePdu(Receive(Opcode.LoginResponse).Header).Status;

    public void TakeUnitAttention()
    {
        uint tag = SendCommand(Cdbs.TestUnitReady);
        Pdu response = Receive(Opcode.ScsiResponse);
        Assert.Equal((tag, ScsiStatus.CheckCondition), (response.InitiatorTaskTag, response.Status));
        Assert.Equal(SenseKey.UnitAttention, response.Sense.Key);
    }

    // ---- Commands ----------------------------------------------------------------------------------------------

    public uint SendCommand(
        byte[] cdb, bool read = false, bool write = false, uint expected = 0, byte[]? immediateData = null,
        bool final = true, bool immediate = false, uint? tag = null, uint? cmdSn = null, ulong lun = 0,
        byte[]? ahs = null, TaskAttributeCode attribute = TaskAttributeCode.Simple)
    {
        byte[] header = new byte[48];
        uint taken = tag ?? NextTag();
        ScsiCommandPdu.WriteTo(header, lun, taken, expected, cmdSn ?? CmdSn, ExpStatSn, cdb, read, write, final,
            immediate, attribute);
        if (!immediate && cmdSn is null)
            CmdSn++;
        Send(header, immediateData, ahs);
        return taken;
    }

    public uint Read(int block, int blocks, uint? expected = null) => SendCommand(
        Cdbs.Read10(block, blocks), read: true, expected: expected ?? (uint)(blocks * TestDisk.BlockBytes));

    /// <summary>A WRITE of all of <paramref name="data"/>, of which so much goes along.</summary>
    public uint Write(int block, byte[] data, int immediateBytes = 0, bool final = true) => SendCommand(
        Cdbs.Write10(block, data.Length / TestDisk.BlockBytes), write: true, expected: (uint)data.Length,
        immediateData: data[..immediateBytes], final: final);

    public void SendDataOut(
        uint tag, uint transferTag, uint dataSn, uint offset, ReadOnlySpan<byte> data, bool final)
    {
        byte[] header = new byte[48];
        DataOutPdu.WriteTo(header, tag, transferTag, dataSn, offset, data.Length, final, expStatSn: ExpStatSn);
        Send(header, data);
    }

    /// <summary>Answers an R2T from the whole Data-Out of its command, in PDUs of this size.</summary>
    public void Answer(Pdu r2T, byte[] dataOut, int pduBytes = 8192)
    {
        Assert.Equal(Opcode.ReadyToTransfer, r2T.Opcode);
        var request = new R2TPdu(r2T.Header);
        uint sent = 0, dataSn = 0, wanted = request.DesiredDataTransferLength;
        (uint transferTag, uint offset) = (request.TargetTransferTag, request.BufferOffset);
        while (sent < wanted)
        {
            int part = (int)Math.Min((uint)pduBytes, wanted - sent);
            SendDataOut(r2T.InitiatorTaskTag, transferTag, dataSn++, offset + sent,
                dataOut.AsSpan((int)(offset + sent), part), final: sent + part == wanted);
            sent += (uint)part;
        }
    }

    /// <summary>The Data-In of a READ put together, and the PDU with the status.</summary>
    public (byte[] Data, Pdu Last) ReceiveDataIn(uint tag)
    {
        var data = new List<byte>();
        uint dataSn = 0;
        while (true)
        {
            Pdu pdu = Receive();
            Assert.Equal(tag, pdu.InitiatorTaskTag);
            if (pdu.Opcode == Opcode.ScsiResponse)
                return ([.. data], pdu);
            Assert.Equal(Opcode.DataIn, pdu.Opcode);
            var dataIn = new DataInPdu(pdu.Header);
            Assert.Equal((dataSn++, (uint)data.Count), (dataIn.DataSn, dataIn.BufferOffset));
            data.AddRange(pdu.Data);
            if (dataIn.HasStatus)
                return ([.. data], pdu);
        }
    }

    public Pdu ReceiveGood(uint tag)
    {
        Pdu response = Receive(Opcode.ScsiResponse);
        Assert.Equal((tag, ScsiStatus.Good), (response.InitiatorTaskTag, response.Status));
        return response;
    }

    // ---- Other requests ------------------------------------------------------------------------------------------

    public uint SendFunction(
        TaskManagementFunctionCode function, uint referenced = BasicHeaderSegment.ReservedTag, uint? refCmdSn = null,
        ulong lun = 0, bool immediate = true, uint? cmdSn = null)
    {
        byte[] header = new byte[48];
        uint tag = NextTag();
        TaskManagementRequestPdu.WriteTo(
            header, function, lun, tag, cmdSn ?? CmdSn, ExpStatSn, referenced, refCmdSn ?? 0, immediate);
        if (!immediate && cmdSn is null)
            CmdSn++;
        Send(header);
        return tag;
    }

    public TaskManagementResponseCode ReceiveFunctionResponse(uint tag)
    {
        Pdu response = Receive(Opcode.TaskManagementFunctionResponse);
        Assert.Equal(tag, response.InitiatorTaskTag);
        return new TaskManagementResponsePdu(response.Header).Response;
    }

    public uint SendNop(byte[] data, bool immediate = true, uint? cmdSn = null)
    {
        byte[] header = new byte[48];
        uint tag = NextTag();
        NopOutPdu.WriteTo(
            header, tag, BasicHeaderSegment.ReservedTag, cmdSn ?? CmdSn, ExpStatSn, immediate: immediate);
        if (!immediate && cmdSn is null)
            CmdSn++;
        Send(header, data);
        return tag;
    }

    public uint SendText(
        byte[] text, bool final = true, bool goesOn = false, uint transferTag = BasicHeaderSegment.ReservedTag,
        uint? tag = null)
    {
        byte[] header = new byte[48];
        uint taken = tag ?? NextTag();
        TextRequestPdu.WriteTo(header, taken, transferTag, CmdSn++, ExpStatSn, 0, final, goesOn);
        Send(header, text);
        return taken;
    }

    public uint SendLogout(LogoutReason reason = LogoutReason.CloseSession, ushort cid = 0, bool immediate = true)
    {
        byte[] header = new byte[48];
        uint tag = NextTag();
        LogoutRequestPdu.WriteTo(header, reason, tag, cid, CmdSn, ExpStatSn, immediate);
        if (!immediate)
            CmdSn++;
        Send(header);
        return tag;
    }

    private static byte[] Digest(ReadOnlySpan<byte> bytes)
    {
        byte[] digest = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(digest, Crc32c.Compute(bytes));
        return digest;
    }
}
