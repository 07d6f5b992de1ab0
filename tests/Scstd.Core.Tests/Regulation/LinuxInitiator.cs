using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests.Regulation;

/// <summary>
/// A program that keeps so many reads under way, above Linux' SCSI mid-layer and its iSCSI initiator as they
/// behave: the timer of 30 s starts when a command is handed to the transport; what the command window does not
/// take waits without a timer; BUSY and TASK SET FULL put a command back in the queue and stop the device until
/// something else comes back; a TASK SET FULL that comes again and again lowers the queue depth; and after 180 s of
/// such answers it gives up.
/// </summary>
internal sealed class LinuxInitiator : ITargetPort
{
    private const int TimerMs = 30_000;
    private const int GiveUpMs = 180_000;
    private const int BlockedMs = 3;
    private const int FullsBeforeItReacts = 10;
    private const int SessionDepth = 128;
    private const int RampUpMs = 120_000;

    private readonly TestExecutor _executor;
    private readonly LinkedList<Request> _queued = new();
    private readonly List<Command> _out = [];
    private readonly Stack<Command> _pool = new();
    private readonly int _wanted;
    private int _granted = SessionDepth;
    private int _allowed = int.MaxValue;
    private int _depth = SessionDepth;
    private int _fulls;
    private int _fullAt;
    private long _blockedUntilMs;
    private long _rampedAtMs;
    private ulong _tag;

    public LinuxInitiator(TestExecutor executor, LogicalUnit unit, int wanted, string name = "i")
    {
        _executor = executor;
        _wanted = wanted;
        Nexus = new ItNexus(
            executor, this, TestInitiator.Target, name, new LunMap([new LunMapEntry(0, unit)]));
        while (Nexus.ItlNexuses.First().UnitAttentions.TryTake(out _))
        {
        }
        for (int i = 0; i < wanted; i++)
            _queued.AddLast(new Request());
    }

    public ItNexus Nexus { get; }

    public int Completed { get; set; }

    /// <summary>Commands that were not answered before the timer ran out.</summary>
    public int Aborts { get; private set; }

    /// <summary>Requests that the program sees fail.</summary>
    public int Errors { get; private set; }

    public int TurnedAway { get; private set; }

    public int CommandsOut => _out.Count;

    public int Granted => _granted;

    /// <summary>Stops asking for more, so that everything can end.</summary>
    public bool IsStopped { get; set; }

    /// <summary>What a millisecond brings.</summary>
    public void Tick()
    {
        long now = _executor.NowMs;
        foreach (Command command in _out)
        {
            if (now - command.HandedMs < TimerMs || command.IsLate)
                continue;
            command.IsLate = true;
            Aborts++;
        }
        if (now - _rampedAtMs > RampUpMs && _depth < SessionDepth)
        {
            _depth++;
            _rampedAtMs = now;
        }
        Dispatch();
    }

    public void AllowCommands(int most)
    {
        _allowed = Math.Clamp(most, 1, SessionDepth);
        _granted = Math.Max(_granted, _allowed);
    }

    public void ReceiveDataOut(ScsiCommand command) => throw new NotSupportedException();

    public void TerminateDataTransfer(ScsiCommand command) => throw new NotSupportedException();

    public void CommandAborted(ScsiCommand command) => End((Command)command);

    public void TaskManagementFunctionExecuted(TaskManagementRequest request)
    {
    }

    public void SendCommandComplete(ScsiCommand ended)
    {
        var command = (Command)ended;
        Request request = command.Request;
        ScsiStatus status = command.Status;
        int others = _out.Count - 1;
        End(command);
        switch (status)
        {
            case ScsiStatus.Good:
                Completed++;
                _blockedUntilMs = 0;
                Again();
                break;
            case ScsiStatus.TaskSetFull or ScsiStatus.Busy:
                TurnedAway++;
                if (status == ScsiStatus.TaskSetFull)
                    TrackQueueFull(others);
                PutBack(request);
                break;
            default:
                throw new InvalidOperationException($"unexpected {status}");
        }
    }

    private void Again()
    {
        if (!IsStopped)
            _queued.AddLast(new Request());
    }

    private void PutBack(Request request)
    {
        if (_executor.NowMs - request.FirstMs > GiveUpMs)
        {
            Errors++;
            Again();
            return;
        }
        _queued.AddFirst(request);
        _blockedUntilMs = _out.Count > 0 ? long.MaxValue : _executor.NowMs + BlockedMs;
    }

    private void TrackQueueFull(int outstanding)
    {
        if (outstanding != _fullAt)
            _fulls = 0;
        _fullAt = outstanding;
        if (++_fulls > FullsBeforeItReacts)
            _depth = Math.Max(1, outstanding);
    }

    private void Dispatch()
    {
        if (_blockedUntilMs == long.MaxValue && _out.Count == 0)
            _blockedUntilMs = _executor.NowMs + BlockedMs;
        while (_queued.First is { } first && _out.Count < Math.Min(_granted, _depth) &&
            _executor.NowMs >= _blockedUntilMs && !IsStopped)
        {
            _queued.RemoveFirst();
            Send(first.Value);
        }
    }

    private void Send(Request request)
    {
        if (request.FirstMs == 0)
            request.FirstMs = _executor.NowMs;
        if (!_pool.TryPop(out Command? command))
        {
            command = new Command { ExpectedDataInBytes = ModelStore.Bytes, Lun = Lun.FromNumber(0) };
            command.SetCdb([ModelStore.Read, 0, 0, 0, 0, 0]);
        }
        command.Request = request;
        command.HandedMs = _executor.NowMs;
        command.IsLate = false;
        command.Tag = command.Sequence = _tag++;
        _out.Add(command);
        Nexus.CommandReceived(command);
    }

    private void End(Command command)
    {
        _out.Remove(command);
        if (_granted > _allowed)
            _granted--;
        command.Release();
        _pool.Push(command);
    }

    /// <summary>What the program asked for.</summary>
    internal sealed class Request
    {
        public long FirstMs { get; set; }
    }

    internal sealed class Command : ScsiCommand
    {
        public Request Request { get; set; } = null!;

        public long HandedMs { get; set; }

        public bool IsLate { get; set; }
    }
}
