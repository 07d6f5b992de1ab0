using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests.LogicalUnits;

/// <summary>An initiator that gives less data than the CDB asks for, or more (RFC 7143 §11.4.5.1).</summary>
public sealed class ShortDataOutTests
{
    private const byte Write = 0xC8;
    private const byte ParameterList = 0xC9;

    [Theory]
    [InlineData(0, 0, 1024u, true)]
    [InlineData(512, 512, 512u, true)]
    [InlineData(1024, 1024, 0u, false)]
    [InlineData(5000, 1024, 3976u, false)]
    public void A_write_is_done_for_the_whole_blocks_that_came(
        int givenBytes, int receivedBytes, uint residualBytes, bool isOverflow)
    {
        int received = -1;
        using TestTarget target = Target(command => received = command.Data.LengthBytes);
        TestCommand command = target.Login().Execute([Write, 0, 0, 0, 0, 0], new byte[givenBytes]);
        Assert.Equal(ScsiStatus.Good, command.Status);
        Assert.Equal(receivedBytes, received);
        Assert.Equal(residualBytes, command.ResidualBytes);
        Assert.Equal(isOverflow, command.IsOverflow);
    }

    [Theory]
    [InlineData(Write, 200)]
    [InlineData(Write, 700)]
    [InlineData(ParameterList, 0)]
    [InlineData(ParameterList, 512)]
    public void A_part_of_a_block_or_of_a_parameter_list_is_refused(byte code, int givenBytes)
    {
        using TestTarget target = Target(_ => Assert.Fail("it must not be executed"));
        TestCommand command = target.Login().Execute([code, 0, 0, 0, 0, 0], new byte[givenBytes]);
        Assert.Equal(AdditionalSense.InvalidFieldInCommandInformationUnit, command.Sense.Additional);
        Assert.True(command.IsOverflow);
        Assert.Equal(1024u - (uint)givenBytes, command.ResidualBytes);
    }

    private static TestTarget Target(Action<ScsiCommand> executed)
    {
        CommandBinding Bind(byte code, CommandTraits traits) => new(
            new CommandRow
            {
                Name = $"{code:X2}h",
                OperationCode = code,
                Direction = DataDirection.Out,
                Traits = traits,
                Usage = [code, 0, 0, 0, 0, 0],
                TransferLength = static (_, blockLengthBytes) => 2 * blockLengthBytes,
            },
            command =>
            {
                executed(command);
                command.Complete();
            });
        return new TestTarget(new TestBackend
        {
            Commands = [Bind(Write, CommandTraits.MayBeCutShort), Bind(ParameterList, CommandTraits.None)],
        });
    }
}
