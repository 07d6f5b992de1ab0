using CsCheck;

namespace Scstd.Scsi.Tests;

public sealed class SenseWriterTests
{
    public static TheoryData<SenseData, string, string> Golden => new()
    {
        {
            default, "70 00 00 00 00 00 00 0A 00 00 00 00 00 00 00 00 00 00", "72 00 00 00 00 00 00 00"
        },
        {
            SenseData.UnitAttention(AdditionalSense.PowerOnResetOrBusDeviceReset),
            "70 00 06 00 00 00 00 0A 00 00 00 00 29 00 00 00 00 00",
            "72 06 29 00 00 00 00 00"
        },
        {
            SenseData.InvalidFieldInCdb(2),
            "70 00 05 00 00 00 00 0A 00 00 00 00 24 00 00 C0 00 02",
            "72 05 24 00 00 00 00 08 02 06 00 00 C0 00 02 00"
        },
        {
            SenseData.InvalidFieldInCdb(1, 4),
            "70 00 05 00 00 00 00 0A 00 00 00 00 24 00 00 CC 00 01",
            "72 05 24 00 00 00 00 08 02 06 00 00 CC 00 01 00"
        },
        {
            SenseData.InvalidFieldInParameterList(0x123, 7),
            "70 00 05 00 00 00 00 0A 00 00 00 00 26 00 00 8F 01 23",
            "72 05 26 00 00 00 00 08 02 06 00 00 8F 01 23 00"
        },
        {
            new SenseData(SenseKey.Miscompare, AdditionalSense.MiscompareDuringVerify) { Information = 0x200 },
            "F0 00 0E 00 00 02 00 0A 00 00 00 00 1D 00 00 00 00 00",
            "72 0E 1D 00 00 00 00 0C 00 0A 80 00 00 00 00 00 00 00 02 00"
        },
        {
            new SenseData(SenseKey.MediumError, AdditionalSense.UnrecoveredReadError) { Information = 0x1_0000_0000 },
            "70 00 03 00 00 00 00 0A 00 00 00 00 11 00 00 00 00 00",
            "72 03 11 00 00 00 00 0C 00 0A 80 00 00 00 00 01 00 00 00 00"
        },
        {
            new SenseData(SenseKey.MediumError, AdditionalSense.WriteError)
            {
                IsDeferred = true, CommandSpecificInformation = 0xA1B2C3D4,
            },
            "71 00 03 00 00 00 00 0A A1 B2 C3 D4 0C 00 00 00 00 00",
            "73 03 0C 00 00 00 00 0C 01 0A 00 00 00 00 00 00 A1 B2 C3 D4"
        },
        {
            new SenseData(SenseKey.NotReady, AdditionalSense.BecomingReady) { Progress = 0x8000 },
            "70 00 02 00 00 00 00 0A 00 00 00 00 04 01 00 80 80 00",
            "72 02 04 01 00 00 00 08 02 06 00 00 80 80 00 00"
        },
        {
            new SenseData(SenseKey.NoSense, new AdditionalSense(0x00, 0x01))
            {
                Filemark = true, EndOfMedium = true, IncorrectLengthIndicator = true, Information = 7,
            },
            "F0 00 E0 00 00 00 07 0A 00 00 00 00 00 01 00 00 00 00",
            "72 00 00 01 00 00 00 10 00 0A 80 00 00 00 00 00 00 00 00 07 04 02 00 E0"
        },
        {
            new SenseData(SenseKey.NoSense, AdditionalSense.None) { IncorrectLengthIndicator = true },
            "70 00 20 00 00 00 00 0A 00 00 00 00 00 00 00 00 00 00",
            "72 00 00 00 00 00 00 04 04 02 00 20"
        },
    };

    /// <summary>An incorrect length, of a block device and of a tape.</summary>
    public static TheoryData<SenseData, string, string> GoldenLengths => new()
    {
        {
            SenseData.IllegalRequest(AdditionalSense.InvalidFieldInCdb) with { IncorrectLengthIndicator = true },
            "70 00 25 00 00 00 00 0A 00 00 00 00 24 00 00 00 00 00",
            "72 05 24 00 00 00 00 04 05 02 00 20"
        },
        {
            new SenseData(SenseKey.NoSense, AdditionalSense.None)
            {
                IncorrectLengthIndicator = true, Information = unchecked((ulong)-40L),
            },
            "F0 00 20 FF FF FF D8 0A 00 00 00 00 00 00 00 00 00 00",
            "72 00 00 00 00 00 00 10 00 0A 80 00 FF FF FF FF FF FF FF D8 04 02 00 20"
        },
    };

