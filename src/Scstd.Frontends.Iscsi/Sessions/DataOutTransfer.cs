using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Scsi;

namespace Scstd.Frontends.Iscsi.Sessions;

/// <summary>What becomes of a Data-Out PDU's data.</summary>
internal enum DataOutVerdict : byte
{
    /// <summary>It goes to its place in the command's buffer.</summary>
    Place,

    /// <summary>It was announced, but nobody wants it (any more).</summary>
    Drop,

    /// <summary>No sequence that is open allows this PDU.</summary>
    NotExpected,
}

/// <summary>An R2T to be sent.</summary>
internal readonly record struct ReadyToTransfer(uint TargetTransferTag, uint OffsetBytes, uint LengthBytes);

/// <summary>
/// The Data-Out of one command, as a state machine over the headers of its PDUs (RFC 7143 §4.2.5, §11.7, §11.8):
/// immediate data, at most one unsolicited sequence, then bursts that R2Ts ask for. DataPDUInOrder and
/// DataSequenceInOrder are always Yes with us, so one offset tells how far it has come.
/// </summary>
/// <remarks>A violation fails the command with the sense data of §11.4.7.2, but only when the initiator has finished
/// every sequence it was asked for: "the target MUST wait" (§7.8).</remarks>
internal sealed class DataOutTransfer
{
    private const byte DataPhaseCode = 0x0C;

    /// <summary>§11.4.7.2, all with ABORTED COMMAND.</summary>
    public static readonly SenseData UnexpectedUnsolicitedData =
        new(SenseKey.AbortedCommand, new AdditionalSense(DataPhaseCode, 0x0C));

    public static readonly SenseData IncorrectAmountOfData =
        new(SenseKey.AbortedCommand, new AdditionalSense(DataPhaseCode, 0x0D));

    public static readonly SenseData ProtocolServiceCrcError =
        new(SenseKey.AbortedCommand, new AdditionalSense(0x47, 0x05));

    private readonly Sequence[] _outstanding = new Sequence[IscsiLimits.OutstandingR2TMax];
    private int _outstandingCount;
    private Sequence _unsolicited;
    private bool _unsolicitedOpen;
    private bool _immediateArriving;
    private bool _isSolicitedPdu;
    private int _sequenceIndex;
    private uint _lengthBytes;
    private uint _nextBytes;
    private uint _nextR2TBytes;
    private bool _soliciting;

    /// <summary>Why the command will fail, or null.</summary>
    public SenseData? Fault { get; private set; }

    /// <summary>Bytes received in order from the beginning.</summary>
    public uint ReceivedBytes => _nextBytes;

    /// <summary>The initiator has announced, or was asked for, data that has not come.</summary>
    public bool AwaitsInitiator => _immediateArriving || _unsolicitedOpen || _outstandingCount > 0;

    public int OutstandingR2Ts => _outstandingCount;

    /// <param name="immediateBytes">Data segment of the SCSI Command.</param>
    /// <param name="unsolicitedFollows">The command had F=0.</param>
    /// <param name="unsolicitedLimitBytes">Immediate and unsolicited together: the lesser of FirstBurstLength and the
    /// Expected Data Transfer Length.</param>
    public void Begin(uint immediateBytes, bool unsolicitedFollows, uint unsolicitedLimitBytes)
    {
        Fault = null;
        _outstandingCount = 0;
        _unsolicitedOpen = unsolicitedFollows;
        _immediateArriving = immediateBytes > 0;
        _unsolicited = new Sequence { NextBytes = immediateBytes, EndBytes = unsolicitedLimitBytes };
        _lengthBytes = 0;
        _nextBytes = 0;
        _nextR2TBytes = 0;
        _soliciting = false;
        _sequenceIndex = -1;
    }

    public void ImmediateDataEnded(uint lengthBytes)
    {
        _immediateArriving = false;
        _nextBytes += lengthBytes;
    }

    /// <summary>The mid-layer wants so many bytes.</summary>
    public void Want(uint lengthBytes) => _lengthBytes = lengthBytes;

