namespace Scstd.Core;

/// <summary>One move of one command.</summary>
/// <param name="AtUs">The executor's clock.</param>
/// <param name="Tag">The transport's tag.</param>
/// <param name="OperationCode">First byte of the CDB.</param>
/// <param name="From">The state that it left.</param>
/// <param name="To">The state that it took.</param>
public readonly record struct CommandMove(
    long AtUs, ulong Tag, byte OperationCode, CommandState From, CommandState To);

/// <summary>The last moves; older ones are overwritten.</summary>
internal sealed class MoveRing
{
    /// <summary>Our choice: the ways of the last dozen commands, in two pages of a terminal.</summary>
    private const int Length = 64;

    private readonly CommandMove[] _moves = new CommandMove[Length];
    private uint _count;

    public void Add(long atUs, ulong tag, byte operationCode, CommandState from, CommandState to) =>
        _moves[_count++ % Length] = new CommandMove(atUs, tag, operationCode, from, to);

    public IReadOnlyList<CommandMove> Newest()
    {
        var moves = new List<CommandMove>(Length);
        for (uint i = 1; i <= Math.Min(_count, Length); i++)
            moves.Add(_moves[(_count - i) % Length]);
        return moves;
    }
}

/// <summary>The last things that happened to a gate or another machine that moves seldom, in words.</summary>
internal sealed class History(IExecutor executor)
{
    private const int Length = 64;

    private readonly (long AtUs, string What, string? Whom)[] _events = new (long, string, string?)[Length];
    private uint _count;

    public void Add(string what, string? whom = null) => _events[_count++ % Length] = (executor.NowUs, what, whom);

    public IReadOnlyList<HistoryEntry> Newest()
    {
        var entries = new List<HistoryEntry>(Length);
        for (uint i = 1; i <= Math.Min(_count, Length); i++)
        {
            (long atUs, string what, string? whom) = _events[(_count - i) % Length];
            entries.Add(new HistoryEntry(atUs, whom is null ? what : $"{what}: {whom}"));
        }
        return entries;
    }
}

/// <summary>Something that happened, by the executor's clock.</summary>
public readonly record struct HistoryEntry(long AtUs, string What);
