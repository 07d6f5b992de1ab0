using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>The blocks that a command touches.</summary>
public readonly record struct BlockExtent(ulong First, ulong Count)
{
    public static BlockExtent None => default;

    public static BlockExtent All => new(0, ulong.MaxValue);

    public bool Overlaps(BlockExtent other) => Count != 0 && other.Count != 0 &&
        (First >= other.First ? First - other.First < other.Count : other.First - First < Count);

    /// <summary>A command that moves data of the medium and does not say where may touch all of it. One that changes
    /// the unit runs alone and needs no range.</summary>
    internal static BlockExtent Of(ScsiCommand command)
    {
        CommandRow row = command.Binding.Row;
        if (row.Has(CommandTraits.ChangesUnit))
            return None;
        bool touches = row.Has(CommandTraits.WritesMedium) ||
            (row.Has(CommandTraits.NeedsMedium) && row.Direction != DataDirection.None);
        return command.Binding.Blocks?.Invoke(command.Cdb) ?? (touches ? All : None);
    }
}

/// <summary>The blocks that a CDB speaks of.</summary>
public delegate BlockExtent BlocksOfCdb(ReadOnlySpan<byte> cdb);