    /// <summary>The first fault counts.</summary>
    public void Fail(in SenseData sense) => Fault ??= sense;

    /// <summary>Everything that is wanted is there, or cannot come any more.</summary>
    public bool IsComplete => !AwaitsInitiator && (Fault is not null || _nextBytes >= _lengthBytes);

    public DataOutVerdict Judge(DataOutPdu pdu)
    {
        ref Sequence sequence = ref _unsolicited;
        _isSolicitedPdu = !pdu.Unsolicited;
        if (_isSolicitedPdu)
        {
            _sequenceIndex = Find(pdu.TargetTransferTag);
            if (_sequenceIndex < 0)
                return DataOutVerdict.NotExpected;
            sequence = ref _outstanding[_sequenceIndex];
            // DataSequenceInOrder=Yes: the oldest R2T is answered first.
            if (_sequenceIndex > 0)
                Fail(ProtocolServiceCrcError);
        }
        else if (!_unsolicitedOpen)
        {
            return DataOutVerdict.NotExpected;
        }
        JudgeSequence(pdu, ref sequence);
        return Fault is null ? DataOutVerdict.Place : DataOutVerdict.Drop;
    }

    /// <summary>All data of the PDU that was judged last has come.</summary>
    public void PduEnded(uint lengthBytes, bool final)
    {
        _nextBytes += lengthBytes;
        if (!final)
            return;
        if (!_isSolicitedPdu)
        {
            _unsolicitedOpen = false;
            return;
        }
        _outstandingCount--;
        for (int i = _sequenceIndex; i < _outstandingCount; i++)
            _outstanding[i] = _outstanding[i + 1];
    }

    /// <summary>The next burst to ask for, while fewer than <paramref name="maxOutstanding"/> are.</summary>
    public bool TryAsk(uint targetTransferTag, int maxOutstanding, uint maxBurstBytes, out ReadyToTransfer r2T)
    {
        r2T = default;
        if (Fault is not null || _immediateArriving || _unsolicitedOpen)
            return false;
        if (!_soliciting)
        {
            _soliciting = true;
            _nextR2TBytes = _nextBytes;
        }
        if (_nextR2TBytes >= _lengthBytes || _outstandingCount >= Math.Min(maxOutstanding, _outstanding.Length))
            return false;
        uint burstBytes = Math.Min(maxBurstBytes, _lengthBytes - _nextR2TBytes);
        r2T = new ReadyToTransfer(targetTransferTag, _nextR2TBytes, burstBytes);
        _outstanding[_outstandingCount++] = new Sequence
        {
            TargetTransferTag = targetTransferTag,
            NextBytes = _nextR2TBytes,
            EndBytes = _nextR2TBytes + burstBytes,
        };
        _nextR2TBytes += burstBytes;
        return true;
    }

    private void JudgeSequence(DataOutPdu pdu, ref Sequence sequence)
    {
        // §11.7.5: DataSN counts the PDUs of a sequence from 0. A gap is a lost PDU, treated as one with a bad digest
        // (§7.9).
        if (pdu.DataSn != sequence.DataSn || pdu.BufferOffset != sequence.NextBytes)
            Fail(ProtocolServiceCrcError);
        sequence.DataSn++;
        ulong endBytes = (ulong)sequence.NextBytes + (uint)pdu.DataSegmentLength;
        bool tooMuch = endBytes > sequence.EndBytes;
        // An R2T is answered with exactly what it asked for; unsolicited data may be less than its limit.
        bool tooLittle = pdu.Final && _isSolicitedPdu && endBytes < sequence.EndBytes;
        if (tooMuch || tooLittle)
            Fail(IncorrectAmountOfData);
        sequence.NextBytes = (uint)Math.Min(endBytes, uint.MaxValue);
    }

    private int Find(uint targetTransferTag)
    {
        for (int i = 0; i < _outstandingCount; i++)
        {
            if (_outstanding[i].TargetTransferTag == targetTransferTag)
                return i;
        }
        return -1;
    }

    private struct Sequence
    {
        public uint TargetTransferTag;
        public uint NextBytes;
        public uint EndBytes;
        public uint DataSn;
    }
}
