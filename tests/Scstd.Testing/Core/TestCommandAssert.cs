using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Testing;

/// <summary>What a test asks of an answer; throws what it found instead.</summary>
public static class TestCommandAssert
{
    /// <summary>GOOD, and the data as hexadecimal digits.</summary>
    public static string DataOfGood(this TestCommand command)
    {
        command.MustBeGood();
        return Hex.Of(command.DataIn);
    }

    public static void MustBeGood(this TestCommand command) =>
        Must(command, command.Status == ScsiStatus.Good && !command.WasAborted, "GOOD");

    public static void MustConflict(this TestCommand command) =>
        Must(command, command.Status == ScsiStatus.ReservationConflict, "RESERVATION CONFLICT");

    /// <summary>CHECK CONDITION with exactly this sense data, field pointers and all.</summary>
    public static void MustBe(this TestCommand command, SenseData sense) =>
        Must(command, command.Status == ScsiStatus.CheckCondition && command.Sense == sense, sense.ToString());

    /// <summary>ILLEGAL REQUEST, INVALID FIELD IN CDB at this place.</summary>
    public static void MustBeInvalidInCdb(this TestCommand command, int offset, int? bit = null) =>
        command.MustBe(SenseData.InvalidFieldInCdb(offset, bit));

    private static void Must(TestCommand command, bool holds, string expected) =>
        Invariant.That(holds, $"expected {expected}, got {command} with {command.Sense}");
}
