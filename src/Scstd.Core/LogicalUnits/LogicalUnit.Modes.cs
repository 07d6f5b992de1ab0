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

    /// <summary>Keeps all pages as they are now but for <paramref name="changes"/>; then calls back on
    /// <paramref name="executor"/>, with false if the saved values are the old ones still.</summary>
    internal void SaveModes(
        IReadOnlyList<(ModePage Page, byte[] Values)> changes, IExecutor executor, Action<bool> saved)
    {
        (ModePage Page, byte[] Values)[] all =
        [
            .. ModePages.Select(page =>
                (page, changes.LastOrDefault(c => ReferenceEquals(c.Page, page)).Values ?? page.Current)),
        ];
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

    /// <summary>TST has changed: those who come after it wait for those who came before, on whatever executor.</summary>
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
    /// calls back on <paramref name="executor"/>, with whether any value is another than before. Runs alone on the
    /// unit.</summary>
    internal void ApplyModes(
        IReadOnlyList<(ModePage Page, byte[] Values)> changes, IExecutor executor, Action<bool> applied) =>
        ApplyFrom(0, false, changes, executor, applied);

    private void ApplyFrom(
        int index,
        bool changed,
        IReadOnlyList<(ModePage Page, byte[] Values)> changes,
        IExecutor executor,
        Action<bool> applied)
    {
        for (; index < changes.Count; index++)
        {
            (ModePage page, byte[] values) = changes[index];
            if (page.Current.AsSpan().SequenceEqual(values))
                continue;
            bool hadTaskSetPerNexus = ControlModePage.HasTaskSetPerNexus(Control);
            // Replaced, not rewritten: who reads the page on another executor sees the old one or the new one.
            page.Current = [.. values];
            changed = true;
            if (ReferenceEquals(page, Control))
            {
                AddConsequence(static turnstile => turnstile.ControlChanged());
                if (ControlModePage.HasTaskSetPerNexus(Control) != hadTaskSetPerNexus)
                    AddConsequence(ExchangeTaskSets());
                continue;
            }
            int next = index + 1;
            Backend.ModePageChanged(page, executor, () => ApplyFrom(next, true, changes, executor, applied));
            return;
        }
        applied(changed);
    }
}
