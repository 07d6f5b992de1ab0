using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Simulation;

/*
      initiators            executors (reactors)                  units
      ┌──────┐  commands    ┌───────────┐  turnstiles   ┌──────────────────┐
      │ I0   ├─────────────►│ E0        ├──────────────►│ gate (home: any) │
      │ I1   ├──────┐       ├───────────┤               │ device server    │──► store (lands, fails and ends
      │ I2   ├────┐ └──────►│ E1        ├──────────────►│                  │    operations when the dice say)
      └──────┘    └────────►│ E2  ...   ├──────────────►└──────────────────┘
                            └───────────┘                 two of them
      One seeded scheduler picks, step by step, what happens next: an executor runs one message, an initiator sends a
      command or a function or loses its connection, the store does something, Data-Out arrives.
*/

/// <summary>A whole target from one seed. Beside it stands the reference model, which is told of all that goes in and
/// out and breaks off when something happens that is not allowed.</summary>
internal sealed class World : IDisposable
{
    private const int Executors = 3;
    private const int Units = 2;
    private const int Initiators = 4;
    private const int Ports = 2;
    private const int PlentyOfSlabs = 64;
    private const int DrainSteps = 200_000;
    private const int MostIdleTimers = 20;

    private readonly Random _random;
    private readonly SimulatedSlabs _slabs;
    private readonly SimulatedExecutor[] _executors;
    private readonly Scheduler _scheduler;
    private int _ids;

    public World(int seed, WorldOptions options)
    {
        Options = options;
        Trace = options.Trace;
        _random = new Random(seed);
        Mix = options.Mix ?? (_random.Next(4) == 0 ? CommandMix.Registrants : CommandMix.Everything);
        int slabLimit = options.SlabLimit ?? (_random.Next(8) == 0 ? _random.Next(3) : PlentyOfSlabs);
        IsShortOfMemory = slabLimit < PlentyOfSlabs;
        _slabs = new SimulatedSlabs(slabLimit);
        // BUSY for want of memory would hide what an ACA condition answers.
        UsesNaca = !IsShortOfMemory && _random.Next(2) == 0;
        IsRestless = _random.Next(6) == 0;
        _executors = new SimulatedExecutor[Executors];
        BeginExecutors();
        Functions = new FunctionModel(this);
        Answers = new AnswerModel(this);
        All = new SimulatedUnit[Units];
        for (int i = 0; i < Units; i++)
            All[i] = new SimulatedUnit(this, $"U{i}", _executors, _random.Next(Executors));
        _scheduler = new Scheduler(this, _executors);
        BeginTargetLimit();
        for (int i = 0; i < Initiators; i++)
            Join($"iqn.a:{i},i,0x{i:x12}", afterLoss: false);
    }

    public WorldOptions Options { get; }

    /// <summary>What initiators mostly ask for.</summary>
    public CommandMix Mix { get; }

    /// <summary>Of all sessions together; null: there is none.</summary>
    public CommandLimit? TargetLimit { get; private set; }

    /// <summary>Told of every move and every answer; null: nobody listens.</summary>
    public Action<string>? Trace { get; }

    /// <summary>Counts events: no two have the same.</summary>
    public long Now { get; private set; }

    public long NowMs { get; set; }

    /// <summary>Counts what the world is there for: answers, and steps of a store.</summary>
    public long Progress { get; set; }

    public bool IsShortOfMemory { get; }

    /// <summary>Initiators set NACA now and then.</summary>
    public bool UsesNaca { get; }

    /// <summary>Its administrator is busy, and sessions move while they have something to tell.</summary>
    public bool IsRestless { get; }

    public FunctionModel Functions { get; }

    public AnswerModel Answers { get; }

    public SimulatedUnit[] All { get; }

    public List<SimulatedSession> Sessions { get; } = [];

    public Counts Counts { get; } = new();

    public int Dice(int sides) => _random.Next(sides);

    public int NextId() => ++_ids;

    public void Tick() => Now++;

    /// <summary>Steps as the options say, and then everything that was begun must come to its end.</summary>
    public void Run()
    {
        for (int i = 0; i < Options.Steps; i++)
        {
            Now++;
            NowMs++;
            _scheduler.Step(mayBegin: true);
        }
        _scheduler.ThawAll();
        SimulatedUnit stalled = All[Dice(All.Length)];
        stalled.Disk.Store.IsStalled = true;
        _scheduler.LoseFaulted();
        Drain();
        LawsBesideStalled(stalled);
        stalled.Disk.Store.IsStalled = false;
        Drain();
        LawsOfTheEnd();
    }

    /// <summary>The whole target ends, wherever it is, and begins again with what is on stable storage. Its initiators
    /// log in anew, perhaps at another port.</summary>
    public void Restart()
    {
        Trace?.Invoke("restarts");
        string[] names = [.. Sessions.Select(session => session.Name)];
        Sessions.Clear();
        _slabs.FreeAll();
        BeginExecutors();
        for (int i = 0; i < Units; i++)
            All[i] = new SimulatedUnit(this, $"U{i}", _executors, _random.Next(Executors), All[i]);
        BeginTargetLimit();
        foreach (string name in names)
            Join(name, afterLoss: false);
    }

