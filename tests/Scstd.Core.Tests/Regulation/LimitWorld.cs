using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests.Regulation;

/// <summary>Several executors, a unit or two whose device server keeps every command, and initiators on any of the
/// executors.</summary>
internal sealed class LimitWorld : IDisposable
{
    public const byte Read = 0xC0;
    public const byte Write = 0xC1;
    public const byte Inquiry = 0x12;
    public const byte ReportLuns = 0xA0;
    public const byte RequestSense = 0x03;

    private readonly List<TestInitiator> _initiators = [];
    private readonly List<ScsiCommand> _held = [];
    private int _logins;

    public LimitWorld(int executors = 1, int units = 1)
    {
        Executors = [.. Enumerable.Range(0, executors).Select(index => new TestExecutor(index))];
        Units =
        [
            .. Enumerable.Range(0, units).Select(number => new LogicalUnit(
                $"unit{number}", new TestBackend { Commands = [Bind(Read), Bind(Write)] }, Executors)),
        ];
        Map = new LunMap(Units.Select((unit, number) => new LunMapEntry(number, unit)));
        Run();
    }

    public TestExecutor[] Executors { get; }

    public IReadOnlyList<LogicalUnit> Units { get; }

    public LunMap Map { get; }

    /// <summary>Of all nexuses that log in.</summary>
    public CommandLimit? TargetLimit { get; private set; }

    public IReadOnlyList<TestInitiator> Initiators => _initiators;

    /// <summary>With the device servers now, in the order of their coming.</summary>
    public IReadOnlyList<ScsiCommand> Held => _held;

    public TestInitiator Login(int executor = 0)
    {
        var initiator = new TestInitiator(Executors[executor], $"iqn.2026-11.test:{_logins++},i,0x1", Map);
        initiator.Nexus.SetCommandLimit(TargetLimit);
        initiator.TakeUnitAttentions();
        _initiators.Add(initiator);
        return initiator;
    }

    public void Logout(TestInitiator initiator, Action? ended = null)
    {
        _initiators.Remove(initiator);
        foreach (ScsiCommand command in _held.Where(one => ReferenceEquals(one.Nexus, initiator.Nexus)).ToArray())
            End(command);
        initiator.Nexus.End(ended ?? (static () => { }));
    }

    public void LimitUnit(int? most, int unit = 0) => Units[unit].SetCommandLimit(most);

    /// <summary>As a frontend does it: every nexus where it lives, and when all know, it is opened.</summary>
    public void LimitTarget(int? most)
    {
        CommandLimit? limit = most is { } commands ? CommandLimit.OfTarget(Executors, commands) : null;
        TargetLimit = limit;
        int unanswered = _initiators.Count + 1;
        foreach (TestInitiator initiator in _initiators)
        {
            initiator.Nexus.Executor.Post(() =>
            {
                initiator.Nexus.SetCommandLimit(limit);
                Executors[0].Post(Answered);
            });
        }
        Executors[0].Post(Answered);

        void Answered()
        {
            if (--unanswered == 0)
                limit?.Open();
        }
    }

    public TestCommand Send(
        TestInitiator initiator, byte code = Read, TaskAttribute attribute = TaskAttribute.Simple, int lun = 0) =>
        initiator.Send(Lun.FromNumber(lun), Cdb(code), code == Write ? new byte[512] : null, 64, attribute);

    public TestCommand SendAndRun(
        TestInitiator initiator, byte code = Read, TaskAttribute attribute = TaskAttribute.Simple, int lun = 0)
    {
        TestCommand command = Send(initiator, code, attribute, lun);
        Run();
        return command;
    }

    public void End(ScsiCommand command)
    {
        bool isHeld = _held.Remove(command);
        Invariant.That(isHeld, "the device server has the command");
        command.Complete();
    }

    public void EndAll()
    {
        do
        {
            while (_held.Count > 0)
                End(_held[0]);
            foreach (TestPort port in _initiators.Select(initiator => initiator.Port))
            {
                while (port.Owed.Count > 0)
                    port.GiveDataOut();
            }
            Run();
        }
        while (_held.Count > 0);
    }

    public void Run() => TestExecutor.RunAll(Executors);

    /// <summary>Nobody is refused any more because somebody was.</summary>
    public void Rest()
    {
        foreach (TestExecutor executor in Executors)
            executor.Advance(2);
        Run();
    }

    public void Dispose()
    {
        EndAll();
        foreach (TestInitiator initiator in _initiators.ToArray())
            Logout(initiator);
        Run();
        foreach (TestExecutor executor in Executors)
            executor.Dispose();
    }

    /// <summary>Permits of the limit: with commands, unused, left with the first executor, and in messages.</summary>
    public (int Used, int Unused, int Left, int InMessages) Account(CommandLimit limit)
    {
        (int left, IReadOnlyList<int> given) = limit.Account;
        CommandShare[] shares = [.. Executors.Select(limit.On)];
        int used = shares.Sum(share => share.View.InUse);
        int unused = shares.Sum(share => share.Unused);
        return (used, unused, left, given.Sum() - used - unused);
    }

    private static byte[] Cdb(byte code) => code switch
    {
        ReportLuns => [code, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0],
        Inquiry or RequestSense => [code, 0, 0, 0, 64, 0],
        _ => [code, 0, 0, 0, 0, 0],
    };

    private CommandBinding Bind(byte code) => new(
        new CommandRow
        {
            Name = code == Write ? "WRITE" : "READ",
            OperationCode = code,
            Direction = code == Write ? DataDirection.Out : DataDirection.None,
            Traits = code == Write ? CommandTraits.WritesMedium : CommandTraits.NeedsMedium,
            Usage = [code, 0, 0, 0, 0, 0],
            TransferLength = code == Write ? static (_, _) => 512 : null,
        },
        _held.Add);
}
