using Scstd.Core;

namespace Scstd.Frontends.Iscsi.Sessions;

/// <summary>A SCSI command of an iSCSI session. Pooled by its session; all of it is for the session's
/// reactor.</summary>
internal sealed class IscsiCommand(IscsiSession session) : ScsiCommand
{
    public IscsiSession Session { get; } = session;

    public uint InitiatorTaskTag { get; private set; }

    public bool IsImmediate { get; private set; }

    public bool IsBidirectional { get; private set; }

    /// <summary>The Data-Out side: what the initiator still owes us, and where it goes.</summary>
    public DataOutTransfer DataOut { get; } = new();

    /// <summary>Data-Out that came before the command could be delivered, because older commands are missing.</summary>
    public DataBuffer EarlyData { get; } = new();

    /// <summary>When the initiator last ended a sequence of data for it, or was asked for one.</summary>
    public long DataOutMovedMs { get; set; }

    /// <summary>Waits in the command window for older commands; the mid-layer does not know it yet.</summary>
    public bool IsHeld { get; set; }

    /// <summary>The mid-layer has asked for the Data-Out and not had its answer.</summary>
    public bool IsReceivingDataOut { get; set; }

    /// <summary>It was aborted while the stream had its buffer: the answer waits for the stream.</summary>
    public bool IsTerminating { get; set; }

    /// <summary>Ended, but the initiator has announced data that is still to come; §11.4.2: "the target MUST wait
    /// until it receives a Data PDU with the F bit set" before the response.</summary>
    public bool IsStatusHeld { get; set; }

    /// <summary>Its status is on the stream's queue.</summary>
    public bool IsAnswered { get; set; }

    // ---- Data-In as far as it was made --------------------------------------------------------------------------

    /// <summary>DataSN of the next Data-In and R2TSN of the next R2T: they share one count (§11.8.2).</summary>
    public uint DataSn { get; set; }

    public int DataInSentBytes { get; set; }

    public int BurstLeftBytes { get; set; }

    public int SegmentIndex { get; set; }

    public int SegmentOffsetBytes { get; set; }

    /// <summary>Data-In that was sent ahead of the command's end and is still with the sender: each PDU, and the place
    /// in its queue.</summary>
    public int EarlyPartsOut { get; set; }

    /// <summary>It stands in the sender's queue with Data-In ahead of its end.</summary>
    public bool IsQueuedEarly { get; set; }

    /// <summary>It gets no answer (any more), and is released when the sender has let go of it.</summary>
    public bool IsForgotten { get; set; }

    /// <summary>Of its Data-In, what may be sent now.</summary>
    public int DataInToSendBytes => HasEnded ? DataInLengthBytes : DataInReadyBytes;

    public bool HasEnded => State == CommandState.Ended;

    /// <summary>From the pool, for a new request.</summary>
    public void Begin(uint initiatorTaskTag, bool isImmediate, bool isBidirectional)
    {
        Invariant.That(EarlyPartsOut == 0 && !IsQueuedEarly, "a command comes back while its Data-In is being sent");
        InitiatorTaskTag = initiatorTaskTag;
        Tag = initiatorTaskTag;
        IsImmediate = isImmediate;
        IsBidirectional = isBidirectional;
        IsHeld = IsReceivingDataOut = IsTerminating = IsStatusHeld = IsAnswered = false;
        IsForgotten = false;
        DataSn = 0;
        DataInSentBytes = BurstLeftBytes = SegmentIndex = SegmentOffsetBytes = 0;
    }
}
