namespace Scstd.Composition;

/// <summary>Opens many things whose opening may make its thread wait, so that they wait together.</summary>
internal static class Opening
{
    // Our choice: what is stuck has a thread of its own, until so many are.
    private const int MostThreads = 32;

    /// <summary>In the order of <paramref name="all"/>, what each became; all have ended.</summary>
    public static Task<TOpened>[] All<T, TOpened>(IReadOnlyList<T> all, Func<T, TOpened> open)
    {
        Task<TOpened>[] opened = [.. all.Select(one => new Task<TOpened>(() => open(one)))];
        int next = -1;
        void Work()
        {
            for (int i = Interlocked.Increment(ref next); i < opened.Length; i = Interlocked.Increment(ref next))
                opened[i].RunSynchronously(TaskScheduler.Default);
        }
        Thread[] others =
        [
            .. Enumerable.Range(1, Math.Clamp(all.Count - 1, 0, MostThreads - 1))
                .Select(_ => new Thread(Work) { IsBackground = true, Name = "scstd-open" }),
        ];
        foreach (Thread other in others)
            other.Start();
        Work();
        foreach (Thread other in others)
            other.Join();
        return opened;
    }
}
