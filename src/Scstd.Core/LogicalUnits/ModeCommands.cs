using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>MODE SENSE (6) and (10), SPC-4 §6.13 and §6.14; MODE SELECT is in <see cref="ModeSelect"/>.</summary>
internal static class ModeCommands
{
    private const int AllPages = 0x3F;
    private const int AllSubpages = 0xFF;
    private const int LongestBlockDescriptorBytes = 16;

    public static IReadOnlyList<CommandBinding> Bindings { get; } =
    [
        new(Spc.ModeSense6, static command => Sense(command, isShort: true)),
        new(Spc.ModeSense10, static command => Sense(command, isShort: false)),
        new(Spc.ModeSelect6, static command => ModeSelect.Execute(command, isShort: true), ModeSelect.JudgeCdb),
        new(Spc.ModeSelect10, static command => ModeSelect.Execute(command, isShort: false), ModeSelect.JudgeCdb),
    ];

    /// <summary>PC, SPC-4 §6.13: which values of the pages.</summary>
    private enum PageControl
    {
        Current,
        Changeable,
        Standard,
        Saved,
    }

    private static void Sense(ScsiCommand command, bool isShort)
    {
        ReadOnlySpan<byte> cdb = command.Cdb;
        bool withoutBlockDescriptor = (cdb[1] & 0x08) != 0;
        bool longLba = !isShort && (cdb[1] & 0x10) != 0;
        var control = (PageControl)(cdb[2] >> 6);
        if (!TryFindPages(command.Unit, cdb[2] & AllPages, cdb[3], out List<ModePage> pages, out SenseData refused))
        {
            command.CheckCondition(refused);
            return;
        }
        if (control == PageControl.Saved && !command.Unit.SavesModePages)
        {
            command.CheckCondition(SenseData.IllegalRequest(AdditionalSense.SavingParametersNotSupported));
            return;
        }
        Span<byte> descriptor = stackalloc byte[LongestBlockDescriptorBytes];
        int descriptorLength = withoutBlockDescriptor
            ? 0 : command.Unit.Backend.WriteModeBlockDescriptor(descriptor, longLba);
        Answer(command, isShort, longLba, descriptor[..descriptorLength], pages, control);
    }

    private static void Answer(
        ScsiCommand command, bool isShort, bool longLba, ReadOnlySpan<byte> descriptor, List<ModePage> pages,
        PageControl control)
    {
        int header = ModeParameterHeader.LengthOf(isShort);
        int length = header + descriptor.Length +
            pages.Sum(p => ModePageHeader.LengthOf(p.SubpageCode != 0) + p.Current.Length);
        if (isShort && length > byte.MaxValue + 1)
        {
            // MODE DATA LENGTH (6) cannot tell it; the ten byte command can.
            command.CheckCondition(SenseData.InvalidFieldInCdb(2, 5));
            return;
        }
        var to = new ParameterDataWriter(new byte[length]);
        to.Zeros(header);
        to.Bytes(descriptor);
        foreach (ModePage page in pages)
            WritePage(ref to, page, control, command);
        byte[] list = to.Written.ToArray();
        ModeParameterHeader.Write(
            list, isShort, command.Unit.Backend.ModeMediumType, DeviceSpecificParameter(command),
            longLba && descriptor.Length is 0 or LongestBlockDescriptorBytes, descriptor.Length);
        command.CompleteWithData(list);
    }

    private static void WritePage(ref ParameterDataWriter to, ModePage page, PageControl control, ScsiCommand command)
    {
        byte[] values = control switch
        {
            PageControl.Changeable => page.Changeable,
            PageControl.Standard => page.Default,
            PageControl.Saved => LogicalUnit.SavedOrDefault(page),
            _ => page.ValuesFor(command.Nexus),
        };
        bool isSaveable = command.Unit.SavesModePages && !page.IsPerNexus;
        ModePageHeader.Write(ref to, page.PageCode, page.SubpageCode, isSaveable, values.Length);
        to.Bytes(values);
    }

    /// <summary>The device type's own, and WP where the bit means that: what this nexus may not write is write
    /// protected, whoever protects it (SBC-4 §6.5.1, SSC-4 §8.3.1).</summary>
    private static byte DeviceSpecificParameter(ScsiCommand command)
    {
        const byte WriteProtected = 0x80;
        IBackend backend = command.Unit.Backend;
        byte parameter = backend.ModeDeviceSpecificParameter;
        bool hasBit = backend.DeviceType is PeripheralDeviceType.DirectAccessBlock or
            PeripheralDeviceType.SequentialAccess or PeripheralDeviceType.OpticalMemory;
        return hasBit && (command.Unit.IsWriteProtected || command.ItlNexus!.IsReadOnly)
            ? (byte)(parameter | WriteProtected) : parameter;
    }

    /// <summary>SPC-4 §6.13 table: PAGE CODE and SUBPAGE CODE, each of which may stand for all. In ascending order,
    /// with page 00h, whose format is the vendor's, at the end.</summary>
    private static bool TryFindPages(
        LogicalUnit unit, int pageCode, int subpageCode, out List<ModePage> found, out SenseData refused)
    {
        found = [.. unit.ModePages
            .Where(p => pageCode == AllPages || p.PageCode == pageCode)
            .OrderBy(p => p.PageCode == 0 ? AllPages : p.PageCode).ThenBy(p => p.SubpageCode)];
        refused = default;
        // Page 00h has a vendor's format. Tapes have always answered it with no page at all, and initiators ask so for
        // the header and the block descriptor alone.
        if (found.Count == 0 && pageCode == 0 && subpageCode == 0 && unit.Backend.ModeHeader is not null)
            return true;
        if (found.Count == 0)
        {
            refused = SenseData.InvalidFieldInCdb(2, 5);
            return false;
        }
        if (subpageCode == AllSubpages)
            return true;
        // Page 3Fh has subpages 00h and FFh alone.
        found.RemoveAll(p => p.SubpageCode != subpageCode);
        if (found.Count > 0 && (pageCode != AllPages || subpageCode == 0))
            return true;
        refused = SenseData.InvalidFieldInCdb(3);
        return false;
    }
}
