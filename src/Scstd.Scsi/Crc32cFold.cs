using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Scstd.Scsi;

/// <summary>
/// CRC32C by folding: four registers of 512 bits stand for the last 256 bytes of a message that has the same CRC as
/// everything read so far. Moving a 128-bit lane D bits further multiplies its two halves by x^(D+32) and x^(D-32)
/// modulo P; the additional factor x of a reflected carry-less product is in the constants' shift by one.
/// </summary>
internal static class Crc32cFold
{
    /// <summary>Below this the CRC32 instruction alone is as fast (measured at 128 to 512 bytes).</summary>
    public const int LengthMin = 256;

    private const int RegisterBytes = 64;

    /// <summary>Not first without optimization: that is a hundred times slower, and lasts as long as the run-time's
    /// compiler gets no time beside the reactors.</summary>
    private const MethodImplOptions Eager = MethodImplOptions.AggressiveOptimization;

    private static readonly Vector512<ulong> FourRegisters = Constants(4 * RegisterBytes * 8);
    private static readonly Vector512<ulong> OneRegister = Constants(RegisterBytes * 8);

    public static bool IsSupported =>
        Pclmulqdq.V512.IsSupported && Avx512F.IsSupported && Sse42.X64.IsSupported;

    [MethodImpl(Eager)]
    public static uint Append(uint state, ReadOnlySpan<byte> bytes)
    {
        ref var at = ref MemoryMarshal.GetReference(bytes);
        var left = bytes.Length;
        var x0 = Load(ref at, 0) ^ Vector512.CreateScalar((ulong)state);
        var x1 = Load(ref at, 1);
        var x2 = Load(ref at, 2);
        var x3 = Load(ref at, 3);
        var step = FourRegisters;
        for (left -= LengthMin; left >= LengthMin; left -= LengthMin)
        {
            at = ref Unsafe.Add(ref at, LengthMin);
            x0 = Fold(x0, step, Load(ref at, 0));
            x1 = Fold(x1, step, Load(ref at, 1));
            x2 = Fold(x2, step, Load(ref at, 2));
            x3 = Fold(x3, step, Load(ref at, 3));
        }
        at = ref Unsafe.Add(ref at, LengthMin);

        step = OneRegister;
        x3 = Fold(Fold(Fold(x0, step, x1), step, x2), step, x3);
        for (; left >= RegisterBytes; left -= RegisterBytes)
        {
            x3 = Fold(x3, step, Load(ref at, 0));
            at = ref Unsafe.Add(ref at, RegisterBytes);
        }
        return Crc32c.AppendSerial(Reduce(x3), bytes[^left..]);
    }

    /// <summary>Copies what it reads, and reads it once: bytes that somebody changes meanwhile have the digest of what
    /// was copied.</summary>
    /// <remarks>A loop in common with the plain one made that one a quarter slower.</remarks>
    [MethodImpl(Eager)]
    public static uint AppendCopying(uint state, ReadOnlySpan<byte> bytes, Span<byte> copy)
    {
        ref var at = ref MemoryMarshal.GetReference(bytes);
        ref var to = ref MemoryMarshal.GetReference(copy[..bytes.Length]);
        var left = bytes.Length;
        var x0 = Copy(ref at, ref to, 0) ^ Vector512.CreateScalar((ulong)state);
        var x1 = Copy(ref at, ref to, 1);
        var x2 = Copy(ref at, ref to, 2);
        var x3 = Copy(ref at, ref to, 3);
        var step = FourRegisters;
        for (left -= LengthMin; left >= LengthMin; left -= LengthMin)
        {
            at = ref Unsafe.Add(ref at, LengthMin);
            to = ref Unsafe.Add(ref to, LengthMin);
            x0 = Fold(x0, step, Copy(ref at, ref to, 0));
            x1 = Fold(x1, step, Copy(ref at, ref to, 1));
            x2 = Fold(x2, step, Copy(ref at, ref to, 2));
            x3 = Fold(x3, step, Copy(ref at, ref to, 3));
        }
        at = ref Unsafe.Add(ref at, LengthMin);
        to = ref Unsafe.Add(ref to, LengthMin);

        step = OneRegister;
        x3 = Fold(Fold(Fold(x0, step, x1), step, x2), step, x3);
        for (; left >= RegisterBytes; left -= RegisterBytes)
        {
            x3 = Fold(x3, step, Copy(ref at, ref to, 0));
            at = ref Unsafe.Add(ref at, RegisterBytes);
            to = ref Unsafe.Add(ref to, RegisterBytes);
        }
        bytes[^left..].CopyTo(copy[(bytes.Length - left)..]);
        return Crc32c.AppendSerial(Reduce(x3), copy[(bytes.Length - left)..bytes.Length]);
    }

    /// <summary>What the last register stands for, as 32 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Reduce(Vector512<ulong> x)
    {
        ulong crc = 0;
        for (var i = 0; i < 8; i++) crc = Sse42.X64.Crc32(crc, x[i]);
        return (uint)crc;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> Copy(ref byte at, ref byte to, int register)
    {
        var loaded = Vector512.LoadUnsafe(ref at, (nuint)(register * RegisterBytes));
        loaded.StoreUnsafe(ref to, (nuint)(register * RegisterBytes));
        return loaded.AsUInt64();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> Load(ref byte at, int register) =>
        Vector512.LoadUnsafe(ref at, (nuint)(register * RegisterBytes)).AsUInt64();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> Fold(Vector512<ulong> x, Vector512<ulong> step, Vector512<ulong> next)
    {
        const byte ThreeWayXor = 0x96;
        return Avx512F.TernaryLogic(
            Pclmulqdq.V512.CarrylessMultiply(x, step, 0x00),
            Pclmulqdq.V512.CarrylessMultiply(x, step, 0x11),
            next, ThreeWayXor);
    }

    private static Vector512<ulong> Constants(int distanceBits)
    {
        var low = (ulong)Crc32c.PowerOfX(distanceBits + 32) << 1;
        var high = (ulong)Crc32c.PowerOfX(distanceBits - 32) << 1;
        return Vector512.Create(low, high, low, high, low, high, low, high);
    }
}
