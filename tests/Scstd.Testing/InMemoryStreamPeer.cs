using Scstd.Linux;

namespace Scstd.Testing;

/// <summary>The other end of an in-memory stream, in the hands of the test.</summary>
public sealed class InMemoryStreamPeer
{
    private readonly SocketHandle _socket;
    private readonly Queue<byte[]> _toStream = new();
    private readonly List<byte> _fromStream = [];
    private int _firstUsed;

    internal InMemoryStreamPeer(SocketHandle socket) => _socket = socket;

    /// <summary>No more bytes will come: the stream was closed, has failed, or its socket was dropped unattached.
    /// </summary>
    public bool EndOfStream => _socket.IsClosed;

    /// <summary>How many unread bytes this peer takes before the stream has to wait; 0 is a peer that stops reading.
    /// </summary>
    public int WindowBytes { get; set; } = int.MaxValue;

    /// <summary>Bytes received and not taken yet.</summary>
    public int AvailableBytes => _fromStream.Count;

    /// <summary>Bytes sent that the stream has not taken yet.</summary>
    public long UntakenBytes { get; private set; }

    internal bool WriteEnded { get; private set; }

    internal bool WasReset { get; private set; }

    internal int WindowLeft => Math.Max(0, WindowBytes - _fromStream.Count);

    public void Send(ReadOnlySpan<byte> bytes)
    {
        if (WriteEnded || WasReset)
            throw new InvalidOperationException("this peer has ended its direction");
        if (bytes.IsEmpty)
            return;
        _toStream.Enqueue(bytes.ToArray());
        UntakenBytes += bytes.Length;
    }

    /// <summary>Everything received so far.</summary>
    public byte[] Receive()
    {
        byte[] bytes = [.. _fromStream];
        _fromStream.Clear();
        return bytes;
    }

    /// <summary>The next bytes received; throws if there are fewer.</summary>
    public byte[] Receive(int lengthBytes)
    {
        if (lengthBytes > _fromStream.Count)
            throw new InvalidOperationException($"{lengthBytes} bytes wanted, {_fromStream.Count} received");
        byte[] bytes = [.. _fromStream.GetRange(0, lengthBytes)];
        _fromStream.RemoveRange(0, lengthBytes);
        return bytes;
    }

    /// <summary>Received bytes without taking them.</summary>
    public byte[] Peek() => [.. _fromStream];

    /// <summary>Ends this direction: the stream sees the end of file behind what was sent.</summary>
    public void EndSending() => WriteEnded = true;

    /// <summary>Drops the connection; what was not taken is lost.</summary>
    public void Reset()
    {
        WasReset = true;
        _toStream.Clear();
        UntakenBytes = 0;
    }

    internal int Take(Span<byte> destination)
    {
        int taken = 0;
        while (taken < destination.Length && _toStream.TryPeek(out byte[]? first))
        {
            int part = Math.Min(destination.Length - taken, first.Length - _firstUsed);
            first.AsSpan(_firstUsed, part).CopyTo(destination[taken..]);
            taken += part;
            _firstUsed += part;
            if (_firstUsed < first.Length)
                continue;
            _toStream.Dequeue();
            _firstUsed = 0;
        }
        UntakenBytes -= taken;
        return taken;
    }

    internal void Give(ReadOnlySpan<byte> bytes) => _fromStream.AddRange(bytes);
}
