using System.Buffers.Binary;
using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>REPORT LUNS, REPORT SUPPORTED OPERATION CODES and REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS.</summary>
internal static class ReportCommands
{
    private const int AllocationLengthOffset = 6;
    private const int LunListHeaderBytes = 8;
    private const int MinLunListBytes = 16;

    public static IReadOnlyList<CommandBinding> Bindings { get; } =
    [
        new(Spc.ReportLuns, ReportLuns),
        .. SupportedOperationCodes.Bindings,
        new(Spc.ReportSupportedTaskManagementFunctions, ReportSupportedTaskManagementFunctions),
    ];

    /// <summary>SELECT REPORT, SPC-4 §6.33 and its successor.</summary>
    private enum SelectReport : byte
    {
        /// <summary>All but well known units.</summary>
        Addressed = 0x00,
        WellKnown = 0x01,
        All = 0x02,

        /// <summary>Administrative units, of which we have none.</summary>
        Administrative = 0x10,

        /// <summary>All but those that belong to an administrative unit.</summary>
        NotSubsidiary = 0x11,

        /// <summary>Those that belong to the administrative unit that is asked.</summary>
        Subsidiary = 0x12,
    }

    /// <summary>
    /// SPC-4 §6.33. Every unit of the nexus answers the same, so does a LUN without a unit: LUN 0 must tell what else
    /// there is even when it is nothing itself. REPORTED LUNS DATA HAS CHANGED ends with it on all of them (SAM-5
    /// §5.14.3).
    /// </summary>
    public static void ReportLuns(ScsiCommand command)
    {
        var select = (SelectReport)command.Cdb[2];
        if (!Enum.IsDefined(select))
        {
            command.CheckCondition(SenseData.InvalidFieldInCdb(2));
            return;
        }
        if (command.RequestedBytes < MinLunListBytes)
        {
            command.CheckCondition(SenseData.InvalidFieldInCdb(AllocationLengthOffset));
            return;
        }
        byte[] answer = LunList(command.Nexus, select);
        int length = (int)Math.Min(answer.Length, command.RequestedBytes);
        // Without memory for the answer nothing is told, and the condition must not be lost.
        if (!command.TryLeaseDataIn(length))
            return;
        command.Nexus.ReportedLunsChangeTold();
        command.Data.CopyFrom(answer.AsSpan(0, length), 0);
        command.DataInLengthBytes = length;
        command.Complete();
    }

    private static byte[] LunList(ItNexus nexus, SelectReport select)
    {
        bool addressed = select is SelectReport.Addressed or SelectReport.All or SelectReport.NotSubsidiary;
        bool wellKnown = select is SelectReport.WellKnown or SelectReport.All;
        int count = (addressed ? nexus.Map.Entries.Count : 0) + (wellKnown ? 1 : 0);
        byte[] list = new byte[LunListHeaderBytes + (count * Lun.LengthBytes)];
        BinaryPrimitives.WriteUInt32BigEndian(list, (uint)(count * Lun.LengthBytes));
        Span<byte> to = list.AsSpan(LunListHeaderBytes);
        if (addressed)
        {
            foreach (LunMapEntry entry in nexus.Map.Entries)
            {
                Lun.FromNumber(entry.Number, nexus.Map.Addressing).Write(to);
                to = to[Lun.LengthBytes..];
            }
        }
        if (wellKnown)
            Lun.WellKnownReportLuns.Write(to);
        return list;
    }

    /// <summary>SPC-4 §6.36: what <see cref="TaskManager"/> carries out. No time is promised for any (REPD: zeros).
    /// </summary>
    private static void ReportSupportedTaskManagementFunctions(ScsiCommand command)
    {
        const int ShortBytes = 4;
        const int ExtendedBytes = 16;
        if (command.RequestedBytes < ShortBytes)
        {
            command.CheckCondition(SenseData.InvalidFieldInCdb(AllocationLengthOffset));
            return;
        }
        bool extended = (command.Cdb[2] & 0x80) != 0;
        Span<byte> answer = stackalloc byte[extended ? ExtendedBytes : ShortBytes];
        answer.Clear();
        answer[0] = 0xFC; // ATS, ATSS, CACAS, CTSS, LURS, QTS
        answer[1] = 0x07; // QAES, QTSS, ITNRS
        answer[3] = (byte)(answer.Length - ShortBytes);
        command.CompleteWithData(answer);
    }
}
