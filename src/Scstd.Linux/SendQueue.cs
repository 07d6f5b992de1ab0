using System.Runtime.InteropServices;

namespace Scstd.Linux;

/// <summary>
/// What a connection has to send, as two lists of vectors in native memory: one is being sent and does not move,
/// the other takes what is queued meanwhile. Whoever queues bounds how much.
/// </summary>
internal sealed unsafe class SendQueue : IDisposable
{
    /// <summary>UIO_MAXIOV of the kernel: more vectors in one call are refused.</summary>
    internal const int MaxVectors = 1024;

    private const int FirstCapacity = 32;

    private IoVector* _sending;
    private int _sendingCapacity;
    private int _sendingFirst;
    private int _sendingEnd;

    private IoVector* _filling;
    private int _fillingCapacity;
    private int _fillingCount;

    /// <summary>Bytes appended and not sent.</summary>
    internal long UnsentBytes { get; private set; }

    internal bool IsEmpty => UnsentBytes == 0;

    /// <summary>The vectors to be sent next; valid after <see cref="Load"/>.</summary>
    internal IoVector* Vectors => _sending + _sendingFirst;

    internal int VectorCount => Math.Min(_sendingEnd - _sendingFirst, MaxVectors);

    internal void Append(nint address, int lengthBytes)
    {
        UnsentBytes += lengthBytes;
        if (_fillingCount > 0)
        {
            IoVector* last = _filling + _fillingCount - 1;
            if (last->Address + (nint)last->LengthBytes == address)
            {
                last->LengthBytes += (nuint)lengthBytes;
                return;
            }
        }
        if (_fillingCount == _fillingCapacity)
            Grow();
        _filling[_fillingCount++] = new IoVector(address, lengthBytes);
    }

    /// <summary>Takes over what was appended if nothing is left of the former list; whether there is anything to
    /// send. Not while the kernel holds <see cref="Vectors"/>.</summary>
    internal bool Load()
    {
        if (_sendingFirst < _sendingEnd)
            return true;
        IoVector* sent = _sending;
        _sending = _filling;
        _filling = sent;
        (_sendingCapacity, _fillingCapacity) = (_fillingCapacity, _sendingCapacity);
        (_sendingFirst, _sendingEnd, _fillingCount) = (0, _fillingCount, 0);
        return _sendingEnd > 0;
    }

    /// <summary>Bytes in the vectors that one call can take now.</summary>
    internal long LoadedBytes()
    {
        long sum = 0;
        int end = _sendingFirst + VectorCount;
        for (int i = _sendingFirst; i < end; i++)
            sum += (long)_sending[i].LengthBytes;
        return sum;
    }

    /// <summary>The first <paramref name="lengthBytes"/> of <see cref="Vectors"/> have left.</summary>
    internal void Sent(long lengthBytes)
    {
        UnsentBytes -= lengthBytes;
        while (lengthBytes > 0)
        {
            IoVector* first = _sending + _sendingFirst;
            if ((long)first->LengthBytes > lengthBytes)
            {
                first->Address += (nint)lengthBytes;
                first->LengthBytes -= (nuint)lengthBytes;
                return;
            }
            lengthBytes -= (long)first->LengthBytes;
            _sendingFirst++;
        }
    }

    public void Dispose()
    {
        NativeMemory.Free(_sending);
        NativeMemory.Free(_filling);
        _sending = null;
        _filling = null;
        (_sendingFirst, _sendingEnd, _fillingCount, UnsentBytes) = (0, 0, 0, 0);
        (_sendingCapacity, _fillingCapacity) = (0, 0);
    }

    private void Grow()
    {
        int capacity = Math.Max(FirstCapacity, _fillingCapacity * 2);
        _filling = (IoVector*)NativeMemory.Realloc(_filling, (nuint)capacity * (nuint)sizeof(IoVector));
        _fillingCapacity = capacity;
    }
}
