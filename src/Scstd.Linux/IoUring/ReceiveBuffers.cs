namespace Scstd.Linux.IoUring;

/// <summary>
/// Buffers that the kernel picks from when bytes arrive, shared by all connections of a reactor: one that is idle
/// costs no memory. A buffer comes back as soon as its bytes were handed over.
/// </summary>
internal sealed unsafe class ReceiveBuffers : IDisposable
{
    internal const ushort Group = 0;

    internal const int BufferBytes = 64 * 1024;

    /// <summary>Our choice, a power of two: as many connections can have bytes in one pass before the others wait
    /// for the next.</summary>
    private const int Count = 64;

    private const int TailOffset = 14;

    private readonly MemoryPages _ring;
    private readonly MemoryPages _memory;
    private ushort _tail;

    internal ReceiveBuffers(Ring ring)
    {
        _ring = MemoryPages.Allocate(Count * sizeof(ProvidedBuffer));
        _memory = MemoryPages.Allocate(Count * BufferBytes);
        var registration = new BufferRingRegistration { Address = _ring.Address, Entries = Count, Group = Group };
        int result = ring.Register(RingFlags.RegisterBufferRing, &registration, 1);
        if (result < 0)
        {
            Dispose();
            throw new RingRefusedException($"io_uring's buffer ring: {LinuxException.Describe(-result)}");
        }
        for (int i = 0; i < Count; i++)
            Return(i);
    }

    internal nint Address(int index) => _memory.Address + (nint)(index * BufferBytes);

    /// <summary>Gives a buffer back to the kernel.</summary>
    internal void Return(int index)
    {
        // Field by field: the last two bytes of the first buffer are the ring's tail.
        ProvidedBuffer* buffer = (ProvidedBuffer*)_ring.Address + (_tail & (Count - 1));
        buffer->Address = Address(index);
        buffer->LengthBytes = BufferBytes;
        buffer->Index = (ushort)index;
        Volatile.Write(ref *(ushort*)(_ring.Address + TailOffset), ++_tail);
    }

    /// <summary>Only once the ring is closed.</summary>
    public void Dispose()
    {
        _ring.Dispose();
        _memory.Dispose();
    }
}
