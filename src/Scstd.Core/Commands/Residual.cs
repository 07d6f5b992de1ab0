using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>The residual count of an ended command (SAM-5 §5.4; RFC 7143 §11.4.5).</summary>
internal static class Residual
{
    /// <summary>Also cuts Data-In to what the initiator has room for, and without a status that goes with data to what
    /// may have left already.</summary>
    public static void Compute(ScsiCommand command)
    {
        if (command.Status is not (ScsiStatus.Good or ScsiStatus.ConditionMet or ScsiStatus.CheckCondition))
            command.DataInLengthBytes = command.DataInReadyBytes;
        DataDirection direction = command.Binding?.Row.Direction ?? DataDirection.In;
        long expected;
        long actual;
        if ((direction & DataDirection.Out) != 0 && command.ExpectedDataOutBytes > 0)
        {
            expected = command.ExpectedDataOutBytes;
            // Refused for asking more than the initiator gives: the overflow says how much more (RFC 7143 §11.4.5.1).
            bool asksMore = command.RequestedBytes > expected;
            actual = command.HasData || asksMore ? command.RequestedBytes : 0;
        }
        else if ((direction & DataDirection.Out) != 0 && command.RequestedBytes > 0)
        {
            expected = 0;
            actual = command.RequestedBytes;
        }
        else
        {
            expected = command.ExpectedDataInBytes + command.ExpectedDataOutBytes;
            actual = command.DataInLengthBytes;
            if (command.DataInLengthBytes > command.ExpectedDataInBytes)
                command.DataInLengthBytes = (int)command.ExpectedDataInBytes;
        }
        command.IsOverflow = actual > expected;
        command.ResidualBytes = (uint)Math.Min(uint.MaxValue, Math.Abs(actual - expected));
    }
}
