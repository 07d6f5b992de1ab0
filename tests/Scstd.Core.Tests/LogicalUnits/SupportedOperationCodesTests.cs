using System.Buffers.Binary;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests;

/// <summary>REPORT SUPPORTED OPERATION CODES and REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS, SPC-4 §6.35,
/// §6.36.</summary>
public sealed class SupportedOperationCodesTests : IDisposable
{
    private readonly TestTarget _target = new(new TestBackend
    {
        Commands =
        [
            new(Sbc.Read10, Never), new(Sbc.ReadCapacity16, Never), new(Sbc.GetLbaStatus, Never),
            new(Sbc.Read32, Never),
        ],
    });

    private readonly TestInitiator _initiator;

    public SupportedOperationCodesTests() => _initiator = _target.Login();

    public void Dispose() => _target.Dispose();

    [Fact]
    public void All_commands_are_told_in_the_order_of_their_codes()
    {
        byte[] data = Report("A3 0C 00 00 00 00 00 00 FF FF 00 00").DataIn;
        Assert.Equal(data.Length - 4, BinaryPrimitives.ReadInt32BigEndian(data));
        var told = data.Skip(4).Chunk(8).Select(d => Hex.Of(d)).ToList();
        Assert.Equal(_target.Unit.Commands.All.Count, told.Count);
        Assert.Equal("00 00 00 00 00 00 00 06", told[0]);
        Assert.Contains("28 00 00 00 00 00 00 0A", told);
        Assert.Contains("7F 00 00 09 00 01 00 20", told);
        Assert.Contains("9E 00 00 10 00 01 00 10", told);
        Assert.Contains("9E 00 00 12 00 01 00 10", told);
        Assert.Contains("A3 00 00 0C 00 01 00 0C", told);
        Assert.Equal(told.OrderBy(d => d), told);
    }

    [Fact]
    public void Rctd_adds_a_timeouts_descriptor_to_each()
    {
        byte[] data = Report("A3 0C 80 00 00 00 00 00 FF FF 00 00").DataIn;
        Assert.Equal(data.Length - 4, BinaryPrimitives.ReadInt32BigEndian(data));
        Assert.All(data.Skip(4).Chunk(20), descriptor =>
        {
            Assert.Equal(0x02, descriptor[5] & 0x02);
            Assert.Equal("00 0A 00 00 00 00 00 00 00 00 00 00", Hex.Of(descriptor.AsSpan(8)));
        });
    }

    [Theory]
    [InlineData("A3 0C 01 28 00 00 00 00 FF FF 00 00", "00 03 00 0A 28 18 FF FF FF FF 3F FF FF 04")]
    [InlineData(
        "A3 0C 81 28 00 00 00 00 FF FF 00 00",
        "00 83 00 0A 28 18 FF FF FF FF 3F FF FF 04 00 0A 00 00 00 00 00 00 00 00 00 00")]
    [InlineData("A3 0C 01 28 12 34 00 00 FF FF 00 00", "00 03 00 0A 28 18 FF FF FF FF 3F FF FF 04")]
    [InlineData("A3 0C 01 2A 00 00 00 00 FF FF 00 00", "00 01 00 00")]
    [InlineData("A3 0C 02 9E 00 10 00 00 FF FF 00 00", "00 03 00 10 9E 10 00 00 00 00 00 00 00 00 FF FF FF FF 00 04")]
    [InlineData("A3 0C 02 9E 00 11 00 00 FF FF 00 00", "00 01 00 00")]
    [InlineData("A3 0C 02 9E 01 10 00 00 FF FF 00 00", "00 01 00 00")]
    [InlineData("A3 0C 02 C0 00 00 00 00 FF FF 00 00", "00 01 00 00")]
    [InlineData(
        "A3 0C 02 7F 00 09 00 00 FF FF 00 00",
        "00 03 00 20 7F 04 00 00 00 00 3F 18 00 09 18 00 FF FF FF FF FF FF FF FF 00 00 00 00 00 00 00 00 FF FF FF FF")]
    [InlineData("A3 0C 03 28 00 00 00 00 FF FF 00 00", "00 03 00 0A 28 18 FF FF FF FF 3F FF FF 04")]
    [InlineData("A3 0C 03 28 00 01 00 00 FF FF 00 00", "00 01 00 00")]
    [InlineData("A3 0C 03 9E 00 12 00 00 FF FF 00 00", "00 03 00 10 9E 12 FF FF FF FF FF FF FF FF FF FF FF FF 00 04")]
    [InlineData("A3 0C 03 9E 00 13 00 00 FF FF 00 00", "00 01 00 00")]
    [InlineData("A3 0C 03 FF 00 00 00 00 FF FF 00 00", "00 01 00 00")]
    [InlineData("A3 0C 01 28 00 00 00 00 00 06 00 00", "00 03 00 0A 28 18")]
    public void One_command_is_told_with_its_usage_data(string cdb, string expected) =>
        Assert.Equal(expected, Report(cdb).DataOfGood());

