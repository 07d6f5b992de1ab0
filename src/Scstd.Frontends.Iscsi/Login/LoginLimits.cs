namespace Scstd.Frontends.Iscsi.Login;

/// <summary>How much a peer may ask of us before it has shown who it is. Each number with its reason.</summary>
public static class LoginLimits
{
    /// <summary>RFC 7143 §6.1: a standard-label has at most 63 characters.</summary>
    public const int KeyNameLengthMax = 63;

    /// <summary>RFC 7143 §6.1: a simple-value has at most 255 bytes unless its key says otherwise.</summary>
    public const int SimpleValueLengthMax = 255;

    /// <summary>RFC 7143 §12.1.3: a CHAP challenge or response has at most 1024 bytes, decoded.</summary>
    public const int BinaryValueLengthMax = 1024;

    /// <summary>Those 1024 bytes in their longest encoding: "0x" and two digits each.</summary>
    public const int EncodedBinaryLengthMax = 2 + 2 * BinaryValueLengthMax;

    /// <summary>
    /// Text of one negotiation step, over all its PDUs. RFC 7143 §6.2: "MUST support receiving at least 8192 bytes of
    /// key=value data"; the 64 KiB of that clause are for authentication methods with very long items, which we do
    /// not offer. Our choice: twice the minimum.
    /// </summary>
    public const int TextLengthMax = 16 * 1024;

    /// <summary>
    /// Keys in one negotiation step. Our choice: three times all keys that RFC 7143 knows; it bounds what we answer,
    /// because "A=" costs the peer three bytes and us sixteen.
    /// </summary>
    public const int KeysMax = 128;

    /// <summary>
    /// Login Requests of one login. Our choice: CHAP needs four, the longest text sixteen PDUs of 1 KiB; a login that
    /// takes more leads nowhere.
    /// </summary>
    public const int LoginRequestsMax = 64;

    /// <summary>
    /// Data segment of a login PDU, both ways: the default of MaxRecvDataSegmentLength (RFC 7143 §13.12), which holds
    /// until full feature phase whatever is being declared.
    /// </summary>
    public const int LoginDataSegmentLengthMax = 8192;

    /// <summary>
    /// Text of one SendTargets answer. Our choice: several thousand targets of usual name length; beyond it the
    /// question is refused rather than memory promised to each discovery session.
    /// </summary>
    public const int SendTargetsLengthMax = 1024 * 1024;
}
