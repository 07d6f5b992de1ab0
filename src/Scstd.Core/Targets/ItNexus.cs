using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>The names of a target port and its device, for INQUIRY's designators.</summary>
/// <param name="DeviceName">SCSI device name (iSCSI: the target's iqn).</param>
/// <param name="PortName">SCSI port name (iSCSI: name,t,0xTPGT).</param>
/// <param name="RelativePortId">RELATIVE TARGET PORT IDENTIFIER, 1 … 65535.</param>
/// <param name="PortGroupTag">Target portal group tag; also the target port group, unless the unit has such.</param>
public sealed record TargetPortIdentity(string DeviceName, string PortName, ushort RelativePortId, ushort PortGroupTag)
{
    public TargetPortName Port => new(DeviceName, RelativePortId);

    /// <summary>How the transport protocol names another port of the same device, by its relative identifier.</summary>
    public Func<string, ushort, string>? NameOfPort { get; init; }

    /// <summary>PROTOCOL IDENTIFIER, SPC-4 §7.6.1: iSCSI.</summary>
    public byte ProtocolIdentifier { get; init; } = 0x05;

    /// <summary>VERSION DESCRIPTOR of the transport protocol.</summary>
    public ushort VersionDescriptor { get; init; } = Scsi.VersionDescriptor.Iscsi;
}

/// <summary>I_T nexus, SAM-5 §4.6: owned by an iSCSI session or a Fibre Channel login, on one executor.</summary>
public sealed partial class ItNexus
{
    private ItlNexus?[] _byNumber;
    private int _commandsOut;
    private Action? _ended;
    private int _unitsEnding;
    private bool _hasEnded;

    /// <summary>Brings the nexus into being, on its executor: every unit of the map gets an I_T_L nexus, and each of
    /// those a unit attention condition (SAM-5 §5.14): POWER ON OCCURRED for an initiator port that was here before the
    /// power on; with <paramref name="afterLoss"/>, when it has been here since, I_T NEXUS LOSS OCCURRED (§6.3.4); with
    /// <paramref name="isStranger"/>, when it never was, the general code of all of them; with
    /// <paramref name="hasNewMicrocode"/> MICROCODE HAS BEEN CHANGED follows (SPC-4 §5.14).</summary>
    public ItNexus(
        IExecutor executor,
        ITargetPort port,
        TargetPortIdentity target,
        string initiatorPort,
        LunMap map,
        bool afterLoss = false,
        bool isStranger = false,
        bool hasNewMicrocode = false)
    {
        Executor = executor;
        Port = port;
        Target = target;
        InitiatorPort = initiatorPort;
        TransportId? initiator = TransportId.OfPortName(initiatorPort);
        Invariant.That(initiator is not null, "a frontend gives initiator ports the names of their protocol");
        Registrant = new RegistrantName(initiator, target.DeviceName, target.RelativePortId);
        Map = map;
        _byNumber = new ItlNexus?[map.Span];
        AdditionalSense condition = afterLoss ? AdditionalSense.ItNexusLossOccurred
            : isStranger ? AdditionalSense.PowerOnResetOrBusDeviceReset : AdditionalSense.PowerOnOccurred;
        foreach (LunMapEntry entry in map.Entries)
        {
            ItlNexus itl = Join(entry, condition);
            _byNumber[entry.Number] = itl;
            if (hasNewMicrocode)
                itl.UnitAttentions.Establish(AdditionalSense.MicrocodeHasBeenChanged);
        }
    }

    /// <summary>Where it lives; see <see cref="MoveTo"/>.</summary>
    public IExecutor Executor { get; private set; }

    public ITargetPort Port { get; }

    public TargetPortIdentity Target { get; }

    /// <summary>Initiator port name (iSCSI: name,i,0xISID).</summary>
    public string InitiatorPort { get; }

    /// <summary>As persistent reservations know it.</summary>
    public RegistrantName Registrant { get; }

    /// <summary>What the initiator sees now.</summary>
    public LunMap Map { get; private set; }

    public bool IsEnding { get; private set; }

    /// <summary>Commands that the frontend has not released yet.</summary>
    public int CommandsOut => _commandsOut;

    public ItlNexus? Find(Lun lun) =>
        lun.TryGetNumber(out int number) && (uint)number < (uint)_byNumber.Length ? _byNumber[number] : null;

