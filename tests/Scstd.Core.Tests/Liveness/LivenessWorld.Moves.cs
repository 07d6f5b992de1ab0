using Scstd.Core.Tests.Reservations;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests.Liveness;

internal sealed partial class LivenessWorld
{
    private const byte Move = 0xC0;
    private const byte Write = 0xC1;
    private const byte Change = 0xC2;
    private const byte Verify = 0xC3;
    private const byte Read = 0xC4;
    private const byte CompareAndWrite = 0xC5;
    private const byte Unknown = 0x0D;
    private const byte RequestSense = 0x03;
    private const byte Reserve6 = 0x16;
    private const byte Release6 = 0x17;

    /// <summary>One thing happens, somewhere.</summary>
    public void Step()
    {
        switch (Dice(100))
        {
            case < 50:
                _executors[Dice(3)].RunOne();
                break;
            case < 73:
                Send(Any());
                break;
            case < 84:
                TestInitiator gives = Any();
                if (gives.Port.Owed.Count > 0)
                    gives.Port.GiveDataOut();
                break;
            case < 96:
                if (_held.Count > 0)
                    EndOne(mayFail: true);
                break;
            case < 98:
                Request(Any());
                break;
            default:
                Administer();
                break;
        }
        CheckFunctions();
    }

    private int Dice(int sides) => _random.Next(sides);

    private TestInitiator Any() => _initiators[Dice(_initiators.Count)];

    private ulong KeyOf(TestInitiator initiator) => (ulong)(1 + (_initiators.IndexOf(initiator) % 4));

    private void Login()
    {
        bool twice = _options.HasFlag(LivenessOptions.Maps) && Dice(3) == 0;
        var map = new LunMap(
            twice ? [new LunMapEntry(0, _unit), new LunMapEntry(1, _unit)] : [new LunMapEntry(0, _unit)]);
        var initiator = new TestInitiator(_executors[Dice(3)], $"iqn.2026-11.test:i{_names++},i,0x1", map);
        if (Dice(4) != 0)
            initiator.TakeUnitAttentions();
        initiator.Port.HoldsDataOut = true;
        _initiators.Add(initiator);
    }

    private void Logout(TestInitiator initiator)
    {
        if (_initiators.Count < 3)
            return;
        _trace.Add($"{initiator.Nexus.InitiatorPort} is lost");
        _initiators.Remove(initiator);
        _ending.Add(initiator);
        _mayNotBegin.UnionWith(Pending(initiator));
        initiator.Nexus.End(() => _ended.Add(initiator));
        Login();
    }

    private IEnumerable<TestCommand> Pending(TestInitiator initiator) =>
        _commands.Where(command => !command.IsAnswered && ReferenceEquals(command.Nexus, initiator.Nexus) &&
            command.ItlNexus is not null && !_held.Contains(command));

    private void Administer()
    {
        switch (Dice(6))
        {
            case 0:
                _unit.Freeze("test", static _ => { });
                break;
            case 1 or 2:
                _unit.Thaw("test", static _ => { });
                break;
            case 3:
                Logout(Any());
                break;
            case 4 when _options.HasFlag(LivenessOptions.Maps):
                List<LunMapEntry> entries = [];
                for (int number = 0; number < 3; number++)
                {
                    if (Dice(2) == 0)
                        entries.Add(new LunMapEntry(number, Dice(3) == 0 ? _spare : _unit));
                }
                TestInitiator initiator = Any();
                _trace.Add($"{initiator.Nexus.InitiatorPort} sees " +
                    string.Join(", ", entries.Select(entry => $"{entry.Number}: {entry.Unit.Name}")));
                initiator.Nexus.ChangeMap(new LunMap(entries));
                break;
            default:
                _unit.Announce(AdditionalSense.CapacityDataHasChanged);
                break;
        }
    }

    private void EndOne(bool mayFail)
    {
        ScsiCommand command = _held[Dice(_held.Count)];
        _held.Remove(command);
        bool fails = mayFail && Dice(10) == 0;
        _trace.Add($"{Name(command)} {(fails ? "fails" : "ends")}");
        if (fails)
            command.CheckCondition(new SenseData(SenseKey.MediumError, AdditionalSense.UnrecoveredReadError));
        else
            command.Complete();
    }

    private void Send(TestInitiator initiator)
    {
        Lun lun = Lun.FromNumber(Dice(5) == 0 ? 1 : 0);
        byte control = (byte)(_usesNaca && Dice(6) == 0 ? 0x04 : 0);
        bool isFaulted = initiator.Nexus.Find(lun) is { IsFaulted: true };
        TaskAttribute attribute = Dice(10) switch
        {
            0 or 1 => TaskAttribute.Ordered,
            2 => TaskAttribute.HeadOfQueue,
            3 or 4 or 5 when isFaulted => TaskAttribute.Aca,
            _ => TaskAttribute.Simple,
        };
        (byte[] cdb, byte[]? dataOut, uint dataInBytes) = Dice(100) switch
        {
            < 20 => Plain(Move),
            < 38 => Writing(Write),
            < 46 => Plain(Change),
            < 56 => Plain(Verify),
            < 64 => Writing(CompareAndWrite),
            < 66 => Plain(Unknown),
            < 72 => ([RequestSense, 0, 0, 0, 32, control], null, 32u),
            < 74 => Plain(Dice(3) == 0 ? Reserve6 : Release6),
            < 78 => ([0x15, 0x10, 0, 0, 16, control], ControlPage(), 0u),
            < 86 when _options.HasFlag(LivenessOptions.Preempts) => Persistent(initiator),
            _ => ([Read, 0, 0, 0, 0, control], null, 512u),
        };
        TestCommand command = initiator.Send(lun, cdb, dataOut, dataInBytes, attribute);
        _commands.Add(command);
        _trace.Add($"{Name(command)} comes");

        (byte[], byte[]?, uint) Plain(byte code) => ([code, 0, 0, 0, 0, control], null, 0u);

        (byte[], byte[]?, uint) Writing(byte code) => ([code, 0, 0, 0, 0, control], new byte[512], 0u);
    }

