namespace Scstd.Core;

/// <summary>
/// What a frontend's session offers the mid-layer: SAM-5's transport protocol services under their own names. No call
/// may block; each is answered later (or from inside the call), as named. All on the nexus' own executor.
/// </summary>
public interface ITargetPort
{
    /// <summary>What a store lends is copied before it is sent, because others may write to it while something is
    /// computed over it (a digest): the device server leases room in <see cref="ScsiCommand.CopyOfLent"/>.</summary>
    bool CopiesWhatIsLent => false;

    /// <summary>A unit is slow: more commands than this under way at a time would not be done before the initiator
    /// loses patience, so no more should be asked for. <see cref="int.MaxValue"/>: no such bound any more.</summary>
    void AllowCommands(int most)
    {
    }

    /// <summary>Fetch the Data-Out into <see cref="ScsiCommand.Data"/> (R2T, XFER_RDY);
    /// answer: <see cref="ScsiCommand.DataOutReceived"/>.</summary>
    void ReceiveDataOut(ScsiCommand command);

    /// <summary>
    /// The first <see cref="ScsiCommand.DataInReadyBytes"/> of a command that goes on may be sent by now; again as they
    /// become more. No answer: what has not been sent when the command ends is sent then. Nothing of it is sent any
    /// more once <see cref="CommandAborted"/> was called, whose answer waits for what was.
    /// </summary>
    void SendDataIn(ScsiCommand command)
    {
    }

    /// <summary>Send Data-In if any, status, sense; answer when nothing of it is needed any more:
    /// <see cref="ScsiCommand.Release"/>.</summary>
    void SendCommandComplete(ScsiCommand command);

    /// <summary>The command was aborted while its Data-Out came in: stop touching its buffer;
    /// answer: <see cref="ScsiCommand.DataTransferTerminated"/>.</summary>
    void TerminateDataTransfer(ScsiCommand command);

    /// <summary>The command ended by an abort and gets no response: forget it;
    /// answer: <see cref="ScsiCommand.Release"/>.</summary>
    void CommandAborted(ScsiCommand command);

    /// <summary>Nothing that the function covers can act any more: send <see cref="TaskManagementRequest.Response"/>.
    /// </summary>
    void TaskManagementFunctionExecuted(TaskManagementRequest request);

    /// <summary>For a log: a function has waited this long for <see cref="TaskManagementRequest.WaitsFor"/>, and goes
    /// on waiting.</summary>
    void TaskManagementFunctionDelayed(TaskManagementRequest request, long waitedMs)
    {
    }

    /// <summary>A unit attention condition of a kind that is worth telling at once was established (asynchronous event
    /// reporting). It stays pending whether it is told or not.</summary>
    void AsynchronousEventOccurred(ItlNexus itl, Scsi.AdditionalSense condition)
    {
    }
}