    /// <summary>Every I_T_L nexus, in the order of the LUNs.</summary>
    public IEnumerable<ItlNexus> ItlNexuses => _byNumber.OfType<ItlNexus>();

    /// <summary>Takes over a command whose frontend fields are filled in. The answer may come from inside.</summary>
    public void CommandReceived(ScsiCommand command)
    {
        Invariant.That(command.State == CommandState.Released, "a command is received once");
        Invariant.That(!IsEnding, "no command comes on a nexus that ends");
        command.Reset(this);
        _commandsOut++;
        if (Find(command.Lun) is { } itl)
        {
            command.ItlNexus = itl;
            itl.CommandsOut++;
            itl.Turnstile.Receive(command);
        }
        else
        {
            MissingUnit.Answer(command);
        }
    }

    /// <summary>Takes over a task management function; the answer may come from inside.</summary>
    public void TaskManagementRequested(TaskManagementRequest request)
    {
        request.Nexus = this;
        request.ReceivedMs = Executor.NowMs;
        if (!MeetsInjectedFault(request) && !CoversDeparting(request))
            TaskManager.Execute(request);
        if (request.WaitsFor is not null)
            Watch(request, FirstDiagnosisMs);
    }

    /// <summary>Our choice: a healthy store has answered by then, and no initiator has given up.</summary>
    private const long FirstDiagnosisMs = 5_000;

    /// <summary>A function that is not answered yet is never answered early; what it waits for is told, each time after
    /// twice as long.</summary>
    private void Watch(TaskManagementRequest request, long afterMs) => Executor.PostAfter(afterMs, () =>
    {
        if (request.WaitsFor is null)
            return;
        Port.TaskManagementFunctionDelayed(request, Executor.NowMs - request.ReceivedMs);
        Watch(request, afterMs * 2);
    });

    /// <summary>
    /// The session or login is over (logout, loss of the connection, reinstatement): every command is aborted without
    /// an answer, what the nexus held is given up (SAM-5 §6.3.4 I_T nexus loss: an SPC-2 reservation ends), and then
    /// <paramref name="ended"/> is called here. From then on nothing of the old nexus can act.
    /// </summary>
    public void End(Action ended)
    {
        Invariant.That(!IsEnding, "a nexus ends once");
        IsEnding = true;
        _ended = ended;
        // A copy: one that departs leaves the list with the last of its commands, which may be from inside.
        List<ItlNexus> all = [.. ItlNexuses, .. _departing];
        _unitsEnding = all.Select(itl => itl.Unit).Distinct().Count() + _unsettledDepartures + 1;
        _countsDepartures = true;
        Turnstile.AbortByUnit(all, ulong.MaxValue, CommandsGone);
        UnitEnded();
    }

    /// <summary>A command to a missing unit, or an aborted one: it ends without a task set.</summary>
    internal void Finish(ScsiCommand command)
    {
        Residual.Compute(command);
        command.State = CommandState.Ended;
        if (IsEnding)
            Port.CommandAborted(command);
        else
            Port.SendCommandComplete(command);
    }

    internal void CommandReleased(ScsiCommand command)
    {
        _commandsOut--;
        Invariant.That(_commandsOut >= 0, "more commands were released than received");
        if (command.ItlNexus is { } itl && --itl.CommandsOut == 0 && itl.Released is { } released)
        {
            itl.Released = null;
            released();
        }
    }

    /// <summary>From one unit. What is held of it is given up now, whatever the stores of the others do; but where
    /// every LUN was taken away before, that is done as each departs.</summary>
    private void CommandsGone(IReadOnlyList<ItlNexus> ofUnit)
    {
        List<ItlNexus> staying = [.. ofUnit.Where(itl => !itl.IsDeparting)];
        foreach (ItlNexus itl in staying)
            itl.Turnstile.RemoveNexus(itl);
        if (staying.Count > 0)
            staying[0].Unit.NexusEnded(this, () => Executor.Post(UnitEnded));
        else
            UnitEnded();
    }

    private void UnitEnded()
    {
        if (--_unitsEnding > 0)
            return;
        _byNumber = [];
        _hasEnded = true;
        _ended!();
        foreach (Action settled in _settledAtEnd)
            settled();
    }
}
