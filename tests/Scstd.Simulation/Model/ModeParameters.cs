namespace Scstd.Simulation;

/// <summary>The parameter list of a MODE SELECT (6) with the Control page and no block descriptor.</summary>
internal static class ModeParameters
{
    /// <summary>Header of four bytes, page header of two.</summary>
    public const int PageOffset = 6;

    public static byte[] Control(ReadOnlySpan<byte> values)
    {
        byte[] list = new byte[PageOffset + values.Length];
        list[4] = 0x0A;
        list[5] = (byte)values.Length;
        values.CopyTo(list.AsSpan(PageOffset));
        return list;
    }
}
