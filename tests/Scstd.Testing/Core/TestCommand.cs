using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Testing;

/// <summary>A command as a test sends it, and what became of it.</summary>
public sealed class TestCommand : ScsiCommand
{
    /// <summary>What the initiator gives.</summary>
    public byte[] DataOut { get; init; } = [];

    /// <summary>What the initiator got: data that the status came with, cut to its buffer.</summary>
    public byte[] DataIn { get; internal set; } = [];

    /// <summary>The mid-layer called for the end, once: with an answer, or without because it was aborted.</summary>
    public bool IsAnswered { get; internal set; }

    public bool WasAborted { get; internal set; }

    public override string ToString() =>
        !IsAnswered ? "not answered" : WasAborted ? "aborted" : $"{Status} {Sense.Key} {Sense.Additional}";
}
