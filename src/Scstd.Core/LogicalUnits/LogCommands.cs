using System.Buffers.Binary;
using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>
/// LOG SENSE, SPC-4 §6.8 and §7.3: the pages that every unit can fill truthfully. Temperature (0Dh) is not among them:
/// nobody measures one.
/// </summary>
internal static class LogCommands
{
    private const byte SupportedPages = 0x00;
    private const byte InformationalExceptions = 0x2F;
    private const byte AllSubpages = 0xFF;
    private const byte SubpageFormat = 0x40;

    public static IReadOnlyList<CommandBinding> Bindings { get; } = [new(Spc.LogSense, LogSense)];

    private static void LogSense(ScsiCommand command)
    {
        ReadOnlySpan<byte> cdb = command.Cdb;
        int page = cdb[2] & 0x3F;
        int subpage = cdb[3];
        if (page is not (SupportedPages or InformationalExceptions))
        {
            command.CheckCondition(SenseData.InvalidFieldInCdb(2, 5));
            return;
        }
        if (subpage != 0 && !(page == SupportedPages && subpage == AllSubpages))
        {
            command.CheckCondition(SenseData.InvalidFieldInCdb(3));
            return;
        }
        // §6.8: a pointer behind the last parameter of the page. No page has a parameter above 0000h.
        if (BinaryPrimitives.ReadUInt16BigEndian(cdb[5..]) != 0)
        {
            command.CheckCondition(SenseData.InvalidFieldInCdb(5));
            return;
        }
        command.CompleteWithData(subpage == AllSubpages
            ? [SubpageFormat | SupportedPages, AllSubpages, 0, 6,
                SupportedPages, 0, SupportedPages, AllSubpages, InformationalExceptions, 0]
            : page == SupportedPages
                ? [SupportedPages, 0, 0, 2, SupportedPages, InformationalExceptions]
                : InformationalExceptionsPage);
    }

    /// <summary>
    /// §7.3.9: DS set (the page is not saved); parameter 0000h, a binary list that is not saved: no exception is
    /// pending (00h/00h), and no temperature reading (FFh).
    /// </summary>
    private static ReadOnlySpan<byte> InformationalExceptionsPage =>
        [0x80 | InformationalExceptions, 0, 0, 8, 0, 0, 0x23, 4, 0x00, 0x00, 0xFF, 0x00];
}
