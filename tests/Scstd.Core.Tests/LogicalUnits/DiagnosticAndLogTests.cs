using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests;

/// <summary>SEND DIAGNOSTIC, RECEIVE DIAGNOSTIC RESULTS and LOG SENSE, SPC-4 §6.42, §6.8, §7.2, §7.3.</summary>
public sealed class DiagnosticAndLogTests : IDisposable
{
    private readonly TestTarget _target = new(new TestBackend());
    private readonly TestInitiator _initiator;

    public DiagnosticAndLogTests() => _initiator = _target.Login();

    public void Dispose() => _target.Dispose();

    [Theory]
    [InlineData("1D 04 00 00 00 00")]
    [InlineData("1D 07 00 00 00 00")]
    [InlineData("1D 14 00 00 00 00")]
    [InlineData("1D 00 00 00 00 00")]
    public void The_default_self_test_is_good(string cdb) => Run(cdb).MustBeGood();

    [Theory]
    [InlineData("1D 20 00 00 00 00", 1, 5)]
    [InlineData("1D 80 00 00 00 00", 1, 7)]
    [InlineData("1D 44 00 00 00 00", 1, 6)]
    [InlineData("1D 08 00 00 00 00", 1, 3)]
    [InlineData("1D 00 01 00 00 00", 2, 0)]
    public void Other_self_tests_are_refused(string cdb, int offset, int bit) =>
        Run(cdb).MustBeInvalidInCdb(offset, bit);

    [Theory]
    [InlineData("1D 14 00 00 04 00", 3, null)]
    [InlineData("1D 00 00 00 04 00", 1, 4)]
    public void Parameters_do_not_go_with_a_self_test_or_without_pf(string cdb, int offset, int? bit) =>
        _initiator.Execute(Hex.Bytes(cdb), new byte[4]).MustBeInvalidInCdb(offset, bit);

    [Fact]
    public void Page_00_is_the_one_diagnostic_page() => Send("00 00 00 00").MustBeGood();

    [Theory]
    [InlineData("01 00 00 00", 0)]
    [InlineData("00 00 00 01", 2)]
    public void Another_page_is_refused(string list, int offset) =>
        Send(list).MustBe(SenseData.InvalidFieldInParameterList(offset));

    [Theory]
    [InlineData("00")]
    [InlineData("00 00 00")]
    [InlineData("00 00 00 00 00")]
    public void A_page_of_another_length_is_a_length_error(string list) =>
        Send(list).MustBe(SenseData.IllegalRequest(AdditionalSense.ParameterListLengthError));

    [Theory]
    [InlineData("1C 01 00 00 FF 00", "00 00 00 01 00")]
    [InlineData("1C 00 00 00 FF 00", "00 00 00 01 00")]
    [InlineData("1C 01 00 00 04 00", "00 00 00 01")]
    public void Receive_diagnostic_results_lists_page_00(string cdb, string expected) =>
        Assert.Equal(expected, Run(cdb).DataOfGood());

    [Fact]
    public void Receive_diagnostic_results_of_another_page_is_refused() =>
        Run("1C 01 01 00 FF 00").MustBeInvalidInCdb(2);

    [Theory]
    [InlineData("4D 00 40 00 00 00 00 00 FF 00", "00 00 00 05 00 02 03 06 2F")]
    [InlineData("4D 00 00 00 00 00 00 00 FF 00", "00 00 00 05 00 02 03 06 2F")]
    [InlineData("4D 00 40 FF 00 00 00 00 FF 00", "40 FF 00 0C 00 00 00 FF 02 00 03 00 06 00 2F 00")]
    [InlineData("4D 00 42 00 00 00 00 00 FF 00", "82 00 00 0C 00 06 20 08 00 00 00 00 00 00 00 00")]
    [InlineData("4D 00 02 00 00 00 06 00 FF 00", "82 00 00 0C 00 06 20 08 FF FF FF FF FF FF FF FF")]
    [InlineData("4D 00 C6 00 00 00 00 00 FF 00", "86 00 00 0C 00 00 20 08 00 00 00 00 00 00 00 00")]
    [InlineData("4D 00 6F 00 00 00 00 00 FF 00", "AF 00 00 08 00 00 23 04 00 00 FF 00")]
    [InlineData("4D 00 6F 00 00 00 00 00 06 00", "AF 00 00 08 00 00")]
    public void Log_sense_gives_the_pages_there_are(string cdb, string expected) =>
        Assert.Equal(expected, Run(cdb).DataOfGood());

    [Theory]
    [InlineData("4D 00 4D 00 00 00 00 00 FF 00", 2, 5)]
    [InlineData("4D 00 7F 00 00 00 00 00 FF 00", 2, 5)]
    [InlineData("4D 00 40 01 00 00 00 00 FF 00", 3, null)]
    [InlineData("4D 00 6F FF 00 00 00 00 FF 00", 3, null)]
    [InlineData("4D 00 6F 00 00 00 01 00 FF 00", 5, null)]
    [InlineData("4D 01 40 00 00 00 00 00 FF 00", 1, 0)]
    [InlineData("4D 02 40 00 00 00 00 00 FF 00", 1, 1)]
    public void Log_sense_of_anything_else_is_refused_with_its_place(string cdb, int offset, int? bit) =>
        Run(cdb).MustBeInvalidInCdb(offset, bit);

    [Theory]
    [InlineData("4C 02 0D 00 00 00 00 00 00 00", 2, 5)]
    [InlineData("4C 02 02 01 00 00 00 00 00 00", 3, null)]
    [InlineData("4C 01 02 00 00 00 00 00 00 00", 1, 0)]
    public void Log_select_of_what_there_is_not_is_refused_with_its_place(string cdb, int offset, int? bit) =>
        Run(cdb).MustBeInvalidInCdb(offset, bit);

    [Fact]
    public void Log_select_takes_no_parameters() =>
        _initiator.Execute(Hex.Bytes("4C 02 02 00 00 00 00 00 04 00"), new byte[4]).MustBeInvalidInCdb(7);

    private TestCommand Run(string cdb) => _initiator.Execute(Hex.Bytes(cdb));

    private TestCommand Send(string list)
    {
        byte[] bytes = Hex.Bytes(list);
        return _initiator.Execute([0x1D, 0x10, 0, 0, (byte)bytes.Length, 0], bytes);
    }
}
