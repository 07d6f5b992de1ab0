using System.Buffers.Binary;
using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Backends.Changer;

/// <summary>Which row is done by what, and what is refused of a CDB alone.</summary>
public sealed partial class ChangerBackend
{
    private const int TransportOffset = 2;
    private const int SourceOffset = 4;
    private const int DestinationOffset = 6;
    private const int SecondDestinationOffset = 8;
    private const byte OpenAction = 0x00;
    private const byte CloseAction = 0x01;
    private const byte Range = 0x01;

    private IEnumerable<CommandBinding> Bindings()
    {
        yield return new(Smc.InitializeElementStatus, InitializeElementStatus);
        yield return new(Smc.InitializeElementStatusWithRange, InitializeElementStatus, ValidateRange);
        yield return new(Smc.ReadElementStatus, ReadElementStatus, command => ValidateType(command.Cdb));
        yield return new(
            Smc.RequestVolumeElementAddress, RequestVolumeElementAddress, command => ValidateType(command.Cdb));
        yield return new(Smc.SendVolumeTag, SendVolumeTag, ValidateSendVolumeTag);
        yield return new(Smc.PositionToElement, static command => command.Complete(), ValidatePosition);
        yield return new(Smc.MoveMedium, MoveMedium, ValidateMove);
        if (Personality.CanExchange)
            yield return new(Smc.ExchangeMedium, ExchangeMedium, ValidateExchange);
        yield return new(Smc.PreventAllowMediumRemoval, _removal.PreventAllow, MediumRemoval.Validate);
        if (_options.ImportExports > 0)
            yield return new(Smc.OpenCloseImportExportElement, OpenClose, ValidateOpenClose);
    }

    private static ushort AddressIn(ReadOnlySpan<byte> cdb, int offset) =>
        BinaryPrimitives.ReadUInt16BigEndian(cdb[offset..]);

    private static SenseData InvalidElementAddress(int offset) =>
        SenseData.IllegalRequest(AdditionalSense.InvalidElementAddress) with
        {
            FieldPointer = (ushort)offset,
            FieldIsInCdb = true,
        };

    /// <summary>ELEMENT TYPE CODE.</summary>
    private static SenseData? ValidateType(ReadOnlySpan<byte> cdb) =>
        (cdb[1] & 0x0F) > (int)ElementType.DataTransfer ? SenseData.InvalidFieldInCdb(1, 3) : null;

    /// <summary>MEDIUM TRANSPORT ELEMENT ADDRESS: zero is whichever the changer takes.</summary>
    private SenseData? ValidateTransport(ReadOnlySpan<byte> cdb)
    {
        int address = AddressIn(cdb, TransportOffset);
        return address == 0 || Library.At(address)?.Type == ElementType.MediumTransport
            ? null : InvalidElementAddress(TransportOffset);
    }

    /// <summary>A place where a cartridge can lie.</summary>
    private SenseData? ValidatePlace(ReadOnlySpan<byte> cdb, int offset) =>
        Library.At(AddressIn(cdb, offset)) is null or { Type: ElementType.MediumTransport }
            ? InvalidElementAddress(offset) : null;

    private SenseData? ValidateMove(ScsiCommand command)
    {
        ReadOnlySpan<byte> cdb = command.Cdb;
        if ((cdb[10] & 0x01) != 0)
            return SenseData.InvalidFieldInCdb(10, 0);
        if ((ValidateTransport(cdb) ?? ValidatePlace(cdb, SourceOffset) ?? ValidatePlace(cdb, DestinationOffset)) is
            { } wrong)
            return wrong;
        return IsBarred(cdb, SourceOffset, DestinationOffset) ? InvalidElementAddress(DestinationOffset) : null;
    }

