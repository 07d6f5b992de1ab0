namespace Scstd.Configuration;

/// <summary>When a thin disk has little room: bytes that are left, or a part that is used.</summary>
public sealed record ThinBound(long? LeftBytes, int UsedPercent)
{
    private const long MostBytes = 1L << 62;

    internal static readonly Rule<ThinBound> Rule = new ParsedRule<ThinBound>(
        "a part that is used, from 1% to 99%, or a size that is left such as 10GiB", TryParse,
        "^[0-9]+(\\.[0-9]+)? ?(%|B|[kK]B|[MGTP]B|[KMGTP]|[KMGTP]iB)$");

    public override string ToString() =>
        LeftBytes is { } bytes ? $"{Units.FormatSize(bytes)} left" : $"{UsedPercent}% used";

    private static bool TryParse(string text, out ThinBound bound)
    {
        bool isSize = Units.TryParseSize(text, out long bytes);
        bool isPercent = Units.TryParsePercent(text, out int percent);
        bound = new ThinBound(isSize ? bytes : null, percent);
        return isPercent ? percent < 100 : isSize && bytes is > 0 and <= MostBytes;
    }
}
