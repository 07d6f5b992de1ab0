namespace Scstd.Frontends.Iscsi.Pdus;

/// <summary>How far a connection has come: it decides which requests it may send at all.</summary>
public enum ConnectionPhase : byte
{
    /// <summary>Before the final Login Response: Login Requests only (RFC 7143 §6.3).</summary>
    Login,

    /// <summary>Full feature phase of a discovery session: Text and Logout only (§4.3).</summary>
    Discovery,

    /// <summary>Full feature phase of a normal session.</summary>
    FullFeature,
}

/// <summary>The negotiated values against which a header is judged.</summary>
public readonly record struct PduBounds(
    ConnectionPhase Phase, int MaxRecvDataSegmentLength, bool ImmediateData, bool InitialR2T, int FirstBurstLength);

public enum PduVerdictKind : byte
{
    /// <summary>Receive the rest of the PDU and act on it.</summary>
    Accept,

    /// <summary>Receive and drop the rest of the PDU, answer with Reject and the reason.</summary>
    Reject,

    /// <summary>
    /// Receive and drop the data, end the command with CHECK CONDITION, ABORTED COMMAND, 0Ch/0Ch "write error -
    /// unexpected unsolicited data" (RFC 7143 §11.4.7.2).
    /// </summary>
    UnexpectedUnsolicitedData,

    /// <summary>The framing cannot be trusted, or the peer breaks the phase: close the connection (§7.7).</summary>
    Close,
}

/// <summary>A judgement, with a constant sentence for the log.</summary>
public readonly record struct PduVerdict(PduVerdictKind Kind, RejectReason Reason, string Why)
{
    public static PduVerdict Accept => default;

    public bool Accepted => Kind == PduVerdictKind.Accept;

    internal static PduVerdict Reject(RejectReason reason, string why) => new(PduVerdictKind.Reject, reason, why);

    internal static PduVerdict Close(string why) => new(PduVerdictKind.Close, default, why);
}

/// <summary>
/// Judges a header before any of its payload is placed. Pure: bytes and negotiated values in, verdict out. What needs
/// memory (CmdSN, task tags, offsets, DataSN) is the session's to judge.
/// </summary>
public static class PduRules
{
    /// <summary>
    /// One extended CDB of 260 bytes (248 bytes of AHS) and one bidirectional length (8): more cannot be legal, so
    /// this is also the room a connection needs for additional header segments.
    /// </summary>
    public const int AhsLengthMax = 256;

    /// <summary>Requests during login may have at most the default MaxRecvDataSegmentLength (§13.12).</summary>
    public const int LoginDataSegmentLengthMax = 8192;

    public static PduVerdict Judge(BasicHeaderSegment header, in PduBounds bounds)
    {
        // Lengths first: with a length we do not accept, the beginning of the next PDU is unknown.
        if (header.DataSegmentLength > bounds.MaxRecvDataSegmentLength)
            return PduVerdict.Close("data segment longer than MaxRecvDataSegmentLength");
        return bounds.Phase switch
        {
            ConnectionPhase.FullFeature => JudgeFullFeature(header, bounds),
            ConnectionPhase.Discovery => JudgeDiscovery(header),
            _ => JudgeLogin(header),
        };
    }

    private static PduVerdict JudgeLogin(BasicHeaderSegment header)
    {
        if (header.Opcode != Opcode.LoginRequest)
            return PduVerdict.Close("a PDU other than a Login Request during the login phase");
        return header.TotalAhsLengthBytes == 0
            ? PduVerdict.Accept
            : PduVerdict.Close("additional header segments in a Login Request");
    }

    // §4.3: only Text Requests with SendTargets and a Logout Request "close the session"; "All other requests
    // MUST be rejected."
    private static PduVerdict JudgeDiscovery(BasicHeaderSegment header) => header.Opcode switch
    {
        Opcode.TextRequest => JudgeText(header),
        Opcode.LogoutRequest => WithoutDataAndAhs(header),
        Opcode.LoginRequest => PduVerdict.Reject(RejectReason.ProtocolError, "Login Request after the login phase"),
        _ => PduVerdict.Reject(RejectReason.CommandNotSupported, "not allowed in a discovery session"),
    };

