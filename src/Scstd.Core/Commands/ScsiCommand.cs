using System.Runtime.CompilerServices;
using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>
/// SAM-5 §5.1: one command, from its arrival to its release. Pooled by its frontend, which may derive from it.
/// Everything here is touched by the nexus' executor alone.
/// </summary>
public class ScsiCommand
{
    /// <summary>SPC-4 §4.3.3: a variable length CDB has at most 260 bytes.</summary>
    public const int MaxCdbLengthBytes = 260;

    private CdbBytes _cdb;
    private byte[]? _longCdb;
    private CommandState _state;

    // ---- Filled in by the frontend before CommandReceived -------------------------------------------------------

    public Lun Lun { get; set; }

    /// <summary>The transport's tag, unique among the nexus' commands (SAM-5 §4.8).</summary>
    public ulong Tag { get; set; }

    /// <summary>Order of arrival in the nexus (iSCSI: CmdSN, made monotonic), so that a task management function covers
    /// only what is older.</summary>
    public ulong Sequence { get; set; }

    public TaskAttribute Attribute { get; set; }

    /// <summary>The initiator's Data-In Buffer Size.</summary>
    public uint ExpectedDataInBytes { get; set; }

    /// <summary>The initiator's Data-Out Buffer Size.</summary>
    public uint ExpectedDataOutBytes { get; set; }

    public int CdbLengthBytes { get; private set; }

    public ReadOnlySpan<byte> Cdb => _longCdb is { } bytes && CdbLengthBytes > CdbBytes.Length
        ? bytes.AsSpan(0, CdbLengthBytes)
        : ((ReadOnlySpan<byte>)_cdb)[..CdbLengthBytes];

    // ---- Known to all ------------------------------------------------------------------------------------------

    public ItNexus Nexus { get; internal set; } = null!;

    /// <summary>Null for a command to a LUN without a unit.</summary>
    public ItlNexus? ItlNexus { get; internal set; }

    public LogicalUnit Unit => ItlNexus!.Unit;

    public CommandBinding Binding { get; internal set; } = null!;

    /// <summary>Every move of it is seen by the watch of its turnstile.</summary>
    public CommandState State
    {
        get => _state;
        internal set
        {
            CommandState from = _state;
            _state = value;
            ItlNexus?.Turnstile.Watch.Moved(this, from, value);
        }
    }

    /// <summary>What the CDB asks to transfer, in bytes, whatever the initiator expects.</summary>
    public long RequestedBytes { get; internal set; }

    /// <summary>Data-Out as received, or Data-In to be sent.</summary>
    public DataBuffer Data { get; } = new();

    /// <summary>Room for a copy of the Data-In that a store has lent
    /// (<see cref="ITargetPort.CopiesWhatIsLent"/>).</summary>
    public DataBuffer CopyOfLent { get; } = new();

    /// <summary>Of <see cref="Data"/>, what goes to the initiator; never above its expectation once ended.</summary>
    public int DataInLengthBytes { get; set; }

    /// <summary>Of <see cref="Data"/>, what could be sent before the command has ended.</summary>
    public int DataInReadyBytes { get; private set; }

    public ScsiStatus Status { get; private set; }

    /// <summary>With CHECK CONDITION.</summary>
    public SenseData Sense { get; private set; }

    /// <summary>RESIDUAL COUNT, SAM-5 §5.4: computed from CDB and data, never trusted from the initiator.</summary>
    public uint ResidualBytes { get; internal set; }

    /// <summary>The residual is what did not fit (overflow), not what was missing (underflow).</summary>
    public bool IsOverflow { get; internal set; }

    /// <summary>A task management function or the loss of the nexus covers it.</summary>
    public bool IsAborted { get; internal set; }

    /// <summary>For the backend while the command is enabled.</summary>
    public object? BackendState { get; set; }

    // ---- The mid-layer's own -----------------------------------------------------------------------------------

    internal ScsiCommand? NextInNexus;
    internal ScsiCommand? PreviousInNexus;
    internal ScsiCommand? NextWaiting;
    internal ScsiCommand? PreviousWaiting;
    internal CommandQueue? WaitsIn;
    internal bool IsAdmitted;
    internal bool HasData;
    internal Holding Holds;
    internal bool HoldsExclusion;
    internal bool IsOverloaded;
    internal SenseData? Refusal;
    internal GateRequest? GateRequest;
    internal bool ReportsTaskAborted;
    internal bool ReportsUnitAttention;

