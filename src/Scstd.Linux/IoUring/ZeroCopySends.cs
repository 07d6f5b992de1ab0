namespace Scstd.Linux.IoUring;

/// <summary>
/// Sends of one connection that the network reads from our memory instead of from a copy. Such a send completes twice:
/// when its bytes are taken, so that the next may follow, and when nothing reads them any more, which the peer's
/// acknowledgement decides. Only then is their memory free, and what is free is told in the order of the sends, as if
/// it had been copied.
/// </summary>
/// <remarks>
/// What a memory disk has lent may be written meanwhile, and a segment that is sent once more may show the later state
/// where the first one showed the earlier. To the initiator that is a read that runs together with a write, as without
/// this: it gets one or the other, block by block or mixed, and no copy of ours would decide which. A segment whose
/// checksum was computed before the change is dropped by the peer and sent again. Where the data have a digest, lent
/// memory was copied before it came here.
/// </remarks>
internal sealed unsafe class ZeroCopySends(UringStream stream, UringReactor reactor, int mostCopied)
{
    /// <summary>Our choice: below, to pin the pages and to be told twice costs what the copy would have cost. The
    /// kernel's documentation draws the line near 10 KB for a single piece of memory.</summary>
    internal const int LeastBytes = 32 * 1024;

    /// <summary>Our choice: the mean of a batch's vectors, of which every other is a header that has a page to itself:
    /// a packet takes 17 pieces, and many small ones make small packets.</summary>
    internal const int LeastVectorBytes = 8 * 1024;

    /// <summary>Our choice: sends whose memory is still read; what comes behind them is copied.</summary>
    private const int MostOutstanding = 64;

    private readonly ZeroCopySend[] _sends = new ZeroCopySend[MostOutstanding];
    private int _first;
    private int _made;
    private int _copiedInARow;

    /// <summary>Given up for this connection.</summary>
    internal bool IsOff { get; private set; }

    /// <summary>Sends of which not all memory is free.</summary>
    internal int Count { get; private set; }

    /// <summary>Notifications that the kernel still owes.</summary>
    internal int Awaited { get; private set; }

    /// <summary>There must be one.</summary>
    internal ZeroCopySend Newest => _sends[(_first + Count - 1) % MostOutstanding];

    internal bool PaysFor(SendQueue queue)
    {
        if (IsOff || queue.UnsentBytes < LeastBytes || Count == MostOutstanding)
            return false;
        long bytes = queue.LoadedBytes();
        return bytes >= LeastBytes && bytes >= (long)queue.VectorCount * LeastVectorBytes;
    }

    /// <summary>The entry of the next send, whose message is to be filled in.</summary>
    internal SubmissionEntry* Prepare()
    {
        int index = (_first + Count++) % MostOutstanding;
        if (index == _made)
            _sends[_made++] = new ZeroCopySend(stream, reactor);
        ZeroCopySend send = _sends[index];
        send.Begin();
        SubmissionEntry* entry =
            reactor.Prepare(RingOperation.SendMessageZeroCopy, stream.Descriptor, RingWork.Send, send.Slot);
        entry->SocketFlags = RingFlags.SendReportUsage;
        return entry;
    }

    /// <summary>The send under way, the last, was taken: so many bytes of it.</summary>
    internal void Taken(ZeroCopySend send, long lengthBytes, bool isNotificationDue)
    {
        send.Bytes += lengthBytes;
        send.IsTaken = true;
        if (isNotificationDue)
        {
            send.IsRead = true;
            Awaited++;
        }
    }

    /// <summary>Bytes that were copied, behind a send that is still read: they are told with it.</summary>
    internal void AddCopied(long lengthBytes) => Newest.Bytes += lengthBytes;

    /// <summary>Nothing reads the memory of a send any more.</summary>
    internal void Notified(ZeroCopySend send, bool wasCopied)
    {
        send.IsRead = false;
        Awaited--;
        if (send.Bytes == 0)
            return; // of what was refused the kernel says that too
        _copiedInARow = wasCopied ? _copiedInARow + 1 : 0;
        if (_copiedInARow >= mostCopied)
            TurnOff();
    }

    internal void TurnOff() => IsOff = true;

    /// <summary>Bytes at the front that are free by now, counted once.</summary>
    internal long TakeFree()
    {
        long bytes = 0;
        while (Count > 0 && _sends[_first] is { IsTaken: true, IsRead: false } send)
        {
            bytes += send.Bytes;
            _first = (_first + 1) % MostOutstanding;
            Count--;
        }
        if (Count == 0)
            _first = 0; // those that exist already serve again
        return bytes;
    }

    internal void Release()
    {
        for (int i = 0; i < _made; i++)
            reactor.Unregister(_sends[i].Slot);
    }
}

/// <summary>One of them, used again and again. It has a place of its own at the reactor, for its two completions come
/// among those of other sends.</summary>
internal sealed class ZeroCopySend : IRingTarget
{
    private readonly UringStream _stream;

    internal ZeroCopySend(UringStream stream, UringReactor reactor)
    {
        _stream = stream;
        Slot = reactor.Register(this);
    }

    internal int Slot { get; }

    internal long Bytes { get; set; }

    /// <summary>The first completion was there.</summary>
    internal bool IsTaken { get; set; }

    /// <summary>The second is due: until then its memory may be read.</summary>
    internal bool IsRead { get; set; }

    internal void Begin() => (Bytes, IsTaken, IsRead) = (0, false, false);

    public void Completed(RingWork work, int result, uint flags)
    {
        if ((flags & RingFlags.CompletionNotification) != 0)
            _stream.ZeroCopyNotified(this, (result & RingFlags.NotificationCopied) != 0);
        else
            _stream.ZeroCopyTaken(this, result, (flags & RingFlags.CompletionMore) != 0);
    }
}
