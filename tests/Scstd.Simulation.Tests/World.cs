using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Simulation;

/*
      initiators            executors (reactors)                 unit
      ┌──────┐  commands    ┌───────────┐  turnstile 0  ┌──────────────────┐
      │ I0   ├─────────────►│ E0        ├──────────────►│ gate (home: E0)  │
      │ I1   ├──────┐       ├───────────┤  turnstile 1  │ device server    │
      │ I2   ├────┐ └──────►│ E1        ├──────────────►│ (ends a command  │
      └──────┘    └────────►│ E2  ...   ├──────────────►│  when dice say)  │
                            └───────────┘               └──────────────────┘
      One seeded scheduler picks, step by step, what happens next: an executor runs one message, an initiator sends a
      command or a function or loses its connection, the device server ends a command, Data-Out arrives.
*/

/// <summary>A whole target from one seed, with the laws of the mid-layer watched at every step.</summary>
internal sealed class World : IDisposable
{
    private const int Executors = 3;
    private const int Initiators = 5;

    private readonly Random _random;
    private readonly SimulatedSlabs _slabs;
    private readonly SimulatedExecutor[] _executors;
    private readonly SimulatedBackend _backend;
    private readonly LogicalUnit _unit;
    private readonly List<SimulatedInitiator> _initiators = [];
    private readonly List<SimulatedCommand> _all = [];
    private long _now;
    private int _names;

    public World(int seed, int slabLimit = 64)
    {
        _random = new Random(seed);
        _slabs = new SimulatedSlabs(slabLimit);
        _executors = [.. Enumerable.Range(0, Executors).Select(i => new SimulatedExecutor(i, new BufferPool(_slabs)))];
        _backend = new SimulatedBackend(_random.Next) { Began = Began, WasReset = WasReset };
        _unit = new LogicalUnit("simulated", _backend, _executors, homeIndex: _random.Next(Executors));
        for (int i = 0; i < Initiators; i++)
            Join();
    }

    public int Answered => _all.Count(c => c.Outcome == Outcome.Answered);

    public int Aborted => _all.Count(c => c.Outcome == Outcome.Aborted);

    public int CommandsThatMet(ScsiStatus status) =>
        _all.Count(c => c.Outcome == Outcome.Answered && c.Status == status);

    public void Run(int steps)
    {
        for (int i = 0; i < steps; i++)
            Step(mayBegin: true);
        Drain();
    }

    /// <summary>No new work: everything that was begun must come to its end.</summary>
    public void Drain()
    {
        for (int i = 0; i < 1_000_000 && Step(mayBegin: false); i++)
        {
        }
        Check(_all.All(c => c.Outcome != Outcome.Pending), () => $"a command never ended: {Stuck()}");
        Check(_initiators.All(i => i.Functions.Count == 0), () => "a task management function was never answered");
        Check(_executors.All(e => e.Buffers.LeasesOut == 0), () => "a lease was never returned");
        Check(_all.All(c => c.Answers == 1), () => "a command was answered twice");
    }

    public void Dispose()
    {
        foreach (SimulatedExecutor executor in _executors)
            executor.Buffers.Dispose();
        Check(_slabs.Out == 0, () => "a slab was never returned");
    }

    private bool Step(bool mayBegin)
    {
        _now++;
        for (int tries = 0; tries < 40; tries++)
        {
            if (TryOne(_random.Next(mayBegin ? 12 : 8)))
                return true;
        }
        // The dice may miss the only thing left to do.
        for (int kind = 0; kind < 8; kind++)
        {
            if (TryOne(kind))
                return true;
        }
        return false;
    }

    private bool TryOne(int kind)
    {
        SimulatedInitiator initiator = _initiators[_random.Next(_initiators.Count)];
        switch (kind)
        {
            case < 4:
                SimulatedExecutor? busy = Pick(_executors.Where(e => e.HasWork));
                busy?.RunOne();
                return busy is not null;
            case 4 or 5:
                if (_backend.Running.Count == 0)
                    return false;
                _backend.EndOne();
                return true;
            case 6:
                SimulatedInitiator? giver = Pick(_initiators.Where(i => i.OwesData));
                giver?.GiveData(_random.Next(16));
                return giver is not null;
            case 7:
                SimulatedInitiator? sender = Pick(_initiators.Where(i => i.IsSending));
                sender?.FinishSending();
                return sender is not null;
            case 8 or 9 or 10:
                return Send(initiator);
            default:
                return _random.Next(80) == 0 ? Lose(initiator) : _random.Next(12) == 0 && Manage(initiator);
        }
    }

    private T? Pick<T>(IEnumerable<T> from)
        where T : class
    {
        T[] all = [.. from];
        return all.Length == 0 ? null : all[_random.Next(all.Length)];
    }

    private bool Send(SimulatedInitiator initiator)
    {
        if (initiator.IsGone || initiator.Nexus is null)
            return false;
        byte code = _random.Next(20) switch
        {
            0 => SimulatedBackend.Change,
            1 => SimulatedBackend.Reserve,
            2 or 3 => SimulatedBackend.Release,
            < 12 => SimulatedBackend.Move,
            _ => SimulatedBackend.MoveOut,
        };
        var command = new SimulatedCommand
        {
            Code = code,
            Lun = Lun.FromNumber(0),
            Tag = initiator.Sequence,
            Sequence = initiator.Sequence++,
            Attribute = _random.Next(10) switch
            {
                0 => TaskAttribute.Ordered,
                1 => TaskAttribute.HeadOfQueue,
                _ => TaskAttribute.Simple,
            },
            ExpectedDataInBytes = code == SimulatedBackend.Move ? 4096u : 0,
            ExpectedDataOutBytes = code == SimulatedBackend.MoveOut ? 4096u : 0,
            ReceivedAt = _now,
        };
        command.SetCdb([code, 0, 0, 0, 0, 0]);
        initiator.Commands.Add(command);
        _all.Add(command);
        initiator.Nexus.CommandReceived(command);
        return true;
    }