    private static readonly Gen<SenseData> Senses =
        from key in Gen.Enum<SenseKey>()
        from additional in Gen.Byte.Select(Gen.Byte)
        from information in Gen.ULong.Nullable()
        from specific in Gen.ULong[1, ulong.MaxValue].Nullable()
        from pointer in Gen.UShort.Nullable()
        from bit in Gen.Byte[0, 7].Nullable()
        from flags in Gen.Int[0, 31]
        select new SenseData(key, new AdditionalSense(additional.Item1, additional.Item2))
        {
            Information = information,
            CommandSpecificInformation = specific,
            FieldPointer = key == SenseKey.IllegalRequest ? pointer : null,
            BitPointer = key == SenseKey.IllegalRequest && pointer is not null ? bit : null,
            FieldIsInCdb = key == SenseKey.IllegalRequest && pointer is not null && (flags & 1) != 0,
            Progress = key is SenseKey.NotReady or SenseKey.NoSense ? pointer : null,
            IsDeferred = (flags & 2) != 0,
            Filemark = (flags & 4) != 0,
            EndOfMedium = (flags & 8) != 0,
            IncorrectLengthIndicator = (flags & 16) != 0,
        };

    [Theory]
    [MemberData(nameof(Golden))]
    [MemberData(nameof(GoldenLengths))]
    public void Both_formats_are_as_the_standard_draws_them(SenseData sense, string fixedFormat, string descriptors)
    {
        Assert.Equal(fixedFormat, Write(sense, descriptorFormat: false));
        Assert.Equal(descriptors, Write(sense, descriptorFormat: true));
    }

    [Fact]
    public void What_descriptor_format_tells_is_read_back_whole() => Senses.Sample(sense =>
    {
        byte[] bytes = new byte[SenseWriter.MaxLengthBytes];
        int length = SenseWriter.WriteDescriptors(sense, bytes);
        Assert.True(SenseReader.TryRead(bytes.AsSpan(0, length), out SenseData read));
        Assert.Equal(sense, read);
    });

    [Fact]
    public void Fixed_format_keeps_everything_but_what_needs_more_than_32_bits() => Senses.Sample(sense =>
    {
        byte[] bytes = new byte[SenseWriter.MaxLengthBytes];
        int length = SenseWriter.WriteFixed(sense, bytes);
        Assert.True(SenseReader.TryRead(bytes.AsSpan(0, length), out SenseData read));
        Assert.Equal(
            sense with
            {
                // A negative number keeps its 32 bits, and who reads them must know that it may be one.
                Information = (long?)sense.Information is >= int.MinValue and < 0 ? (uint?)sense.Information :
                    sense.Information > uint.MaxValue ? null : sense.Information,
                CommandSpecificInformation =
                    sense.CommandSpecificInformation > uint.MaxValue ? null : sense.CommandSpecificInformation,
            },
            read);
    });

    [Fact]
    public void Any_bytes_can_be_read_as_sense() => Gen.Byte.Array[0, 64].Sample(bytes =>
    {
        if (SenseReader.TryRead(bytes, out SenseData sense))
            Assert.InRange((int)sense.Key, 0, 15);
    });

    [Theory]
    [InlineData("")]
    [InlineData("70 00")]
    [InlineData("72 05 24")]
    [InlineData("7F 00 00 00 00 00 00 00")]
    public void What_is_no_sense_data_is_refused(string hex) =>
        Assert.False(SenseReader.TryRead(Convert.FromHexString(hex.Replace(" ", "")), out _));

    /// <summary>FIELD POINTER has 16 bits: another byte than the wrong one is never pointed to.</summary>
    [Theory]
    [InlineData(65_535, (ushort)65_535)]
    [InlineData(65_536, null)]
    [InlineData(72_028, null)]
    public void A_field_beyond_the_reach_of_the_pointer_is_not_pointed_to(int offset, ushort? pointer)
    {
        SenseData sense = SenseData.InvalidFieldInParameterList(offset, 3);
        Assert.Equal((pointer, pointer is null ? null : (byte?)3), (sense.FieldPointer, sense.BitPointer));
    }

    private static string Write(in SenseData sense, bool descriptorFormat)
    {
        byte[] bytes = new byte[SenseWriter.MaxLengthBytes];
        Array.Fill(bytes, (byte)0xA5);
        int length = SenseWriter.Write(sense, descriptorFormat, bytes);
        return Hex(bytes.AsSpan(0, length));
    }

    private static string Hex(ReadOnlySpan<byte> bytes) =>
        string.Join(' ', bytes.ToArray().Select(b => b.ToString("X2")));
}
