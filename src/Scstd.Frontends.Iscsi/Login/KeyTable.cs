using System.Collections.Frozen;

namespace Scstd.Frontends.Iscsi.Login;

/// <summary>What kind of value a key has and how two sides come to one.</summary>
public enum KeyType
{
    /// <summary>One side says it, the other obeys; never answered.</summary>
    Declarative,

    /// <summary>The smaller of the two numbers.</summary>
    Minimum,

    /// <summary>The larger of the two numbers.</summary>
    Maximum,

    /// <summary>Yes if both say Yes.</summary>
    And,

    /// <summary>Yes if one says Yes.</summary>
    Or,

    /// <summary>The first of the proposer's list that the responder supports.</summary>
    List,

    /// <summary>Removed from the standard: always answered Reject (§13.25).</summary>
    Obsolete,
}

/// <summary>Who may send a key first.</summary>
[Flags]
public enum KeySender
{
    Initiator = 1,
    Target = 2,
    Both = Initiator | Target,
}

/// <summary>"Use" of a key in RFC 7143 §13, by the stages it may appear in.</summary>
[Flags]
public enum KeyUse
{
    /// <summary>Security negotiation only: AuthMethod and the keys of its methods (§12).</summary>
    Security = 1,

    /// <summary>Operational negotiation.</summary>
    Operational = 2,

    /// <summary>Full feature phase.</summary>
    FullFeature = 4,

    /// <summary>IO, initialize only: what names the connection may come in either stage of the login.</summary>
    Login = Security | Operational,

    All = Login | FullFeature,
}

/// <summary>All that is known about a key, one row each.</summary>
/// <param name="Name">Its name; case counts (§6.1).</param>
/// <param name="Clause">Where the standard defines it.</param>
/// <param name="Type">Kind of negotiation.</param>
/// <param name="Sender">Who may offer or declare it.</param>
/// <param name="Use">Stages it may appear in.</param>
/// <param name="LeadingOnly">LO: only in the login that creates the session.</param>
/// <param name="IrrelevantInDiscovery">"Irrelevant when: SessionType=Discovery".</param>
/// <param name="Minimum">Smallest legal number.</param>
/// <param name="Maximum">Largest legal number.</param>
/// <param name="ByDefault">The number (or 1 for Yes) that holds when the key is never negotiated.</param>
public sealed record KeyRow(
    string Name, string Clause, KeyType Type, KeySender Sender, KeyUse Use, bool LeadingOnly = false,
    bool IrrelevantInDiscovery = false, long Minimum = 0, long Maximum = 0, long ByDefault = 0);

/// <summary>The keys of RFC 7143 §12 and §13.</summary>
public static class KeyTable
{
    /// <summary>DataSegmentLength has 24 bits.</summary>
    private const long LengthMax = (1 << 24) - 1;

