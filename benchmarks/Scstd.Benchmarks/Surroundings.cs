using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Scstd.Core;

namespace Scstd.Benchmarks;

/// <summary>A session that sends nothing.</summary>
internal sealed class Port(ulong key) : ITargetPort
{
    /// <summary>The parameter list of REGISTER, with the port's own key.</summary>
    public void ReceiveDataOut(ScsiCommand command)
    {
        byte[] list = new byte[24];
        BinaryPrimitives.WriteUInt64BigEndian(list.AsSpan(8), key);
        command.Data.CopyFrom(list, 0);
        command.DataOutReceived();
    }

    public void SendCommandComplete(ScsiCommand command) => command.Release();

    public void TerminateDataTransfer(ScsiCommand command) => command.DataTransferTerminated();

    public void CommandAborted(ScsiCommand command) => command.Release();

    public void TaskManagementFunctionExecuted(TaskManagementRequest request)
    {
    }
}

/// <summary>What is posted runs when it is told to.</summary>
internal sealed class Executor(int index = 0) : IExecutor
{
    private readonly Queue<Action> _work = new();

    public int Index => index;

    public long NowMs { get; private set; } = 1;

    public long NowUs => NowMs * 1000;

    public BufferPool Buffers { get; } = new(new Slabs());

    public void Post(Action work) => _work.Enqueue(work);

    public void PostAfter(long delayMs, Action work)
    {
    }

    public void Run()
    {
        while (_work.TryDequeue(out Action? work))
            work();
        NowMs++;
    }
}

/// <summary>Memory without a bound.</summary>
internal sealed unsafe class Slabs : ISlabSource
{
    public nint TakeSlab() => (nint)NativeMemory.AlignedAlloc(BufferPool.SlabBytes, BufferPool.SlabBytes);

    public void ReturnSlab(nint slab) => NativeMemory.AlignedFree((void*)slab);
}