    public void Join(string name, bool afterLoss)
    {
        SimulatedExecutor executor = _executors[Dice(Executors)];
        var session = new SimulatedSession(this, name, 1 + Dice(Ports), executor);
        Sessions.Add(session);
        executor.Post(() =>
        {
            var map = new List<LunMapEntry>();
            for (int i = 0; i < All.Length; i++)
            {
                map.Add(new LunMapEntry(i, All[i].Unit));
                session.Nexuses.Add(new NexusModel(this, session, All[i].Model, i));
            }
            ushort port = (ushort)session.Port;
            session.Nexus = new ItNexus(executor, session, new TargetPortIdentity("t", $"t,t,{port}", port, port), name,
                new LunMap(map), afterLoss);
            session.Nexus.SetCommandLimit(TargetLimit);
            foreach (NexusModel nexus in session.Nexuses)
            {
                nexus.Attentions.Establish(afterLoss
                    ? AdditionalSense.ItNexusLossOccurred : AdditionalSense.PowerOnOccurred);
                nexus.Unit.Joined(nexus);
            }
        });
    }

    public void Law(bool holds, string law)
    {
        if (!holds)
            Broken(law);
    }

    public void Law<T1>(bool holds, string law, T1 one)
    {
        if (!holds)
            Broken(string.Format(law, one));
    }

    public void Law<T1, T2>(bool holds, string law, T1 one, T2 two)
    {
        if (!holds)
            Broken(string.Format(law, one, two));
    }

    public void Law<T1, T2, T3>(bool holds, string law, T1 one, T2 two, T3 three)
    {
        if (!holds)
            Broken(string.Format(law, one, two, three));
    }

    public void Law<T1, T2, T3, T4>(bool holds, string law, T1 one, T2 two, T3 three, T4 four)
    {
        if (!holds)
            Broken(string.Format(law, one, two, three, four));
    }

    public void Dispose() => _slabs.FreeAll();

    private void BeginExecutors()
    {
        for (int i = 0; i < Executors; i++)
            _executors[i] = new SimulatedExecutor(this, i, new BufferPool(_slabs));
    }

    private void BeginTargetLimit()
    {
        if (!Options.LimitsCommands)
            return;
        // A list of this life's executors: the next life has others.
        TargetLimit = CommandLimit.OfTarget([.. _executors], 3 + Dice(6));
        TargetLimit.Open();
    }

    private void Broken(string law) => throw new LawBrokenException($"at step {NowMs}: {law}");

    /// <summary>No new work: until nothing moves any more.</summary>
    private void Drain()
    {
        int idleTimers = 0;
        long progress = 0;
        for (int i = 0; i < DrainSteps; i++)
        {
            Now++;
            if (_scheduler.Step(mayBegin: false) || _scheduler.ClearAca())
                continue;
            long due = long.MaxValue;
            foreach (SimulatedExecutor executor in _executors)
                due = Math.Min(due, executor.NextDueMs);
            idleTimers = progress == Progress ? idleTimers + 1 : 0;
            progress = Progress;
            // Timers that only look whether there is something to do look for ever.
            if (due == long.MaxValue || idleTimers > MostIdleTimers)
                return;
            NowMs = Math.Max(NowMs, due);
        }
        Law(false, "the world does not come to rest");
    }

    /// <summary>One unit's store has stopped: nothing that concerns the others alone may wait for it.</summary>
    private void LawsBesideStalled(SimulatedUnit stalled)
    {
        foreach (SimulatedUnit unit in All)
        {
            if (ReferenceEquals(unit, stalled))
                continue;
            foreach (SimulatedCommand command in unit.Model.Pending)
                Law(command.Session.IsEnding, "{0} waits for {1}", command, stalled.Model.Name);
            foreach (SimulatedFunction function in unit.Model.Functions)
            {
                Law(function.IsOn(stalled.Model) || function.Session.IsEnding, "{0} waits for {1}", function,
                    stalled.Model.Name);
            }
        }
    }

    private void LawsOfTheEnd()
    {
        foreach (SimulatedExecutor executor in _executors)
        {
            Law(All.All(unit => unit.Unit.CommandLimitOn(executor) is not { InUse: > 0 }),
                "a place was not given back");
            Law(TargetLimit?.ViewOn(executor) is not { InUse: > 0 }, "a place of the target was not given back");
        }
        foreach (SimulatedUnit unit in All)
        {
            foreach (SimulatedCommand command in unit.Model.Pending)
                Law(false, "{0} never ended: {1}", command, command.State);
            foreach (SimulatedFunction function in unit.Model.Functions)
                Law(false, "{0} was never answered; it waits for {1}", function, function.WaitsFor);
            Law(unit.Model.Promises.AreKept, "{0} has something unexplained", unit.Model.Name);
            Law(unit.Disk.Store.Count == 0, "{0} has operations left", unit.Model.Name);
        }
        foreach (SimulatedSession session in Sessions)
            Law(!session.IsEnding, "{0} never ended", session.Name);
        foreach (SimulatedExecutor executor in _executors)
        {
            Law(executor.Buffers.LeasesOut == 0, "a lease was never returned");
            executor.Buffers.Dispose();
        }
        Law(_slabs.Out == 0, "a slab was never returned");
    }
}
