using System.Buffers.Binary;
using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>What a unit's clock was set to, and when; SPC-4 §5.15.</summary>
/// <param name="ValueMs">Milliseconds since 1970, as an initiator set it.</param>
/// <param name="SetAtMs">By the executors' clock.</param>
internal sealed record DeviceTimestamp(long ValueMs, long SetAtMs, bool IsSet)
{
    public long At(long nowMs) => ValueMs + Math.Max(0, nowMs - SetAtMs);
}

/// <summary>SET TIMESTAMP and REPORT TIMESTAMP, SPC-4 §6.46 and §6.38. A unit has no clock of its own: it counts from
/// zero since it is there, until an initiator sets it.</summary>
internal static class TimestampCommands
{
    private const int ParameterBytes = 12;
    private const int ValueOffset = 4;
    private const byte CountsFromZero = 0b000;
    private const byte WasSet = 0b010;

    public static IReadOnlyList<CommandBinding> Bindings { get; } =
    [
        new(Spc.ReportTimestamp, Report),
        new(Spc.SetTimestamp, Set),
    ];

    private static void Report(ScsiCommand command)
    {
        DeviceTimestamp timestamp = command.Unit.Timestamp;
        Span<byte> answer = stackalloc byte[ParameterBytes];
        answer.Clear();
        answer[1] = ParameterBytes - 2;
        answer[2] = timestamp.IsSet ? WasSet : CountsFromZero;
        WriteValue(answer[ValueOffset..], timestamp.At(command.Nexus.Executor.NowMs));
        command.CompleteWithData(answer);
    }

    /// <summary>An empty list is no error and changes nothing; another length is one (§6.46).</summary>
    private static void Set(ScsiCommand command)
    {
        if (command.RequestedBytes == 0)
        {
            command.Complete();
            return;
        }
        if (command.RequestedBytes != ParameterBytes)
        {
            command.CheckCondition(SenseData.IllegalRequest(AdditionalSense.ParameterListLengthError));
            return;
        }
        byte[] list = command.Data.ToArray(ParameterBytes);
        long value = ((long)BinaryPrimitives.ReadUInt16BigEndian(list.AsSpan(ValueOffset)) << 32) |
            BinaryPrimitives.ReadUInt32BigEndian(list.AsSpan(ValueOffset + 2));
        command.Unit.Timestamp = new DeviceTimestamp(value, command.Nexus.Executor.NowMs, IsSet: true);
        command.Unit.EstablishUnitAttention(AdditionalSense.TimestampChanged, command.ItlNexus);
        command.Complete();
    }

    /// <summary>Six bytes.</summary>
    private static void WriteValue(Span<byte> to, long value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(to, (ushort)(value >> 32));
        BinaryPrimitives.WriteUInt32BigEndian(to[2..], (uint)value);
    }
}
