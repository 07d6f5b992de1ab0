using Scstd.Composition;

namespace Scstd.Administration;

/// <summary>
/// What all reactors told, each asked on its own thread. One that hangs makes an answer that lacks its part and says
/// so, not none: it is then that an administrator asks.
/// </summary>
internal sealed record Survey<T>(IReadOnlyList<T> Told, IReadOnlyList<int>? Silent)
{
    public static async Task<Survey<T>> OfAsync(Server server, Func<Lane, T> question)
    {
        // Our choice: a reactor answers within a pass.
        TimeSpan patience = TimeSpan.FromSeconds(2);
        (Lane Lane, Task<T> Answer)[] asked =
            [.. server.Lanes.Select(lane => (lane, lane.Reactor.InvokeAsync(() => question(lane))))];
        Task all = Task.WhenAll(asked.Select(one => one.Answer));
        await Task.WhenAny(all, Task.Delay(patience));
        var told = new List<T>();
        var silent = new List<int>();
        foreach ((Lane lane, Task<T> answer) in asked)
        {
            if (answer.IsCompleted)
                told.Add(await answer);
            else
                silent.Add(lane.Reactor.Index);
        }
        return new Survey<T>(told, silent.Count > 0 ? silent : null);
    }
}
