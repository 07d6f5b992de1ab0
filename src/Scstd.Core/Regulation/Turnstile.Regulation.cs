using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>What may stand between a command and the device server besides the gate: an injected fault, a limit that
/// an administrator set, the window of a slow device server, and blocks that another command holds, in this order. One
/// test on the fast path.</summary>
internal sealed partial class Turnstile
{
    private bool _isRegulated = true;

    public CommandWatch Watch { get; }

    public BackendRegulator Regulator { get; }

    public bool IsExecutionShut => _executionShut != 0;

    /// <summary>Works out what the fast path looks at.</summary>
    public void RegulationChanged() => _isRegulated =
        Regulator.IsAwake || Injector is not null || _unitLimit is not null || _limitedNexuses > 0 ||
        _ranges.Count > 0;

    private RateLimiter? _unitLimit;
    private int _limitedNexuses;

    /// <summary>What waits for the old limit goes on at its pace.</summary>
    public void SetRateLimit(RateLimit? limit)
    {
        _unitLimit = limit?.On(Executor);
        RegulationChanged();
    }

    /// <summary>Commands that wait for the unit's limit or their group's.</summary>
    public int WaitingForLimits()
    {
        if (_unitLimit is null && _limitedNexuses == 0)
            return 0;
        int waiting = 0;
        foreach (ItlNexus itl in _nexuses)
        {
            for (ScsiCommand? command = itl.First; command is not null; command = command.NextInNexus)
                waiting += command.Keeper is RateLimiter ? 1 : 0;
        }
        return waiting;
    }

    /// <summary>A nexus has a limit of its own from now on, or none.</summary>
    public void CountLimited(ItlNexus itl, bool isLimited)
    {
        if (itl.IsCountedAsLimited == isLimited)
            return;
        itl.IsCountedAsLimited = isLimited;
        _limitedNexuses += isLimited ? 1 : -1;
        RegulationChanged();
    }

    /// <summary>Null: no fault is injected here.</summary>
    public FaultInjector? Injector { get; private set; }

    public void SetFaults(IReadOnlyList<InjectedFault> faults)
    {
        var injector = new FaultInjector(this, faults, Injector);
        Injector = injector.IsEmpty ? null : injector;
        RegulationChanged();
    }

    /// <summary>True if the command was kept or ended.</summary>
    private bool Keep(ScsiCommand command)
    {
        if (command.Refusal is not null)
            return false;
        if ((command.Passed & RegulationStage.Faults) == 0)
        {
            command.Passed |= RegulationStage.Faults;
            if (Injector?.Meet(command) == true)
                return true;
        }
        return command.Refusal is null &&
            (KeepForLimit(command, RegulationStage.GroupLimit, command.Nexus.Limiter) ||
            KeepForLimit(command, RegulationStage.UnitLimit, _unitLimit) || Regulator.Keep(command) ||
            (_ranges.Count > 0 && IsKeptByRange(command)));
    }

    private static bool KeepForLimit(ScsiCommand command, RegulationStage stage, RateLimiter? limiter)
    {
        if (limiter is null || (command.Passed & stage) != 0 || !BackendRegulator.MovesData(command))
            return false;
        command.Passed |= stage;
        return limiter.Keep(command);
    }

    /// <summary>Its time at a store that an injected fault makes slow is over. It was never begun if it is aborted.
    /// </summary>
    public void ExecutePostponed(ScsiCommand command)
    {
        command.IsPostponed = false;
        if (command.IsAborted)
            command.Complete(ScsiStatus.TaskAborted);
        else
            command.Binding.Execute(command);
    }

    /// <summary>A keeper has taken the command.</summary>
    public void KeepFor(ScsiCommand command, IKeeper keeper)
    {
        command.State = CommandState.Dormant;
        command.Keeper = keeper;
    }

    /// <summary>A keeper lets the command go on.</summary>
    public void Resume(ScsiCommand command)
    {
        command.Keeper = null;
        JudgeAgain(command);
        Enable(command);
    }

    /// <summary>It cannot be done in time and has not begun: the initiator may try again. BUSY (SAM-5 §5.3.1) and never
    /// TASK SET FULL, of which Linux lowers its queue depth, to raise it by one every two minutes: the store may be
    /// quick again in a second.</summary>
    public void TurnAway(ScsiCommand command)
    {
        command.Keeper = null;
        command.RefusalStatus = ScsiStatus.Busy;
        command.Refusal = default(SenseData);
        Enable(command);
    }
}
