using Scstd.Frontends.Iscsi.Pdus;

namespace Scstd.Frontends.Iscsi.Login;

/// <summary>One Text Response, or the reason to reject the request.</summary>
public sealed record TextReply
{
    /// <summary>Null for a Text Response; otherwise answer the request with Reject.</summary>
    public RejectReason? Reject { get; init; }

    /// <summary>For the log, with a Reject.</summary>
    public string Why { get; init; } = "";

    public bool Final { get; init; }

    public bool Continue { get; init; }

    public uint InitiatorTaskTag { get; init; }

    public uint TargetTransferTag { get; init; } = BasicHeaderSegment.ReservedTag;

    public ulong Lun { get; init; }

    /// <summary>The data segment, without padding.</summary>
    public ReadOnlyMemory<byte> Data { get; init; }

    public void WriteHeader(Span<byte> header) => TextResponsePdu.WriteTo(
        header, InitiatorTaskTag, TargetTransferTag, Data.Length, Final, Continue, Lun);
}

/// <summary>
/// Text Requests in full feature phase (RFC 7143 §11.10 and §11.11): one exchange at a time, of any number of PDUs both
/// ways, bounded. Answers SendTargets, takes a new MaxRecvDataSegmentLength, and refuses the rest by the book.
/// </summary>
public sealed class TextExchange
{
    private readonly SessionType _sessionType;
    private readonly string? _ownTargetName;
    private readonly TargetLookup _lookup;
    private readonly TextAssembly _text = new();
    private ReadOnlyMemory<byte> _pending;
    private uint _initiatorTaskTag;
    private uint _targetTransferTag = BasicHeaderSegment.ReservedTag;

    /// <param name="sessionType">What SendTargets may ask depends on it.</param>
    /// <param name="ownTargetName">The session's target; null in a discovery session.</param>
    /// <param name="initiatorMaxRecvDataSegmentLength">As negotiated at login.</param>
    /// <param name="lookup">What this initiator may see.</param>
    public TextExchange(
        SessionType sessionType, string? ownTargetName, int initiatorMaxRecvDataSegmentLength, TargetLookup lookup)
    {
        _sessionType = sessionType;
        _ownTargetName = ownTargetName;
        _lookup = lookup;
        InitiatorMaxRecvDataSegmentLength = initiatorMaxRecvDataSegmentLength;
    }

    /// <summary>Changes when the initiator declares another one in full feature phase (§13.12, Use: ALL).</summary>
    public int InitiatorMaxRecvDataSegmentLength { get; private set; }

    /// <summary>An exchange is under way: its next request will carry our Target Transfer Tag.</summary>
    public bool Open => _targetTransferTag != BasicHeaderSegment.ReservedTag;

    /// <summary>Takes one Text Request and gives what answers it.</summary>
    /// <param name="request">Its header, already judged by <see cref="PduRules"/>.</param>
    /// <param name="dataSegment">Without padding.</param>
    /// <param name="freshTargetTransferTag">The tag to use if the exchange has to go on; not the reserved one.</param>
    public TextReply Receive(TextRequestPdu request, ReadOnlySpan<byte> dataSegment, uint freshTargetTransferTag)
    {
        if (Begin(request) is { } refused) return refused;
        if (!_pending.IsEmpty)
        {
            // §6.2: what answers a C bit is a request without text.
            if (!dataSegment.IsEmpty || request.Continue)
                return Refuse(RejectReason.ProtocolError, "text although ours is not finished");
            return Emit(request, freshTargetTransferTag);
        }
        if (!_text.TryAppend(dataSegment)) return Refuse(RejectReason.ProtocolError, "text longer than allowed");
        if (request.Continue) return Ask(request, freshTargetTransferTag);
        if (_text.Take(out var pairs) is { } malformed) return Refuse(RejectReason.ProtocolError, malformed);

        var answers = new List<TextPair>();
        if (Answer(pairs, answers) is { } fault) return Refuse(RejectReason.ProtocolError, fault);
        var encoded = TextPair.Encode(answers);
        _pending = encoded.Length <= LoginLimits.SendTargetsLengthMax
            ? encoded
            : TextPair.Encode([new TextPair(SendTargets.Key, Login.Answer.Reject)]);
        return Emit(request, freshTargetTransferTag);
    }

    // §11.10.4: with the reserved tag a request begins anew and what was under way is forgotten; any other tag must
    // be the one we gave, in the exchange we gave it for.
    private TextReply? Begin(TextRequestPdu request)
    {
        if (request.TargetTransferTag == BasicHeaderSegment.ReservedTag)
        {
            Reset();
            _initiatorTaskTag = request.InitiatorTaskTag;
            return null;
        }
        return request.TargetTransferTag == _targetTransferTag && request.InitiatorTaskTag == _initiatorTaskTag
            ? null
            : Refuse(RejectReason.InvalidPduField, "Target Transfer Tag of no exchange under way");
    }

    private string? Answer(List<TextPair> pairs, List<TextPair> answers)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (key, value) in pairs)
        {
            if (!seen.Add(key)) return "key sent twice";
            var row = KeyTable.Find(key);
            if (key == SendTargets.Key)
                SendTargets.Answer(value, _sessionType, _ownTargetName, _lookup, answers);
            else if (row is null)
                answers.Add(new TextPair(key, Login.Answer.NotUnderstood));
            else if ((row.Use & KeyUse.FullFeature) == 0 || (row.Sender & KeySender.Initiator) == 0)
                answers.Add(new TextPair(key, Login.Answer.Reject));
            else if (key == "MaxRecvDataSegmentLength" && !TryDeclare(row, value))
                return "MaxRecvDataSegmentLength out of range";
        }
        return null;
    }

    private bool TryDeclare(KeyRow row, string value)
    {
        if (!TextValue.TryNumber(value, out var length)) return false;
        if (length < (ulong)row.Minimum || length > (ulong)row.Maximum) return false;
        InitiatorMaxRecvDataSegmentLength = (int)length;
        return true;
    }

    private TextReply Emit(TextRequestPdu request, uint freshTargetTransferTag)
    {
        var more = _pending.Length > InitiatorMaxRecvDataSegmentLength;
        var piece = more ? _pending[..InitiatorMaxRecvDataSegmentLength] : _pending;
        _pending = _pending[piece.Length..];

        // F=1 answers F=1 once nothing is left to say (§11.11.1).
        var final = !more && request.Final;
        return Respond(request, final, more, piece, freshTargetTransferTag);
    }

    /// <summary>Asks for the rest of a text: an empty response that keeps the exchange open.</summary>
    private TextReply Ask(TextRequestPdu request, uint freshTargetTransferTag) =>
        Respond(request, final: false, more: false, default, freshTargetTransferTag);

    private TextReply Respond(
        TextRequestPdu request, bool final, bool more, ReadOnlyMemory<byte> data, uint freshTargetTransferTag)
    {
        _targetTransferTag = final ? BasicHeaderSegment.ReservedTag : freshTargetTransferTag;
        return new TextReply
        {
            Final = final,
            Continue = more,
            InitiatorTaskTag = request.InitiatorTaskTag,
            TargetTransferTag = _targetTransferTag,
            Lun = request.Lun,
            Data = data,
        };
    }

    private TextReply Refuse(RejectReason reason, string why)
    {
        Reset();
        return new TextReply { Reject = reason, Why = why };
    }

    private void Reset()
    {
        _text.Clear();
        _pending = default;
        _targetTransferTag = BasicHeaderSegment.ReservedTag;
    }
}