    private static readonly KeyRow[] Rows =
    [
        Security("AuthMethod", "§12", KeyType.List),
        Security("CHAP_A", "§12.1.3", KeyType.List),
        Security("CHAP_I", "§12.1.3", KeyType.Declarative),
        Security("CHAP_C", "§12.1.3", KeyType.Declarative),
        Security("CHAP_N", "§12.1.3", KeyType.Declarative),
        Security("CHAP_R", "§12.1.3", KeyType.Declarative),

        Connection("HeaderDigest", "§13.1", KeyType.List),
        Connection("DataDigest", "§13.1", KeyType.List),
        Leading("MaxConnections", "§13.2", KeyType.Minimum, 1, 65535, 1),
        new("SendTargets", "§13.3", KeyType.Declarative, KeySender.Initiator, KeyUse.FullFeature),
        new("TargetName", "§13.4", KeyType.Declarative, KeySender.Initiator, KeyUse.Login),
        new("InitiatorName", "§13.5", KeyType.Declarative, KeySender.Initiator, KeyUse.Login),
        new("TargetAlias", "§13.6", KeyType.Declarative, KeySender.Target, KeyUse.All),
        new("InitiatorAlias", "§13.7", KeyType.Declarative, KeySender.Initiator, KeyUse.All),
        new("TargetAddress", "§13.8", KeyType.Declarative, KeySender.Target, KeyUse.All),
        new("TargetPortalGroupTag", "§13.9", KeyType.Declarative, KeySender.Target, KeyUse.Login),
        Leading("InitialR2T", "§13.10", KeyType.Or, 0, 1, 1),
        Leading("ImmediateData", "§13.11", KeyType.And, 0, 1, 1),
        new("MaxRecvDataSegmentLength", "§13.12", KeyType.Declarative, KeySender.Both, KeyUse.All,
            Minimum: 512, Maximum: LengthMax, ByDefault: 8192),
        Leading("MaxBurstLength", "§13.13", KeyType.Minimum, 512, LengthMax, 262144),
        Leading("FirstBurstLength", "§13.14", KeyType.Minimum, 512, LengthMax, 65536),
        Leading("DefaultTime2Wait", "§13.15", KeyType.Maximum, 0, 3600, 2) with { IrrelevantInDiscovery = false },
        Leading("DefaultTime2Retain", "§13.16", KeyType.Minimum, 0, 3600, 20) with { IrrelevantInDiscovery = false },
        Leading("MaxOutstandingR2T", "§13.17", KeyType.Minimum, 1, 65535, 1),
        Leading("DataPDUInOrder", "§13.18", KeyType.Or, 0, 1, 1),
        Leading("DataSequenceInOrder", "§13.19", KeyType.Or, 0, 1, 1),
        Leading("ErrorRecoveryLevel", "§13.20", KeyType.Minimum, 0, 2, 0) with { IrrelevantInDiscovery = false },
        new("SessionType", "§13.21", KeyType.Declarative, KeySender.Initiator, KeyUse.Login, LeadingOnly: true),
        Leading("TaskReporting", "§13.23", KeyType.List, 0, 0, 0),
        Leading("iSCSIProtocolLevel", "§13.24", KeyType.Minimum, 0, 31, 1),
        new("X#NodeArchitecture", "§13.26", KeyType.Declarative, KeySender.Both, KeyUse.Login, LeadingOnly: true),

        // §13.25: IFMarker and OFMarker SHOULD be answered Reject, the intervals MUST; none of them NotUnderstood.
        new("IFMarker", "§13.25", KeyType.Obsolete, KeySender.Both, KeyUse.Operational),
        new("OFMarker", "§13.25", KeyType.Obsolete, KeySender.Both, KeyUse.Operational),
        new("IFMarkInt", "§13.25", KeyType.Obsolete, KeySender.Both, KeyUse.Operational),
        new("OFMarkInt", "§13.25", KeyType.Obsolete, KeySender.Both, KeyUse.Operational),
    ];

    private static readonly FrozenDictionary<string, KeyRow> ByName =
        Rows.ToFrozenDictionary(row => row.Name, StringComparer.Ordinal);

    public static IReadOnlyList<KeyRow> All => Rows;

    /// <summary>The row of a key, or null for one the standard does not know.</summary>
    public static KeyRow? Find(string name) => ByName.GetValueOrDefault(name);

    /// <summary>
    /// Bytes a value may have on the wire. Lists are bounded by their elements, unknown keys by the text as a whole;
    /// both only have to fit a Login PDU.
    /// </summary>
    public static int ValueLengthMax(string key) => Find(key) switch
    {
        null => LoginLimits.LoginDataSegmentLengthMax,
        { Name: "CHAP_C" or "CHAP_R" } => LoginLimits.EncodedBinaryLengthMax,
        { Type: KeyType.List } => LoginLimits.LoginDataSegmentLengthMax,
        _ => LoginLimits.SimpleValueLengthMax,
    };

    private static KeyRow Security(string name, string clause, KeyType type) =>
        new(name, clause, type, KeySender.Both, KeyUse.Security);

    private static KeyRow Connection(string name, string clause, KeyType type) =>
        new(name, clause, type, KeySender.Both, KeyUse.Operational);

    private static KeyRow Leading(string name, string clause, KeyType type, long minimum, long maximum, long ofAll) =>
        new(name, clause, type, KeySender.Both, KeyUse.Operational, LeadingOnly: true, IrrelevantInDiscovery: true,
            minimum, maximum, ofAll);
}