    private bool Manage(SimulatedInitiator initiator)
    {
        if (initiator.IsGone || initiator.Nexus is null)
            return false;
        TaskManagementFunction function = _random.Next(6) switch
        {
            0 => TaskManagementFunction.LogicalUnitReset,
            1 => TaskManagementFunction.ClearTaskSet,
            2 => TaskManagementFunction.AbortTaskSet,
            3 => TaskManagementFunction.TargetWarmReset,
            _ => TaskManagementFunction.AbortTask,
        };
        var request = new WatchedFunction(this, initiator)
        {
            Function = function,
            Lun = Lun.FromNumber(0),
            Sequence = initiator.Sequence,
            Referenced = function == TaskManagementFunction.AbortTask && initiator.Commands.Count > 0
                ? initiator.Commands[_random.Next(initiator.Commands.Count)] : null,
        };
        initiator.Functions.Add(request);
        request.Covered = [.. CoveredBy(request, initiator)];
        initiator.Nexus.TaskManagementRequested(request);
        return true;
    }

    /// <summary>What must be gone when the function is answered: at least the requester's own.</summary>
    private static IEnumerable<SimulatedCommand> CoveredBy(TaskManagementRequest request,
        SimulatedInitiator initiator) =>
        request.Function == TaskManagementFunction.AbortTask
            ? request.Referenced is SimulatedCommand one ? [one] : []
            : initiator.Commands.Where(c => c.Outcome == Outcome.Pending);

    private bool Lose(SimulatedInitiator initiator)
    {
        if (initiator.IsGone || initiator.Nexus is null || initiator.Functions.Count > 0)
            return false;
        initiator.IsGone = true;
        ItNexus nexus = initiator.Nexus;
        nexus.End(() =>
        {
            Check(initiator.Commands.All(c => c.Outcome != Outcome.Pending), () => "a nexus ended before its commands");
            Check(!ReferenceEquals(_unit.ReservationHolder, nexus), () => "a reservation outlives its nexus");
            Join();
        });
        return true;
    }

    private void Join()
    {
        var initiator = new SimulatedInitiator($"i{_names++}", () => _now);
        SimulatedExecutor executor = _executors[_random.Next(Executors)];
        _initiators.RemoveAll(i => i.IsGone && !i.IsSending && i.Commands.All(c => c.Outcome != Outcome.Pending));
        _initiators.Add(initiator);
        executor.Post(() => initiator.Nexus = new ItNexus(
            executor, initiator, new TargetPortIdentity("t", "t,t,1", 1, 1), initiator.Name,
            new LunMap([new LunMapEntry(0, _unit)])));
    }

    // ---- The laws ------------------------------------------------------------------------------------------------

    private void Began(ScsiCommand scsi)
    {
        var command = (SimulatedCommand)scsi;
        command.BeganAt = _now;
        IEnumerable<ScsiCommand> others = _backend.Running.Concat(_backend.Ending);
        bool changes = scsi.Binding.Row.Has(CommandTraits.ChangesUnit);
        Check(!others.Any(o => changes || o.Binding.Row.Has(CommandTraits.ChangesUnit)),
            () => "a command that changes the unit was not alone");
        Check(_unit.ReservationHolder is null || ReferenceEquals(_unit.ReservationHolder, scsi.Nexus) ||
            scsi.Binding.Row.Has(CommandTraits.AllowedUnderReserve), () => "a command passed another's reservation");
        Check(!scsi.IsAborted, () => "an aborted command was begun");
        CheckOrder(command);
    }

    /// <summary>SAM-5 §8.6.2 within one nexus, where the order of arrival is beyond doubt.</summary>
    private void CheckOrder(SimulatedCommand command)
    {
        foreach (SimulatedCommand other in _all.Where(o =>
            ReferenceEquals(o.Nexus, command.Nexus) && o.Outcome == Outcome.Pending && !ReferenceEquals(o, command)))
        {
            bool older = other.Sequence < command.Sequence;
            if (command.Attribute == TaskAttribute.Ordered && older)
                Check(false, () => "an ORDERED command began before an older one had ended");
            if (command.Attribute == TaskAttribute.Simple && other.Attribute == TaskAttribute.Ordered && older)
                Check(false, () => "a SIMPLE command slipped ahead of an older ORDERED one");
        }
    }

    private void WasReset()
    {
        Check(_backend.Running.Count == 0 && _backend.Ending.Count == 0, () => "a reset ran beside a command");
    }

    private string Stuck() => string.Join(", ", _all.Where(c => c.Outcome == Outcome.Pending).Take(5)
        .Select(c => $"{c.Binding.Row} {c.Attribute} {c.State}"));

    private void Check(bool holds, Func<string> law)
    {
        if (!holds)
            throw new InvalidOperationException($"at step {_now}: {law()}");
    }

    /// <summary>Looks when it is answered whether what it covers is really gone.</summary>
    private sealed class WatchedFunction(World world, SimulatedInitiator initiator) : TaskManagementRequest
    {
        public IReadOnlyList<SimulatedCommand> Covered { get; set; } = [];

        public void Answered()
        {
            world.Check(Covered.All(c => c.Outcome != Outcome.Pending),
                () => $"{Function} of {initiator.Name} was answered before what it covers was gone");
        }
    }

    internal static void FunctionAnswered(TaskManagementRequest request) => ((WatchedFunction)request).Answered();
}
