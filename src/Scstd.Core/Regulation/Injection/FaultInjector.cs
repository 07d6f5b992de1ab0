using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>The injected faults of a unit on one executor. It exists only while there are any.</summary>
internal sealed class FaultInjector : IKeeper
{
    private readonly Turnstile _turnstile;
    private readonly Entry[] _entries;
    private readonly Dictionary<ScsiCommand, Entry> _kept = [];

    public FaultInjector(Turnstile turnstile, IReadOnlyList<InjectedFault> faults, FaultInjector? before)
    {
        _turnstile = turnstile;
        _entries =
        [
            .. faults.Select(fault => before?._entries.FirstOrDefault(e => e.Fault == fault) ?? new Entry(fault)),
        ];
        if (before is null)
            return;
        foreach ((ScsiCommand command, Entry entry) in before._kept)
        {
            _kept.Add(command, entry);
            command.Keeper = this;
        }
    }

    public bool IsEmpty => _entries.Length == 0 && _kept.Count == 0;

    public IReadOnlyList<FaultView> Views(FaultCounts? counts) =>
        [.. _entries.Select(e => new FaultView(e.Fault, e.Met, e.Holding, counts?.RemainingOf(e.Fault)))];

    /// <summary>A command on its way to the device server. True if it was kept.</summary>
    public bool Meet(ScsiCommand command) => Meet(command, first: 0);

    private bool Meet(ScsiCommand command, int first)
    {
        foreach (Entry entry in _entries.AsSpan(first))
        {
            if (!entry.IsSpent && !entry.Fault.ConcernsFunctions && entry.Concerns(command) && entry.Strikes())
                return entry.Fault.Count is null ? Apply(entry, command) : Ask(entry, command);
        }
        return false;
    }

    /// <summary>It has met as many as it was to: those behind it have their turn.</summary>
    public void Spend(InjectedFault fault)
    {
        if (Array.Find(_entries, entry => entry.Fault == fault) is { } spent)
            spent.IsSpent = true;
    }

    /// <summary>A function that a nexus requests. True if it is not to be carried out.</summary>
    public bool Meet(TaskManagementRequest request)
    {
        foreach (Entry entry in _entries)
        {
            InjectedFault fault = entry.Fault;
            if (entry.IsSpent || !fault.ConcernsFunctions || fault.AppliesTo?.Invoke(request.Nexus) == false
                || !entry.Strikes())
                continue;
            if (fault.Count is { })
            {
                if (!entry.TryTakeHere())
                    continue;
                LogicalUnit unit = _turnstile.Unit;
                unit.Home.Post(() => unit.TryTakeFault(fault));
            }
            entry.Met++;
            if (fault.Effect == FaultEffect.DropFunction)
                return true;
            request.AnswerDelayMs = fault.DelayMs;
            return false;
        }
        return false;
    }

    /// <summary>The device server would get the command now. True: it gets it later.</summary>
    public bool Postpone(ScsiCommand command)
    {
        if (command.SlowedBy is not { } fault || command.IsPostponed)
            return false;
        command.SlowedBy = null;
        command.IsPostponed = true;
        Entry? entry = Array.Find(_entries, e => e.Fault == fault);
        IExecutor executor = _turnstile.Executor;
        long delayMs = entry?.Reserve(executor.NowMs) ?? fault.DelayMs;
        executor.PostAfter(delayMs, () => _turnstile.ExecutePostponed(command));
        return true;
    }

    public void Forget(ScsiCommand command)
    {
        // Who comes back to it later finds that it has gone, also if it is another command by then.
        command.Visit = null;
        if (_kept.Remove(command, out Entry? entry))
            entry.Holding--;
    }

    public string WaitsFor(ScsiCommand command) => _kept.TryGetValue(command, out Entry? entry)
        ? $"fault {entry.Fault.Id} ({entry.Fault.Effect})" : "a fault";

    /// <summary>True if the command was kept.</summary>
    private bool Apply(Entry entry, ScsiCommand command)
    {
        InjectedFault fault = entry.Fault;
        entry.Met++;
        switch (fault.Effect)
        {
            case FaultEffect.DropCommand:
                Keep(entry, command);
                return true;
            case FaultEffect.DelayCommand:
                Keep(entry, command);
                ResumeAfter(fault.DelayMs, command);
                return true;
            case FaultEffect.SlowStore:
                command.SlowedBy = fault;
                return false;
            default:
                command.RefusalStatus =
                    fault.Status == ScsiStatus.CheckCondition ? ScsiStatus.Good : fault.Status;
                command.Refusal = fault.Sense;
                return false;
        }
    }

