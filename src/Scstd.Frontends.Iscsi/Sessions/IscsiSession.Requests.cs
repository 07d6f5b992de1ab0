using Scstd.Core;
using Scstd.Frontends.Iscsi.Connections;
using Scstd.Frontends.Iscsi.Pdus;

namespace Scstd.Frontends.Iscsi.Sessions;

/// <summary>A request that waits for older ones; its data, if any, in a lease of its own.</summary>
internal sealed record HeldRequest(byte[] Header, nint Lease, int LeaseBytes);

/// <summary>
/// Requests, as their headers arrive: the command window first (RFC 7143 §4.2.2.1), then each by its kind. A request
/// that is not immediate takes its CmdSN with it, also when it is rejected.
/// </summary>
internal sealed partial class IscsiSession
{
    private bool _isDelivering;
    private int _heldBytes;
    private uint _missingCmdSn;
    private long? _missingSinceMs;

    /// <summary>A header, with its additional segments, before its data segment. Where the data segment goes is told to
    /// the connection from inside; by default it goes nowhere.</summary>
    public void RequestReceived(ReadOnlySpan<byte> header, in PduVerdict verdict)
    {
        if (!IsOpen)
            return;
        var segment = new BasicHeaderSegment(header);
        if (segment.Opcode == Opcode.DataOut && verdict.Accepted)
        {
            DataOutReceived(header);
            return;
        }
        CommandArrival arrival = IsNumbered(segment) ? Window.Judge(segment.CmdSn) : CommandArrival.Next;
        if (arrival == CommandArrival.Ignored)
        {
            _home.Counters.RequestsIgnored++;
            return;
        }
        if (verdict.Kind == PduVerdictKind.Reject)
        {
            RejectRequest(header, verdict.Reason);
        }
        else if (segment.Opcode == Opcode.ScsiCommand)
        {
            CommandReceived(header, verdict, arrival);
        }
        else if (segment.DataSegmentLength == 0)
        {
            RequestCollected(header, 0, 0);
        }
        else if (!_connection.TryCollect(header))
        {
            RejectRequest(header, RejectReason.LongOperationReject);
        }
    }

    /// <summary>
    /// Whether requests have waited for the same older one since before this time. With one connection, which keeps the
    /// order, and without retries (ErrorRecoveryLevel 0) it will not come any more. To be asked now and then.
    /// </summary>
    public bool HasLastingGap(long nowMs, int timeoutMs)
    {
        if (Window.HeldCount == 0 && _waitingFunctions.Count == 0)
        {
            _missingSinceMs = null;
            return false;
        }
        if (_missingSinceMs is { } since && _missingCmdSn == Window.ExpCmdSn)
            return nowMs - since >= timeoutMs;
        _missingCmdSn = Window.ExpCmdSn;
        _missingSinceMs = nowMs;
        return false;
    }

    /// <summary>A request other than a SCSI Command is whole. The lease, if any, is ours now.</summary>
    public void RequestCollected(ReadOnlySpan<byte> header, nint lease, int leaseBytes)
    {
        var segment = new BasicHeaderSegment(header);
        if (!IsOpen)
        {
            ReturnLease(lease, leaseBytes);
        }
        else if (!IsNumbered(segment))
        {
            Execute(header, lease, leaseBytes);
        }
        else if (segment.CmdSn != Window.ExpCmdSn)
        {
            if (_heldBytes + leaseBytes > IscsiLimits.HeldBytesMax)
            {
                ReturnLease(lease, leaseBytes);
                RejectRequest(header, RejectReason.LongOperationReject);
                return;
            }
            _heldBytes += leaseBytes;
            byte[] copy = header[..BasicHeaderSegment.Length].ToArray();
            Window.Hold(segment.CmdSn, new HeldRequest(copy, lease, leaseBytes));
        }
        else
        {
            Window.Advance();
            Execute(header, lease, leaseBytes);
            DeliverHeld();
        }
    }

    /// <summary>
    /// A request whose data segment has a wrong digest is answered and discarded (§7.8). That leaves a gap in the
    /// CmdSNs which only a retry could fill, and ErrorRecoveryLevel 0 knows none: the session ends.
    /// </summary>
    public void CollectedWrongly(ReadOnlySpan<byte> header)
    {
        if (IsOpen)
            EndWithReject(header, RejectReason.DataDigestError);
    }

    /// <summary>Whether the request has a CmdSN of its own: it is not immediate, and its kind has one.</summary>
    private static bool IsNumbered(BasicHeaderSegment header) =>
        !header.Immediate && header.Opcode is not (Opcode.DataOut or Opcode.SnackRequest);

    /// <summary>Rejects a request before it was begun. Its CmdSN, if it has one, was used all the same.</summary>
    private void RejectRequest(ReadOnlySpan<byte> header, RejectReason reason)
    {
        var segment = new BasicHeaderSegment(header);
        bool isNumbered = IsNumbered(segment);
        if (isNumbered && segment.CmdSn != Window.ExpCmdSn)
        {
            Window.Plug(segment.CmdSn);
            isNumbered = false;
        }
        if (isNumbered)
        {
            Window.Advance();
            Window.RequestEnded();
        }
        Reject(header, reason);
        if (isNumbered)
            DeliverHeld();
    }

