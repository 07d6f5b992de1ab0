using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>A command that must not be mixed with any other on its blocks, and its hold of them.</summary>
internal sealed class RangeRequest(Turnstile turnstile, ScsiCommand command)
{
    public Turnstile Turnstile { get; } = turnstile;

    public BlockExtent Extent { get; } = BlockExtent.Of(command);

    public bool IsHeadOfQueue { get; } = command.Attribute == TaskAttribute.HeadOfQueue;

    /// <summary>Null once the command has left (aborted) before its turn. Touched by its own executor alone.</summary>
    public ScsiCommand? Command { get; set; } = command;

    /// <summary>Its executor has given the range back.</summary>
    public bool IsReleased { get; set; }
}

/// <summary>
/// Which blocks are held by commands that are atomic against what overlaps them: COMPARE AND WRITE (SBC-4 §5.3) and
/// those of its kind. A range that is held is known to every turnstile: what overlaps it does not begin there, and what
/// had begun has left before the holder begins. What does not overlap goes on, other holders too. Holders are served in
/// the order of their asking, as far as they overlap, HEAD OF QUEUE before others. Only device servers are waited for,
/// never initiators. All members run on the home executor.
/// </summary>
internal sealed class BlockRanges(LogicalUnit unit)
{
    private readonly List<RangeRequest> _held = [];
    private readonly List<RangeRequest> _waiting = [];

    public void Request(RangeRequest request)
    {
        _waiting.Insert(request.IsHeadOfQueue ? 0 : _waiting.Count, request);
        Next();
    }

    public void Release(RangeRequest request)
    {
        bool held = _held.Remove(request);
        Invariant.That(held, "a range is given back by its holder, once");
        foreach (Turnstile turnstile in unit.Turnstiles)
            turnstile.Executor.Post(() => turnstile.RangeReleased(request));
        Next();
    }

    private void Next()
    {
        for (int i = 0; i < _waiting.Count;)
        {
            RangeRequest request = _waiting[i];
            if (_held.Exists(h => h.Extent.Overlaps(request.Extent)) ||
                _waiting.Take(i).Any(w => w.Extent.Overlaps(request.Extent)))
            {
                i++;
                continue;
            }
            _waiting.RemoveAt(i);
            Hold(request);
        }
    }

    private void Hold(RangeRequest request)
    {
        _held.Add(request);
        int left = unit.Turnstiles.Length;
        foreach (Turnstile turnstile in unit.Turnstiles)
            turnstile.Executor.Post(() => turnstile.HoldRange(request, () => unit.Home.Post(Drained)));

        void Drained()
        {
            if (--left == 0)
                request.Turnstile.Executor.Post(() => request.Turnstile.RangeGranted(request));
        }
    }
}
