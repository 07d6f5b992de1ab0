using System.Runtime.InteropServices;

namespace Scstd.Linux.Epoll;

/// <summary>
/// Linux AIO for files opened with O_DIRECT, where there is no ring: one call submits what a pass wants, an eventfd
/// tells of completions. Worker threads do the same for eight times the processor time. The kernel is asked not to
/// wait in the submission; where it would have to, the operation goes to a worker.
/// </summary>
internal sealed unsafe class KernelAio : IEpollTarget, IDisposable
{
    /// <summary>Our choice: operations with the kernel at a time; the system's sum is limited by fs.aio-max-nr
    /// (65536).</summary>
    private const int Depth = 256;

    private const ushort ReadVectors = 7; // IOCB_CMD_PREADV
    private const ushort WriteVectors = 8; // IOCB_CMD_PWRITEV
    private const uint TellEventDescriptor = 1; // IOCB_FLAG_RESFD

    private readonly Action<FileOperation, long> _completed;
    private readonly Action<FileOperation> _refused;
    private readonly FileHandle _event;
    private readonly nint _context;
    private readonly ControlBlock* _blocks;
    private readonly void** _toSubmit;
    private readonly Event* _events;
    private readonly SlotTable<FileOperation> _operations = new();
    private FileList _waiting;
    private int _toSubmitCount;

    private KernelAio(nint context, Action<FileOperation, long> completed, Action<FileOperation> refused)
    {
        (_context, _completed, _refused) = (context, completed, refused);
        const int Flags = LibC.SocketCloseOnExec | LibC.SocketNonBlocking;
        _event = new FileHandle(LinuxException.Check(LibC.EventDescriptor(0, Flags), "eventfd"));
        _blocks = (ControlBlock*)NativeMemory.AllocZeroed(Depth, (nuint)sizeof(ControlBlock));
        _toSubmit = (void**)NativeMemory.AllocZeroed(Depth, (nuint)sizeof(void*));
        _events = (Event*)NativeMemory.AllocZeroed(Depth, (nuint)sizeof(Event));
    }

    internal int EventDescriptor => _event.Descriptor;

    internal int UnderWay => _operations.Count;

    /// <summary>Null where the kernel has none for us; then workers do the work, as they do for each operation given
    /// to <paramref name="refused"/>: the kernel would have had to wait, or finds a fault that a plain call tells.
    /// </summary>
    internal static KernelAio? TryCreate(Action<FileOperation, long> completed, Action<FileOperation> refused)
    {
        nint context = 0;
        return LibC.AioSetup(LibC.AioSetupCall, Depth, &context) == 0
            ? new KernelAio(context, completed, refused)
            : null;
    }

    internal static bool Takes(FileOperation operation) =>
        operation.File!.IsDirect && operation.Kind
            is FileOperationKind.Read or FileOperationKind.Write or FileOperationKind.WriteThrough;

    internal void Add(FileOperation operation)
    {
        if (_operations.Count == Depth)
        {
            _waiting.Append(operation);
            return;
        }
        int slot = _operations.Add(operation);
        ControlBlock* block = _blocks + slot;
        bool through = operation.Kind == FileOperationKind.WriteThrough;
        *block = new ControlBlock
        {
            Data = (ulong)slot,
            ReadWriteFlags = LibC.DoNotWait | (through ? LibC.WriteDataSync : 0),
            Operation = operation.Kind == FileOperationKind.Read ? ReadVectors : WriteVectors,
            Descriptor = operation.File!.Descriptor,
            Buffer = (nint)operation.Vectors,
            Count = (ulong)operation.VectorCount,
            Offset = operation.OffsetBytes,
            Flags = TellEventDescriptor,
            ResultDescriptor = EventDescriptor,
        };
        _toSubmit[_toSubmitCount++] = block;
    }

    /// <summary>Submits what was added; how many calls that took. Completes nothing.</summary>
    internal uint Submit()
    {
        uint calls = 0;
        int done = 0;
        while (done < _toSubmitCount)
        {
            calls++;
            nint taken = LibC.AioSubmit(LibC.AioSubmitCall, _context, _toSubmitCount - done, _toSubmit + done);
            if (taken > 0)
            {
                done += (int)taken;
                continue;
            }
            _refused(Take((int)((ControlBlock*)_toSubmit[done++])->Data)); // the first of them; the others go on
        }
        _toSubmitCount = 0;
        return calls;
    }

    public void Ready(uint events)
    {
        ulong count;
        _ = LibC.Read(EventDescriptor, &count, sizeof(ulong));
        nint ready;
        do
        {
            ready = LibC.AioGetEvents(LibC.AioGetEventsCall, _context, 0, Depth, _events, null);
            for (int i = 0; i < ready; i++)
            {
                FileOperation operation = Take((int)_events[i].Data);
                if (_events[i].Result is -ErrorNumber.TryAgain or -ErrorNumber.NotSupported)
                    _refused(operation);
                else
                    _completed(operation, _events[i].Result);
            }
        }
        while (ready == Depth);
        while (_operations.Count < Depth && _waiting.TryTake(out FileOperation? waiting))
            Add(waiting);
    }

    public void Dispose()
    {
        _ = LibC.AioDestroy(LibC.AioDestroyCall, _context);
        _event.Dispose();
        NativeMemory.Free(_blocks);
        NativeMemory.Free(_toSubmit);
        NativeMemory.Free(_events);
    }

    private FileOperation Take(int slot)
    {
        FileOperation operation = _operations[slot];
        _operations.Remove(slot);
        return operation;
    }

    /// <summary>struct iocb, little-endian.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 64)]
    private struct ControlBlock
    {
        public ulong Data;
        public uint Key;
        public int ReadWriteFlags;
        public ushort Operation;
        public short Priority;
        public int Descriptor;
        public nint Buffer;
        public ulong Count;
        public long Offset;
        public ulong Reserved;
        public uint Flags;
        public int ResultDescriptor;
    }

    /// <summary>struct io_event.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Event
    {
        public ulong Data;
        public ulong Block;
        public long Result;
        public long Result2;
    }
}
