using Scstd.Scsi;

namespace Scstd.Backends.Changer;

/*  the report   0-1   FIRST ELEMENT ADDRESS REPORTED
                 2-3   NUMBER OF ELEMENTS AVAILABLE
                 4     reserved (REQUEST VOLUME ELEMENT ADDRESS: SEND ACTION CODE)
                 5-7   BYTE COUNT OF REPORT AVAILABLE (behind this)
    a page       0     ELEMENT TYPE CODE
                 1     PVOLTAG 7 | AVOLTAG 6
                 2-3   ELEMENT DESCRIPTOR LENGTH
                 5-7   BYTE COUNT OF DESCRIPTOR DATA AVAILABLE (behind this)
    a descriptor 0-1   ELEMENT ADDRESS
                 2     OIR 7 | CMC 6 | INENAB 5 | EXENAB 4 | ACCESS 3 | EXCEPT 2 | IMPEXP 1 | FULL 0
                 4-5   ADDITIONAL SENSE CODE and QUALIFIER
                 9     SVALID 7 | INVERT 6 | ED 3 | MEDIUM TYPE 2-0
                 10-11 SOURCE STORAGE ELEMENT ADDRESS
                 12-47 PRIMARY VOLUME TAG INFORMATION, with PVOLTAG
                 then  CODE SET, IDENTIFIER TYPE, reserved, IDENTIFIER LENGTH, and so many bytes                    */

/// <summary>The data of READ ELEMENT STATUS and REQUEST VOLUME ELEMENT ADDRESS (SMC-3).</summary>
internal sealed class ElementStatusReport(ChangerBackend changer, bool hasVolumeTags, bool hasIdentifiers)
{
    public const int HeaderBytes = 8;

    private const int PageHeaderBytes = 8;
    private const int VolumeTagBytes = 36;
    private const int VolumeIdentifierBytes = 32;
    private const int FixedBytes = 12 + 4;

    private const int ImportEnabled = 0x20;
    private const int ExportEnabled = 0x10;
    private const int Access = 0x08;
    private const int Except = 0x04;
    private const int ImportExport = 0x02;
    private const int Full = 0x01;
    private const int SourceValid = 0x80;

    private const byte AsciiCodeSet = 2;
    private const byte VendorSpecificIdentifier = 0;
    private const byte T10VendorIdentifier = 1;

    /// <summary>Whole, whatever is cut off later.</summary>
    /// <param name="elements">In the order of their addresses; those of one type follow each other.</param>
    /// <param name="sendActionCode">For REQUEST VOLUME ELEMENT ADDRESS.</param>
    public byte[] Write(IReadOnlyList<LibraryElement> elements, byte sendActionCode = 0)
    {
        int identifierBytes = hasIdentifiers ? changer.LongestIdentifierBytes : 0;
        int lengthBytes = HeaderBytes;
        foreach (LibraryElement element in elements)
            lengthBytes += DescriptorBytes(element.Type, identifierBytes);
        lengthBytes += PageHeaderBytes * elements.Select(element => element.Type).Distinct().Count();
        byte[] report = new byte[lengthBytes];
        var to = new ParameterDataWriter(report);
        to.Two(elements.Count == 0 ? 0 : elements[0].Address);
        to.Two(elements.Count);
        WriteCount(ref to, sendActionCode, lengthBytes - HeaderBytes);
        for (int at = 0; at < elements.Count;)
            at += WritePage(ref to, elements, at, identifierBytes);
        return report;
    }

    private int WritePage(
        ref ParameterDataWriter to, IReadOnlyList<LibraryElement> elements, int at, int identifierBytes)
    {
        ElementType type = elements[at].Type;
        int count = elements.Skip(at).TakeWhile(element => element.Type == type).Count();
        int descriptorBytes = DescriptorBytes(type, identifierBytes);
        to.Byte((int)type);
        to.Byte(hasVolumeTags ? 0x80 : 0);
        to.Two(descriptorBytes);
        WriteCount(ref to, 0, descriptorBytes * count);
        for (int i = 0; i < count; i++)
            WriteDescriptor(ref to, elements[at + i], identifierBytes);
        return count;
    }

