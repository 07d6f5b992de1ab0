using System.Buffers.Binary;
using System.Text;
using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Backends.Tape;

/// <summary>What the drive tells of itself: block limits, densities, vital product data.</summary>
public sealed partial class TapeBackend
{
    /// <summary>B0h: WORM; B1h: MANUFACTURER-ASSIGNED SERIAL NUMBER; B2h: the TapeAlert flags that can be set, from
    /// flag 1 in the first byte's highest bit on (SSC-4 §8.4); B5h: how blocks can be protected.</summary>
    public IReadOnlyList<VitalProductDataPage> VitalProductData =>
    [
        new(0xB0, [0x01, 0]),
        new(0xB1, Encoding.ASCII.GetBytes(Identity.SerialNumber)),
        new(0xB2, TapeAlerts.SupportedFlags()),
        new(0xB5, BlockProtection.Descriptors()),
    ];

    /// <summary>SSC-4, READ BLOCK LIMITS: any length, byte for byte.</summary>
    private void ReadBlockLimits(ScsiCommand command)
    {
        Span<byte> answer = stackalloc byte[6];
        BinaryPrimitives.WriteUInt32BigEndian(answer, (uint)Personality.MaxBlockLengthBytes);
        answer[4] = 0;
        answer[5] = 1;
        command.CompleteWithData(answer);
    }

    /// <summary>MEDIA: what the medium in the drive can be, else what the drive can do with any. MEDIUM TYPE: kinds of
    /// media instead of densities.</summary>
    private void ReportDensitySupport(ScsiCommand command)
    {
        bool ofMedium = (command.Cdb[1] & 0x01) != 0;
        bool ofTypes = (command.Cdb[1] & 0x02) != 0;
        if (ofMedium && NotReady is { } notReady)
        {
            command.CheckCondition(notReady);
            return;
        }
        MediumDescription? medium = ofMedium ? _view!.Description : null;
        byte[] answer =
        [
            0, 0, 0, 0,
            .. Personality.Readable
                .Where(density => medium is null || density.Code == medium.DensityCode)
                .SelectMany(density => ofTypes ? TypesOf(density, medium) : DensityOf(density, medium)),
        ];
        // AVAILABLE DENSITY SUPPORT LENGTH counts the two reserved bytes behind it.
        BinaryPrimitives.WriteUInt16BigEndian(answer, (ushort)(answer.Length - 2));
        command.CompleteWithData(answer);
    }

    private byte[] DensityOf(TapeDensity density, MediumDescription? medium) => density.Descriptor(
        Personality.Writes(density.Code), isDefault: medium is null ? density == Personality.Density : true,
        medium?.CapacityBytes ?? density.NativeCapacityBytes);

    private static IEnumerable<byte> TypesOf(TapeDensity density, MediumDescription? medium) => medium is null
        ? [.. density.MediumTypeDescriptor(isWorm: false), .. density.MediumTypeDescriptor(isWorm: true)]
        : density.MediumTypeDescriptor(medium.IsWorm);
}
