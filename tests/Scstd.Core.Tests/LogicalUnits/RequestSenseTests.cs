using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests;

/// <summary>REQUEST SENSE and TEST UNIT READY, SPC-4 §6.39 and §6.47.</summary>
public sealed class RequestSenseTests : IDisposable
{
    private static readonly SenseData NoMedium = new(SenseKey.NotReady, AdditionalSense.MediumNotPresent);

    private readonly TestBackend _backend = new();
    private readonly TestTarget _target;
    private readonly TestInitiator _initiator;

    public RequestSenseTests()
    {
        _target = new TestTarget(_backend);
        _initiator = _target.Login(keepUnitAttention: true);
    }

    public void Dispose() => _target.Dispose();

    [Fact]
    public void A_unit_attention_is_reported_as_data_and_ends()
    {
        Assert.Equal("70 00 06 00 00 00 00 0A 00 00 00 00 29 01 00 00 00 00", Sense("03 00 00 00 FF 00"));
        Assert.Equal("70 00 00 00 00 00 00 0A 00 00 00 00 00 00 00 00 00 00", Sense("03 00 00 00 FF 00"));
        _initiator.Execute(Hex.Bytes("00 00 00 00 00 00")).MustBeGood();
    }

    [Fact]
    public void Each_of_several_is_reported_once_in_order()
    {
        _initiator.ItlNexus.UnitAttentions.Establish(AdditionalSense.ModeParametersChanged);
        Assert.Equal("72 06 29 01 00 00 00 00", Sense("03 01 00 00 FF 00"));
        Assert.Equal("72 06 2A 01 00 00 00 00", Sense("03 01 00 00 FF 00"));
        Assert.Equal("72 00 00 00 00 00 00 00", Sense("03 01 00 00 FF 00"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    [InlineData(17)]
    [InlineData(18)]
    [InlineData(252)]
    public void The_allocation_length_cuts(byte allocation) =>
        Assert.Equal(Math.Min((int)allocation, 18), _initiator.Execute([0x03, 0, 0, 0, allocation, 0]).DataIn.Length);

    [Fact]
    public void A_report_of_no_bytes_reports_nothing()
    {
        _initiator.Execute(Hex.Bytes("03 00 00 00 00 00")).MustBeGood();
        Assert.Equal(1, _initiator.ItlNexus.UnitAttentions.Count);
    }

    [Fact]
    public void A_report_for_which_the_initiator_has_no_room_reports_nothing()
    {
        TestCommand sense = _initiator.Execute(Hex.Bytes("03 00 00 00 FC 00"), dataInBytes: 0);
        sense.MustBeGood();
        Assert.Empty(sense.DataIn);
        Assert.True(sense.IsOverflow);
        Assert.Equal(1, _initiator.ItlNexus.UnitAttentions.Count);
    }

    [Fact]
    public void Without_a_unit_attention_it_says_what_test_unit_ready_would_say()
    {
        _initiator.TakeUnitAttentions();
        _backend.NotReady = NoMedium;
        Assert.Equal("70 00 02 00 00 00 00 0A 00 00 00 00 3A 00 00 00 00 00", Sense("03 00 00 00 12 00"));
    }

    [Fact]
    public void A_wrong_field_is_refused_and_the_unit_attention_stays()
    {
        _initiator.Execute(Hex.Bytes("03 02 00 00 FF 00")).MustBeInvalidInCdb(1, 1);
        Assert.Equal(1, _initiator.ItlNexus.UnitAttentions.Count);
    }

    [Fact]
    public void Test_unit_ready_reports_a_unit_attention_first_and_then_good()
    {
        _initiator.Execute(Hex.Bytes("00 00 00 00 00 00"))
            .MustBe(SenseData.UnitAttention(AdditionalSense.PowerOnOccurred));
        _initiator.Execute(Hex.Bytes("00 00 00 00 00 00")).MustBeGood();
    }

    [Fact]
    public void Test_unit_ready_says_why_the_medium_is_not_ready()
    {
        var backend = new TestBackend { NotReady = NoMedium };
        using var target = new TestTarget(backend);
        target.Login().Execute(Hex.Bytes("00 00 00 00 00 00")).MustBe(NoMedium);
    }

    [Theory]
    [InlineData("00 01 00 00 00 00", 1, 0)]
    [InlineData("00 00 00 00 80 00", 4, 7)]
    [InlineData("00 00 00 00 00 02", 5, 1)]
    public void Test_unit_ready_has_no_fields(string cdb, int offset, int bit)
    {
        _initiator.TakeUnitAttentions();
        _initiator.Execute(Hex.Bytes(cdb)).MustBeInvalidInCdb(offset, bit);
    }

    private string Sense(string cdb) => _initiator.Execute(Hex.Bytes(cdb)).DataOfGood();
}
