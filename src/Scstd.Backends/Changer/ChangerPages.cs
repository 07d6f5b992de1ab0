using System.Buffers.Binary;
using Scstd.Backends.Tape;
using Scstd.Core;

namespace Scstd.Backends.Changer;

/// <summary>The pages that a library tells of itself: the mode pages of SMC-3, and TapeAlert.</summary>
internal static class ChangerPages
{
    private const int TransportBit = 0x01;
    private const int StorageBit = 0x02;
    private const int ImportExportBit = 0x04;
    private const int DriveBit = 0x08;
    private const int VolumeTagReaderPresent = 0x02;

    private const byte TapeAlertPage = 0x2E;

    /// <summary>TapeAlert flag of medium changers: the library has detected an inconsistency in its
    /// inventory.</summary>
    private const int InventoryFlag = 24;

    public static IReadOnlyList<ModePage> Modes(LibraryPersonality personality, MediumLibrary library) =>
        [AddressAssignment(library), TransportGeometry(), Capabilities(personality, library)];

    /// <summary>While a cartridge cannot be used where it lies, for whatever reason, the flag is set: it tells a state,
    /// not an event, and reading does not clear it.</summary>
    public static LogPage TapeAlert(MediumLibrary library) => new(TapeAlertPage, () =>
    {
        bool isInconsistent = library.Elements.Any(
            element => element.Cartridge is { Problem: not null } or { IsDuplicate: true });
        return TapeAlerts.Parameters(isInconsistent ? TapeAlerts.Bit(InventoryFlag) : 0);
    });

    /// <summary>1Dh: the configuration assigns them.</summary>
    private static ModePage AddressAssignment(MediumLibrary library)
    {
        byte[] values = new byte[18];
        ElementType[] order =
            [ElementType.MediumTransport, ElementType.Storage, ElementType.ImportExport, ElementType.DataTransfer];
        for (int i = 0; i < order.Length; i++)
        {
            Span<byte> field = values.AsSpan(4 * i);
            BinaryPrimitives.WriteUInt16BigEndian(field, library.FirstAddressOf(order[i]));
            BinaryPrimitives.WriteUInt16BigEndian(field[2..], (ushort)library.CountOf(order[i]));
        }
        return ModePage.Fixed(0x1D, values);
    }

    /// <summary>1Eh: one robot, which turns nothing over (ROTATE 0), the first of its set.</summary>
    private static ModePage TransportGeometry() => ModePage.Fixed(0x1E, new byte[2]);

    /// <summary>1Fh: where cartridges are kept, and between which types they are moved (bytes 2-5, one for each source
    /// type) and exchanged (10-13). The robot keeps none.</summary>
    private static ModePage Capabilities(LibraryPersonality personality, MediumLibrary library)
    {
        int places = StorageBit | DriveBit | (library.CountOf(ElementType.ImportExport) > 0 ? ImportExportBit : 0);
        byte[] values = new byte[18];
        values[0] = (byte)places;
        values[1] = VolumeTagReaderPresent;
        foreach ((int index, int bit) in (ReadOnlySpan<(int, int)>)
            [(0, TransportBit), (1, StorageBit), (2, ImportExportBit), (3, DriveBit)])
        {
            if ((places & bit) == 0)
                continue;
            bool isBarred = bit == ImportExportBit && !personality.CanMoveBetweenImportExport;
            values[2 + index] = (byte)(isBarred ? places & ~ImportExportBit : places);
            if (personality.CanExchange)
                values[10 + index] = values[2 + index];
        }
        return ModePage.Fixed(0x1F, values);
    }
}
