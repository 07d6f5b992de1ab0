using Scstd.Testing;

namespace Scstd.Backends.Tests.Tape;

/// <summary>Many SIMPLE commands of one initiator under way, whose data comes when it comes.</summary>
public sealed class TapeOrderTests
{
    [Fact]
    public void A_record_whose_data_comes_late_is_not_overtaken()
    {
        using var world = new TapeWorld();
        world.Initiator.Port.HoldsDataOut = true;
        TestCommand late = world.Send("0A 00 00 00 64 00", TapeWorld.Record(100));
        TestCommand mark = world.Send("10 00 00 00 01 00");
        TestCommand rewind = world.Send("01 00 00 00 00 00");
        TestCommand read = world.Send("08 00 00 00 64 00");
        world.Run();
        Assert.DoesNotContain(new[] { late, mark, rewind, read }, command => command.IsAnswered);
        GiveDataOut(world);
        late.MustBeGood();
        mark.MustBeGood();
        rewind.MustBeGood();
        Assert.Equal(TapeWorld.Record(100), read.DataIn);
    }

    [Fact]
    public void A_comparison_whose_data_comes_late_is_made_where_it_was_asked_for()
    {
        using var world = new TapeWorld();
        byte[] data = TapeWorld.Record(200);
        world.SetBlockLength(100);
        world.WriteFixed(data, 2);
        world.Rewind();
        world.Initiator.Port.HoldsDataOut = true;
        TestCommand verify = world.Send("13 03 00 00 01 00", data[..100]);
        TestCommand read = world.Send("08 01 00 00 01 00");
        world.Run();
        Assert.False(read.IsAnswered);
        GiveDataOut(world);
        verify.MustBeGood();
        Assert.Equal(data[100..], read.DataIn);
    }

    [Fact]
    public void Who_wants_another_order_may_ask_for_it()
    {
        using var world = new TapeWorld();
        Assert.Equal(0x00, world.ModePage(0x0A)[1] & 0xF0);
        world.SelectPage("0A 0A 00 10 00 00 00 00 FF FF 00 00").MustBeGood();
        Assert.Equal(0x10, world.ModePage(0x0A)[1] & 0xF0);
    }

    private static void GiveDataOut(TapeWorld world)
    {
        world.Initiator.Port.HoldsDataOut = false;
        world.Initiator.Port.GiveDataOut();
        world.Run();
    }
}
