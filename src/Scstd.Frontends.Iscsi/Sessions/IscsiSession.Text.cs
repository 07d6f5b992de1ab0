using Scstd.Frontends.Iscsi.Connections;
using Scstd.Frontends.Iscsi.Login;
using Scstd.Frontends.Iscsi.Pdus;

namespace Scstd.Frontends.Iscsi.Sessions;

/// <summary>Text Requests in full feature phase, and Asynchronous Messages.</summary>
internal sealed partial class IscsiSession
{
    private TextExchange? _text;

    /// <summary>The target wants the session to end: the initiator gets so long to log out by itself
    /// (§11.9.1).</summary>
    public void RequestLogout(int timeoutSeconds)
    {
        if (!IsOpen)
            return;
        nint slot = _sender.TakeSlot();
        AsyncMessagePdu.WriteTo(PduSender.HeaderOf(slot), AsyncEvent.TargetRequestsLogout,
            parameter3: (ushort)Math.Clamp(timeoutSeconds, 0, ushort.MaxValue));
        _sender.SendHeader(slot);
        History.Add(SessionMove.LogoutRequested, number: (ulong)Math.Max(0, timeoutSeconds));
    }

    /// <summary>Tells that all connections of the session will be dropped, and drops its only one (§11.9.1). A session
    /// that has not begun yet is refused instead.</summary>
    /// <param name="insteadOfLogin">The status that such a session is refused with.</param>
    /// <param name="why">For the log.</param>
    public void Drop(LoginStatus insteadOfLogin, string why)
    {
        if (State == SessionState.Admitting)
            _connection.TakeBackAdmission(insteadOfLogin);
        if (!IsOpen)
            return;
        nint slot = _sender.TakeSlot();
        AsyncMessagePdu.WriteTo(PduSender.HeaderOf(slot), AsyncEvent.DropAllConnections,
            parameter2: (ushort)Parameters.DefaultTime2Wait);
        _connection.WillEnd(why);
        _sender.SendHeader(slot, isLast: true);
        End();
    }

    private unsafe void TextReceived(ReadOnlySpan<byte> header, nint lease, int leaseBytes)
    {
        var request = new TextRequestPdu(header);
        _text ??= new TextExchange(_identity.SessionType, _identity.TargetName,
            Parameters.InitiatorMaxRecvDataSegmentLength,
            name => _connection.Portal.LookUp(_identity, _connection.Stream.LocalEndPoint, name));
        if (!request.Immediate)
            Window.RequestEnded();
        // A question of a hundred bytes may have an answer of a megabyte, and one receive may bring many.
        if (_sender.IsBehind)
        {
            ReturnLease(lease, leaseBytes);
            Reject(header, RejectReason.LongOperationReject);
            return;
        }
        TextReply reply = _text.Receive(
            request, new ReadOnlySpan<byte>((void*)lease, leaseBytes), _lastTransferTag = NextTransferTag());
        ReturnLease(lease, leaseBytes);
        _sender.DataSegmentLengthMax = _text.InitiatorMaxRecvDataSegmentLength;
        if (reply.Reject is { } reason)
        {
            Reject(header, reason);
            return;
        }
        SendText(header, reply);
    }

    private unsafe void SendText(ReadOnlySpan<byte> header, TextReply reply)
    {
        int lengthBytes = reply.Data.Length;
        nint lease = 0;
        if (lengthBytes > 0)
        {
            if (!_home.Executor.Buffers.TryLease(lengthBytes, out lease))
            {
                Reject(header, RejectReason.LongOperationReject);
                return;
            }
            reply.Data.Span.CopyTo(new Span<byte>((void*)lease, lengthBytes));
        }
        nint slot = _sender.TakeSlot();
        reply.WriteHeader(PduSender.HeaderOf(slot));
        _sender.Send(new OutgoingPdu
        {
            Slot = slot,
            StatSn = StatSnUse.Advances,
            Lease = lease,
            LeaseBytes = lengthBytes,
        });
    }
}