    /// <summary>It reports a unit attention condition, which is pending until its turn comes.</summary>
    internal bool AwaitsReport;
    internal AbortWait? AbortWaits;
    internal long ReceivedUs;
    internal long StateSinceUs;
    internal byte SizeClass;

    /// <summary>How long it was in each of its states, in microseconds; without the present stay.</summary>
    internal CommandStays Stays;
    internal byte OperationCode;
    internal IKeeper? Keeper;
    internal RegulationStage Passed;

    /// <summary>Tells one stay with a keeper from the next, of whatever command this object then is.</summary>
    internal object? Visit;

    internal InjectedFault? SlowedBy;

    /// <summary>Enabled, but the device server has not got it yet.</summary>
    internal bool IsPostponed;

    /// <summary>Answered with this instead of being executed; GOOD: it is not.</summary>
    internal ScsiStatus RefusalStatus;

    /// <summary>Executed although an ACA condition is in effect.</summary>
    internal bool PassesAca;

    /// <summary>It ends with CHECK CONDITION, and what that does to the others waits for its turn.</summary>
    internal FaultRequest? Fault;

    /// <summary>Its turn has come: what it does to the others is being done.</summary>
    internal bool IsFaultGranted;

    /// <summary>The task set of its nexus that it came into (TST 001b).</summary>
    internal NexusTaskSet? OwnTaskSet;

    /// <summary>It is HEAD OF QUEUE, and others wait for it to leave.</summary>
    internal HeadsOfQueue? CountedAmong;

    /// <summary>NACA of the CONTROL byte.</summary>
    internal bool HasNaca =>
        Binding.Row.CdbLengthBytes > 1 ? Binding.Row.HasNaca(Cdb) : ControlByte.HasNaca(Cdb);

    /// <summary>Its blocks, asked for or held.</summary>
    internal RangeRequest? Range;
    internal bool HoldsRange;

    /// <summary>Stores a copy of the CDB; at most <see cref="MaxCdbLengthBytes"/>.</summary>
    public void SetCdb(ReadOnlySpan<byte> cdb)
    {
        CdbLengthBytes = cdb.Length;
        OperationCode = cdb.IsEmpty ? (byte)0 : cdb[0];
        if (cdb.Length <= CdbBytes.Length)
        {
            cdb.CopyTo(_cdb);
            return;
        }
        _longCdb ??= new byte[MaxCdbLengthBytes];
        cdb.CopyTo(_longCdb);
    }

    /// <summary>For the frontend: all Data-Out that was to come is in <see cref="Data"/>.</summary>
    public void DataOutReceived() => ItlNexus!.Turnstile.DataOutReceived(this);

    /// <summary>For the frontend: the Data-Out could not be received, and no more of it will come. The command ends
    /// with CHECK CONDITION instead of being executed.</summary>
    public void DataOutFailed(in SenseData sense) => ItlNexus!.Turnstile.DataOutFailed(this, sense);

    /// <summary>For the frontend: the buffer of an aborted command is not touched any more.</summary>
    public void DataTransferTerminated() => ItlNexus!.Turnstile.AbortedCommandLeft(this);

    /// <summary>For the frontend: the status will not be sent after all. A unit attention condition that it reports
    /// stays pending (SAM-5 §5.14: it is cleared by its report), and so does a deferred error.</summary>
    public void KeepConditions()
    {
        if (Status == ScsiStatus.CheckCondition && Sense.IsDeferred)
            Unit.Backend.NotTold(Nexus, Sense);
        if (!ReportsUnitAttention)
            return;
        ReportsUnitAttention = false;
        ItlNexus!.UnitAttentions.PutBack(Sense.Additional);
    }

    /// <summary>For the frontend: nothing of the command is needed any more.</summary>
    public void Release()
    {
        Invariant.That(State == CommandState.Ended, "a command is released once, after its end");
        Data.Return();
        CopyOfLent.Return();
        BackendState = null;
        State = CommandState.Released;
        Nexus.CommandReleased(this);
    }

    /// <summary>
    /// For a device server: SAM-5 §5.4.3.2 Send Data-In. The first <paramref name="lengthBytes"/> of <see cref="Data"/>
    /// are as they will be, and may be on their way to the initiator while the rest is still being read. Whatever the
    /// command's end will be, they were transferred.
    /// </summary>
    public void SendDataIn(int lengthBytes)
    {
        Invariant.That(State == CommandState.Enabled, "Data-In is sent while the command is enabled");
        int wantedBytes = (int)Math.Min((uint)lengthBytes, ExpectedDataInBytes);
        if (IsAborted || wantedBytes <= DataInReadyBytes)
            return;
        DataInReadyBytes = wantedBytes;
        Nexus.Port.SendDataIn(this);
    }

