using Scstd.Core;
using Scstd.Frontends.Iscsi.Connections;
using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Scsi;

namespace Scstd.Frontends.Iscsi.Sessions;

/// <summary>SCSI commands: from the PDU to the mid-layer, and from the mid-layer to the answer.</summary>
internal sealed partial class IscsiSession : ITargetPort
{
    private readonly Dictionary<uint, IscsiCommand> _tasks = new(256);
    private readonly Stack<IscsiCommand> _pool = new();
    private int _commandsOut;
    private int _immediateCommands;
    private uint _immediateSerial;
    private uint _immediateAtCmdSn;

    /// <summary>Commands between their arrival and the moment when nothing of them is needed any more.</summary>
    public int CommandsOut => _commandsOut;

    /// <summary>Nothing is under way that could take too long.</summary>
    public bool IsIdle =>
        _commandsOut == 0 && _tasks.Count == 0 && Window.HeldCount == 0 && _waitingFunctions.Count == 0;

    /// <summary>A data digest is computed when the PDU is queued, before it is sent.</summary>
    public bool CopiesWhatIsLent => _connection.Sender.DataDigest;

    // ---- Arrival -----------------------------------------------------------------------------------------------

    private void CommandReceived(ReadOnlySpan<byte> header, in PduVerdict verdict, CommandArrival arrival)
    {
        var request = new ScsiCommandPdu(header);
        if (!AdditionalHeaderSegments.TryParse(header[BasicHeaderSegment.Length..], out var additional))
        {
            _connection.Fail("malformed additional header segments");
            return;
        }
        if (Refuses(request) is { } reason)
        {
            RejectRequest(header, reason);
            return;
        }
        IscsiCommand command = Begin(request, additional);
        if (verdict.Kind == PduVerdictKind.UnexpectedUnsolicitedData)
            command.DataOut.Fail(DataOutTransfer.UnexpectedUnsolicitedData);
        if (arrival == CommandArrival.Early)
        {
            Hold(command, request, header);
            return;
        }
        if (!request.Immediate)
            Window.Advance();
        Place(command, request);
        Deliver(command);
        if (Window.HeldCount > 0 || _waitingFunctions.Count > 0)
            DeliverHeld();
    }

    private RejectReason? Refuses(ScsiCommandPdu request)
    {
        if (request.InitiatorTaskTag == BasicHeaderSegment.ReservedTag)
            return RejectReason.InvalidPduField;
        if (_tasks.ContainsKey(request.InitiatorTaskTag))
            return RejectReason.TaskInProgress;
        return request.Immediate && _immediateCommands >= IscsiLimits.ImmediateCommandsMax
            ? RejectReason.ImmediateCommandReject : null;
    }

    /// <summary>Takes a command from the pool and fills in what the PDU says.</summary>
    private IscsiCommand Begin(ScsiCommandPdu request, AdditionalHeaderSegments additional)
    {
        if (!_pool.TryPop(out IscsiCommand? command))
            command = new IscsiCommand(this);
        bool bidirectional = request is { Read: true, Write: true };
        command.Begin(request.InitiatorTaskTag, request.Immediate, bidirectional);
        command.Lun = new Lun(request.Lun);
        command.Attribute = AttributeOf(request.Attribute);
        command.Sequence = SequenceOf(request.CmdSn, request.Immediate);
        uint expected = request.ExpectedDataTransferLength;
        command.ExpectedDataOutBytes = request.Write ? expected : 0;
        command.ExpectedDataInBytes = bidirectional
            ? additional.BidirectionalReadExpectedDataTransferLength : request.Read ? expected : 0;
        SetCdb(command, request, additional);
        command.DataOut.Begin((uint)request.DataSegmentLength, request.Write && !request.Final,
            Math.Min((uint)Parameters.FirstBurstLength, expected));
        command.DataOutMovedMs = _home.Executor.NowMs;
        _tasks.Add(request.InitiatorTaskTag, command);
        _commandsOut++;
        if (request.Immediate)
            _immediateCommands++;
        _home.Counters.Commands++;
        Counters.Commands++;
        return command;
    }

    private static void SetCdb(IscsiCommand command, ScsiCommandPdu request, AdditionalHeaderSegments additional)
    {
        if (additional.ExtendedCdb.IsEmpty)
        {
            command.SetCdb(request.Cdb);
            return;
        }
        Span<byte> cdb = stackalloc byte[ScsiCommand.MaxCdbLengthBytes];
        request.Cdb.CopyTo(cdb);
        additional.ExtendedCdb.CopyTo(cdb[AdditionalHeaderSegments.CdbBytesInHeader..]);
        command.SetCdb(cdb[..(AdditionalHeaderSegments.CdbBytesInHeader + additional.ExtendedCdb.Length)]);
    }

    /// <summary>SAM-5 §8.6.1: what has no attribute is SIMPLE.</summary>
    private static TaskAttribute AttributeOf(TaskAttributeCode code) => code switch
    {
        TaskAttributeCode.Ordered => TaskAttribute.Ordered,
        TaskAttributeCode.HeadOfQueue => TaskAttribute.HeadOfQueue,
        TaskAttributeCode.Aca => TaskAttribute.Aca,
        _ => TaskAttribute.Simple,
    };

    /// <summary>
    /// The order that task management goes by (§11.5.1): CmdSN first. Immediate requests come before the numbered one
    /// whose CmdSN they carry without using it up, among themselves as they arrive.
    /// </summary>
    private ulong SequenceOf(uint cmdSn, bool immediate)
    {
        ulong sequence = Window.Extend(cmdSn) << SequenceShift;
        if (!immediate)
            return sequence | SequenceLast;
        if (_immediateAtCmdSn != cmdSn)
            _immediateSerial = 0;
        _immediateAtCmdSn = cmdSn;
        return sequence | Math.Min(++_immediateSerial, SequenceLast - 1);
    }

