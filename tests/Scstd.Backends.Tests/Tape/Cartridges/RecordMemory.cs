using System.Runtime.InteropServices;
using Scstd.Core;

namespace Scstd.Backends.Tests.Tape.Cartridges;

/// <summary>A command's memory, in pieces that begin and end anywhere.</summary>
internal sealed unsafe class RecordMemory : IDisposable
{
    private readonly List<nint> _pieces = [];

    public RecordMemory(int lengthBytes, int pieceBytes = int.MaxValue)
    {
        for (int left = lengthBytes; left > 0;)
        {
            int take = Math.Min(left, pieceBytes);
            void* piece = NativeMemory.Alloc((nuint)take);
            new Span<byte>(piece, take).Fill(0xA5);
            _pieces.Add((nint)piece);
            Data.Lend((nint)piece, take);
            left -= take;
        }
    }

    public RecordMemory(ReadOnlySpan<byte> bytes, int pieceBytes = int.MaxValue)
        : this(bytes.Length, pieceBytes) => Data.CopyFrom(bytes, 0);

    public DataBuffer Data { get; } = new();

    public byte[] ToArray(int lengthBytes) => Data.ToArray(lengthBytes);

    public void Dispose()
    {
        Data.Return();
        foreach (nint piece in _pieces)
            NativeMemory.Free((void*)piece);
    }
}
