using Scstd.Frontends.Iscsi.Pdus;

namespace Scstd.Frontends.Iscsi.Login;

/// <summary>
/// One login from the first Login Request to full feature phase or refusal (RFC 7143 §6.3), as a function from request
/// to reply: no socket, no clock, no thread. Time-outs are the connection's.
/// </summary>
/*  each request:   count and compare it with the first one
                    pending text of ours?  yes: the next piece of it
                    collect its text       C=1: ask for more
                    take the keys          first step: who is it, may it come in
                    stage                  SecurityNegotiation (.Security) or LoginOperationalNegotiation (.Operational)
                    answer                 T=1 if the initiator asks and the stage has all it needs               */
public sealed partial class LoginExchange
{
    private enum State
    {
        /// <summary>Nothing is known of the peer.</summary>
        Unidentified,

        SecurityNegotiation,
        LoginOperationalNegotiation,
        Complete,
        Failed,
    }

    private readonly ILoginPolicy _policy;
    private readonly Action<Span<byte>> _fillRandom;
    private readonly ChapChallengeLedger _ledger;
    private readonly TextAssembly _text = new();
    private readonly List<TextPair> _answers = [];
    private State _state;
    private int _requests;
    private FirstRequest? _first;
    private LoginStage _stage;
    private LoginStage _requestStage;
    private LoginIdentity? _identity;
    private LoginAdmission? _admission;
    private ReadOnlyMemory<byte> _pending;

    /// <param name="policy">The portal the connection came in at.</param>
    /// <param name="fillRandom">Cryptographic randomness, or a test's stand-in.</param>
    /// <param name="ledger">Shared by all logins of the process.</param>
    public LoginExchange(ILoginPolicy policy, Action<Span<byte>> fillRandom, ChapChallengeLedger ledger)
    {
        _policy = policy;
        _fillRandom = fillRandom;
        _ledger = ledger;
    }

    /// <summary>Known once the first step is complete; with the user name once the login is.</summary>
    public LoginIdentity? Identity => _identity;

    /// <summary>What was agreed; only after <see cref="LoginOutcome.Complete"/>.</summary>
    public NegotiatedParameters Parameters => _state == State.Complete
        ? Negotiator.Result()
        : throw new InvalidOperationException("the login is not complete");

    /// <summary>What the first request said and all others must repeat (§6.3, §11.12).</summary>
    private sealed record FirstRequest(
        Isid Isid, ushort Tsih, ushort Cid, uint InitiatorTaskTag, uint CmdSn, byte VersionMin, byte VersionMax);

    /// <summary>Takes one Login Request and its data segment (without padding) and gives the response to it.</summary>
    public LoginReply Receive(LoginRequestPdu request, ReadOnlySpan<byte> dataSegment)
    {
        if (_state is State.Complete or State.Failed)
            throw new InvalidOperationException("the login is over");
        _answers.Clear();
        var fault = Step(request, dataSegment, out var whole);
        if (fault is not null) return Fail(request, fault);
        if (!whole) return Reply(request, transit: false, ReadOnlyMemory<byte>.Empty, more: false);
        return Emit(request);
    }

    /// <summary>
    /// Ends the login with a status from outside: the session could not be made (0302), the service goes down (0301),
    /// another PDU than a Login Request came (020B), time is up.
    /// </summary>
    public LoginReply Refuse(LoginStatus status, string why)
    {
        _state = State.Failed;
        return new LoginReply
        {
            Outcome = LoginOutcome.Failed,
            Status = status,
            Why = why,
            CurrentStage = _requestStage,
            Isid = _first?.Isid ?? default,
            Tsih = _first?.Tsih ?? 0,
            InitiatorTaskTag = _first?.InitiatorTaskTag ?? BasicHeaderSegment.ReservedTag,
            CmdSn = _first?.CmdSn ?? 0,
        };
    }

    /// <summary>All of a step but the reply; whole is false while the initiator's text goes on.</summary>
    private LoginFault? Step(LoginRequestPdu request, ReadOnlySpan<byte> dataSegment, out bool whole)
    {
        whole = false;
        _requestStage = request.CurrentStage;
        if (++_requests > LoginLimits.LoginRequestsMax) return LoginFault.Initiator("too many Login Requests");
        if (JudgeFlags(request) is { } illegal) return illegal;
        if (CompareWithFirst(request) is { } changed) return changed;
        if (!_pending.IsEmpty)
        {
            // §6.2: what answers a C bit is a request without text.
            if (!dataSegment.IsEmpty || request.Continue)
                return LoginFault.Initiator("text although ours is not finished");
            whole = true;
            return null;
        }
        if (!_text.TryAppend(dataSegment)) return LoginFault.Initiator("login text longer than allowed");
        if (request.Continue) return null;
        whole = true;
        if (_text.Take(out var pairs) is { } malformed) return LoginFault.Initiator(malformed);
        if (_state == State.Unidentified && Identify(request, pairs) is { } refused) return refused;
        var fault = ReceiveKeys(request, pairs);
        if (fault is null) _pending = TextPair.Encode(_answers);
        return fault;
    }

