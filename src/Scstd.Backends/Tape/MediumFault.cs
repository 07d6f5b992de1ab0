namespace Scstd.Backends.Tape;

public enum MediumFaultKind : byte
{
    /// <summary>The record's bytes are not those that were written, or cannot be read: MEDIUM ERROR.</summary>
    DamagedRecord,

    /// <summary>The cartridge's own structures are damaged: it can be read up to there, or not at all.</summary>
    DamagedFormat,

    /// <summary>The file is of a newer version, or no cartridge.</summary>
    UnknownFormat,

    /// <summary>No space, no permission, an I/O error of the file system.</summary>
    Store,

    /// <summary>The record is encrypted and no key, or not the right one, is there.</summary>
    WrongKey,

    /// <summary>WORM, or write protected.</summary>
    WriteProtected,
}

/// <param name="Kind">What is wrong.</param>
/// <param name="Error">The system's error number, if it was one; else 0.</param>
/// <param name="IsPassed">The position is behind the object that could not be read.</param>
public sealed record MediumFault(MediumFaultKind Kind, int Error = 0, bool IsPassed = false);

/// <summary>A cartridge could not do what it was asked. The message is for the administrator.</summary>
public sealed class MediumFaultException(MediumFault fault, string message, Exception? inner = null)
    : Exception(message, inner)
{
    public MediumFault Fault { get; } = fault;
}
