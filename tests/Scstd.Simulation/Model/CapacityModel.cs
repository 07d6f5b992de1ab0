using System.Buffers.Binary;

namespace Scstd.Simulation;

/// <summary>How many blocks a unit has (SBC-4 §5.15), and when that last changed.</summary>
internal sealed class CapacityModel(World world, int blocks)
{
    public int Blocks { get; private set; } = blocks;

    public long ChangedAt { get; private set; } = -1;

    /// <summary>False if it is as large as before.</summary>
    public bool Set(int blocks)
    {
        if (Blocks == blocks)
            return false;
        Blocks = blocks;
        ChangedAt = world.Now;
        return true;
    }

    public bool Has(SimulatedCommand command) => command.Blocks == 0 || (int)command.Lba + command.Blocks <= Blocks;

    /// <summary>READ CAPACITY (10).</summary>
    public byte[] Describe()
    {
        byte[] answer = new byte[8];
        BinaryPrimitives.WriteInt32BigEndian(answer, Blocks - 1);
        BinaryPrimitives.WriteInt32BigEndian(answer.AsSpan(4), SimulatedDisk.BlockBytes);
        return answer;
    }
}
