namespace Scstd.Core;

/// <summary>The commands that the mid-layer itself answers, for every device type.</summary>
internal static class PrimaryCommands
{
    public static IEnumerable<CommandBinding> BindingsFor(LogicalUnit unit)
    {
        _ = unit;
        return [];
    }
}
