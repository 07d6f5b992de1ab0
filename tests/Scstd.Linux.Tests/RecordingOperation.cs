using System.Runtime.InteropServices;

namespace Scstd.Linux.Tests;

/// <summary>A file operation with memory of its own, cut into vectors, which keeps its result.</summary>
internal sealed unsafe class RecordingOperation : FileOperation
{
    private readonly nint _memory;
    private readonly int _sizeBytes;
    private readonly int _mostVectors;

    public RecordingOperation(int sizeBytes, int vectorCount = 1)
    {
        (_sizeBytes, _mostVectors) = (sizeBytes, vectorCount);
        _memory = (nint)NativeMemory.AlignedAlloc((nuint)Math.Max(sizeBytes, 1), 4096);
        Cut(0);
    }

    public Span<byte> Bytes => new((void*)_memory, _sizeBytes);

    public long? KernelResult { get; private set; }

    public int Completions { get; private set; }

    public Reactor? CompletedOn { get; private set; }

    public Action<RecordingOperation>? WhenCompleted { get; set; }

    public override void Completed(long result)
    {
        (KernelResult, CompletedOn) = (result, Reactor.Current);
        Completions++;
        WhenCompleted?.Invoke(this);
    }

    /// <summary>Leaves away what was transferred already.</summary>
    public void Skip(long lengthBytes) => Cut((int)((nint)Vectors[0].Address - _memory + lengthBytes));

    public void Free()
    {
        Dispose();
        NativeMemory.AlignedFree((void*)_memory);
    }

    private void Cut(int start)
    {
        int left = _sizeBytes - start;
        int part = Math.Max(left / _mostVectors / 4096 * 4096, Math.Min(left, 1));
        VectorCount = 0;
        for (int at = start; at < _sizeBytes; VectorCount++)
        {
            int length = VectorCount == _mostVectors - 1 ? _sizeBytes - at : part;
            Vectors[VectorCount] = new IoVector(_memory + at, length);
            at += length;
        }
    }
}
