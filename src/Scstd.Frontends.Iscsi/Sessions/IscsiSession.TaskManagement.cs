using Scstd.Core;
using Scstd.Frontends.Iscsi.Connections;
using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Scsi;

namespace Scstd.Frontends.Iscsi.Sessions;

/// <summary>A task management function as this frontend received it.</summary>
internal sealed class IscsiTaskManagementRequest : TaskManagementRequest
{
    public required uint InitiatorTaskTag { get; init; }

    public required TaskManagementFunctionCode Code { get; init; }

    /// <summary>When it came.</summary>
    public required long ReceivedUs { get; init; }

    /// <summary>It has a CmdSN of its own.</summary>
    public required bool IsNumbered { get; init; }
}

/// <summary>
/// Task management (RFC 7143 §11.5, §11.6, §4.2.2.1). A function covers only commands that are older by CmdSN. An
/// immediate one may overtake some of them; those that act on more than one task then wait until these have come.
/// </summary>
internal sealed partial class IscsiSession
{
    // RFC 7144 §4.3: functions from QUERY TASK on need iSCSIProtocolLevel 2.
    private const int ProtocolLevelOfQueries = 2;

    private readonly List<byte[]> _waitingFunctions = [];
    private int _functionsOut;

    public void TaskManagementFunctionExecuted(TaskManagementRequest executed)
    {
        var request = (IscsiTaskManagementRequest)executed;
        _functionsOut--;
        if (!IsOpen)
            return;
        DropHeldStatuses(request);
        if (request.IsNumbered)
            Window.RequestEnded();
        TaskManagementInformation information = request.AdditionalInformation;
        Respond(request.Code, request.InitiatorTaskTag, ResponseOf(request.Response),
            _home.Reactor.NowUs - request.ReceivedUs,
            [information.DepthAndKey, information.Code, information.Qualifier]);
        // §11.5.1: after a TARGET COLD RESET the target ends all of its sessions.
        if (request.Function == TaskManagementFunction.TargetColdReset)
            _access!.Target.EndSessionsAfterReset(this);
    }

    private void TaskManagementReceived(ReadOnlySpan<byte> header)
    {
        var request = new TaskManagementRequestPdu(header);
        History.Add(
            SessionMove.FunctionReceived, (int)request.Function, tag: request.InitiatorTaskTag, number: request.Lun);
        if (_functionsOut + _waitingFunctions.Count >= IscsiLimits.TaskManagementRequestsMax)
        {
            if (!request.Immediate)
                Window.RequestEnded();
            Reject(header, request.Immediate
                ? RejectReason.ImmediateCommandReject : RejectReason.LongOperationReject);
            return;
        }
        if (FunctionOf(request.Function) is not { } function)
        {
            if (!request.Immediate)
                Window.RequestEnded();
            TaskManagementResponseCode refusal = request.Function == TaskManagementFunctionCode.TaskReassign
                ? TaskManagementResponseCode.TaskAllegianceReassignmentNotSupported
                : TaskManagementResponseCode.TaskManagementFunctionNotSupported;
            Respond(request.Function, request.InitiatorTaskTag, refusal);
            return;
        }
        bool namesTask = function is TaskManagementFunction.AbortTask or TaskManagementFunction.QueryTask;
        if (namesTask)
            NamedTask(request, function);
        else if (request.Immediate && (int)(request.CmdSn - Window.ExpCmdSn) > 0)
            _waitingFunctions.Add(header[..BasicHeaderSegment.Length].ToArray());
        else
            Carry(request, function, null);
    }

    /// <summary>Older commands have come: functions that waited for them.</summary>
    private void ExecuteWaitingFunctions()
    {
        for (int i = 0; i < _waitingFunctions.Count && IsOpen;)
        {
            var request = new TaskManagementRequestPdu(_waitingFunctions[i]);
            if ((int)(request.CmdSn - Window.ExpCmdSn) > 0)
            {
                i++;
                continue;
            }
            _waitingFunctions.RemoveAt(i);
            Carry(request, FunctionOf(request.Function)!.Value, null);
        }
    }

    /// <summary>
    /// §11.5.1: a task that is there is acted on; one that is not, but whose CmdSN may still come, is from now on
    /// taken as received and will never act; any other does not exist.
    /// </summary>
    private void NamedTask(TaskManagementRequestPdu request, TaskManagementFunction function)
    {
        _tasks.TryGetValue(request.ReferencedTaskTag, out IscsiCommand? command);
        if (command is { IsHeld: false } || function != TaskManagementFunction.AbortTask
            || _nexus!.Find(new Lun(request.Lun)) is null)
        {
            Carry(request, function, command is { IsHeld: false } ? command : null);
            return;
        }
        if (!request.Immediate)
            Window.RequestEnded();
        uint refCmdSn = command is null ? request.RefCmdSn : (uint)(command.Sequence >> SequenceShift);
        bool mayCome = command is not null || (Window.Judge(refCmdSn) != CommandArrival.Ignored
            && (int)(refCmdSn - request.CmdSn) < 0);
        if (!mayCome)
        {
            Respond(
                request.Function, request.InitiatorTaskTag, TaskManagementResponseCode.TaskDoesNotExist);
            return;
        }
        if (command is not null)
        {
            _connection.StopPlacing(command);
            Forget(command);
        }
        Window.Plug(refCmdSn);
        DeliverHeld();
        Respond(request.Function, request.InitiatorTaskTag, TaskManagementResponseCode.FunctionComplete);
    }

