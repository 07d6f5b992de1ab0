using System.Net;
using Scstd.Core;
using Scstd.Linux;

namespace Scstd.HotPath;

/// <summary>
/// A reactor without a kernel under it, so that what a command costs in the program can be told from what it costs in
/// system calls. Whoever drives it calls the handler of its one stream; file operations succeed in the pass after they
/// were submitted and move no bytes; its clock stands still.
/// </summary>
public sealed class StillReactor() : Reactor(0)
{
    private readonly Queue<Action> _mail = new();
    private readonly Queue<FileOperation> _files = new();
    private List<IPassEnd> _passEnds = [];
    private List<IPassEnd> _running = [];

    public StillStream Stream { get; private set; } = null!;

    public IStreamHandler Handler { get; private set; } = null!;

    public Action<SocketHandle> Accept { get; private set; } = null!;

    public override string Kind => "still";

    public override long NowMs => 1;

    /// <summary>Everything that is to be done now, until nothing is left.</summary>
    public void RunPass()
    {
        while (_mail.Count + _files.Count + _passEnds.Count > 0)
        {
            while (_mail.TryDequeue(out Action? work))
                work();
            for (int count = _files.Count; count > 0; count--)
                Complete(_files.Dequeue());
            (_passEnds, _running) = (_running, _passEnds);
            foreach (IPassEnd subscriber in _running)
                subscriber.PassEnded();
            _running.Clear();
        }
    }

    public override void Post(Action work) => _mail.Enqueue(work);

    public override void AtPassEnd(IPassEnd subscriber)
    {
        if (!_passEnds.Contains(subscriber))
            _passEnds.Add(subscriber);
    }

    public override ReservedPort Reserve(
        IPEndPoint endPoint, int shares, IReadOnlyList<ReservedPort> inPlaceOf) => new Port(endPoint);

    public override StreamListener Listen(ReservedPort port, int share, Action<SocketHandle> accepted)
    {
        Accept = accepted;
        return new Listener(port.LocalEndPoint);
    }

    public override StreamConnection Attach(SocketHandle socket, IStreamHandler handler)
    {
        Handler = handler;
        return Stream = new StillStream(this);
    }

    public override void Submit(FileOperation operation) => _files.Enqueue(operation);

    public override int TakeWriteError(FileHandle file) => 0;

    public override void RunBlocking(Action work, Action<Exception?> completed) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
    }

    private static unsafe void Complete(FileOperation operation)
    {
        long bytes = 0;
        if (operation.Kind != FileOperationKind.Flush)
        {
            for (int i = 0; i < operation.VectorCount; i++)
                bytes += (long)operation.Vectors[i].LengthBytes;
        }
        operation.Completed(bytes);
    }

    private sealed class Port(IPEndPoint endPoint) : ReservedPort
    {
        public override IPEndPoint LocalEndPoint => endPoint;

        public override void Close()
        {
        }
    }

    private sealed class Listener(IPEndPoint endPoint) : StreamListener
    {
        public override IPEndPoint LocalEndPoint => endPoint;

        public override void Close()
        {
        }
    }
}

/// <summary>A reactor as the mid-layer sees it.</summary>
internal sealed class StillExecutor(StillReactor reactor, BufferPool buffers) : IExecutor
{
    public int Index => reactor.Index;

    public long NowMs => reactor.NowMs;

    public BufferPool Buffers => buffers;

    public void Post(Action work) => reactor.Post(work);

    public void PostAfter(long delayMs, Action work) => reactor.CreateTimer(work).Arm(delayMs);
}
