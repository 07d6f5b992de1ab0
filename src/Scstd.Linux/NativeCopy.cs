namespace Scstd.Linux;

/// <summary>Copies a payload between native buffers.</summary>
public static unsafe class NativeCopy
{
    /// <summary>Our choice: below this the call costs more than it wins.</summary>
    private const int SmallBytes = 512;

    /// <summary>The C library's memcpy: for blocks that are not in the cache it is measurably faster than the
    /// run-time's own copy. The ranges must not overlap.</summary>
    public static void Copy(nint source, nint destination, long lengthBytes)
    {
        if (lengthBytes <= SmallBytes)
            new ReadOnlySpan<byte>((void*)source, (int)lengthBytes).CopyTo(new((void*)destination, (int)lengthBytes));
        else
            LibC.CopyMemory((void*)destination, (void*)source, (nuint)lengthBytes);
    }
}
