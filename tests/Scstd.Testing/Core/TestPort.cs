using Scstd.Core;

namespace Scstd.Testing;

/// <summary>A session without a wire: gives Data-Out at once (or when told), keeps every answer.</summary>
public sealed class TestPort : ITargetPort
{
    private readonly List<TestCommand> _owed = [];
    private readonly List<TestCommand> _unsent = [];

    /// <summary>The initiator takes nothing from the wire until <see cref="SendAnswers"/>.</summary>
    public bool HoldsAnswers { get; set; }

    /// <summary>As a session with data digests.</summary>
    public bool CopiesWhatIsLent { get; set; }

    /// <summary>What the last Data-In lay in: leased from the executor's pool, or lent by the store.</summary>
    public bool LastDataInWasLeased { get; private set; }

    /// <summary>Data-Out is given only by <see cref="GiveDataOut"/>.</summary>
    public bool HoldsDataOut { get; set; }

    public List<TestCommand> Answered { get; } = [];

    /// <summary>How much of a READ might be sent ahead of its end, as it grew.</summary>
    public List<int> DataInReadyBytes { get; } = [];

    public List<TaskManagementRequest> FunctionsExecuted { get; } = [];

    /// <summary>Diagnoses of functions that wait: how long, and for what.</summary>
    public List<(long WaitedMs, string? What)> Delays { get; } = [];

    /// <summary>Commands whose Data-Out was asked for and not given yet.</summary>
    public IReadOnlyList<TestCommand> Owed => _owed;

    /// <summary>The same object may be sent again, as a frontend's pool does.</summary>
    public void Forget(TestCommand command)
    {
        bool answered = Answered.Remove(command);
        Invariant.That(answered, "a command is sent again only after its answer");
        command.IsAnswered = false;
    }

    public void ReceiveDataOut(ScsiCommand command)
    {
        _owed.Add((TestCommand)command);
        if (!HoldsDataOut)
            GiveDataOut();
    }

    public void SendAnswers()
    {
        HoldsAnswers = false;
        foreach (TestCommand command in _unsent)
            command.Release();
        _unsent.Clear();
    }

    public void GiveDataOut()
    {
        TestCommand command = _owed[0];
        _owed.RemoveAt(0);
        command.Data.CopyFrom(command.DataOut.AsSpan(0, command.Data.LengthBytes), 0);
        command.DataOutReceived();
    }

    public void SendDataIn(ScsiCommand command) => DataInReadyBytes.Add(command.DataInReadyBytes);

    public void SendCommandComplete(ScsiCommand command)
    {
        var ended = (TestCommand)command;
        if (ended.DataInLengthBytes > 0)
        {
            ended.DataIn = ended.Data.ToArray(ended.DataInLengthBytes);
            LastDataInWasLeased = command.Nexus.Executor.Buffers.LeasesOut > 0;
        }
        End(ended, aborted: false);
    }

    public void CommandAborted(ScsiCommand command) => End((TestCommand)command, aborted: true);

    public void TerminateDataTransfer(ScsiCommand command)
    {
        bool owed = _owed.Remove((TestCommand)command);
        Invariant.That(owed, "Data-Out is terminated only where it was asked for");
        command.Nexus.Executor.Post(command.DataTransferTerminated);
    }

    public void TaskManagementFunctionExecuted(TaskManagementRequest request) => FunctionsExecuted.Add(request);

    public void TaskManagementFunctionDelayed(TaskManagementRequest request, long waitedMs) =>
        Delays.Add((waitedMs, request.WaitsFor));

    private void End(TestCommand command, bool aborted)
    {
        Invariant.That(!command.IsAnswered, "a command is answered once");
        command.IsAnswered = true;
        command.WasAborted = aborted;
        Answered.Add(command);
        if (HoldsAnswers)
            _unsent.Add(command);
        else
            command.Release();
    }
}