    /// <summary>A gap may have closed: what waited behind it goes on, in order.</summary>
    /// <remarks>What is delivered may be a function that closes the next gap: then the loop that is under way goes on,
    /// and the depth of calls is not the peer's to choose.</remarks>
    private void DeliverHeld()
    {
        if (_isDelivering)
            return;
        _isDelivering = true;
        while (IsOpen && Window.TakeHeld() is { } request)
        {
            if (request is IscsiCommand command)
            {
                Deliver(command);
                continue;
            }
            var held = (HeldRequest)request;
            _heldBytes -= held.LeaseBytes;
            Execute(held.Header, held.Lease, held.LeaseBytes);
        }
        _isDelivering = false;
        if (_waitingFunctions.Count > 0)
            ExecuteWaitingFunctions();
    }

    private void Execute(ReadOnlySpan<byte> header, nint lease, int leaseBytes)
    {
        switch (new BasicHeaderSegment(header).Opcode)
        {
            case Opcode.NopOut:
                NopOutReceived(new NopOutPdu(header), lease, leaseBytes);
                break;
            case Opcode.TextRequest:
                TextReceived(header, lease, leaseBytes);
                break;
            case Opcode.TaskManagementFunctionRequest:
                TaskManagementReceived(header);
                break;
            case Opcode.LogoutRequest:
                LogoutReceived(new LogoutRequestPdu(header));
                break;
            default:
                Invariant.That(false, "only known requests are accepted");
                break;
        }
    }

    private void NopOutReceived(NopOutPdu request, nint lease, int leaseBytes)
    {
        if (request.InitiatorTaskTag == BasicHeaderSegment.ReservedTag)
        {
            ReturnLease(lease, leaseBytes);
            _connection.PingAnswered(request.TargetTransferTag);
            return;
        }
        if (!request.Immediate)
            Window.RequestEnded();
        // §11.19.1: the ping's data comes back, as far as the initiator can take it in one PDU.
        int echoBytes = Math.Min(leaseBytes, _sender.DataSegmentLengthMax);
        nint slot = _sender.TakeSlot();
        NopInPdu.WriteAnswer(PduSender.HeaderOf(slot), request.InitiatorTaskTag, echoBytes);
        _sender.Send(new OutgoingPdu
        {
            Slot = slot,
            StatSn = StatSnUse.Advances,
            Lease = lease,
            LeaseBytes = leaseBytes,
        });
    }

    private void LogoutReceived(LogoutRequestPdu request)
    {
        if (!request.Immediate)
            Window.RequestEnded();
        History.Add(SessionMove.LogoutReceived, (int)request.Reason, tag: request.InitiatorTaskTag);
        switch (request.Reason)
        {
            case LogoutReason.CloseSession:
            case LogoutReason.CloseConnection when request.Cid == _connection.Cid:
                // With its only connection the session ends. The answer comes when nothing of it can act any more.
                _logoutTag = request.InitiatorTaskTag;
                _connection.WillEnd("logged out");
                End();
                break;
            case LogoutReason.CloseConnection:
                SendLogoutResponse(request.InitiatorTaskTag, LogoutResponseCode.CidNotFound);
                break;
            default:
                SendLogoutResponse(request.InitiatorTaskTag, LogoutResponseCode.ConnectionRecoveryNotSupported);
                break;
        }
    }

    private void SendLogoutResponse(uint initiatorTaskTag, LogoutResponseCode response, bool isLast = false)
    {
        nint slot = _sender.TakeSlot();
        LogoutResponsePdu.WriteTo(PduSender.HeaderOf(slot), initiatorTaskTag, response);
        History.Add(SessionMove.LogoutAnswered, (int)response, tag: initiatorTaskTag);
        _sender.SendHeader(slot, isLast: isLast);
    }

    /// <summary>§11.17: the reason, and the header as it came.</summary>
    private void Reject(ReadOnlySpan<byte> header, RejectReason reason, bool isLast = false)
    {
        _home.Counters.Rejects++;
        Counters.Rejects++;
        var rejected = new BasicHeaderSegment(header);
        History.Add(SessionMove.Rejected, (int)reason, (int)rejected.Opcode, rejected.InitiatorTaskTag);
        nint slot = _sender.TakeSlot(large: true);
        Span<byte> data = PduSender.InlineDataOf(slot);
        ReadOnlySpan<byte> returned = header[..Math.Min(header.Length, data.Length)];
        returned.CopyTo(data);
        RejectPdu.WriteTo(PduSender.HeaderOf(slot), reason, returned.Length);
        _sender.SendHeader(slot, isLast: isLast, large: true);
    }

    /// <summary>The peer is told why, and the session ends.</summary>
    private void EndWithReject(ReadOnlySpan<byte> header, RejectReason reason)
    {
        _connection.WillEnd($"rejected: {reason}");
        Reject(header, reason, isLast: true);
        End();
    }

    private void DropAllHeld()
    {
        foreach (object request in Window.TakeAllHeld())
        {
            if (request is HeldRequest held)
                ReturnLease(held.Lease, held.LeaseBytes);
        }
        _waitingFunctions.Clear();
        DropUndelivered();
    }

    private void ReturnLease(nint lease, int leaseBytes)
    {
        if (lease != 0)
            _home.Executor.Buffers.Return(lease, leaseBytes);
    }
}
