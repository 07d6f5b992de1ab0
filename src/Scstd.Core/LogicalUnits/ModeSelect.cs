using System.Numerics;
using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>
/// MODE SELECT (6) and (10), SPC-4 §6.11 and §6.12. Runs alone on the unit. The whole list is judged before any of it
/// is applied, so a refused one has changed nothing.
/// </summary>
internal static class ModeSelect
{
    private const byte PageFormat = 0x10;
    private const byte SavePages = 0x01;
    private const int LongestBlockDescriptorBytes = 16;

    public static void Execute(ScsiCommand command, bool isShort)
    {
        // §6.11: an empty list is no error and changes nothing.
        if (command.RequestedBytes == 0)
        {
            Carry(command, [], null);
            return;
        }
        byte[] list = command.Data.ToArray((int)command.RequestedBytes);
        var changes = new List<(ModePage Page, byte[] Values)>();
        if (Judge(command, list, isShort, changes, out ModeHeaderValues? header) is { } refused)
        {
            command.CheckCondition(refused);
            return;
        }
        Carry(command, changes, header);
    }

    /// <summary>SP where nothing can be saved.</summary>
    public static SenseData? JudgeCdb(ScsiCommand command) =>
        Saves(command.Cdb) && !command.Unit.SavesModePages ? SenseData.InvalidFieldInCdb(1, 0) : null;

    private static SenseData? Judge(
        ScsiCommand command,
        ReadOnlySpan<byte> list,
        bool isShort,
        List<(ModePage Page, byte[] Values)> changes,
        out ModeHeaderValues? values)
    {
        values = null;
        int headerLength = ModeParameterHeader.LengthOf(isShort);
        if (list.Length < headerLength)
            return SenseData.IllegalRequest(AdditionalSense.ParameterListLengthError);
        var header = new ModeParameterHeader(list, isShort);
        int descriptorLength = header.BlockDescriptorLengthBytes;
        if (command.Unit.Backend.ModeHeader is null && header.MediumType != 0)
            return SenseData.InvalidFieldInParameterList(header.MediumTypeOffset);
        if (headerLength + descriptorLength > list.Length)
            return SenseData.IllegalRequest(AdditionalSense.ParameterListLengthError);
        ReadOnlySpan<byte> descriptor = list.Slice(headerLength, descriptorLength);
        if (JudgeHeader(command.Unit.Backend, header, descriptor, out values) is { } bad)
            return bad;
        int at = headerLength + descriptorLength;
        // PF zero: what follows the descriptors is the vendor's, and we have nothing of that kind.
        if (at < list.Length && (command.Cdb[1] & PageFormat) == 0)
            return SenseData.InvalidFieldInCdb(1, 4);
        while (at < list.Length)
        {
            if (JudgePage(command, list, ref at, changes) is { } refused)
                return refused;
        }
        return null;
    }

    private static SenseData? JudgeHeader(
        IBackend backend, in ModeParameterHeader header, ReadOnlySpan<byte> descriptor, out ModeHeaderValues? values)
    {
        values = null;
        if (backend.ModeHeader is not { } changeable)
            return descriptor.IsEmpty ? null : JudgeBlockDescriptor(backend, header, descriptor);
        if (header.IsLongLba)
            return SenseData.InvalidFieldInParameterList(header.LongLbaOffset, 0);
        Span<byte> own = stackalloc byte[LongestBlockDescriptorBytes];
        if (!descriptor.IsEmpty && descriptor.Length != backend.WriteModeBlockDescriptor(own, longLba: false))
            return SenseData.InvalidFieldInParameterList(header.BlockDescriptorLengthOffset);
        values = new ModeHeaderValues(
            header.MediumType, header.MediumTypeOffset, header.DeviceSpecificParameter,
            header.DeviceSpecificParameterOffset, descriptor.ToArray(), header.LengthBytes);
        return changeable.Judge(values);
    }

    /// <summary>
    /// Blocks are of one length here and their number is not changed by MODE SELECT: the descriptor is what MODE SENSE
    /// says, or leaves the number open (0: as it is, all ones: all there are, SBC-4 §6.5.2).
    /// </summary>
    private static SenseData? JudgeBlockDescriptor(
        IBackend backend, in ModeParameterHeader header, ReadOnlySpan<byte> descriptor)
    {
        Span<byte> own = stackalloc byte[LongestBlockDescriptorBytes];
        int ownLength = backend.WriteModeBlockDescriptor(own, header.IsLongLba);
        if (descriptor.Length != ownLength)
            return SenseData.InvalidFieldInParameterList(header.BlockDescriptorLengthOffset);
        if (backend.DeviceType == PeripheralDeviceType.DirectAccessBlock)
        {
            int numberLength = header.IsLongLba ? 8 : 4;
            ReadOnlySpan<byte> number = descriptor[..numberLength];
            if (number.IndexOfAnyExcept((byte)0x00) < 0 || number.IndexOfAnyExcept((byte)0xFF) < 0)
                number.CopyTo(own);
        }
        int different = descriptor.CommonPrefixLength(own[..ownLength]);
        return different == ownLength
            ? null : SenseData.InvalidFieldInParameterList(header.LengthBytes + different);
    }

