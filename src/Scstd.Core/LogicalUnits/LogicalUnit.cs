using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>
/// SAM-5 §4.6.20: a logical unit, whatever number an initiator sees it by. What all nexuses share of it; each executor
/// reaches it through its own turnstile.
/// </summary>
public sealed partial class LogicalUnit
{
    private List<Action<Turnstile>> _consequences = [];
    private AbortOfChange? _abort;

    /// <param name="name">The device's name in the configuration.</param>
    /// <param name="backend">What the commands do.</param>
    /// <param name="executors">All, in the order of their indices.</param>
    /// <param name="homeIndex">The executor that keeps the gate.</param>
    /// <param name="stateStore">Where it keeps what outlives the daemon, and finds it now; null: nothing does.</param>
    /// <param name="abortTimeoutMs">How long its initiators wait for a command before they abort it.</param>
    public LogicalUnit(
        string name,
        IBackend backend,
        IReadOnlyList<IExecutor> executors,
        int homeIndex = 0,
        IUnitStateStore? stateStore = null,
        long abortTimeoutMs = DefaultAbortTimeoutMs)
    {
        AbortTimeoutMs = abortTimeoutMs;
        Name = name;
        StateStore = stateStore;
        Backend = backend;
        Home = executors[homeIndex];
        Gate = new Gate(this);
        Freezing = new Freezing(this);
        Faults = new Faults(this);
        Ranges = new BlockRanges(this);
        Control = ControlModePage.Create(backend.RestrictsReordering);
        Turnstiles = [.. executors.Select(e => new Turnstile(this, e))];
        ModePages = [Control, .. backend.ModePages];
        Commands = Table();
        Timestamp = new DeviceTimestamp(0, Home.NowMs, IsSet: false);
        LoadSavedModes();
        LoadPersistentReservation();
        Refresh();
    }

    /// <summary>What the usual initiators wait for an answer.</summary>
    public const long DefaultAbortTimeoutMs = 30_000;

    /// <summary>The device's name in the configuration.</summary>
    public string Name { get; }

    public IBackend Backend { get; }

    /// <summary>Changed only alone on the unit, replaced whole.</summary>
    public CommandTable Commands { get; private set; }

    /// <summary>The executor that keeps the gate.</summary>
    public IExecutor Home { get; }

    /// <summary>All mode pages, the Control page first. Changed only alone on the unit.</summary>
    public IReadOnlyList<ModePage> ModePages { get; }

    public ModePage Control { get; }

    /// <summary>Commands queue for a nexus up to this; above, TASK SET FULL or BUSY.</summary>
    public int NexusQueueDepth { get; init; } = 1024;

    /// <summary>How long its initiators wait for a command before they abort it.</summary>
    public long AbortTimeoutMs { get; private set; }

    /// <summary>Where it keeps what outlives the daemon; null: nothing does (PTPL_C and saved mode pages are then not
    /// offered).</summary>
    public IUnitStateStore? StateStore { get; }

    /// <summary>Changed only alone on the unit.</summary>
    internal DeviceTimestamp Timestamp { get; set; }

    /// <summary>More than one target port leads here (MULTIP of INQUIRY); known to who composes the targets.</summary>
    public bool IsMultiPort { get; set; }

    /// <summary>A command that needs the medium, or writes, must ask first. Changed only alone on the unit.</summary>
    public bool IsUnusual { get; private set; }

    public bool IsWriteProtected => Backend.IsReadOnly || ControlModePage.IsSoftwareWriteProtected(Control);

    internal Gate Gate { get; }

    /// <summary>Blocks that are held; on the home executor.</summary>
    internal BlockRanges Ranges { get; }

    /// <summary>ACA conditions and QERR; on the home executor.</summary>
    internal Faults Faults { get; }

    internal Turnstile[] Turnstiles { get; }

    /// <summary>Commands in the task set on this executor's side.</summary>
    public int AdmittedOn(IExecutor executor) => TurnstileOf(executor).Admitted;

    /// <summary>Who or what the gate is shut for, or null; for a diagnosis, on the home executor.</summary>
    public string? GateHolder => Gate.Describe();

    internal Turnstile TurnstileOf(IExecutor executor) => Turnstiles[executor.Index];

    /// <summary>Why a command that is otherwise in order may not run now.</summary>
    internal SenseData? Refuse(ScsiCommand command, ItlNexus itl)
    {
        CommandRow row = command.Binding.Row;
        if ((itl.Conditions & NexusConditions.NotActive) != 0 && Turnstile.IsKnown(command) &&
            !row.Has(AsymmetricAccess.Needed(itl.AccessState)))
            return AsymmetricAccess.NotReady(itl.AccessState);
        if (row.Has(CommandTraits.NeedsMedium) && Backend.TakeNotReady(command.Nexus) is { } notReady)
            return notReady;
        if (!row.Has(CommandTraits.WritesMedium) || !(itl.IsReadOnly || IsWriteProtected))
            return null;
        Backend.WriteRefused();
        return new SenseData(SenseKey.DataProtect, AdditionalSense.WriteProtected);
    }