    private static PduVerdict JudgeFullFeature(BasicHeaderSegment header, in PduBounds bounds)
    {
        switch (header.Opcode)
        {
            case Opcode.ScsiCommand:
                return JudgeScsiCommand(header, bounds);
            case Opcode.DataOut:
                return WithoutAhs(header);
            case Opcode.NopOut:
                return JudgeNopOut(header);
            case Opcode.TextRequest:
                return JudgeText(header);
            case Opcode.TaskManagementFunctionRequest:
            case Opcode.LogoutRequest:
                return WithoutDataAndAhs(header);
            case Opcode.SnackRequest:
                // §11.16: at ErrorRecoveryLevel 0 there is nothing to send again.
                return PduVerdict.Reject(RejectReason.SnackReject, "SNACK at ErrorRecoveryLevel 0");
            case Opcode.LoginRequest:
                return PduVerdict.Reject(RejectReason.ProtocolError, "Login Request after the login phase");
            case >= Opcode.NopIn:
                return PduVerdict.Reject(RejectReason.ProtocolError, "a target's opcode from an initiator");
            default:
                return PduVerdict.Reject(RejectReason.CommandNotSupported, "unknown opcode");
        }
    }

    private static PduVerdict JudgeScsiCommand(BasicHeaderSegment header, in PduBounds bounds)
    {
        var command = new ScsiCommandPdu(header.Bytes);
        if (command.TotalAhsLengthBytes > AhsLengthMax)
            return Invalid("more additional header segments than any command can have");
        if (command.Attribute > TaskAttributeCode.Aca)
            return Invalid("reserved task attribute");

        // §11.3.1: "Setting both the W and the F bit to 0 is an error"; without a direction there is no transfer.
        if (!command.Write && !command.Final)
            return Invalid("F=0 without W: a command that sends no data has no data to follow");
        if (!command.Write && !command.Read && command.ExpectedDataTransferLength != 0)
            return Invalid("Expected Data Transfer Length without R or W");
        if (command.DataSegmentLength == 0 && command.Final) return PduVerdict.Accept;

        return JudgeUnsolicitedData(command, bounds);
    }

    private static PduVerdict JudgeUnsolicitedData(ScsiCommandPdu command, in PduBounds bounds)
    {
        var length = (uint)command.DataSegmentLength;
        if (length != 0)
        {
            if (!command.Write)
                return Invalid("immediate data without W");
            if (length > command.ExpectedDataTransferLength)
                return Invalid("more immediate data than Expected Data Transfer Length");
            if (!bounds.ImmediateData)
                return Unexpected("immediate data although ImmediateData=No");
            if (length > (uint)bounds.FirstBurstLength)
                return Unexpected("immediate data beyond FirstBurstLength");
        }
        return !command.Final && bounds.InitialR2T
            ? Unexpected("unsolicited data announced although InitialR2T=Yes")
            : PduVerdict.Accept;
    }

    private static PduVerdict JudgeNopOut(BasicHeaderSegment header)
    {
        // §11.18.1: without an Initiator Task Tag the NOP-Out must be immediate, else its CmdSN is never answered.
        if (header.InitiatorTaskTag == BasicHeaderSegment.ReservedTag && !header.Immediate)
            return Invalid("NOP-Out without Initiator Task Tag and not immediate");
        return WithoutAhs(header);
    }

    private static PduVerdict JudgeText(BasicHeaderSegment header)
    {
        var text = new TextRequestPdu(header.Bytes);
        // §11.10.2: "A Text Request with the C bit set to 1 MUST have the F bit set to 0."
        return text is { Final: true, Continue: true }
            ? PduVerdict.Reject(RejectReason.ProtocolError, "Text Request with both F and C")
            : WithoutAhs(header);
    }

    private static PduVerdict WithoutAhs(BasicHeaderSegment header) => header.TotalAhsLengthBytes == 0
        ? PduVerdict.Accept
        : Invalid("additional header segments outside a SCSI Command");

    private static PduVerdict WithoutDataAndAhs(BasicHeaderSegment header) => header.DataSegmentLength == 0
        ? WithoutAhs(header)
        : Invalid("a data segment where none is defined");

    private static PduVerdict Invalid(string why) => PduVerdict.Reject(RejectReason.InvalidPduField, why);

    private static PduVerdict Unexpected(string why) =>
        new(PduVerdictKind.UnexpectedUnsolicitedData, default, why);
}