    private SenseData? ValidateExchange(ScsiCommand command)
    {
        ReadOnlySpan<byte> cdb = command.Cdb;
        if ((cdb[10] & 0x03) is var inverts and not 0)
            return SenseData.InvalidFieldInCdb(10, inverts >> 1);
        if ((ValidateTransport(cdb) ?? ValidatePlace(cdb, SourceOffset) ?? ValidatePlace(cdb, DestinationOffset) ??
            ValidatePlace(cdb, SecondDestinationOffset)) is { } wrong)
            return wrong;
        if (IsBarred(cdb, SourceOffset, DestinationOffset))
            return InvalidElementAddress(DestinationOffset);
        return IsBarred(cdb, DestinationOffset, SecondDestinationOffset)
            ? InvalidElementAddress(SecondDestinationOffset) : null;
    }

    /// <summary>The Device Capabilities mode page (1Fh) says that this is not done.</summary>
    private bool IsBarred(ReadOnlySpan<byte> cdb, int from, int to) => !Personality.CanMoveBetweenImportExport &&
        Library.At(AddressIn(cdb, from))!.Type == ElementType.ImportExport &&
        Library.At(AddressIn(cdb, to))!.Type == ElementType.ImportExport;

    private SenseData? ValidatePosition(ScsiCommand command)
    {
        ReadOnlySpan<byte> cdb = command.Cdb;
        if ((cdb[8] & 0x01) != 0)
            return SenseData.InvalidFieldInCdb(8, 0);
        return ValidateTransport(cdb) ?? ValidatePlace(cdb, SourceOffset);
    }

    private SenseData? ValidateOpenClose(ScsiCommand command)
    {
        ReadOnlySpan<byte> cdb = command.Cdb;
        if ((cdb[4] & 0x1F) is not (OpenAction or CloseAction))
            return SenseData.InvalidFieldInCdb(4, 4);
        return Library.At(AddressIn(cdb, TransportOffset))?.Type == ElementType.ImportExport
            ? null : InvalidElementAddress(TransportOffset);
    }

    /// <summary>Without RANGE the addresses mean nothing.</summary>
    private SenseData? ValidateRange(ScsiCommand command)
    {
        ReadOnlySpan<byte> cdb = command.Cdb;
        return (cdb[1] & Range) != 0 && Library.At(AddressIn(cdb, TransportOffset)) is null
            ? InvalidElementAddress(TransportOffset) : null;
    }

    // ---- Reports ---------------------------------------------------------------------------------------------------

    private void ReadElementStatus(ScsiCommand command)
    {
        ReadOnlySpan<byte> cdb = command.Cdb;
        var type = (ElementType)(cdb[1] & 0x0F);
        int first = AddressIn(cdb, 2);
        Report(command, hasIdentifiers: (cdb[6] & 0x01) != 0, sendActionCode: 0,
            element => (type == ElementType.All || type == element.Type) && element.Address >= first);
    }

    /// <summary>Where what was looked for is now: a cartridge that has been moved since is told at its new place.
    /// </summary>
    private void RequestVolumeElementAddress(ScsiCommand command)
    {
        if (SearchOf(command.Nexus) is not { } search)
        {
            command.CheckCondition(SenseData.IllegalRequest(AdditionalSense.CommandSequenceError));
            return;
        }
        ReadOnlySpan<byte> cdb = command.Cdb;
        var type = (ElementType)(cdb[1] & 0x0F);
        int first = AddressIn(cdb, 2);
        Report(command, hasIdentifiers: false, search.ActionCode, element =>
            (type == ElementType.All || type == element.Type) && element.Address >= first && search.Finds(element));
    }

    /// <summary>NUMBER OF ELEMENTS is the most that are reported. All byte counts are those of the whole report,
    /// whatever the ALLOCATION LENGTH leaves of it.</summary>
    private void Report(
        ScsiCommand command, bool hasIdentifiers, byte sendActionCode, Func<LibraryElement, bool> isMeant)
    {
        const byte VolumeTags = 0x10;
        bool hasVolumeTags = (command.Cdb[1] & VolumeTags) != 0;
        LibraryElement[] elements = [.. Library.Elements.Where(isMeant).Take(AddressIn(command.Cdb, 4))];
        command.CompleteWithData(
            new ElementStatusReport(this, hasVolumeTags, hasIdentifiers).Write(elements, sendActionCode));
    }
}
