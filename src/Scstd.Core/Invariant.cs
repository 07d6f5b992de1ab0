using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Scstd.Core;

/// <summary>Checks that stay on in production: a broken one is our own bug, and the process stops.</summary>
public static class Invariant
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void That([DoesNotReturnIf(false)] bool condition, string broken)
    {
        if (!condition)
            Broken(broken);
    }

    [DoesNotReturn]
    private static void Broken(string broken) => throw new UnreachableException($"invariant broken: {broken}");
}
