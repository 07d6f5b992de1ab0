namespace Scstd.Frontends.Iscsi.Login;

/// <summary>
/// The challenges we have sent of late, on all connections, so that none of them can be sent back to us as a question
/// (RFC 7143 §9.2.1: "Originators MUST NOT reuse the CHAP challenge sent by the Responder"; a second connection is the
/// usual way to try). One ledger serves all logins of the process; it is not on the data path.
/// </summary>
public sealed class ChapChallengeLedger
{
    /// <summary>
    /// Our choice: far more logins than can be under way at once. An older challenge is of no use, because its
    /// connection has long been answered or timed out.
    /// </summary>
    public const int ChallengesMax = 4096;

    private readonly Lock _lock = new();
    private readonly HashSet<string> _challenges = new(StringComparer.Ordinal);
    private readonly Queue<string> _inOrder = new();

    /// <summary>Remembers a challenge; false when it is one we have sent before (the caller draws another).</summary>
    public bool TryAdd(ReadOnlySpan<byte> challenge)
    {
        var text = Convert.ToHexString(challenge);
        lock (_lock)
        {
            if (!_challenges.Add(text)) return false;
            _inOrder.Enqueue(text);
            if (_inOrder.Count > ChallengesMax) _challenges.Remove(_inOrder.Dequeue());
            return true;
        }
    }

    public bool Contains(ReadOnlySpan<byte> challenge)
    {
        var text = Convert.ToHexString(challenge);
        lock (_lock) return _challenges.Contains(text);
    }
}