    private void Carry(TaskManagementRequestPdu request, TaskManagementFunction function, IscsiCommand? referenced)
    {
        _functionsOut++;
        _home.Counters.TaskManagementFunctions++;
        _nexus!.TaskManagementRequested(new IscsiTaskManagementRequest
        {
            Function = function,
            Lun = new Lun(request.Lun),
            Referenced = referenced,
            Sequence = SequenceOf(request.CmdSn, request.Immediate),
            InitiatorTaskTag = request.InitiatorTaskTag,
            Code = request.Function,
            ReceivedUs = _home.Reactor.NowUs,
            IsNumbered = !request.Immediate,
        });
    }

    public void TaskManagementFunctionDelayed(TaskManagementRequest request, long waitedMs)
    {
        var delayed = (IscsiTaskManagementRequest)request;
        History.Add(SessionMove.FunctionDelayed, (int)delayed.Code, tag: delayed.InitiatorTaskTag,
            number: (ulong)waitedMs * 1000, text: request.WaitsFor ?? "");
        _home.Events.TaskManagementDelayed(
            _connection.Stream.RemoteEndPoint, Description, request.Function, request.WaitsFor ?? "", waitedMs);
    }

    private void Respond(
        TaskManagementFunctionCode function,
        uint initiatorTaskTag,
        TaskManagementResponseCode response,
        long waitedUs = 0,
        ReadOnlySpan<byte> information = default)
    {
        History.Add(SessionMove.FunctionAnswered, (int)function, (int)response, initiatorTaskTag, (ulong)waitedUs);
        nint slot = _sender.TakeSlot();
        TaskManagementResponsePdu.WriteTo(PduSender.HeaderOf(slot), initiatorTaskTag, response, information);
        _sender.SendHeader(slot);
    }

    /// <summary>
    /// Commands that have ended for the mid-layer, but whose status waits for data that the initiator announced:
    /// after the function's response an aborted command may not answer any more.
    /// </summary>
    private void DropHeldStatuses(IscsiTaskManagementRequest request)
    {
        if (request.Response != TaskManagementResponse.FunctionComplete)
            return;
        foreach (IscsiCommand command in _tasks.Values.ToArray())
        {
            if (!command.IsStatusHeld || !IsCovered(command, request))
                continue;
            _connection.StopPlacing(command);
            command.KeepConditions();
            EndTask(command);
            FinishOnceSent(command);
        }
    }

    private static bool IsCovered(IscsiCommand command, IscsiTaskManagementRequest request) => request.Function switch
    {
        TaskManagementFunction.AbortTask =>
            ReferenceEquals(command, request.Referenced) && command.Lun.IsSameUnitAs(request.Lun)
            && command.Sequence < request.Sequence,
        TaskManagementFunction.TargetWarmReset or TaskManagementFunction.TargetColdReset
            or TaskManagementFunction.ItNexusReset => command.Sequence < request.Sequence,
        TaskManagementFunction.AbortTaskSet or TaskManagementFunction.ClearTaskSet
            or TaskManagementFunction.LogicalUnitReset =>
            command.Lun.IsSameUnitAs(request.Lun) && command.Sequence < request.Sequence,
        _ => false,
    };

    private TaskManagementFunction? FunctionOf(TaskManagementFunctionCode code) => code switch
    {
        TaskManagementFunctionCode.AbortTask => TaskManagementFunction.AbortTask,
        TaskManagementFunctionCode.AbortTaskSet => TaskManagementFunction.AbortTaskSet,
        TaskManagementFunctionCode.ClearAca => TaskManagementFunction.ClearAca,
        TaskManagementFunctionCode.ClearTaskSet => TaskManagementFunction.ClearTaskSet,
        TaskManagementFunctionCode.LogicalUnitReset => TaskManagementFunction.LogicalUnitReset,
        TaskManagementFunctionCode.TargetWarmReset => TaskManagementFunction.TargetWarmReset,
        TaskManagementFunctionCode.TargetColdReset => TaskManagementFunction.TargetColdReset,
        _ when Parameters.IscsiProtocolLevel < ProtocolLevelOfQueries => null,
        TaskManagementFunctionCode.QueryTask => TaskManagementFunction.QueryTask,
        TaskManagementFunctionCode.QueryTaskSet => TaskManagementFunction.QueryTaskSet,
        TaskManagementFunctionCode.ItNexusReset => TaskManagementFunction.ItNexusReset,
        TaskManagementFunctionCode.QueryAsynchronousEvent => TaskManagementFunction.QueryAsynchronousEvent,
        _ => null,
    };

    private static TaskManagementResponseCode ResponseOf(TaskManagementResponse response) => response switch
    {
        TaskManagementResponse.FunctionComplete => TaskManagementResponseCode.FunctionComplete,
        TaskManagementResponse.FunctionSucceeded => TaskManagementResponseCode.FunctionSucceeded,
        TaskManagementResponse.TaskDoesNotExist => TaskManagementResponseCode.TaskDoesNotExist,
        TaskManagementResponse.IncorrectLogicalUnitNumber => TaskManagementResponseCode.LunDoesNotExist,
        TaskManagementResponse.FunctionNotSupported => TaskManagementResponseCode.TaskManagementFunctionNotSupported,
        _ => TaskManagementResponseCode.FunctionRejected,
    };
}
