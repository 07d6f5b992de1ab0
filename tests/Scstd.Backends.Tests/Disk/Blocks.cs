using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Backends.Tests.Disk;

/// <summary>Data to write and what to make of an answer.</summary>
internal static class Blocks
{
    public const int Bytes = 512;

    /// <summary>Blocks that differ from each other and from those of another seed.</summary>
    public static byte[] Of(int count, int seed = 1, int blockLengthBytes = Bytes)
    {
        byte[] data = new byte[count * blockLengthBytes];
        new Random(seed).NextBytes(data);
        return data;
    }

    public static byte[] Filled(byte value, int count) => [.. Enumerable.Repeat(value, count * Bytes)];

    public static void AssertGood(TestCommand command) => Assert.Equal(ScsiStatus.Good, command.Status);

    public static void AssertSense(SenseKey key, AdditionalSense additional, TestCommand command)
    {
        Assert.Equal(ScsiStatus.CheckCondition, command.Status);
        Assert.Equal((key, additional), (command.Sense.Key, command.Sense.Additional));
    }

    public static void AssertOutOfRange(ulong firstBad, TestCommand command)
    {
        AssertSense(SenseKey.IllegalRequest, AdditionalSense.LogicalBlockAddressOutOfRange, command);
        Assert.Equal(firstBad, command.Sense.Information);
    }

    public static void AssertInvalidField(int byteOffset, TestCommand command)
    {
        AssertSense(SenseKey.IllegalRequest, AdditionalSense.InvalidFieldInCdb, command);
        Assert.True(command.Sense.FieldIsInCdb);
        Assert.Equal((ushort)byteOffset, command.Sense.FieldPointer);
    }
}
