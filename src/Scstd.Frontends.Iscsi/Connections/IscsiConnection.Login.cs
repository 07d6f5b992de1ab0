using Scstd.Frontends.Iscsi.Login;
using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Frontends.Iscsi.Sessions;

namespace Scstd.Frontends.Iscsi.Connections;

/// <summary>
/// The login phase (RFC 7143 §6.3). The exchange decides what is answered; the connection carries its PDUs, and between
/// the last request and the last response waits until the session may be: a reinstated one only when nothing of its
/// predecessor can act any more.
/// </summary>
internal sealed unsafe partial class IscsiConnection
{
    private readonly PortalPolicy _policy;
    private readonly LoginExchange _exchange;

    /// <summary>Counts this session, which may not be there yet.</summary>
    private IscsiReactor? _placedAt;

    /// <summary>Where it was placed it has not arrived yet.</summary>
    private bool _isExpected;

    private CommandWindow? _loginWindow;
    private LoginReply? _lastReply;
    private IscsiSession? _candidate;

    /// <summary>With a refusal, which was counted then, or a redirection, which is no failure.</summary>
    private bool _isLoginAnswered;

    private void LoginRequestArrived(ReadOnlySpan<byte> header)
    {
        if (_lastReply is not null)
        {
            Fail("a request before the final Login Response");
            return;
        }
        if (Sender.InFlightCount >= IscsiLimits.LoginResponsesMax)
            Fail("Login Requests without reading the responses");
        else if (_payloadBytes == 0)
            AnswerLogin(header, default);
        else
            CollectLoginText(header);
    }

    private void LoginRequestCollected(nint lease, int lengthBytes)
    {
        try
        {
            AnswerLogin(_keptHeader, new ReadOnlySpan<byte>((void*)lease, lengthBytes));
        }
        finally
        {
            _home.Headers.ReturnText(lease);
        }
    }

    private void AnswerLogin(ReadOnlySpan<byte> header, ReadOnlySpan<byte> text)
    {
        var request = new LoginRequestPdu(header);
        if (_loginWindow is null)
        {
            // §11.13.4: any StatSN will do to begin with; the initiator's own expectation surprises nobody.
            _loginWindow = new CommandWindow(request.CmdSn, depth: 1);
            Sender.Window = _loginWindow;
            Sender.StatSn = request.ExpStatSn;
            Cid = request.Cid;
        }
        LoginReply reply = _exchange.Receive(request, text);
        if (reply.Transit)
            History.Add(SessionMove.LoginPhase, (int)reply.CurrentStage, (int)reply.NextStage);
        switch (reply.Outcome)
        {
            case LoginOutcome.Continue:
                SendLoginReply(reply, reply.Tsih);
                break;
            case LoginOutcome.Failed:
                Refuse(reply);
                break;
            default:
                CompleteLogin(reply);
                break;
        }
    }

    private void CompleteLogin(LoginReply reply)
    {
        _lastReply = reply;
        if (_exchange.Identity!.TargetName is null)
        {
            BeginSession(reply);
            return;
        }
        _placedAt = _portal.Place(_home);
        _isExpected = true;
        if (ReferenceEquals(_placedAt, _home))
        {
            Arrived();
            BeginSession(reply);
        }
        else
        {
            _stream.Detach(Move);
        }
    }

    private void Arrived()
    {
        if (!_isExpected)
            return;
        _isExpected = false;
        _placedAt!.SessionArrived(_stream.Reactor.NowMs);
    }

    private void BeginSession(LoginReply reply)
    {
        LoginIdentity identity = _exchange.Identity!;
        LoginStatus status = _portal.CreateSession(
            this, _policy, identity, _exchange.Parameters, out IscsiSession? session);
        if (session is null)
        {
            Refuse(_exchange.Refuse(status, "no session for this initiator now"));
            return;
        }
        _candidate = session;
        if (session.TryAdmit(() => _home.Reactor.Post(Admitted)))
        {
            History.Add(SessionMove.LoginAccepted,
                text: session.HasReturned ? "the initiator port was here before, nothing of it may act" : null);
            return;
        }
        _candidate = null;
        Refuse(_exchange.Refuse(LoginStatus.OutOfResources, "the target has its most sessions"));
    }

