using System.Runtime.InteropServices;

namespace Scstd.Linux.Tests;

/// <summary>A file operation with memory of its own, cut into vectors, which keeps its result.</summary>
internal sealed unsafe class RecordingOperation : FileOperation
{
    private readonly nint _memory;
    private readonly int _sizeBytes;

    public RecordingOperation(int sizeBytes, int vectorCount = 1)
    {
        _sizeBytes = sizeBytes;
        _memory = (nint)NativeMemory.AlignedAlloc((nuint)Math.Max(sizeBytes, 1), 4096);
        int part = sizeBytes / vectorCount;
        for (int i = 0; i < vectorCount; i++)
        {
            int length = i == vectorCount - 1 ? sizeBytes - (part * i) : part;
            Vectors[i] = new IoVector(_memory + (part * i), length);
        }
        VectorCount = vectorCount;
    }

    public Span<byte> Bytes => new((void*)_memory, _sizeBytes);

    public long? Result { get; private set; }

    public int Completions { get; private set; }

    public Reactor? CompletedOn { get; private set; }

    public Action<RecordingOperation>? WhenCompleted { get; set; }

    public override void Completed(long result)
    {
        (Result, CompletedOn) = (result, Reactor.Current);
        Completions++;
        WhenCompleted?.Invoke(this);
    }

    public void Free()
    {
        Dispose();
        NativeMemory.AlignedFree((void*)_memory);
    }
}
