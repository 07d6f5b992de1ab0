using System.Buffers.Binary;
using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>SEND DIAGNOSTIC and RECEIVE DIAGNOSTIC RESULTS, SPC-4 §6.42 and §7.2: the default self-test, and page 00h
/// which lists itself alone.</summary>
internal static class DiagnosticCommands
{
    private const int PageHeaderBytes = 4;
    private const byte SelfTest = 0x04;
    private const byte PageFormat = 0x10;

    public static IReadOnlyList<CommandBinding> Bindings { get; } =
    [
        new(Spc.ReceiveDiagnosticResults, ReceiveDiagnosticResults),
        new(Spc.SendDiagnostic, SendDiagnostic, JudgeSendDiagnostic),
    ];

    private static SenseData? JudgeSendDiagnostic(ScsiCommand command)
    {
        if (command.RequestedBytes == 0)
            return null;
        // §6.42: a self-test has no parameters; without PF they are vendor specific, and we have none.
        if ((command.Cdb[1] & SelfTest) != 0)
            return SenseData.InvalidFieldInCdb(3);
        return (command.Cdb[1] & PageFormat) == 0 ? SenseData.InvalidFieldInCdb(1, 4) : null;
    }

    private static void SendDiagnostic(ScsiCommand command)
    {
        if (command.RequestedBytes == 0)
        {
            // The default self-test asks nothing of the medium, and whatever runs this code has passed it.
            command.Complete();
            return;
        }
        byte[] list = command.Data.ToArray((int)command.RequestedBytes);
        if (JudgeParameters(command.Unit.Backend, list) is { } refused)
            command.CheckCondition(refused);
        else
            command.Complete();
    }

    /// <summary>Page 00h alone, empty: make the list of pages ready. It always is.</summary>
    private static SenseData? JudgeParameters(IBackend backend, ReadOnlySpan<byte> list)
    {
        if (list.Length < PageHeaderBytes)
            return SenseData.IllegalRequest(AdditionalSense.ParameterListLengthError);
        bool isIgnored = list[0] != 0 && backend.IgnoresDiagnosticPage(list[0]);
        if (list[0] != 0 && !isIgnored)
            return SenseData.InvalidFieldInParameterList(0);
        int lengthBytes = BinaryPrimitives.ReadUInt16BigEndian(list[2..]);
        if (lengthBytes != 0 && !isIgnored)
            return SenseData.InvalidFieldInParameterList(2);
        return list.Length != PageHeaderBytes + lengthBytes
            ? SenseData.IllegalRequest(AdditionalSense.ParameterListLengthError) : null;
    }

    /// <summary>With PCV the page that is named, without it what the last SEND DIAGNOSTIC asked for, page 00h.
    /// </summary>
    private static void ReceiveDiagnosticResults(ScsiCommand command)
    {
        bool pageCodeValid = (command.Cdb[1] & 0x01) != 0;
        if (pageCodeValid && command.Cdb[2] != 0)
            command.CheckCondition(SenseData.InvalidFieldInCdb(2));
        else
            command.CompleteWithData([0x00, 0x00, 0x00, 0x01, 0x00]);
    }
}
