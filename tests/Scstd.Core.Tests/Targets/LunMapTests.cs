using Scstd.Scsi;

namespace Scstd.Core.Tests.Targets;

public sealed class LunTests
{
    [Theory]
    [InlineData(0x0000_0000_0000_0000UL, 0)] // peripheral
    [InlineData(0x0005_0000_0000_0000UL, 5)]
    [InlineData(0x4005_0000_0000_0000UL, 5)] // flat
    [InlineData(0x7FFF_0000_0000_0000UL, 16383)]
    [InlineData(0x8005_0000_0000_0000UL, 5)] // logical unit addressing, bus 0, target 0
    [InlineData(0xD200_0107_0000_0000UL, 263)] // extended flat
    public void Every_addressing_method_of_a_single_level_gives_the_number(ulong wire, int number)
    {
        Assert.True(new Lun(wire).TryGetNumber(out int got));
        Assert.Equal(number, got);
    }

    [Theory]
    [InlineData(0x0105_0000_0000_0000UL)] // bus 1
    [InlineData(0x0001_0002_0000_0000UL)] // a second level
    [InlineData(0x8125_0000_0000_0000UL)]
    [InlineData(0xC101_0000_0000_0000UL)] // well known
    [InlineData(0xD200_4000_0000_0000UL)] // above 16383
    [InlineData(0xD200_0001_0000_0001UL)]
    public void What_is_not_a_single_level_unit_has_no_number(ulong wire) =>
        Assert.False(new Lun(wire).TryGetNumber(out _));

    [Fact]
    public void Every_number_comes_back_from_its_wire_form()
    {
        byte[] wire = new byte[8];
        for (int number = 0; number <= Lun.MaxNumber; number++)
        {
            Lun.FromNumber(number).Write(wire);
            Assert.True(Lun.Read(wire).TryGetNumber(out int got));
            Assert.Equal(number, got);
        }
        Assert.Throws<ArgumentOutOfRangeException>(() => Lun.FromNumber(Lun.MaxNumber + 1));
    }
}

public sealed class LunMapTests
{
    [Fact]
    public void An_empty_map_finds_nothing()
    {
        Assert.Null(LunMap.Empty.Find(0));
        Assert.Null(LunMap.Empty.Find(-1));
        Assert.Equal(0, LunMap.Empty.Span);
    }
}