    /// <summary>A counted fault: the home executor says whether there is one left.</summary>
    private bool Ask(Entry entry, ScsiCommand command)
    {
        Keep(entry, command);
        object visit = command.Visit = new object();
        LogicalUnit unit = _turnstile.Unit;
        unit.Home.Post(() =>
        {
            bool granted = unit.TryTakeFault(entry.Fault);
            _turnstile.Executor.Post(() =>
            {
                if (!ReferenceEquals(command.Visit, visit) || command.Keeper is not FaultInjector keeper)
                    return;
                keeper.Forget(command);
                if (granted ? !keeper.Apply(entry, command) : !keeper.MeetNext(entry, command))
                    _turnstile.Resume(command);
            });
        });
        return true;
    }

    /// <summary>The fault was spent before its turn came.</summary>
    private bool MeetNext(Entry spent, ScsiCommand command)
    {
        spent.IsSpent = true;
        int index = Array.IndexOf(_entries, spent);
        return index >= 0 && Meet(command, index + 1);
    }

    private void Keep(Entry entry, ScsiCommand command)
    {
        _kept.Add(command, entry);
        entry.Holding++;
        _turnstile.KeepFor(command, this);
    }

    private void ResumeAfter(long delayMs, ScsiCommand command)
    {
        object visit = command.Visit = new object();
        _turnstile.Executor.PostAfter(delayMs, () =>
        {
            if (!ReferenceEquals(command.Visit, visit) || command.Keeper is not FaultInjector keeper)
                return;
            keeper.Forget(command);
            _turnstile.Resume(command);
        });
    }

    /// <summary>A fault and what it has done here.</summary>
    private sealed class Entry(InjectedFault fault)
    {
        private readonly long[] _freeAtMs = new long[fault.Parallel];
        private ulong _chance = fault.Seed | 1;
        private int _taken;

        public InjectedFault Fault { get; } = fault;

        public ulong Met { get; set; }

        public int Holding { get; set; }

        public bool IsSpent { get; set; }

        public bool Concerns(ScsiCommand command)
        {
            CommandRow row = command.Binding.Row;
            bool movesData = row.Has(CommandTraits.NeedsMedium) && row.Direction != DataDirection.None;
            return (movesData || !(Fault.DataOnly || Fault.Effect == FaultEffect.SlowStore))
                && (Fault.Direction is not { } direction || (row.Direction & direction) != 0)
                && (Fault.Lun is not { } lun || (command.Lun.TryGetNumber(out int number) && number == lun))
                && (Fault.Blocks is not { } blocks || Touches(command, blocks))
                && Fault.AppliesTo?.Invoke(command.Nexus) != false;
        }

        private static bool Touches(ScsiCommand command, (ulong First, ulong Last) blocks)
        {
            if (!LogicalUnit.HasBlockAddress(command))
                return false;
            var cdb = new BlockCdb(command.Cdb);
            ulong length = Math.Max(1, cdb.TransferLengthBlocks);
            return cdb.LogicalBlockAddress <= blocks.Last && blocks.First - Math.Min(blocks.First, length - 1)
                <= cdb.LogicalBlockAddress;
        }

        /// <summary>The dice (xorshift64*).</summary>
        public bool Strikes()
        {
            if (Fault.Probability >= 1)
                return true;
            _chance ^= _chance >> 12;
            _chance ^= _chance << 25;
            _chance ^= _chance >> 27;
            return (_chance * 0x2545_F491_4F6C_DD1D >> 11) * (1.0 / (1UL << 53)) < Fault.Probability;
        }

        /// <summary>Functions are counted where they come in, and not asked for: none of them waits.</summary>
        public bool TryTakeHere() => _taken++ < Fault.Count;

        /// <summary>How long the store takes from now, with what it has to do already.</summary>
        public long Reserve(long nowMs)
        {
            if (_freeAtMs.Length == 0)
                return Fault.DelayMs;
            int at = Array.IndexOf(_freeAtMs, _freeAtMs.Min());
            _freeAtMs[at] = Math.Max(nowMs, _freeAtMs[at]) + Fault.DelayMs;
            return _freeAtMs[at] - nowMs;
        }
    }
}
