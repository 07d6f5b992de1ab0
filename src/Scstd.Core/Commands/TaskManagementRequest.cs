using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>Additional Response Information, SAM-5 §7.8.</summary>
/// <param name="DepthAndKey">UADE DEPTH 5-4 (01b: one condition is pending, 10b: more) and SENSE KEY 3-0.</param>
/// <param name="Code">ADDITIONAL SENSE CODE.</param>
/// <param name="Qualifier">ADDITIONAL SENSE CODE QUALIFIER.</param>
public readonly record struct TaskManagementInformation(byte DepthAndKey, byte Code, byte Qualifier);

/// <summary>A task management function on its way (SAM-5 §7), owned by the frontend that received it.</summary>
public class TaskManagementRequest
{
    public required TaskManagementFunction Function { get; init; }

    public Lun Lun { get; init; }

    /// <summary>For ABORT TASK and QUERY TASK: the command, if the frontend still has it.</summary>
    public ScsiCommand? Referenced { get; init; }

    /// <summary>Of the requesting nexus' commands only those with a lower <see cref="ScsiCommand.Sequence"/> are
    /// covered.</summary>
    public ulong Sequence { get; init; } = ulong.MaxValue;

    public ItNexus Nexus { get; internal set; } = null!;

    public TaskManagementResponse Response { get; internal set; }

    /// <summary>With FUNCTION SUCCEEDED of QUERY ASYNCHRONOUS EVENT.</summary>
    public TaskManagementInformation AdditionalInformation { get; internal set; }

    /// <summary>When it was received, for the diagnosis of a long wait.</summary>
    public long ReceivedMs { get; internal set; }

    /// <summary>What it waits for, in words; null once answered.</summary>
    public string? WaitsFor { get; internal set; }

    internal int Pending;

    /// <summary>An injected fault makes the answer late.</summary>
    internal long AnswerDelayMs;
}