    /// <summary>MODE SELECT's list: TST, QUEUE ALGORITHM MODIFIER and QERR, UA_INTLCK_CTRL, TAS.</summary>
    private byte[] ControlPage()
    {
        byte taskSetType = (byte)(Dice(2) == 0 ? 0x20 : 0);
        int queueError = _options.HasFlag(LivenessOptions.QueueErrors) ? Dice(3) switch { 0 => 0, 1 => 2, _ => 6 } : 0;
        byte ordering = (byte)((Dice(2) == 0 ? 0 : 0x10) | queueError);
        byte interlock = (byte)(Dice(12) switch { 0 => 0x20, 1 => 0x30, _ => 0 });
        byte abortedStatus = (byte)(Dice(2) == 0 ? 0x40 : 0);
        return [0, 0, 0, 0, 0x0A, 0x0A, taskSetType, ordering, interlock, abortedStatus, 0, 0, 0xFF, 0xFF, 0, 0];
    }

    private (byte[] Cdb, byte[]? DataOut, uint DataInBytes) Persistent(TestInitiator initiator)
    {
        ulong key = KeyOf(initiator);
        return Dice(3) switch
        {
            0 => (PersistentReserve.Cdb(PersistentReserveOutAction.RegisterAndIgnoreExistingKey, 24),
                PersistentReserve.List(0, key), 0u),
            1 => (PersistentReserve.Cdb(PersistentReserveOutAction.PreemptAndAbort, 24, 5),
                PersistentReserve.List(key, (ulong)(1 + Dice(4))), 0u),
            _ => (PersistentReserve.Cdb(PersistentReserveOutAction.Reserve, 24, 5),
                PersistentReserve.List(key, 0), 0u),
        };
    }

    private void Request(TestInitiator initiator)
    {
        if (_options.HasFlag(LivenessOptions.FewFunctions) && Dice(3) != 0)
            return;
        TaskManagementFunction function = Dice(7) switch
        {
            0 => TaskManagementFunction.AbortTaskSet,
            1 => TaskManagementFunction.ClearTaskSet,
            2 => TaskManagementFunction.LogicalUnitReset,
            3 => TaskManagementFunction.ItNexusReset,
            4 => TaskManagementFunction.AbortTask,
            5 => TaskManagementFunction.TargetWarmReset,
            _ => TaskManagementFunction.ClearAca,
        };
        bool ofAllLuns = function == TaskManagementFunction.ItNexusReset;
        List<TestCommand> own =
        [
            .. _commands.Where(command => !command.IsAnswered && ReferenceEquals(command.Nexus, initiator.Nexus) &&
                command.ItlNexus is not null && (ofAllLuns || command.Lun.IsSameUnitAs(Lun.FromNumber(0)))),
        ];
        TestCommand? referenced = null;
        if (function == TaskManagementFunction.AbortTask)
        {
            if (own.Count == 0)
                return;
            referenced = own[Dice(own.Count)];
        }
        var request = new TaskManagementRequest { Function = function, Referenced = referenced };
        _functions.Add(new Function(initiator, request, CoveredBy(request, initiator, own)));
        _mayNotBegin.UnionWith(CoveredAtOnce(request, initiator, own).Where(command => !_held.Contains(command)));
        _trace.Add($"{function} of {initiator.Nexus.InitiatorPort} {(referenced is null ? "" : Name(referenced))}");
        initiator.Nexus.TaskManagementRequested(request);
    }

    private List<TestCommand> CoveredBy(
        TaskManagementRequest request, TestInitiator initiator, List<TestCommand> own) => request.Function switch
        {
            TaskManagementFunction.AbortTaskSet or TaskManagementFunction.ItNexusReset => own,
            TaskManagementFunction.AbortTask => [request.Referenced as TestCommand ?? own[0]],
            TaskManagementFunction.LogicalUnitReset or TaskManagementFunction.TargetWarmReset
                when initiator.Nexus.Find(Lun.FromNumber(0)) is { } itl =>
                [
                    .. _commands.Where(command => !command.IsAnswered && command.ItlNexus is not null &&
                        ReferenceEquals(command.Unit, itl.Unit)),
                ],
            _ => [],
        };

    /// <summary>Of the nexus' own commands none that is covered may begin from the request on. Where LUNs depart, those
    /// that came by them go first.</summary>
    private static IEnumerable<TestCommand> CoveredAtOnce(
        TaskManagementRequest request, TestInitiator initiator, List<TestCommand> own)
    {
        if (request.Function is TaskManagementFunction.AbortTask)
            return [(TestCommand)request.Referenced!];
        if (request.Function is not (TaskManagementFunction.AbortTaskSet or TaskManagementFunction.ItNexusReset))
            return [];
        List<TestCommand> departing =
            own.FindAll(command => !ReferenceEquals(initiator.Nexus.Find(command.Lun), command.ItlNexus));
        return departing.Count > 0 ? departing : own;
    }
}
