using CsCheck;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests;

/// <summary>A CDB is the initiator's to choose: whatever it is, it gets one answer.</summary>
public sealed class CdbJudgementTests
{
    private static readonly int[] Lengths = [6, 10, 12, 16, 32, 260];

    private static readonly byte[] KnownCodes =
    [
        0x00, 0x03, 0x12, 0x15, 0x16, 0x17, 0x1A, 0x1C, 0x1D, 0x4D, 0x55, 0x56, 0x57, 0x5A, 0xA0, 0xA3, 0x28,
        0x2A, 0x7F,
    ];

    private static readonly Gen<byte[]> Cdbs =
        from length in Gen.Int[0, Lengths.Length - 1]
        from bytes in Gen.Byte.Array[Lengths[length]]
        from sparse in Gen.Bool
        from mask in Gen.Byte.Array[Lengths[length]]
        from code in Gen.Int[0, KnownCodes.Length * 2]
        select Shape(bytes, mask, sparse, code);

    [Fact]
    public void Any_cdb_is_answered_once_and_leaves_nothing_leased()
    {
        using TestTarget target = Target();
        TestInitiator initiator = target.Login();
        byte[] anyData = new byte[65536];
        Cdbs.Select(Gen.Int[0, 4]).Sample((cdb, lunChoice) =>
        {
            Lun lun = lunChoice switch
            {
                3 => Lun.FromNumber(5),
                4 => Lun.WellKnownReportLuns,
                _ => Lun.FromNumber(0),
            };
            byte[]? dataOut = cdb[0] is 0x15 or 0x55 or 0x1D ? anyData : null;
            TestCommand command = initiator.ExecuteOn(lun, cdb, dataOut);
            Assert.True(command.IsAnswered);
            Assert.Equal(0, target.Executor.Buffers.LeasesOut);
            Assert.Equal(0, initiator.ItlNexus.CommandCount);
            if (command.Status == ScsiStatus.CheckCondition)
                Assert.NotEqual(SenseKey.NoSense, command.Sense.Key);
        },
        threads: 1,
        iter: 5_000);
    }

    [Fact]
    public void Any_parameter_list_of_mode_select_is_answered_and_a_refused_one_changes_nothing()
    {
        using TestTarget target = Target();
        TestInitiator initiator = target.Login();
        Gen.Byte.Array[0, 64].Select(Gen.Int[0, 3]).Sample((list, shape) =>
        {
            byte[] whole = shape == 0 ? list : [0, 0, 0, 0, 0x0A, 0x0A, .. list];
            byte[] before = target.Unit.Control.Current;
            TestCommand command = initiator.Execute([0x15, 0x10, 0, 0, (byte)whole.Length, 0], whole);
            Assert.True(command.IsAnswered);
            if (command.Status != ScsiStatus.Good)
                Assert.Same(before, target.Unit.Control.Current);
        },
        threads: 1,
        iter: 5_000);
    }

    [Fact]
    public void A_bit_that_no_row_looks_at_is_refused_at_its_place()
    {
        using TestTarget target = Target();
        TestInitiator initiator = target.Login();
        foreach (CommandBinding binding in target.Unit.Commands.All)
        {
            CommandRow row = binding.Row;
            for (int bit = 8; bit < row.CdbLengthBytes * 8; bit++)
            {
                int offset = bit / 8;
                bool inServiceAction = row.ServiceAction is not null &&
                    (row.OperationCode == 0x7F ? offset is 7 or 8 or 9 : offset == 1 && bit % 8 < 5);
                bool looksAt = ((row.Usage[offset] | row.Ignored.ElementAtOrDefault(offset)) >> (bit % 8) & 1) != 0;
                if (inServiceAction || looksAt)
                    continue;
                initiator.Execute(Cdb(row, offset, 1 << (bit % 8))).MustBeInvalidInCdb(offset, bit % 8);
            }
        }
        Assert.Equal(0, initiator.ItlNexus.CommandCount);
    }

    [Theory]
    [InlineData("28 00 00 00 00 00 00 00")]
    [InlineData("7F 00 00 00 00 00 00 18 00 09 00 00 00 00 00 00")]
    public void A_cdb_that_is_too_short_is_refused(string cdb)
    {
        using TestTarget target = Target();
        target.Login().Execute(Hex.Bytes(cdb)).MustBeInvalidInCdb(0);
    }

    [Fact]
    public void A_variable_length_cdb_must_tell_its_own_length()
    {
        using TestTarget target = Target();
        byte[] cdb = Cdb(Sbc.Read32, 7, 0);
        cdb[7] = 0x10;
        target.Login().Execute(cdb).MustBeInvalidInCdb(7);
    }

    [Fact]
    public void Block_tags_without_protection_information_are_ignored()
    {
        using TestTarget target = Target();
        byte[] cdb = Cdb(Sbc.Read32, 22, 0x5A);
        cdb[27] = 0xA5;
        target.Login().Execute(cdb).MustBeGood();
    }

    private static byte[] Cdb(CommandRow row, int offset, int value)
    {
        byte[] cdb = new byte[row.CdbLengthBytes];
        cdb[0] = row.OperationCode;
        if (row.OperationCode == 0x7F)
        {
            cdb[7] = 0x18;
            cdb[9] = (byte)row.ServiceAction!;
        }
        else if (row.ServiceAction is { } action)
        {
            cdb[1] = (byte)action;
        }
        cdb[offset] |= (byte)value;
        return cdb;
    }

    private static byte[] Shape(byte[] bytes, byte[] mask, bool sparse, int code)
    {
        // Mostly zeros comes further than noise.
        for (int i = 1; sparse && i < bytes.Length; i++)
            bytes[i] = mask[i] < 40 ? bytes[i] : (byte)0;
        if (code < KnownCodes.Length)
            bytes[0] = KnownCodes[code];
        return bytes;
    }

    private static TestTarget Target() => new(new TestBackend
    {
        Commands = [new(Sbc.Read10, Complete), new(Sbc.Write10, Complete), new(Sbc.Read32, Complete)],
    });

    private static void Complete(ScsiCommand command) => command.Complete();
}