    // ---- Consequences of a change, collected while a command runs alone -------------------------------------------

    /// <summary>Every nexus but <paramref name="except"/> gets a unit attention condition, before the status of the
    /// command that runs alone now is sent.</summary>
    public void EstablishUnitAttention(AdditionalSense condition, ItlNexus? except) =>
        _consequences.Add(turnstile => turnstile.EstablishUnitAttention(condition, except));

    /// <summary>The same for these nexuses alone.</summary>
    public void EstablishUnitAttention(AdditionalSense condition, IReadOnlyCollection<ItNexus> concerned)
    {
        if (concerned.Count > 0)
            _consequences.Add(turnstile => turnstile.EstablishUnitAttention(condition, concerned));
    }

    /// <summary>
    /// Something happened to the unit outside of any command: every nexus but those of <paramref name="except"/> gets a
    /// unit attention condition. From any thread; <paramref name="told"/> runs on the home executor when every executor
    /// knows. For whoever resizes (2Ah/09h), replaces what INQUIRY tells (3Fh/03h), loads microcode (3Fh/01h), changes
    /// the state of a target port group (2Ah/06h) or measures a thin store (38h/07h).
    /// </summary>
    public void Announce(AdditionalSense condition, ItNexus? except = null, Action? told = null) =>
        Home.Post(() => Gate.Tell(
            [turnstile => turnstile.EstablishUnitAttention(condition, except)], openExclusion: false,
            told ?? (static () => { })));

    internal void AddConsequence(Action<Turnstile> consequence) => _consequences.Add(consequence);

    /// <summary>What a change means for the fast path is worked out once, when the change is done.</summary>
    private void Refresh() => IsUnusual = Backend.NotReady is not null || IsWriteProtected;

    internal IReadOnlyList<Action<Turnstile>> TakeConsequences()
    {
        Refresh();
        if (_consequences.Count == 0)
            return [];
        List<Action<Turnstile>> taken = _consequences;
        _consequences = [];
        return taken;
    }

    /// <summary>What a change aborts, if anything; its status waits until that has gone.</summary>
    internal AbortOfChange? TakeAbort()
    {
        AbortOfChange? taken = _abort;
        _abort = null;
        return taken;
    }

    // ---- Reservation (SPC-2 §5.5.1) -------------------------------------------------------------------------------

    /// <summary>Who holds the unit reserved; changed only alone on the unit.</summary>
    internal ItNexus? ReservationHolder { get; private set; }

    internal void Reserve(ItNexus? holder)
    {
        ReservationHolder = holder;
        AddConsequence(turnstile => turnstile.SetReservationHolder(holder));
    }

    /// <summary>A nexus is gone: its reservation ends. <paramref name="done"/> runs on the home executor.</summary>
    internal void NexusEnded(ItNexus nexus, Action done) =>
        Home.Post(() =>
        {
            // Its own commands are gone, so only a reset can end its reservation meanwhile, and that runs here too.
            if (ReferenceEquals(ReservationHolder, nexus) || Backend.HoldsStateOf(nexus) || Faults.IsFaulted(nexus))
                Gate.Sweep(static (_, _) => { }, () => ReleaseOf(nexus), done);
            else if (Faults.HaveBeen)
                // What ended its condition may not have been told to all yet.
                Gate.Tell([], openExclusion: false, done);
            else
                done();
        });

    /// <summary>A nexus without commands goes to another executor, where <paramref name="after"/> takes its place.
    /// From any executor; <paramref name="settled"/> runs on the one where it goes.</summary>
    internal void Exchange(ItlNexus before, ItlNexus after, Action settled) => Home.Post(() =>
    {
        bool isFaulted = Faults.Exchange(before, after);
        // In this order: what the one that leaves hands over must find its successor there.
        after.Turnstile.Executor.Post(() => after.Turnstile.Welcome(after, isFaulted));
        before.Turnstile.Executor.Post(() => before.Turnstile.SeeOff(before, after, settled));
    });

    /// <summary>The ACA condition of a nexus ends, if it has one. From any executor; <paramref name="told"/> runs on
    /// the home executor.</summary>
    internal void EndAca(ItNexus nexus, Action? told = null) => Home.Post(() =>
        Faults.End(other => ReferenceEquals(other, nexus), told ?? (static () => { })));

    private IReadOnlyList<Action<Turnstile>> ReleaseOf(ItNexus nexus)
    {
        if (ReferenceEquals(ReservationHolder, nexus))
            Reserve(null);
        if (Backend.HoldsStateOf(nexus))
            Backend.NexusEnded(nexus);
        Faults.EndAsConsequence(nexus);
        return TakeConsequences();
    }
}
