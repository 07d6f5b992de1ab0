using System.Globalization;

namespace Scstd.Configuration;

/// <summary>Sizes, durations, percentages and CPU lists as administrators write them.</summary>
internal static class Units
{
    private static readonly (string Unit, long Factor)[] SizeUnits =
    [
        ("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40), ("PiB", 1L << 50),
        ("kB", 1_000), ("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
        ("PB", 1_000_000_000_000_000),
        ("K", 1L << 10), ("M", 1L << 20), ("G", 1L << 30), ("T", 1L << 40), ("P", 1L << 50),
        ("B", 1),
    ];

    private static readonly (string Unit, long Microseconds)[] DurationUnits =
        [("us", 1), ("ms", 1_000), ("min", 60_000_000), ("s", 1_000_000), ("h", 3_600_000_000)];

    /// <summary>"256MiB", "1.5GiB", "10GB", "4096" (bytes). K, M, G, T mean KiB and so on, as disks tools have it.
    /// </summary>
    public static bool TryParseSize(string text, out long bytes) => TryParse(text, SizeUnits, 1, out bytes);

    /// <summary>"5s", "250ms", "20us", "2min", "1h"; a bare number only if it is 0.</summary>
    public static bool TryParseDuration(string text, out TimeSpan duration)
    {
        bool parsed = TryParse(text, DurationUnits, bareFactor: 0, out long microseconds);
        duration = parsed && microseconds <= TimeSpan.MaxValue.Ticks / TimeSpan.TicksPerMicrosecond
            ? TimeSpan.FromTicks(microseconds * TimeSpan.TicksPerMicrosecond)
            : default;
        return parsed && duration.Ticks == microseconds * TimeSpan.TicksPerMicrosecond;
    }

    /// <summary>"25%", from 1% to 100%.</summary>
    public static bool TryParsePercent(string text, out int percent)
    {
        percent = 0;
        return text.EndsWith('%') && int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None,
            CultureInfo.InvariantCulture, out percent) && percent is >= 1 and <= 100;
    }

    /// <summary>"0-3,8": as the kernel writes lists of CPUs.</summary>
    public static bool TryParseCpus(string text, out IReadOnlyList<int> cpus)
    {
        const int MostCpus = 8192; // Linux' own bound (NR_CPUS).
        var numbers = new SortedSet<int>();
        cpus = [];
        foreach (string part in text.Split(','))
        {
            string[] ends = part.Split('-');
            if (ends.Length > 2 || !TryParseCpu(ends[0], out int first) || !TryParseCpu(ends[^1], out int last))
                return false;
            if (first > last || last >= MostCpus)
                return false;
            for (int cpu = first; cpu <= last; cpu++)
            {
                if (!numbers.Add(cpu))
                    return false;
            }
        }
        cpus = [.. numbers];
        return true;
    }

    /// <summary>The shortest exact way to write a size.</summary>
    public static string FormatSize(long bytes)
    {
        foreach ((string unit, long factor) in SizeUnits.Take(5).Reverse())
        {
            if (bytes >= factor && bytes % factor == 0)
                return string.Create(CultureInfo.InvariantCulture, $"{bytes / factor}{unit}");
        }
        return bytes.ToString(CultureInfo.InvariantCulture);
    }

    public static string FormatDuration(TimeSpan duration)
    {
        long microseconds = duration.Ticks / TimeSpan.TicksPerMicrosecond;
        if (microseconds == 0)
            return "0";
        foreach (string unit in (string[])["h", "min", "s", "ms"])
        {
            long factor = DurationUnits.First(row => row.Unit == unit).Microseconds;
            if (microseconds % factor == 0)
                return string.Create(CultureInfo.InvariantCulture, $"{microseconds / factor}{unit}");
        }
        return string.Create(CultureInfo.InvariantCulture, $"{microseconds}us");
    }

    private static bool TryParseCpu(string text, out int cpu) =>
        int.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out cpu);

    private static bool TryParse(string text, (string Unit, long Factor)[] units, long bareFactor, out long value)
    {
        value = 0;
        int end = 0;
        while (end < text.Length && (char.IsAsciiDigit(text[end]) || text[end] is '.'))
            end++;
        if (!decimal.TryParse(text.AsSpan(0, end), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture,
                out decimal number))
        {
            return false;
        }
        string unit = text[end..].TrimStart();
        long factor = unit.Length == 0 ? bareFactor : units.FirstOrDefault(row => row.Unit == unit).Factor;
        if (factor == 0)
            return unit.Length == 0 && number == 0;
        // Fractions are fine as long as they give a whole number: 1.5GiB is, 1.5B is not.
        if (number > (decimal)long.MaxValue / factor)
            return false;
        decimal exact = number * factor;
        value = (long)exact;
        return value == exact;
    }
}