    // ---- For device servers: exactly one of these ends an enabled command ---------------------------------------

    /// <summary>GOOD, with <see cref="DataInLengthBytes"/> bytes of Data-In.</summary>
    public void Complete() => End(ScsiStatus.Good, default);

    /// <summary>A status without sense; no Data-In unless the status is GOOD or CONDITION MET.</summary>
    public void Complete(ScsiStatus status) => End(status, default);

    /// <summary>CHECK CONDITION. <see cref="DataInLengthBytes"/> may be kept by the caller if data is valid up to the
    /// error.</summary>
    public void CheckCondition(in SenseData sense) => End(ScsiStatus.CheckCondition, sense);

    /// <summary>GOOD with <paramref name="data"/> as Data-In, cut to the CDB's allocation length.</summary>
    public void CompleteWithData(ReadOnlySpan<byte> data)
    {
        int lengthBytes = (int)Math.Min(data.Length, RequestedBytes);
        if (lengthBytes > 0)
        {
            if (!Data.TryLease(Nexus.Executor.Buffers, lengthBytes))
            {
                CompleteOverloaded();
                return;
            }
            Data.CopyFrom(data[..lengthBytes], 0);
        }
        DataInLengthBytes = lengthBytes;
        Complete();
    }

    /// <summary>For a device server that has lent its Data-In: leases room for the copy, if the port wants one; on
    /// false the command has been completed.</summary>
    public bool TryLeaseCopy()
    {
        if (!Nexus.Port.CopiesWhatIsLent || CopyOfLent.TryLease(Nexus.Executor.Buffers, Data.LengthBytes))
            return true;
        CompleteOverloaded();
        return false;
    }

    /// <summary>Leases <paramref name="lengthBytes"/> of Data-In; on false the command has been completed.</summary>
    public bool TryLeaseDataIn(int lengthBytes)
    {
        if (lengthBytes == 0 || Data.TryLease(Nexus.Executor.Buffers, lengthBytes))
            return true;
        CompleteOverloaded();
        return false;
    }

    /// <summary>
    /// No memory, or a limit of commands: SAM-5 §5.3.1 has TASK SET FULL where the unit "has at least one command in
    /// the task set for an I_T nexus", whose end tells the initiator to go on, and BUSY where it has none. What counts
    /// is the I_T_L nexus, whatever the limit: to an initiator its commands to other units say nothing of this one.
    /// </summary>
    public void CompleteOverloaded() =>
        Complete(ItlNexus?.HasInTaskSetBeside(this) == true ? ScsiStatus.TaskSetFull : ScsiStatus.Busy);

    internal void SetOutcome(ScsiStatus status, in SenseData sense)
    {
        Status = status;
        Sense = sense;
    }

    internal void Reset(ItNexus nexus)
    {
        Nexus = nexus;
        ItlNexus = null;
        State = CommandState.Received;
        RequestedBytes = 0;
        DataInLengthBytes = 0;
        DataInReadyBytes = 0;
        ResidualBytes = 0;
        IsOverflow = false;
        IsAborted = false;
        IsAdmitted = false;
        HasData = false;
        Holds = Holding.None;
        HoldsExclusion = false;
        IsOverloaded = false;
        Refusal = null;
        GateRequest = null;
        ReportsTaskAborted = false;
        ReportsUnitAttention = false;
        AwaitsReport = false;
        RefusalStatus = ScsiStatus.Good;
        PassesAca = false;
        Fault = null;
        IsFaultGranted = false;
        OwnTaskSet = null;
        CountedAmong = null;
        Range = null;
        HoldsRange = false;
        Passed = RegulationStage.None;
        Visit = null;
        SlowedBy = null;
        Invariant.That(AbortWaits is null, "a command comes back with a function waiting for it");
    }

    private void End(ScsiStatus status, in SenseData sense)
    {
        Invariant.That(State == CommandState.Enabled, "a command is completed once, while it is enabled");
        SetOutcome(status, sense);
        if (ItlNexus is { } itl)
            itl.Turnstile.Completed(this);
        else
            Nexus.Finish(this);
    }

    [InlineArray((int)CommandState.Ended + 1)]
    internal struct CommandStays
    {
        private long _first;
    }

    [InlineArray(Length)]
    private struct CdbBytes
    {
        public const int Length = 32;
        private byte _first;
    }
}
