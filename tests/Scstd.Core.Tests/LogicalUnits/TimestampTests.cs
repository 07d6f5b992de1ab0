using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests.LogicalUnits;

/// <summary>SET TIMESTAMP and REPORT TIMESTAMP, SPC-4 §5.15.</summary>
public sealed class TimestampTests : IDisposable
{
    private const string Report = "A3 0F 00 00 00 00 00 00 00 FF 00 00";

    private readonly TestTarget _target = new(new TestBackend());
    private readonly TestInitiator _initiator;

    public TimestampTests() => _initiator = _target.Login();

    public void Dispose() => _target.Dispose();

    [Fact]
    public void Until_it_is_set_the_clock_counts_from_zero()
    {
        _target.Executor.NowMs += 0x1234;
        Assert.Equal("00 0A 00 00 00 00 00 00 12 34 00 00", _initiator.Execute(Hex.Bytes(Report)).DataOfGood());
    }

    [Fact]
    public void Once_set_the_clock_goes_on_from_there()
    {
        Set("00 00 00 00 01 02 03 04 05 06 00 00").MustBeGood();
        _target.Executor.NowMs += 1;
        Assert.Equal("00 0A 02 00 01 02 03 04 05 07 00 00", _initiator.Execute(Hex.Bytes(Report)).DataOfGood());
    }

    [Fact]
    public void A_list_of_another_length_is_refused_and_an_empty_one_changes_nothing()
    {
        Set("00 00 00 00 01 02").MustBe(SenseData.IllegalRequest(AdditionalSense.ParameterListLengthError));
        _initiator.Execute(Hex.Bytes("A4 0F 00 00 00 00 00 00 00 00 00 00")).MustBeGood();
        Assert.Equal(0, _initiator.Execute(Hex.Bytes(Report)).DataIn[2]);
    }

    private TestCommand Set(string list)
    {
        byte[] bytes = Hex.Bytes(list);
        return _initiator.Execute([0xA4, 0x0F, 0, 0, 0, 0, 0, 0, 0, (byte)bytes.Length, 0, 0], bytes);
    }
}