    private static SenseData? JudgePage(
        ScsiCommand command, ReadOnlySpan<byte> list, ref int at, List<(ModePage Page, byte[] Values)> changes)
    {
        LogicalUnit unit = command.Unit;
        ReadOnlySpan<byte> rest = list[at..];
        if (!ModePageHeader.IsWhole(rest))
            return SenseData.IllegalRequest(AdditionalSense.ParameterListLengthError);
        var header = new ModePageHeader(rest);
        if (Find(unit, header) is not { } page)
            return SenseData.InvalidFieldInParameterList(at, 5);
        if (header.PageLengthBytes > page.Current.Length ||
            header.PageLengthBytes < (page.ShortestLengthBytes ?? page.Current.Length))
            return SenseData.InvalidFieldInParameterList(at + header.PageLengthOffset);
        int valuesAt = at + header.LengthBytes;
        if (list.Length - valuesAt < header.PageLengthBytes)
            return SenseData.IllegalRequest(AdditionalSense.ParameterListLengthError);
        byte[] values = new byte[page.Current.Length];
        list.Slice(valuesAt, header.PageLengthBytes).CopyTo(values);
        byte[] current = page.ValuesFor(command.Nexus);
        for (int i = 0; i < values.Length; i++)
        {
            // §6.11: a parameter that is not changeable must have its current value.
            int wrong = (values[i] ^ current[i]) & ~page.Changeable[i];
            if (wrong != 0)
                return SenseData.InvalidFieldInParameterList(valuesAt + i, BitOperations.Log2((uint)wrong));
        }
        if (ReferenceEquals(page, unit.Control) && ControlModePage.FindReservedValue(values) is { } reserved)
            return SenseData.InvalidFieldInParameterList(valuesAt + reserved.Offset, reserved.Bit);
        if (page.FindInvalidValue?.Invoke(values) is { } invalid)
            return SenseData.InvalidFieldInParameterList(valuesAt + invalid.Offset, invalid.Bit);
        changes.Add((page, values));
        at = valuesAt + header.PageLengthBytes;
        return null;
    }

    private static ModePage? Find(LogicalUnit unit, in ModePageHeader header)
    {
        foreach (ModePage page in unit.ModePages)
        {
            // A page is known in one of the two formats.
            if (page.PageCode == header.PageCode && page.SubpageCode == header.SubpageCode &&
                header.HasSubpage == (page.SubpageCode != 0))
                return page;
        }
        return null;
    }

    /// <summary>All of the list or nothing: what the device server cannot do ends the command with why, and with SP
    /// all pages are saved and nothing is changed unless they are (SPC-4 §6.11).</summary>
    private static void Carry(
        ScsiCommand command, List<(ModePage Page, byte[] Values)> changes, ModeHeaderValues? header) =>
        command.Unit.ApplyModes(
            [.. changes.Where(one => !one.Page.IsPerNexus)], command.Nexus.Executor, mustHold: false, change =>
        {
            if (change.Failure is { } failure)
                command.CheckCondition(failure);
            else if (Saves(command.Cdb))
                Save(command, change, changes, header);
            else
                End(command, change, changes, header);
        });

    private static void Save(
        ScsiCommand command, LogicalUnit.ModeChange change, List<(ModePage Page, byte[] Values)> changes,
        ModeHeaderValues? header) =>
        command.Unit.SaveModes(change, command.Nexus.Executor, saved =>
        {
            if (saved)
            {
                End(command, change, changes, header);
                return;
            }
            var failure = new SenseData(SenseKey.HardwareError, AdditionalSense.InternalTargetFailure);
            change.TakeBack(failure);
            command.CheckCondition(failure);
        });

    /// <summary>Nothing can fail any more, so the header has its new values now, and so have pages of which each nexus
    /// has its own: nobody else is to be told of those.</summary>
    private static void End(
        ScsiCommand command, LogicalUnit.ModeChange change, List<(ModePage Page, byte[] Values)> changes,
        ModeHeaderValues? header)
    {
        change.Hold();
        foreach ((ModePage page, byte[] values) in changes.Where(one => one.Page.IsPerNexus))
            page.SetFor(command.Nexus, values);
        bool isHeaderChanged = header is not null && command.Unit.Backend.ModeHeader!.Change(header);
        if (!change.IsEmpty || isHeaderChanged)
            command.Unit.EstablishUnitAttention(AdditionalSense.ModeParametersChanged, command.ItlNexus);
        command.Complete();
    }

    private static bool Saves(ReadOnlySpan<byte> cdb) => (cdb[1] & SavePages) != 0;
}
