using Scstd.Core.Tests.Reservations;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests.Liveness;

/// <summary>Two units on three executors, whose device servers keep each command until the dice end it.</summary>
internal sealed partial class LivenessWorld
{
    private readonly LivenessOptions _options;
    private readonly Random _random;
    private readonly TestExecutor[] _executors = [new(0), new(1), new(2)];
    private readonly List<ScsiCommand> _held = [];
    private readonly LogicalUnit _unit;
    private readonly LogicalUnit _spare;
    private readonly List<TestInitiator> _initiators = [];
    private readonly List<TestCommand> _commands = [];
    private readonly List<TestInitiator> _ending = [];
    private readonly List<TestInitiator> _ended = [];
    private readonly List<Function> _functions = [];
    private readonly HashSet<ScsiCommand> _mayNotBegin = [];
    private readonly List<string> _trace = [];
    private readonly bool _usesNaca;
    private int _names;

    public LivenessWorld(int seed, LivenessOptions options)
    {
        _options = options;
        _random = new Random(seed);
        _usesNaca = seed % 2 == 0;
        _unit = new LogicalUnit("unit", Backend(), _executors, homeIndex: 1);
        _spare = new LogicalUnit("spare", Backend(), _executors, homeIndex: 2);
        for (int i = 0; i < 5; i++)
            Login();
        SelectModes(_initiators[0]);
        if (options.HasFlag(LivenessOptions.Preempts))
            RegisterAll();
    }

    private sealed record Function(TestInitiator By, TaskManagementRequest Request, IReadOnlyList<TestCommand> Covers);

    public string Trace => string.Join('\n', _trace);

    /// <summary>Everything that the outside owes is given: then everything must end.</summary>
    public void Finish()
    {
        const int Rounds = 200;
        _unit.Thaw("test", static _ => { });
        for (int round = 0; round < Rounds && !(round > 2 && HaveAllEnded); round++)
        {
            TestExecutor.RunAll(_executors);
            while (_held.Count > 0)
                EndOne(mayFail: false);
            foreach (TestInitiator initiator in _initiators)
            {
                while (initiator.Port.Owed.Count > 0)
                    initiator.Port.GiveDataOut();
                ClearConditions(initiator);
            }
            foreach (TestExecutor executor in _executors)
                executor.Advance(300);
            CheckFunctions();
        }
        TestExecutor.RunAll(_executors);
        foreach (TestCommand command in _commands)
            Law(command.IsAnswered, () => $"{Name(command)} never ends: {command.State}");
        foreach (Function function in _functions)
        {
            Law(_ending.Contains(function.By), () =>
                $"{function.Request.Function} is never answered; it waits for {function.Request.WaitsFor}");
        }
        foreach (TestInitiator initiator in _ending)
            Law(_ended.Contains(initiator), () => $"{initiator.Nexus.InitiatorPort} never ends");
        foreach (Turnstile turnstile in (Turnstile[])[.. _unit.Turnstiles, .. _spare.Turnstiles])
            CheckRest(turnstile);
        // No memory is leased any more.
        foreach (TestExecutor executor in _executors)
            executor.Dispose();
    }

    private bool HaveAllEnded => _functions.Count == 0 && _commands.TrueForAll(command => command.IsAnswered);

    private void CheckRest(Turnstile turnstile)
    {
        Law(!turnstile.IsExecutionShut && turnstile.Admitted == 0 && turnstile.Executing == 0, () =>
            $"{turnstile.Unit.Name} on {turnstile.Executor.Index}: shut {turnstile.IsExecutionShut}, " +
            $"admitted {turnstile.Admitted}, executing {turnstile.Executing}");
        foreach (ItlNexus itl in turnstile.Nexuses)
        {
            Law((itl.Conditions & NexusConditions.Aca) == 0, () =>
                $"an ACA condition stays in effect for {itl.Nexus.InitiatorPort}");
        }
    }

    private static void ClearConditions(TestInitiator initiator)
    {
        foreach (ItlNexus itl in initiator.Nexus.ItlNexuses.Where(itl => itl.IsFaulted).ToArray())
        {
            initiator.Nexus.TaskManagementRequested(
                new TaskManagementRequest { Function = TaskManagementFunction.ClearAca, Lun = itl.Lun });
        }
    }

    private void CheckFunctions()
    {
        for (int i = _functions.Count - 1; i >= 0; i--)
        {
            Function function = _functions[i];
            if (!function.By.Port.FunctionsExecuted.Contains(function.Request))
                continue;
            _functions.RemoveAt(i);
            if (function.Request.Response != TaskManagementResponse.FunctionComplete)
                continue;
            foreach (TestCommand command in function.Covers)
            {
                Law(command.IsAnswered, () =>
                    $"{function.Request.Function} is answered before {Name(command)} is gone: {command.State}");
            }
        }
    }

    /// <summary>The device server gets a command.</summary>
    private void Begin(ScsiCommand command)
    {
        Law(!command.IsAborted && !_mayNotBegin.Contains(command), () => $"{Name(command)} begins after its abort");
        _held.Add(command);
    }

    private void Law(bool holds, Func<string> otherwise)
    {
        if (holds)
            return;
        string broken = otherwise();
        _trace.Add(broken);
        throw new InvalidOperationException(broken);
    }

    private static string Name(ScsiCommand command) =>
        $"{command.Cdb[0]:X2}h {command.Attribute} {command.Tag} of {command.Nexus.InitiatorPort}";

    private void SelectModes(TestInitiator initiator)
    {
        initiator.TakeUnitAttentions();
        initiator.Send(Lun.FromNumber(0), [0x15, 0x10, 0, 0, 16, 0], ControlPage());
        CarryOut(initiator);
    }

    private void RegisterAll()
    {
        foreach (TestInitiator initiator in _initiators)
        {
            initiator.Send(PersistentReserveOutAction.RegisterAndIgnoreExistingKey,
                PersistentReserve.List(0, KeyOf(initiator)));
            CarryOut(initiator);
        }
    }

    private void CarryOut(TestInitiator initiator)
    {
        TestExecutor.RunAll(_executors);
        while (initiator.Port.Owed.Count > 0)
            initiator.Port.GiveDataOut();
        TestExecutor.RunAll(_executors);
    }

    private TestBackend Backend() => new()
    {
        Commands =
        [
            Bind(Move, DataDirection.None, CommandTraits.None),
            Bind(Write, DataDirection.Out, CommandTraits.WritesMedium),
            Bind(Change, DataDirection.None, CommandTraits.ChangesUnit),
            Bind(Verify, DataDirection.None, CommandTraits.NeedsMedium),
            Bind(Read, DataDirection.In, CommandTraits.NeedsMedium),
            Bind(CompareAndWrite, DataDirection.Out, CommandTraits.WritesMedium | CommandTraits.HoldsRange),
        ],
    };

    private CommandBinding Bind(byte code, DataDirection direction, CommandTraits traits) => new(
        new CommandRow
        {
            Name = $"{code:X2}h",
            OperationCode = code,
            Direction = direction,
            Traits = traits,
            Usage = [code, 0, 0, 0, 0, 0],
            TransferLength = direction == DataDirection.None ? null : static (_, _) => 512,
        },
        Begin,
        Blocks: direction == DataDirection.None ? null : static _ => new BlockExtent(0, 1));
}
