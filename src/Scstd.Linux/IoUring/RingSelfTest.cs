using System.Runtime.InteropServices;

namespace Scstd.Linux.IoUring;

/// <summary>
/// Proves that a ring does what we need before anything depends on it. A probe tells what the kernel was built
/// with; only doing it finds what a filter or a fault forbids.
/// </summary>
internal sealed unsafe class RingSelfTest(Ring ring, ReceiveBuffers buffers)
{
    private const int PatienceMs = 2000;
    private const int MaxOperations = 256;
    private const ulong Word = 0x676e6972_64747363;
    private const uint ElfMagic = 0x464c457f; // "\x7fELF"

    private static readonly RingOperation[] Needed =
    [
        RingOperation.ReadVectors, RingOperation.WriteVectors, RingOperation.Sync, RingOperation.SendMessage,
        RingOperation.ReceiveMessage, RingOperation.Accept, RingOperation.Cancel, RingOperation.Fallocate,
        RingOperation.Read, RingOperation.Write, RingOperation.Receive,
    ];

    /// <exception cref="RingRefusedException">With what failed.</exception>
    internal void Run()
    {
        Probe();
        // Given back only after success: an operation that did not end in time may still write there.
        var memory = (Memory*)NativeMemory.AllocZeroed((nuint)sizeof(Memory));
        Echo(memory);
        ReadFile(memory);
        NativeMemory.Free(memory);
    }

    private static RingRefusedException Failed(string what) => new($"io_uring failed its self-test: {what}");

    /// <summary>struct io_uring_probe: 16 bytes, then 8 bytes for each operation.</summary>
    private void Probe()
    {
        byte* probe = stackalloc byte[16 + (MaxOperations * 8)];
        new Span<byte>(probe, 16 + (MaxOperations * 8)).Clear();
        int result = ring.Register(RingFlags.RegisterProbe, probe, MaxOperations);
        if (result < 0)
            throw new RingRefusedException($"io_uring's probe: {LinuxException.Describe(-result)}");
        foreach (RingOperation operation in Needed)
        {
            byte* row = probe + 16 + ((int)operation * 8);
            if ((int)operation > probe[0] || (*(ushort*)(row + 2) & 1) == 0)
                throw new RingRefusedException($"io_uring lacks the operation {operation}");
        }
    }

    private void Echo(Memory* memory)
    {
        int* pair = stackalloc int[2];
        LinuxException.Check(
            LibC.SocketPair(LibC.AddressFamilyUnix, LibC.SocketStream | LibC.SocketCloseOnExec, 0, pair),
            "socketpair");
        using var near = new SocketHandle(pair[0]);
        using var far = new SocketHandle(pair[1]);
        memory->Word = Word;
        memory->Vector = new IoVector((nint)(&memory->Word), sizeof(ulong));
        memory->Message = new MessageHeader { Vectors = &memory->Vector, VectorCount = 1 };
        SubmissionEntry* receive = ring.Next();
        receive->Operation = RingOperation.Receive;
        receive->Descriptor = near.Descriptor;
        receive->Flags = RingFlags.EntryBufferSelect;
        receive->BufferGroup = ReceiveBuffers.Group;
        receive->UserData = 1;
        SubmissionEntry* send = ring.Next();
        send->Operation = RingOperation.SendMessage;
        send->Descriptor = far.Descriptor;
        send->Address = (nint)(&memory->Message);
        send->Length = 1;
        send->UserData = 2;
        CompletionEntry received = default;
        for (int i = 0; i < 2; i++)
        {
            CompletionEntry completion = Await();
            if (completion.Result != sizeof(ulong))
                throw Failed(Describe(completion.UserData == 1 ? "a receive" : "a send", completion.Result));
            if (completion.UserData == 1)
                received = completion;
        }
        int index = (int)(received.Flags >> RingFlags.CompletionBufferShift);
        bool same = *(ulong*)buffers.Address(index) == Word;
        buffers.Return(index);
        if (!same)
            throw Failed("other bytes were received than sent");
    }

    private void ReadFile(Memory* memory)
    {
        int descriptor = LibC.Open("/proc/self/exe", LibC.OpenReadOnly | LibC.OpenCloseOnExec, 0);
        using var file = new FileHandle(LinuxException.Check(descriptor, "open", "/proc/self/exe"));
        SubmissionEntry* read = ring.Next();
        read->Operation = RingOperation.Read;
        read->Descriptor = file.Descriptor;
        read->Address = (nint)(&memory->Magic);
        read->Length = sizeof(uint);
        read->UserData = 3;
        int result = Await().Result;
        if (result != sizeof(uint))
            throw Failed(Describe("a file read", result));
        if (memory->Magic != ElfMagic)
            throw Failed("other bytes were read than the file has");
    }

    private CompletionEntry Await()
    {
        long end = Environment.TickCount64 + PatienceMs;
        while (!ring.HasCompletions)
        {
            if (Environment.TickCount64 > end)
                throw Failed("an operation does not complete");
            ring.Enter(1, PatienceMs);
        }
        return ring.Take();
    }

    private static string Describe(string what, int result) =>
        result < 0 ? $"{what}: {LinuxException.Describe(-result)}" : $"{what} moved {result} bytes";

    private struct Memory
    {
        public ulong Word;
        public uint Magic;
        public IoVector Vector;
        public MessageHeader Message;
    }
}
