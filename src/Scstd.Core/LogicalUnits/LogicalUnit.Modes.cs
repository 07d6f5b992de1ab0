using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>The values of the mode pages: current, and saved (SPC-4 §5.9).</summary>
public sealed partial class LogicalUnit
{
    /// <summary>PS: mode pages can be saved.</summary>
    internal bool SavesModePages => StateStore is not null;

    /// <summary>What a page starts with after a power on or a reset: its saved values or else its defaults.</summary>
    internal static byte[] SavedOrDefault(ModePage page) => page.Saved ?? page.Default;

    /// <summary>The unit is composed: the saved values become the current ones.</summary>
    private void LoadSavedModes()
    {
        if (StateStore?.Load(Name, SavedModePages.Part) is not { } saved)
            return;
        SavedModePages.Read(saved, ModePages, Name);
        foreach (ModePage page in ModePages)
        {
            if (page.Saved is null || page.Current.AsSpan().SequenceEqual(page.Saved))
                continue;
            page.Current = [.. page.Saved];
            if (!ReferenceEquals(page, Control))
                Backend.ModePageChanged(page);
        }
    }

    /// <summary>Keeps all pages as they are with the change; then calls back on <paramref name="executor"/>, with false
    /// if the saved values are the old ones still.</summary>
    internal void SaveModes(ModeChange change, IExecutor executor, Action<bool> saved)
    {
        (ModePage Page, byte[] Values)[] all = [.. ModePages.Select(page => (page, change.ValuesOf(page)))];
        StateStore!.Save(Name, SavedModePages.Part, SavedModePages.Write(all), executor, isSaved =>
        {
            if (isSaved)
            {
                foreach ((ModePage page, byte[] values) in all)
                    page.Saved = values;
            }
            saved(isSaved);
        });
    }

    /// <summary>TST has changed: those who come after it wait for those who came before, on whatever executor.
    /// </summary>
    private Action<Turnstile> ExchangeTaskSets()
    {
        var empty = new Countdown(Turnstiles.Length, () =>
        {
            foreach (Turnstile turnstile in Turnstiles)
                turnstile.Executor.Post(turnstile.LetNewcomersIn);
        });
        bool ownTaskSets = ControlModePage.HasTaskSetPerNexus(Control);
        return turnstile => turnstile.HoldNewcomers(ownTaskSets, () => Home.Post(empty.Count));
    }

    /// <summary>Makes the values current, one page after the other, each with what it asks of the device server; then
    /// calls back on <paramref name="executor"/>. Runs alone on the unit.</summary>
    /// <param name="changes">Pages and their new values.</param>
    /// <param name="executor">Where this runs.</param>
    /// <param name="mustHold">The values hold even if the device server could not do what they ask of it.</param>
    /// <param name="applied">Hears what was changed.</param>
    internal void ApplyModes(
        IReadOnlyList<(ModePage Page, byte[] Values)> changes, IExecutor executor, bool mustHold,
        Action<ModeChange> applied) =>
        ApplyFrom(0, new ModeChange(this), changes, executor, mustHold, applied);

    private void ApplyFrom(
        int index,
        ModeChange change,
        IReadOnlyList<(ModePage Page, byte[] Values)> changes,
        IExecutor executor,
        bool mustHold,
        Action<ModeChange> applied)
    {
        for (; index < changes.Count; index++)
        {
            (ModePage page, byte[] values) = changes[index];
            if (change.ValuesOf(page).AsSpan().SequenceEqual(values))
                continue;
            change.Set(page, values);
            if (ReferenceEquals(page, Control))
                continue;
            int next = index + 1;
            Backend.ModePageChanged(page, executor, failure =>
            {
                if (failure is not null && !mustHold)
                {
                    change.TakeBack(failure);
                    applied(change);
                    return;
                }
                ApplyFrom(next, change, changes, executor, mustHold, applied);
            });
            return;
        }
        applied(change);
    }

    /// <summary>What became of a change of mode pages.</summary>
    internal sealed class ModeChange(LogicalUnit unit)
    {
        private readonly List<(ModePage Page, byte[] Before)> _changed = [];
        private byte[]? _control;

        /// <summary>All values are as before.</summary>
        public bool IsEmpty => _changed.Count == 0 && _control is null;

        /// <summary>Why it was taken back; null: it holds.</summary>
        public SenseData? Failure { get; private set; }

        /// <summary>With the change.</summary>
        public byte[] ValuesOf(ModePage page) => ReferenceEquals(page, unit.Control) && _control is { } control
            ? control : page.Current;

        /// <summary>Replaced, not rewritten: who reads the page on another executor sees the old one or the new one.
        /// The Control page asks nothing of the device server, and all that goes by it shall not go by values that may
        /// be taken back: it has its new ones when nothing can fail any more.</summary>
        internal void Set(ModePage page, byte[] values)
        {
            if (ReferenceEquals(page, unit.Control))
            {
                _control = [.. values];
                return;
            }
            _changed.Add((page, page.Current));
            page.Current = [.. values];
        }

        /// <summary>It holds: every executor is told before anything else goes on.</summary>
        public void Hold()
        {
            if (_control is not { } control)
                return;
            bool hadTaskSetPerNexus = ControlModePage.HasTaskSetPerNexus(unit.Control);
            unit.Control.Current = control;
            unit.AddConsequence(static turnstile => turnstile.ControlChanged());
            if (ControlModePage.HasTaskSetPerNexus(unit.Control) != hadTaskSetPerNexus)
                unit.AddConsequence(unit.ExchangeTaskSets());
        }

        /// <summary>All pages are as they were before it.</summary>
        public void TakeBack(SenseData? why)
        {
            Failure = why;
            foreach ((ModePage page, byte[] before) in Enumerable.Reverse(_changed))
            {
                page.Current = before;
                unit.Backend.ModePageChanged(page);
            }
            _changed.Clear();
            _control = null;
        }
    }
}
