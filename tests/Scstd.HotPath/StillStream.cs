using System.Net;
using Scstd.Core;
using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Linux;
using Scstd.Scsi;

namespace Scstd.HotPath;

/// <summary>
/// Takes what a connection queues apart into PDUs and looks at their headers alone: that each status is GOOD, and what
/// the R2Ts ask for. It keeps no byte of it.
/// </summary>
public sealed class StillStream(Reactor reactor) : StreamConnection
{
    private readonly Queue<WantedData> _wanted = new(64);
    private long _unsentBytes;
    private int _leftBytes;

    public override Reactor Reactor => reactor;

    public override IPEndPoint LocalEndPoint { get; } = new(IPAddress.Loopback, 3260);

    public override IPEndPoint RemoteEndPoint { get; } = new(IPAddress.Loopback, 49152);

    public override long UnsentBytes => _unsentBytes;

    public bool IsClosing { get; private set; }

    public bool HasDigests { get; set; }

    /// <summary>Responses to login requests, without an error.</summary>
    public int LoginsAnswered { get; private set; }

    /// <summary>Commands that ended, with GOOD.</summary>
    public long Answered { get; private set; }

    /// <summary>Commands that ended with the unit attention that a new nexus meets.</summary>
    public int Attentions { get; private set; }

    public override void Start()
    {
    }

    public override void PauseReceive()
    {
    }

    public override void ResumeReceive()
    {
    }

    public override unsafe void Queue(nint address, int lengthBytes)
    {
        _unsentBytes += lengthBytes;
        while (lengthBytes > 0)
        {
            if (_leftBytes == 0)
            {
                var header = new ReadOnlySpan<byte>((void*)address, BasicHeaderSegment.Length);
                _leftBytes = new BasicHeaderSegment(header).WireLength(HasDigests, HasDigests);
                Read(header);
            }
            int part = Math.Min(_leftBytes, lengthBytes);
            _leftBytes -= part;
            address += part;
            lengthBytes -= part;
        }
    }

    public override void Detach(Action<SocketHandle> detached, Func<bool>? mayLeave = null) =>
        throw new NotSupportedException();

    public override void Close(bool afterSending = false, int timeoutMs = 2000) => IsClosing = true;

    public long TakeUnsent()
    {
        long unsent = _unsentBytes;
        _unsentBytes = 0;
        return unsent;
    }

    internal bool TryTakeWanted(out WantedData wanted) => _wanted.TryDequeue(out wanted);

    private void Read(ReadOnlySpan<byte> header)
    {
        switch (new BasicHeaderSegment(header).Opcode)
        {
            case Opcode.LoginResponse:
                LoginStatus status = new LoginResponsePdu(header).Status;
                Invariant.That(status == LoginStatus.Success, "the login succeeds");
                LoginsAnswered++;
                break;
            case Opcode.ReadyToTransfer:
                var request = new R2TPdu(header);
                _wanted.Enqueue(new WantedData(request.InitiatorTaskTag, request.TargetTransferTag,
                    request.BufferOffset, request.DesiredDataTransferLength));
                break;
            case Opcode.DataIn when !new DataInPdu(header).HasStatus:
                break;
            case Opcode.ScsiResponse when header[3] == (byte)ScsiStatus.CheckCondition && Answered == 0:
                Attentions++;
                break;
            case Opcode.DataIn or Opcode.ScsiResponse:
                Invariant.That(header[3] == (byte)ScsiStatus.Good, "every command ends with GOOD");
                Answered++;
                break;
            default:
                Invariant.That(false, "nothing else is sent");
                break;
        }
    }
}

/// <summary>What an R2T asks for.</summary>
internal readonly record struct WantedData(uint TaskTag, uint TransferTag, uint OffsetBytes, uint LengthBytes);
