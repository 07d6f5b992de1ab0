using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Simulation;

/// <summary>A session of one initiator port: gives Data-Out in pieces when the scheduler likes, keeps what was answered
/// until it is sent.</summary>
internal sealed class SimulatedSession(World world, string name, int port, SimulatedExecutor executor) : ITargetPort
{
    private readonly List<SimulatedCommand> _owesData = [];
    private readonly List<SimulatedCommand> _sending = [];

    /// <summary>Aborted, and their buffers are still in the hands of the transport.</summary>
    private readonly List<SimulatedCommand> _terminating = [];

    public string Name { get; } = name;

    /// <summary>RELATIVE TARGET PORT IDENTIFIER, 1 or 2.</summary>
    public int Port { get; } = port;

    public SimulatedExecutor Executor { get; set; } = executor;

    /// <summary>Where it is to go, once nothing of it is under way; null: nowhere.</summary>
    public SimulatedExecutor? Goal { get; set; }

    /// <summary>It is on its way there.</summary>
    public bool IsMoving { get; set; }

    /// <summary>Nothing of it is under way, and it takes more.</summary>
    public bool IsAtRest => TakesCommands && FunctionsOut == 0 && Nexus!.CanMove;

    public bool CanMove => Goal is not null && !IsMoving && FunctionsOut == 0 && Nexus!.CanMove;

    /// <summary>Null until its executor has brought it into being.</summary>
    public ItNexus? Nexus { get; set; }

    public List<NexusModel> Nexuses { get; } = [];

    /// <summary>It is being lost, and takes nothing new.</summary>
    public bool IsEnding { get; set; }

    public bool HasEnded { get; set; }

    public ulong Sequence { get; set; }

    /// <summary>The commands that a function may refer to, newest last.</summary>
    public List<SimulatedCommand> Recent { get; } = [];

    /// <summary>Functions that are not answered.</summary>
    public int FunctionsOut { get; set; }

    public bool TakesCommands => Nexus is not null && !IsEnding && Goal is null;

    public bool OwesData => _owesData.Count > 0;

    public bool IsSending => _sending.Count > 0 || _terminating.Count > 0;

    /// <summary>Brings a piece of somebody's Data-Out, or loses all of it.</summary>
    public void GiveData()
    {
        SimulatedCommand command = _owesData[world.Dice(_owesData.Count)];
        if (world.Dice(60) == 0)
        {
            _owesData.Remove(command);
            command.Refused = Lost;
            command.DataOutFailed(new SenseData(SenseKey.AbortedCommand, Lost));
            return;
        }
        int pieces = command.Kind == CommandKind.CompareAndWrite ? 2 * command.Blocks : Math.Max(1, command.Blocks);
        int piece = command.PiecesGiven++;
        if (command.Parameters.Length > 0)
            command.Data.CopyFrom(command.Parameters, 0);
        else if (command.Kind == CommandKind.CompareAndWrite && piece < command.Blocks)
            SimulatedDisk.SetValue(command.Data, piece, command.Compared[piece]);
        else
            SimulatedDisk.SetValue(command.Data, piece, command.ValueOf(piece % command.Blocks));
        if (piece + 1 < pieces)
            return;
        _owesData.Remove(command);
        command.DataOutReceived();
    }

    /// <summary>The last byte of an answer has left, or the transport lets go of a buffer.</summary>
    public void FinishSending()
    {
        if (_terminating.Count > 0 && (_sending.Count == 0 || world.Dice(2) == 0))
        {
            SimulatedCommand terminated = _terminating[0];
            _terminating.RemoveAt(0);
            world.Progress++;
            terminated.DataTransferTerminated();
            return;
        }
        SimulatedCommand command = _sending[0];
        _sending.RemoveAt(0);
        if (command.SentValue is { } sent && command.Kind == CommandKind.Read)
        {
            world.Law(sent == SimulatedDisk.ValueIn(command.Data, 0, out _),
                "the Data-In of {0} changed while it was sent", command);
        }
        command.Release();
    }

    public void ReceiveDataOut(ScsiCommand command) => _owesData.Add((SimulatedCommand)command);

    public void SendCommandComplete(ScsiCommand scsi)
    {
        var command = (SimulatedCommand)scsi;
        world.Tick();
        world.Progress++;
        world.Trace?.Invoke($"    answers {command}: {command.Status} {command.Sense.Additional}");
        world.Law(!HasEnded, "{0} was answered after its nexus had ended", command);
        world.Answers.Answered(command);
        command.Model.Ended(command, Outcome.Answered);
        AnswerModel.Told(command);
        Count(command);
        if (command.Kind == CommandKind.Read && command.Status == ScsiStatus.Good)
            command.SentValue = SimulatedDisk.ValueIn(command.Data, 0, out _);
        _sending.Add(command);
    }

    public void TerminateDataTransfer(ScsiCommand command)
    {
        bool owed = _owesData.Remove((SimulatedCommand)command);
        world.Law(owed, "{0}: Data-Out is terminated where none was asked for", command);
        _terminating.Add((SimulatedCommand)command);
    }

    public void CommandAborted(ScsiCommand scsi)
    {
        var command = (SimulatedCommand)scsi;
        world.Tick();
        world.Progress++;
        world.Trace?.Invoke($"    aborts {command}");
        world.Functions.Aborted(command, isSilent: true);
        command.Model.Ended(command, Outcome.Aborted);
        world.Counts.Aborted++;
        command.Release();
    }

    public void TaskManagementFunctionExecuted(TaskManagementRequest request)
    {
        var function = (SimulatedFunction)request;
        world.Tick();
        world.Progress++;
        world.Trace?.Invoke($"    answers {function}: {function.Response}");
        world.Law(!function.IsAnswered, "{0} was answered twice", function);
        world.Functions.Answered(function);
        FunctionsOut--;
        world.Counts.FunctionsAnswered++;
        if (function.Function is not (TaskManagementFunction.QueryTask or TaskManagementFunction.QueryTaskSet))
            world.Counts.FunctionsThatAbort++;
    }

    private void Count(SimulatedCommand command)
    {
        world.Counts.Answered(command.Status);
        if (command.Status != ScsiStatus.Good)
            return;
        if (command.Kind == CommandKind.Reserve && ReferenceEquals(command.Model.Reservation.Holder, this))
            world.Counts.ReservesGranted++;
        else if (command.Preempts is not null)
            world.Counts.PreemptsAnswered++;
    }

    public override string ToString() => $"{Name}|{Port}";

    private static AdditionalSense Lost => new(0x47, 0x05);
}
