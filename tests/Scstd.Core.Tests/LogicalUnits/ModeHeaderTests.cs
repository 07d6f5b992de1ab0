using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests;

/// <summary>MODE SELECT where the device type lets it change the header and the block descriptor, and pages of more
/// than one length.</summary>
public sealed class ModeHeaderTests : IDisposable
{
    private readonly Rules _rules = new();
    private readonly TestBackend _backend;
    private readonly TestStateStore _store = new();
    private readonly TestTarget _target;
    private readonly TestInitiator _initiator;
    private readonly TestInitiator _other;

    public ModeHeaderTests()
    {
        _backend = new TestBackend
        {
            DeviceType = PeripheralDeviceType.SequentialAccess,
            ModeHeader = _rules,
            ModeMediumType = 0x58,
            BlockDescriptor = [0x58, 0, 0, 0, 0, 0, 0, 0],
            ModePages =
            [
                new ModePage
                {
                    PageCode = 0x11,
                    Current = [1, 2, 3, 4],
                    Default = [1, 2, 3, 4],
                    Changeable = [0xFF, 0xFF, 0xFF, 0xFF],
                    ShortestLengthBytes = 2,
                    FindInvalidValue = values => values[1] == 9 ? (1, 3) : null,
                },
            ],
        };
        _target = new TestTarget(_backend, _store);
        _initiator = _target.Login();
        _other = _target.Login();
    }

    public void Dispose() => _target.Dispose();

    [Fact]
    public void Mode_sense_tells_the_medium_type_in_both_forms()
    {
        Assert.Equal("58", Hex.Of(_initiator.Execute(Hex.Bytes("1A 00 11 00 FF 00")).DataIn[1..2]));
        Assert.Equal("58", Hex.Of(_initiator.Execute(Hex.Bytes("5A 00 11 00 00 00 00 00 FF 00")).DataIn[2..3]));
    }

    [Fact]
    public void Header_and_descriptor_reach_the_device_type_and_the_change_the_others()
    {
        Select("00 58 20 08 58 00 00 00 00 00 02 00").MustBeGood();
        ModeHeaderValues values = Assert.Single(_rules.Changes);
        Assert.Equal((0x58, 0x20), (values.MediumType, values.DeviceSpecificParameter));
        Assert.Equal("58 00 00 00 00 00 02 00", Hex.Of(values.BlockDescriptor));
        Assert.Equal((1, 2, 4), (
            values.MediumTypeOffset, values.DeviceSpecificParameterOffset, values.BlockDescriptorOffset));
        Assert.Equal([AdditionalSense.ModeParametersChanged], _other.ItlNexus.UnitAttentions.Pending.ToArray());
        Assert.Equal(0, _initiator.ItlNexus.UnitAttentions.Count);
    }

    [Fact]
    public void What_changes_nothing_is_told_to_nobody()
    {
        _rules.IsChange = false;
        Select("00 00 10 00").MustBeGood();
        Assert.Equal(0, _other.ItlNexus.UnitAttentions.Count);
    }

    [Fact]
    public void A_header_that_is_refused_changes_no_page()
    {
        _rules.Refusal = SenseData.InvalidFieldInParameterList(2, 6);
        Select("00 00 70 00 11 04 09 08 07 06").MustBe(SenseData.InvalidFieldInParameterList(2, 6));
        Assert.Equal([1, 2, 3, 4], _backend.ModePages[0].Current);
        Assert.Empty(_rules.Changes);
    }

    [Fact]
    public void A_page_that_is_refused_or_cannot_be_saved_leaves_the_header()
    {
        Select("00 00 20 00 3E 00").MustBe(SenseData.InvalidFieldInParameterList(4, 5));
        _store.Fails = true;
        byte[] list = Hex.Bytes("00 00 20 00");
        Assert.Equal(SenseKey.HardwareError, _initiator.Execute(Hex.Bytes("15 11 00 00 04 00"), list).Sense.Key);
        Assert.Empty(_rules.Changes);
    }

    [Fact]
    public void A_long_descriptor_and_another_length_are_refused()
    {
        Select("00 00 10 04 00 00 00 00").MustBe(SenseData.InvalidFieldInParameterList(3));
        _initiator.Execute(Hex.Bytes("55 10 00 00 00 00 00 00 08 00"), Hex.Bytes("00 00 00 10 01 00 00 00"))
            .MustBe(SenseData.InvalidFieldInParameterList(4, 0));
    }

    [Fact]
    public void A_page_that_may_be_shorter_is_filled_with_zeros()
    {
        Select("00 00 10 00 11 03 07 06 05").MustBeGood();
        Assert.Equal([7, 6, 5, 0], _backend.ModePages[0].Current);
        Select("00 00 10 00 11 01 07").MustBe(SenseData.InvalidFieldInParameterList(5));
        Select("00 00 10 00 11 05 07 06 05 04 03").MustBe(SenseData.InvalidFieldInParameterList(5));
    }

    [Fact]
    public void A_value_that_the_device_type_cannot_take_is_refused_at_its_place()
    {
        Select("00 00 10 00 11 04 07 09 05 04").MustBe(SenseData.InvalidFieldInParameterList(7, 3));
        Assert.Equal([1, 2, 3, 4], _backend.ModePages[0].Current);
    }

    private TestCommand Select(string list)
    {
        byte[] bytes = Hex.Bytes(list);
        return _initiator.Execute([0x15, 0x10, 0, 0, (byte)bytes.Length, 0], bytes);
    }

    private sealed class Rules : IModeHeader
    {
        public SenseData? Refusal { get; set; }

        public bool IsChange { get; set; } = true;

        public List<ModeHeaderValues> Changes { get; } = [];

        public SenseData? Judge(ModeHeaderValues values) => Refusal;

        public bool Change(ModeHeaderValues values)
        {
            Changes.Add(values);
            return IsChange;
        }
    }
}