    private LoginFault? ReceiveKeys(LoginRequestPdu request, List<TextPair> pairs)
    {
        if (RepeatIdentity(pairs) is { } changed) return changed;
        return _state == State.SecurityNegotiation
            ? ReceiveSecurity(pairs)
            : ReceiveOperational(pairs, request.Transit);
    }

    private LoginFault? JudgeFlags(LoginRequestPdu request)
    {
        if (request.VersionMin > LoginRequestPdu.Version)
            return new LoginFault(LoginStatus.UnsupportedVersion, "Version-min above ours");
        if (request is { Transit: true, Continue: true }) return LoginFault.Initiator("both T and C");
        if (request.CurrentStage is not (LoginStage.SecurityNegotiation or LoginStage.LoginOperationalNegotiation))
            return LoginFault.Initiator("reserved CSG, or full feature phase as CSG");
        if (!request.Transit) return null;
        if (request.NextStage is not (LoginStage.LoginOperationalNegotiation or LoginStage.FullFeaturePhase)
            || request.NextStage <= request.CurrentStage)
            return LoginFault.Initiator("NSG that does not come after CSG");
        return null;
    }

    private LoginFault? CompareWithFirst(LoginRequestPdu request)
    {
        var now = new FirstRequest(request.Isid, request.Tsih, request.Cid, request.InitiatorTaskTag, request.CmdSn,
            request.VersionMin, request.VersionMax);
        if (_first is null)
        {
            _first = now;
            _stage = request.CurrentStage;
            return null;
        }
        if (now != _first) return LoginFault.Initiator("ISID, TSIH, CID, ITT, CmdSN or version changed in mid-login");
        return request.CurrentStage == _stage ? null : LoginFault.Initiator("CSG is not the stage we are in");
    }

    /// <summary>Sends the next piece of our text; with the last one the stage may end.</summary>
    private LoginReply Emit(LoginRequestPdu request)
    {
        var more = _pending.Length > LoginLimits.LoginDataSegmentLengthMax;
        var piece = more ? _pending[..LoginLimits.LoginDataSegmentLengthMax] : _pending;
        _pending = _pending[piece.Length..];
        if (more || !request.Transit) return Reply(request, transit: false, piece, more);

        var fault = TryTransit(request, out var next);
        if (fault is not null) return Fail(request, fault);
        if (next is not { } stage) return Reply(request, transit: false, piece, more: false);
        var reply = Reply(request, transit: true, piece, more: false) with
        {
            NextStage = stage,
            Outcome = stage == LoginStage.FullFeaturePhase ? LoginOutcome.Complete : LoginOutcome.Continue,
        };
        _stage = stage;
        _state = stage == LoginStage.FullFeaturePhase ? State.Complete : State.LoginOperationalNegotiation;
        return reply;
    }

    /// <summary>The stage the login may go to now; null to stay.</summary>
    private LoginFault? TryTransit(LoginRequestPdu request, out LoginStage? next)
    {
        next = null;
        if (_state == State.SecurityNegotiation)
        {
            if (SecurityPending(out var fault)) return fault;
        }
        else if (OperationalPending(out var fault))
        {
            return fault;
        }
        var wanted = request.NextStage;
        // The response's NSG may be lower than the one asked for (§6.3); we need the operational stage when a default
        // of the standard is not good enough for us.
        if (wanted == LoginStage.FullFeaturePhase && _state == State.SecurityNegotiation && Negotiator.NeedsOffers)
            wanted = LoginStage.LoginOperationalNegotiation;
        if (_state == State.SecurityNegotiation && AdmitConnection() is { } refused) return refused;
        next = wanted;
        return null;
    }

    /// <summary>A connection that wants to join a session is let in only after it has proved who it is.</summary>
    private LoginFault? AdmitConnection()
    {
        _identity = _identity! with { UserName = _chap?.UserName };
        if (_identity.Tsih == 0) return null;
        var status = _policy.AdmitConnection(_identity);
        return status == LoginStatus.Success ? null : new LoginFault(status, "cannot join the session it names");
    }

    private LoginReply Reply(LoginRequestPdu request, bool transit, ReadOnlyMemory<byte> data, bool more) => new()
    {
        Outcome = LoginOutcome.Continue,
        Transit = transit,
        Continue = more,
        CurrentStage = request.CurrentStage,
        Isid = request.Isid,
        Tsih = request.Tsih,
        InitiatorTaskTag = request.InitiatorTaskTag,
        CmdSn = request.CmdSn,
        Data = data,
    };

    private LoginReply Fail(LoginRequestPdu request, LoginFault fault)
    {
        _state = State.Failed;
        ReadOnlyMemory<byte> data = default;
        if (_admission?.TargetAddress is { } address)
            data = TextPair.Encode([new TextPair("TargetAddress", address)]);
        return Reply(request, transit: false, data, more: false) with
        {
            Outcome = LoginOutcome.Failed,
            Status = fault.Status,
            Why = fault.Why,
        };
    }
}
