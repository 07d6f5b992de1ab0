namespace Scstctl;

/// <summary>What scripts go by.</summary>
internal static class ExitStatus
{
    public const int Done = 0;

    /// <summary>The daemon refused or failed; nothing was changed unless the message says so.</summary>
    public const int Refused = 1;

    /// <summary>The command line is not one of ours.</summary>
    public const int Misused = 2;

    /// <summary>No daemon could be asked.</summary>
    public const int Unreachable = 3;

    /// <summary>The answer lacks the part of a reactor that did not answer in time, or a unit that is to freeze still
    /// drains.</summary>
    public const int Partial = 4;

    /// <summary>It was done, and could not be written into the configuration file as asked.</summary>
    public const int NotSaved = 5;
}
