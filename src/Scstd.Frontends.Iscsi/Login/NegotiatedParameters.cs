namespace Scstd.Frontends.Iscsi.Login;

/// <summary>SessionType, RFC 7143 §13.21.</summary>
public enum SessionType
{
    Normal,
    Discovery,
}

/// <summary>Digest of a header or of data, RFC 7143 §13.1.</summary>
public enum Digest
{
    None,
    Crc32c,
}

/// <summary>TaskReporting, RFC 7143 §13.23: which task management reporting semantics hold in the session.</summary>
public enum TaskReporting
{
    Rfc3720,
    ResponseFence,
    FastAbort,
}

/// <summary>
/// What a session or connection works with after its login, under the standard's key names. Values of keys that were
/// never negotiated are the standard's defaults.
/// </summary>
public sealed record NegotiatedParameters
{
    public Digest HeaderDigest { get; init; }

    public Digest DataDigest { get; init; }

    public int MaxConnections { get; init; } = 1;

    public bool InitialR2T { get; init; } = true;

    public bool ImmediateData { get; init; } = true;

    /// <summary>MaxRecvDataSegmentLength as the initiator declared it: the most that we may send in one PDU.</summary>
    public int InitiatorMaxRecvDataSegmentLength { get; init; } = 8192;

    /// <summary>MaxRecvDataSegmentLength as we declared it: the most that the initiator may send in one PDU.</summary>
    public int TargetMaxRecvDataSegmentLength { get; init; } = 8192;

    public int MaxBurstLength { get; init; } = 262144;

    public int FirstBurstLength { get; init; } = 65536;

    public int DefaultTime2Wait { get; init; } = 2;

    public int DefaultTime2Retain { get; init; } = 20;

    public int MaxOutstandingR2T { get; init; } = 1;

    public bool DataPDUInOrder { get; init; } = true;

    public bool DataSequenceInOrder { get; init; } = true;

    public int ErrorRecoveryLevel { get; init; }

    public TaskReporting TaskReporting { get; init; }

    /// <summary>iSCSIProtocolLevel: 1 is RFC 7143, 2 adds RFC 7144.</summary>
    public int IscsiProtocolLevel { get; init; } = 1;
}

/// <summary>
/// What this target brings to the negotiation: how far it goes in each key. Numbers are upper bounds (lower for
/// DefaultTime2Wait), the booleans are our side of the AND or OR, lists are what we support.
/// </summary>
public sealed record ParameterLimits
{
    /// <summary>Acceptable digests. Without None the digest is compulsory.</summary>
    public IReadOnlyList<Digest> HeaderDigests { get; init; } = [Digest.None, Digest.Crc32c];

    public IReadOnlyList<Digest> DataDigests { get; init; } = [Digest.None, Digest.Crc32c];

    public int MaxRecvDataSegmentLength { get; init; } = 262144;

    public int MaxBurstLength { get; init; } = 1024 * 1024;

    public int FirstBurstLength { get; init; } = 262144;

    public int MaxOutstandingR2T { get; init; } = 8;

    public bool InitialR2T { get; init; }

    public bool ImmediateData { get; init; } = true;

    public int DefaultTime2Wait { get; init; }

    public int DefaultTime2Retain { get; init; } = 20;

    public IReadOnlyList<TaskReporting> TaskReporting { get; init; } =
        [Login.TaskReporting.Rfc3720, Login.TaskReporting.ResponseFence];

    public int IscsiProtocolLevel { get; init; } = 2;

    /// <summary>Null, or why these limits contradict the standard; to be asked when configuration is read.</summary>
    public string? Check()
    {
        if (HeaderDigests.Count == 0 || DataDigests.Count == 0) return "no digest left to agree on";
        if (OutOfRange("MaxRecvDataSegmentLength", MaxRecvDataSegmentLength)) return "MaxRecvDataSegmentLength";
        if (OutOfRange("MaxBurstLength", MaxBurstLength)) return "MaxBurstLength";
        if (OutOfRange("FirstBurstLength", FirstBurstLength)) return "FirstBurstLength";
        if (FirstBurstLength > MaxBurstLength) return "FirstBurstLength exceeds MaxBurstLength";
        if (OutOfRange("MaxOutstandingR2T", MaxOutstandingR2T)) return "MaxOutstandingR2T";
        if (OutOfRange("DefaultTime2Wait", DefaultTime2Wait)) return "DefaultTime2Wait";
        if (OutOfRange("DefaultTime2Retain", DefaultTime2Retain)) return "DefaultTime2Retain";
        if (!TaskReporting.Contains(Login.TaskReporting.Rfc3720)) return "TaskReporting lacks its default, RFC3720";
        return OutOfRange("iSCSIProtocolLevel", IscsiProtocolLevel) ? "iSCSIProtocolLevel" : null;
    }

    private static bool OutOfRange(string key, int value) =>
        KeyTable.Find(key) is not { } row || value < row.Minimum || value > row.Maximum;
}
