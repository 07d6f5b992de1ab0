using System.CommandLine.Parsing;
using System.Globalization;

namespace Scstctl;

/// <summary>Whole numbers on the command line, told in words when they are none.</summary>
internal static class Whole
{
    public static int Number(ArgumentResult result) => Parse(result) ?? 0;

    public static int? Parse(ArgumentResult result)
    {
        string text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number))
            return number;
        result.AddError($"{Name(result)}: expected a whole number, found '{text}'");
        return null;
    }

    /// <summary>More than 0 and at most 1.</summary>
    public static double Part(ArgumentResult result)
    {
        string text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double part))
            return part;
        result.AddError($"{Name(result)}: expected a part such as 0.25, found '{text}'");
        return 1;
    }

    private static string Name(ArgumentResult result) =>
        result.Parent is OptionResult option ? option.Option.Name : result.Argument.Name;
}
