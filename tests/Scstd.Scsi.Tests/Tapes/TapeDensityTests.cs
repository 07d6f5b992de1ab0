namespace Scstd.Scsi.Tests;

public sealed class TapeDensityTests
{
    [Theory]
    [InlineData(0x58, 5, 1_500_000u)]
    [InlineData(0x5A, 6, 2_500_000u)]
    [InlineData(0x5C, 7, 6_000_000u)]
    [InlineData(0x5E, 8, 12_000_000u)]
    [InlineData(0x60, 9, 18_000_000u)]
    public void A_descriptor_has_its_length_its_codes_and_its_capacity(byte code, int generation, uint megabytes)
    {
        TapeDensity density = TapeDensity.Find(code)!;
        Assert.Equal(generation, density.Generation);
        byte[] descriptor = density.Descriptor(isWritable: true, isDefault: true, density.NativeCapacityBytes);
        Assert.Equal(TapeDensity.DescriptorBytes, descriptor.Length);
        Assert.Equal([code, code, 0xA0], descriptor[..3]);
        Assert.Equal(megabytes, System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(descriptor.AsSpan(12)));
        Assert.Equal(TapeDensity.MediumTypeDescriptorBytes, density.MediumTypeDescriptor(isWorm: true).Length);
    }

    [Fact]
    public void A_code_of_another_family_is_none() => Assert.Null(TapeDensity.Find(0x51));
}
