using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>REQUEST SENSE, SPC-4 §6.39.</summary>
internal static class SenseCommands
{
    public static IReadOnlyList<CommandBinding> Bindings { get; } = [new(Spc.RequestSense, RequestSense)];

    /// <summary>The sense data as parameter data, in the format that DESC asks for.</summary>
    public static void Answer(ScsiCommand command, in SenseData sense)
    {
        Span<byte> bytes = stackalloc byte[SenseWriter.MaxLengthBytes];
        int length = SenseWriter.Write(sense, (command.Cdb[1] & 0x01) != 0, bytes);
        command.CompleteWithData(bytes[..length]);
    }

    /// <summary>
    /// A pending unit attention condition is reported as data and ends with it (SAM-5 §5.14); without one, what TEST
    /// UNIT READY would say (pollable sense data).
    /// </summary>
    private static void RequestSense(ScsiCommand command)
    {
        // No room for the report: the condition stays. No memory either: it must not be lost.
        if (command.RequestedBytes == 0)
        {
            command.Complete();
            return;
        }
        int room = (int)Math.Min(command.RequestedBytes, SenseWriter.MaxLengthBytes);
        if (!command.TryLeaseDataIn(room))
            return;
        AdditionalSense attention = default;
        // Where the initiator has no room the report does not reach it.
        bool tells = command.ExpectedDataInBytes > 0 && command.ItlNexus!.UnitAttentions.TryTake(out attention);
        SenseData sense = tells ? SenseData.UnitAttention(attention)
            : AsymmetricAccess.NotReady(command.ItlNexus!.AccessState) ?? command.Unit.Backend.NotReady ?? default;
        Span<byte> bytes = stackalloc byte[SenseWriter.MaxLengthBytes];
        int length = Math.Min(room, SenseWriter.Write(sense, (command.Cdb[1] & 0x01) != 0, bytes));
        command.Data.CopyFrom(bytes[..length], 0);
        command.DataInLengthBytes = length;
        command.Complete();
    }
}
