using System.Text;
using Scstd.Frontends.Iscsi.Login;
using Scstd.Frontends.Iscsi.Pdus;

namespace Scstd.Frontends.Iscsi.Tests.Login;

/// <summary>A portal whose answers a test sets, and which remembers what it was asked.</summary>
internal sealed class ScriptedPolicy : ILoginPolicy
{
    public LoginAdmission Admission { get; set; } =
        LoginAdmission.Granted(ChapSettings.None, new ParameterLimits { MaxRecvDataSegmentLength = 131072 }, 3);

    public LoginStatus ConnectionStatus { get; set; }

    public List<string> Asked { get; } = [];

    public LoginAdmission AdmitDiscovery(string initiatorName)
    {
        Asked.Add($"discovery {initiatorName}");
        return Admission;
    }

    public LoginAdmission AdmitNormal(string initiatorName, string targetName)
    {
        Asked.Add($"{initiatorName} to {targetName}");
        return Admission;
    }

    public LoginStatus AdmitConnection(LoginIdentity identity)
    {
        Asked.Add($"join {identity.Tsih} as {identity.UserName}");
        return ConnectionStatus;
    }
}

/// <summary>What a Login Response said, read back from its bytes.</summary>
internal sealed record Said(
    LoginOutcome Outcome, LoginStatus Status, bool Transit, bool Continue, LoginStage Csg, LoginStage Nsg,
    ushort Tsih, byte[] Data, string Why)
{
    public string Text => Encoding.UTF8.GetString(Data).Replace('\0', ' ').TrimEnd();

    public string? this[string key] => Text.Split(' ').Where(pair => pair.StartsWith(key + "="))
        .Select(pair => pair[(key.Length + 1)..]).SingleOrDefault();
}

/// <summary>An initiator that speaks in bytes: each Say is one Login Request, each Said one Login Response.</summary>
internal sealed class LoginConversation
{
    public const string Initiator = "iqn.2026-11.test:initiator";
    public const string Target = "iqn.2026-11.test:disk";

    public const string Names = $"InitiatorName={Initiator} TargetName={Target} SessionType=Normal";
    public const string DiscoveryNames = $"InitiatorName={Initiator} SessionType=Discovery";

    private byte _random = 1;

    public LoginConversation(ScriptedPolicy? policy = null)
    {
        Policy = policy ?? new ScriptedPolicy();
        Exchange = new LoginExchange(Policy, FillRandom, new ChapChallengeLedger());
    }

    public ScriptedPolicy Policy { get; }

    public LoginExchange Exchange { get; }

    public Isid Isid { get; set; } = new(0x00023D_000001);

    public ushort Tsih { get; set; }

    public ushort Cid { get; set; } = 1;

    public uint Itt { get; set; } = 0x77;

    public uint CmdSn { get; set; } = 0x1000;

    public byte VersionMin { get; set; }

    /// <summary>Pairs separated by blanks; each gets its zero byte.</summary>
    public Said Say(string text, LoginStage csg, LoginStage? nsg = null, bool more = false) =>
        Say(Encode(text), csg, nsg, more);

    public Said Say(byte[] data, LoginStage csg, LoginStage? nsg = null, bool more = false)
    {
        var header = new byte[BasicHeaderSegment.Length];
        LoginRequestPdu.WriteTo(header, Isid, Tsih, Itt, Cid, CmdSn, 0, csg, nsg ?? LoginStage.SecurityNegotiation,
            nsg is not null, data.Length, more, VersionMin, VersionMin);
        var reply = Exchange.Receive(new LoginRequestPdu(header), data);
        return Read(reply);
    }

    public Said Read(LoginReply reply)
    {
        var header = new byte[BasicHeaderSegment.Length];
        reply.WriteHeader(header, reply.Outcome == LoginOutcome.Complete ? (ushort)0x42 : reply.Tsih);
        var pdu = new LoginResponsePdu(header);
        Assert.Equal(reply.Data.Length, pdu.DataSegmentLength);
        Assert.Equal((Isid, Itt), (pdu.Isid, pdu.InitiatorTaskTag));
        Assert.Equal(reply.Outcome == LoginOutcome.Failed, pdu.Status != LoginStatus.Success);
        Assert.Equal(reply.Outcome == LoginOutcome.Failed, reply.Why.Length != 0);
        Assert.True(reply.Data.Length <= LoginLimits.LoginDataSegmentLengthMax);
        return new Said(reply.Outcome, pdu.Status, pdu.Transit, pdu.Continue, pdu.CurrentStage, pdu.NextStage,
            pdu.Tsih, reply.Data.ToArray(), reply.Why);
    }

    public static byte[] Encode(string text) =>
        Encoding.UTF8.GetBytes(text.Length == 0 ? "" : text.Replace(' ', '\0') + '\0');

    private void FillRandom(Span<byte> bytes)
    {
        foreach (ref var one in bytes) one = _random++;
    }
}