    /// <summary>The login had succeeded, but before its session could begin the target ended.</summary>
    public void TakeBackAdmission(LoginStatus status)
    {
        if (!_isClosing)
            Refuse(_exchange.Refuse(status, "the target ended before the session began"));
    }

    /// <summary>The session may be: nothing of a predecessor can act any more. That may have taken long, so the target
    /// is asked for again.</summary>
    private void Admitted()
    {
        IscsiSession session = _candidate!;
        _candidate = null;
        if (_isClosing)
        {
            session.Abandon();
            return;
        }
        LoginStatus status = _portal.Confirm(session);
        if (status != LoginStatus.Success)
        {
            session.Abandon();
            TakeBackAdmission(status);
            return;
        }
        NegotiatedParameters agreed = session.Parameters;
        session.Open();
        // §6.3: digests and lengths hold from the PDU behind this response on.
        SendLoginReply(_lastReply!, session.Tsih);
        _session = session;
        EnterFullFeaturePhase(agreed, session);
    }

    private void EnterFullFeaturePhase(NegotiatedParameters agreed, IscsiSession session)
    {
        AdoptParameters(agreed, session);
        ArmWatch(session, _stream.Reactor.NowMs);
        History.Add(SessionMove.FullFeaturePhase, number: session.Tsih);
        _home.Events.SessionOpened(_stream.RemoteEndPoint, session.Description);
    }

    private void AdoptParameters(NegotiatedParameters agreed, IscsiSession session)
    {
        _hasHeaderDigests = agreed.HeaderDigest == Digest.Crc32c;
        _hasDataDigests = agreed.DataDigest == Digest.Crc32c;
        Sender.HeaderDigest = _hasHeaderDigests;
        Sender.DataDigest = _hasDataDigests;
        Sender.DataSegmentLengthMax = agreed.InitiatorMaxRecvDataSegmentLength;
        Sender.MaxBurstLength = agreed.MaxBurstLength;
        _bounds = new PduBounds(
            session.IsDiscovery ? ConnectionPhase.Discovery : ConnectionPhase.FullFeature,
            agreed.TargetMaxRecvDataSegmentLength, agreed.ImmediateData, agreed.InitialR2T, agreed.FirstBurstLength);
    }

    private void Refuse(LoginReply reply)
    {
        bool isRedirected =
            reply.Status is LoginStatus.TargetMovedTemporarily or LoginStatus.TargetMovedPermanently;
        _isLoginAnswered = true;
        if (!isRedirected)
        {
            Counters.LoginFailures++;
            _portal.LoginFailed();
        }
        History.Add(SessionMove.LoginRefused, (int)reply.Status, text: reply.Why);
        _home.Events.LoginRefused(_stream.RemoteEndPoint, _exchange.GivenInitiatorName, _exchange.GivenTargetName,
            reply.Status, reply.Why);
        SendLoginReply(reply, reply.Tsih, isLast: true);
        BeginClosing($"login refused: {reply.Status}");
    }

    private void SendLoginReply(LoginReply reply, ushort tsih, bool isLast = false)
    {
        nint slot = Sender.TakeSlot();
        reply.WriteHeader(PduSender.HeaderOf(slot), tsih);
        nint lease = 0;
        if (!reply.Data.IsEmpty)
        {
            lease = _home.Headers.TakeText();
            reply.Data.Span.CopyTo(new Span<byte>((void*)lease, reply.Data.Length));
        }
        Sender.Send(new OutgoingPdu
        {
            Slot = slot,
            StatSn = StatSnUse.Advances,
            Lease = lease,
            LeaseBytes = reply.Data.Length,
            IsLoginText = lease != 0,
            IsLast = isLast,
        });
    }
}
