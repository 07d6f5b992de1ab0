using System.Runtime.InteropServices;
using Scstd.Linux.IoUring;

namespace Scstd.Linux.Tests;

/// <summary>Sends a pattern in pieces like headers and payloads from a ring of native memory, and spoils each piece as
/// soon as it is reported as free.</summary>
internal sealed unsafe class PatternSource : IStreamHandler, IDisposable
{
    private const int GapBytes = 16;

    private readonly Queue<(long End, int At, int LengthBytes, int TakenBytes)> _pieces = new();
    private readonly long _totalBytes;
    private readonly int _ringBytes;
    private readonly byte* _ring;
    private readonly Random _random;
    private long _madeBytes;
    private int _at;
    private int _usedBytes;

    public PatternSource(long totalBytes, int seed, int ringBytes = 6_000_000)
    {
        (_totalBytes, _ringBytes, _random) = (totalBytes, ringBytes, new Random(seed));
        _ring = (byte*)NativeMemory.AlignedAlloc((nuint)ringBytes, 4096);
    }

    public StreamConnection? Connection { get; private set; }

    public ZeroCopySends ZeroCopy => ((UringStream)Connection!).ZeroCopy!;

    public long FreeBytes { get; private set; }

    public int MostOutstanding { get; private set; }

    public int ClosedCalls { get; private set; }

    /// <summary>When the test last looked.</summary>
    public long FreeBytesSeen { get; set; } = -1;

    public int AwaitedWhenClosed { get; private set; } = -1;

    /// <summary>The byte at an offset of the stream.</summary>
    public static void Fill(Span<byte> bytes, long offset)
    {
        while (!bytes.IsEmpty && (offset & 7) != 0)
        {
            bytes[0] = (byte)(Word(offset >> 3) >> (int)((offset & 7) * 8));
            bytes = bytes[1..];
            offset++;
        }
        Span<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes);
        for (int i = 0; i < words.Length; i++)
            words[i] = Word((offset >> 3) + i);
        int whole = words.Length * sizeof(ulong);
        for (int i = whole; i < bytes.Length; i++)
            bytes[i] = (byte)(Word((offset + whole) >> 3) >> ((i - whole) * 8));
    }

    public void Attach(Reactor reactor, SocketHandle socket)
    {
        Connection = reactor.Attach(socket, this);
        Connection.Start();
        Make();
    }

    public void Received(nint data, int lengthBytes)
    {
    }

    public int DirectVectors(IoVector* vectors, int capacity) => 0;

    public void ReceivedDirect(int lengthBytes)
    {
    }

    public void Sent(long lengthBytes)
    {
        FreeBytes += lengthBytes;
        MostOutstanding = Math.Max(MostOutstanding, ZeroCopy.Count);
        while (_pieces.TryPeek(out (long End, int At, int LengthBytes, int TakenBytes) piece)
            && piece.End <= FreeBytes)
        {
            new Span<byte>(_ring + piece.At, piece.LengthBytes).Fill(0xEE);
            _usedBytes -= piece.TakenBytes;
            _pieces.Dequeue();
        }
        Make();
    }

    public void Closed(StreamCloseReason reason, string detail)
    {
        ClosedCalls++;
        AwaitedWhenClosed = ZeroCopy.Awaited;
    }

    public void Dispose() => NativeMemory.AlignedFree(_ring);

    private static ulong Word(long index) => (ulong)(index + 1) * 0x9E3779B97F4A7C15;

    private void Make()
    {
        while (_madeBytes < _totalBytes)
        {
            int wanted = _random.Next(3) == 0 ? _random.Next(1, 200) : _random.Next(1, 300_000);
            int length = (int)Math.Min(wanted, _totalBytes - _madeBytes);
            int wasted = _at + length > _ringBytes ? _ringBytes - _at : 0;
            int taken = wasted + length + GapBytes;
            if (_usedBytes + taken > _ringBytes)
                return;
            if (wasted > 0)
                _at = 0;
            Fill(new Span<byte>(_ring + _at, length), _madeBytes);
            Connection!.Queue((nint)(_ring + _at), length);
            _madeBytes += length;
            _usedBytes += taken;
            _pieces.Enqueue((_madeBytes, _at, length, taken));
            _at += length + GapBytes;
        }
    }
}
