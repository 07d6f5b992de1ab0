using System.Collections.Concurrent;

namespace Scstd.Linux;

/// <summary>
/// The one door into a reactor from other threads: a queue, and an eventfd that is written only when the reactor
/// sleeps or is about to. Posting to a reactor that is awake costs no system call.
/// </summary>
internal sealed unsafe class Mailbox : IDisposable
{
    private readonly ConcurrentQueue<Action> _posted = new();
    private FileOperation? _completedFiles;
    private int _sleeping;
    private readonly FileHandle _event;

    /// <summary>The ring waits in the kernel on a blocking eventfd, epoll must never block in reading it.</summary>
    internal Mailbox(bool nonBlocking)
    {
        int flags = LibC.SocketCloseOnExec | (nonBlocking ? LibC.SocketNonBlocking : 0);
        _event = new FileHandle(LinuxException.Check(LibC.EventDescriptor(0, flags), "eventfd"));
    }

    internal int Descriptor => _event.Descriptor;

    internal bool IsEmpty => _posted.IsEmpty && Volatile.Read(ref _completedFiles) is null;

    internal void Post(Action work)
    {
        _posted.Enqueue(work);
        Wake();
    }

    /// <summary>A worker thread brings back a file operation, its result in it.</summary>
    internal void PostCompleted(FileOperation operation)
    {
        FileOperation? first = Volatile.Read(ref _completedFiles);
        while (true)
        {
            operation.Next = first;
            FileOperation? seen = Interlocked.CompareExchange(ref _completedFiles, operation, first);
            if (ReferenceEquals(seen, first))
                break;
            first = seen;
        }
        Wake();
    }

    /// <summary>Says that the reactor is going to sleep; false if there is mail already.</summary>
    internal bool TrySleep()
    {
        // A full fence on both sides: either the poster sees the flag, or we see what was posted.
        Interlocked.Exchange(ref _sleeping, 1);
        if (IsEmpty)
            return true;
        Awake();
        return false;
    }

    internal void Awake() => Volatile.Write(ref _sleeping, 0);

    /// <summary>What was posted up to now; what these post themselves runs in the next pass.</summary>
    internal bool RunPosted()
    {
        if (_posted.IsEmpty)
            return false;
        for (int count = _posted.Count; count > 0 && _posted.TryDequeue(out Action? work); count--)
            work();
        return true;
    }

    /// <summary>File operations that workers have completed, oldest first, linked by Next.</summary>
    internal FileOperation? TakeCompleted()
    {
        if (Volatile.Read(ref _completedFiles) is null)
            return null;
        FileOperation? newest = Interlocked.Exchange(ref _completedFiles, null);
        FileOperation? oldest = null;
        while (newest is not null)
        {
            FileOperation? older = newest.Next;
            newest.Next = oldest;
            oldest = newest;
            newest = older;
        }
        return oldest;
    }

    /// <summary>Empties the eventfd after it was reported readable.</summary>
    internal void Drain()
    {
        ulong count;
        _ = LibC.Read(Descriptor, &count, sizeof(ulong));
    }

    /// <summary>Makes the eventfd readable.</summary>
    internal void Signal()
    {
        ulong one = 1;
        _ = LibC.Write(Descriptor, &one, sizeof(ulong));
    }

    public void Dispose() => _event.Dispose();

    private void Wake()
    {
        if (Interlocked.Exchange(ref _sleeping, 0) != 0)
            Signal();
    }
}
