using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Simulation;

/// <summary>What became of a command, as its initiator sees it.</summary>
internal enum Outcome
{
    Pending,
    Answered,
    Aborted,
}

internal sealed class SimulatedCommand : ScsiCommand
{
    public Outcome Outcome { get; set; }

    public int Answers { get; set; }

    public byte Code { get; init; }

    public long ReceivedAt { get; set; }

    public long BeganAt { get; set; } = -1;

    public long EndedAt { get; set; } = -1;
}

/// <summary>A session of one initiator: gives Data-Out when the scheduler likes, keeps what was answered.</summary>
internal sealed class SimulatedInitiator(string name, Func<long> clock) : ITargetPort
{
    private readonly List<SimulatedCommand> _owesData = [];
    private readonly List<SimulatedCommand> _sending = [];

    public string Name { get; } = name;

    public ItNexus? Nexus { get; set; }

    public bool IsGone { get; set; }

    public ulong Sequence { get; set; }

    public List<SimulatedCommand> Commands { get; } = [];

    public List<TaskManagementRequest> Functions { get; } = [];

    public bool OwesData => _owesData.Count > 0;

    public bool IsSending => _sending.Count > 0;

    public void GiveData(int index)
    {
        SimulatedCommand command = _owesData[index % _owesData.Count];
        _owesData.Remove(command);
        command.DataOutReceived();
    }

    /// <summary>The last byte of an answer has left.</summary>
    public void FinishSending()
    {
        SimulatedCommand command = _sending[0];
        _sending.RemoveAt(0);
        command.Release();
    }

    public void ReceiveDataOut(ScsiCommand command) => _owesData.Add((SimulatedCommand)command);

    public void SendCommandComplete(ScsiCommand command)
    {
        var simulated = (SimulatedCommand)command;
        simulated.Outcome = Outcome.Answered;
        simulated.Answers++;
        simulated.EndedAt = clock();
        _sending.Add(simulated);
    }

    public void TerminateDataTransfer(ScsiCommand command)
    {
        bool owed = _owesData.Remove((SimulatedCommand)command);
        Invariant.That(owed, "Data-Out is terminated only where it was asked for");
        command.Nexus.Executor.Post(command.DataTransferTerminated);
    }

    public void CommandAborted(ScsiCommand command)
    {
        var simulated = (SimulatedCommand)command;
        simulated.Outcome = Outcome.Aborted;
        simulated.Answers++;
        simulated.EndedAt = clock();
        command.Release();
    }

    public void TaskManagementFunctionExecuted(TaskManagementRequest request)
    {
        World.FunctionAnswered(request);
        Functions.Remove(request);
    }
}