    [Theory]
    [InlineData("A3 0C 01 9E 00 00 00 00 FF FF 00 00")]
    [InlineData("A3 0C 02 28 00 00 00 00 FF FF 00 00")]
    [InlineData("A3 0C 04 28 00 00 00 00 FF FF 00 00")]
    [InlineData("A3 0C 07 28 00 00 00 00 FF FF 00 00")]
    public void An_option_that_does_not_fit_is_refused_at_byte_2(string cdb) => Report(cdb).MustBeInvalidInCdb(2, 2);

    [Theory]
    [InlineData("A3 0C 08 00 00 00 00 00 FF FF 00 00", 2, 3)]
    [InlineData("A3 2C 00 00 00 00 00 00 FF FF 00 00", 1, 5)]
    [InlineData("A3 0C 00 00 00 00 00 00 FF FF 01 00", 10, 0)]
    [InlineData("A3 1F 00 00 00 00 00 00 FF FF 00 00", 1, 4)]
    public void A_wrong_field_is_refused_with_its_place(string cdb, int offset, int bit) =>
        Report(cdb).MustBeInvalidInCdb(offset, bit);

    [Fact]
    public void Everything_that_is_told_is_known_and_everything_else_is_not()
    {
        for (int code = 0; code < 256; code++)
        {
            if (_target.Unit.Commands.HasServiceActions((byte)code))
                continue;
            bool told = Report($"A3 0C 01 {code:X2} 00 00 00 00 FF FF 00 00").DataIn[1] == 3;
            byte[] cdb = new byte[16];
            cdb[0] = (byte)code;
            cdb[15] = 0xFF;
            bool known = _target.Unit.Commands.Find(cdb) is not null;
            Assert.Equal(known, told);
        }
    }

    [Fact]
    public void The_task_management_functions_are_those_that_are_carried_out()
    {
        Assert.Equal("FC 07 00 00", Report("A3 0D 00 00 00 00 00 00 00 FF 00 00").DataOfGood());
        (TaskManagementFunction Function, int Byte, int Bit)[] bits =
        [
            (TaskManagementFunction.AbortTask, 0, 7), (TaskManagementFunction.AbortTaskSet, 0, 6),
            (TaskManagementFunction.ClearAca, 0, 5), (TaskManagementFunction.ClearTaskSet, 0, 4),
            (TaskManagementFunction.LogicalUnitReset, 0, 3), (TaskManagementFunction.QueryTask, 0, 2),
            (TaskManagementFunction.QueryAsynchronousEvent, 1, 2), (TaskManagementFunction.QueryTaskSet, 1, 1),
            (TaskManagementFunction.ItNexusReset, 1, 0),
        ];
        byte[] told = Report("A3 0D 00 00 00 00 00 00 00 FF 00 00").DataIn;
        Assert.All(bits, b => Assert.Equal(
            _initiator.Request(b.Function) is not TaskManagementResponse.FunctionNotSupported,
            (told[b.Byte] >> b.Bit & 1) != 0));
    }

    [Fact]
    public void Repd_gives_the_extended_data() => Assert.Equal(
        "FC 07 00 0C 00 00 00 00 00 00 00 00 00 00 00 00",
        Report("A3 0D 80 00 00 00 00 00 00 FF 00 00").DataOfGood());

    [Theory]
    [InlineData("A3 0D 00 00 00 00 00 00 00 03 00 00", 6, null)]
    [InlineData("A3 0D 00 00 00 00 00 00 00 00 00 00", 6, null)]
    [InlineData("A3 0D 40 00 00 00 00 00 00 FF 00 00", 2, 6)]
    public void Too_short_an_allocation_length_and_reserved_bits_are_refused(string cdb, int offset, int? bit) =>
        Report(cdb).MustBeInvalidInCdb(offset, bit);

    private static void Never(ScsiCommand command) => throw new InvalidOperationException(command.Binding.Row.Name);

    private TestCommand Report(string cdb) => _initiator.Execute(Hex.Bytes(cdb));
}