    private const int SequenceShift = 16;
    private const uint SequenceLast = 0xFFFF;

    private void Place(IscsiCommand command, ScsiCommandPdu request)
    {
        if (request.DataSegmentLength > 0)
            _connection.Place(command, 0, isFinal: false, isImmediate: true);
    }

    /// <summary>Older commands are missing. Its data, which will come all the same, gets a buffer of its own.</summary>
    private void Hold(IscsiCommand command, ScsiCommandPdu request, ReadOnlySpan<byte> header)
    {
        uint early = Math.Min((uint)Parameters.FirstBurstLength, command.ExpectedDataOutBytes);
        bool fits = early <= IscsiLimits.HeldBytesMax - _heldBytes;
        if (command.DataOut.AwaitsInitiator && early > 0
            && (!fits || !command.EarlyData.TryLease(_home.Executor.Buffers, (int)early)))
        {
            Forget(command);
            RejectRequest(header, RejectReason.LongOperationReject);
            return;
        }
        command.IsHeld = true;
        _heldBytes += command.EarlyData.LengthBytes;
        Window.Hold(request.CmdSn, command);
        Place(command, request);
    }

    private void Deliver(IscsiCommand command)
    {
        command.IsHeld = false;
        _heldBytes -= command.EarlyData.LengthBytes;
        _nexus!.CommandReceived(command);
    }

    // ---- The mid-layer's orders ----------------------------------------------------------------------------------

    /// <summary>What the initiator has announced to send and still owes holds the status back (§11.4.2), and with it
    /// all that could be sent ahead.</summary>
    public void SendDataIn(ScsiCommand reading)
    {
        var command = (IscsiCommand)reading;
        if (!command.DataOut.AwaitsInitiator)
            _sender.SendDataIn(command);
    }

    public void SendCommandComplete(ScsiCommand ended)
    {
        var command = (IscsiCommand)ended;
        command.IsReceivingDataOut = false;
        if (command.DataOut.AwaitsInitiator && IsOpen)
            command.IsStatusHeld = true;
        else
            _sender.SendCommand(command);
    }

    public void CommandAborted(ScsiCommand aborted)
    {
        var command = (IscsiCommand)aborted;
        _connection.StopPlacing(command);
        bool wasShut = Window.IsShut;
        EndTask(command);
        FinishOnceSent(command);
        if (wasShut && !Window.IsShut)
            TellWindow();
    }

    /// <summary>The window is the session's only means to slow an initiator down (§4.2.2.1). It shrinks as requests end
    /// and grows at once.</summary>
    public void AllowCommands(int most)
    {
        // It is asked again for what is allowed when the window opens again.
        if (_goal is not null)
            return;
        bool wasLimited = Window.Allowed < Window.Depth;
        bool isLimited = most < Window.Depth;
        if (isLimited != wasLimited)
            History.Add(SessionMove.WindowLimited, number: isLimited ? (ulong)most : 0);
        if (Window.Allow(most))
            TellWindow();
    }

    /// <summary>§11.4.11: when MaxCmdSN moves and no PDU is there to tell it, "it MUST generate a NOP-In".</summary>
    private void TellWindow()
    {
        if (!IsOpen)
            return;
        nint slot = _sender.TakeSlot();
        NopInPdu.WritePing(PduSender.HeaderOf(slot), BasicHeaderSegment.ReservedTag);
        _sender.SendHeader(slot, StatSnUse.Shows);
    }

    // ---- The way out ---------------------------------------------------------------------------------------------

    /// <summary>The status goes on the stream's queue, behind this call: the tag is the initiator's again, and so is a
    /// place in the window, which the same PDU tells it.</summary>
    public void StatusQueued(IscsiCommand command)
    {
        command.IsAnswered = true;
        EndTask(command);
    }

    public void AnswerSent(IscsiCommand command) => Finish(command);

    public void AnswerDropped(IscsiCommand command)
    {
        EndTask(command);
        FinishOnceSent(command);
    }

    /// <summary>The stream may be reading from its buffer still.</summary>
    private void FinishOnceSent(IscsiCommand command)
    {
        if (command.EarlyPartsOut == 0)
            Finish(command);
        else
            _sender.Forget(command);
    }

    private void EndTask(IscsiCommand command)
    {
        if (!_tasks.Remove(command.InitiatorTaskTag))
            return;
        if (command.IsImmediate)
            _immediateCommands--;
        else
            Window.RequestEnded();
    }

    private void Finish(IscsiCommand command)
    {
        _home.Counters.DataInBytes += (ulong)command.DataInSentBytes;
        Counters.DataInBytes += (ulong)command.DataInSentBytes;
        command.EarlyData.Return();
        command.Release();
        _commandsOut--;
        _pool.Push(command);
        TryFinish();
    }

    /// <summary>It never reached the mid-layer.</summary>
    private void Forget(IscsiCommand command)
    {
        _tasks.Remove(command.InitiatorTaskTag);
        command.IsHeld = false;
        _heldBytes -= command.EarlyData.LengthBytes;
        command.EarlyData.Return();
        _commandsOut--;
        if (command.IsImmediate)
            _immediateCommands--;
        _pool.Push(command);
    }

    /// <summary>The session ends: what the mid-layer does not have (any more) is ended here.</summary>
    private void DropUndelivered()
    {
        foreach (IscsiCommand command in _tasks.Values.ToArray())
        {
            if (!command.IsHeld && !command.IsStatusHeld)
                continue;
            _connection.StopPlacing(command);
            if (command.IsHeld)
            {
                Forget(command);
                continue;
            }
            EndTask(command);
            FinishOnceSent(command);
        }
    }
}