    private int DescriptorBytes(ElementType type, int identifierBytes) => FixedBytes +
        (hasVolumeTags ? VolumeTagBytes : 0) + (type == ElementType.DataTransfer ? identifierBytes : 0);

    private static void WriteCount(ref ParameterDataWriter to, byte before, int count)
    {
        to.Byte(before);
        to.Byte(count >> 16);
        to.Two(count & 0xFFFF);
    }

    private void WriteDescriptor(ref ParameterDataWriter to, LibraryElement element, int identifierBytes)
    {
        LibraryCartridge? cartridge = element.Cartridge;
        AdditionalSense exception = ExceptionOf(element);
        to.Two(element.Address);
        to.Byte(FlagsOf(element) | (exception == AdditionalSense.None ? 0 : Except));
        to.Byte(0);
        to.Byte(exception.Code);
        to.Byte(exception.Qualifier);
        to.Zeros(3);
        to.Byte((element.SourceNumber is null ? 0 : SourceValid) | (int)(cartridge?.Type ?? MediumType.Unspecified));
        to.Two(element.SourceNumber is { } number
            ? changer.Library.FirstAddressOf(ElementType.Storage) + number - 1 : 0);
        if (hasVolumeTags)
            WriteVolumeTag(ref to, cartridge?.Barcode);
        WriteIdentifier(ref to, element, identifierBytes);
    }

    private int FlagsOf(LibraryElement element)
    {
        int flags = element.IsFull ? Full : 0;
        switch (element.Type)
        {
            case ElementType.Storage:
                return flags | Access;
            case ElementType.ImportExport:
                return flags | ImportEnabled | ExportEnabled | (element.IsOpen ? 0 : Access) |
                    (element.IsPlacedByOperator ? ImportExport : 0);
            case ElementType.DataTransfer:
                // A cartridge that has not been ejected cannot be taken as it is.
                return flags | (changer.BayOf(element).IsLoaded ? 0 : Access);
            default:
                return flags;
        }
    }

    private static AdditionalSense ExceptionOf(LibraryElement element) =>
        element.Cartridge?.Problem is { } problem ? problem.Sense.Additional
        : element.Cartridge is { IsDuplicate: true } ? AdditionalSense.DuplicateVolumeIdentifier
        : element.IsOpen ? AdditionalSense.MediumMagazineNotAccessible
        : AdditionalSense.None;

    /// <summary>VOLUME IDENTIFICATION and a VOLUME SEQUENCE NUMBER of zero; zeros where there is no
    /// cartridge.</summary>
    private static void WriteVolumeTag(ref ParameterDataWriter to, string? barcode)
    {
        if (barcode is null)
        {
            to.Zeros(VolumeTagBytes);
            return;
        }
        to.Ascii(barcode, VolumeIdentifierBytes);
        to.Zeros(VolumeTagBytes - VolumeIdentifierBytes);
    }

    /// <summary>All descriptors of a page are of one length: a shorter identifier is filled up behind its
    /// end.</summary>
    private void WriteIdentifier(ref ParameterDataWriter to, LibraryElement element, int identifierBytes)
    {
        if (identifierBytes == 0 || element.Type != ElementType.DataTransfer)
        {
            to.Zeros(4);
            return;
        }
        bool isSerialAlone = changer.Personality.DriveIdentifier == DriveIdentifier.SerialNumber;
        string identifier = changer.IdentifierOf(element);
        to.Byte(AsciiCodeSet);
        to.Byte(isSerialAlone ? VendorSpecificIdentifier : T10VendorIdentifier);
        to.Byte(0);
        to.Byte(identifier.Length);
        to.Ascii(identifier, identifier.Length);
        to.Zeros(identifierBytes - identifier.Length);
    }
}
