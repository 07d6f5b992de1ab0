using System.Runtime.InteropServices;

namespace Scstd.Linux.Tests;

/// <summary>Sends back what it receives, from a ring of native memory; every n-th receive is asked for directly.
/// </summary>
internal sealed unsafe class EchoHandler : IStreamHandler, IDisposable
{
    public const int RingBytes = 4 * 1024 * 1024;

    private readonly byte* _ring = (byte*)NativeMemory.Alloc(RingBytes);
    private readonly int _directEvery;
    private long _written;
    private int _asked;

    public EchoHandler(int directEvery = 0) => _directEvery = directEvery;

    public StreamConnection? Connection { get; private set; }

    public long ReceivedBytes => _written;

    public long DirectBytes { get; private set; }

    public long SentBytes { get; private set; }

    public int ReceivedCalls { get; private set; }

    public StreamCloseReason? ClosedReason { get; private set; }

    public string? ClosedDetail { get; private set; }

    public int ClosedCalls { get; private set; }

    public bool Discard { get; set; }

    public Action<EchoHandler>? WhenReceived { get; set; }

    public Action<EchoHandler>? WhenClosed { get; set; }

    public void Start(StreamConnection connection)
    {
        Connection = connection;
        connection.Start();
    }

    public void Received(nint data, int lengthBytes)
    {
        for (int done = 0; done < lengthBytes;)
        {
            int at = (int)(_written % RingBytes);
            int part = Math.Min(lengthBytes - done, RingBytes - at);
            Buffer.MemoryCopy((byte*)data + done, _ring + at, RingBytes - at, part);
            Echo(at, part);
            done += part;
        }
        ReceivedCalls++;
        WhenReceived?.Invoke(this);
    }

    public int DirectVectors(IoVector* vectors, int capacity)
    {
        if (_directEvery == 0 || ++_asked % _directEvery != 0)
            return 0;
        int at = (int)(_written % RingBytes);
        int left = RingBytes - at;
        vectors[0] = new IoVector((nint)(_ring + at), Math.Min(left, 100));
        if (left <= 100)
            return 1;
        vectors[1] = new IoVector((nint)(_ring + at + 100), Math.Min(left - 100, 3000));
        return 2;
    }

    public void ReceivedDirect(int lengthBytes)
    {
        DirectBytes += lengthBytes;
        Echo((int)(_written % RingBytes), lengthBytes);
        WhenReceived?.Invoke(this);
    }

    public void Sent(long lengthBytes) => SentBytes += lengthBytes;

    public void Closed(StreamCloseReason reason, string detail)
    {
        (ClosedReason, ClosedDetail) = (reason, detail);
        ClosedCalls++;
        WhenClosed?.Invoke(this);
    }

    public void Dispose() => NativeMemory.Free(_ring);

    private void Echo(int at, int lengthBytes)
    {
        _written += lengthBytes;
        if (!Discard)
            Connection!.Queue((nint)(_ring + at), lengthBytes);
    }
}
