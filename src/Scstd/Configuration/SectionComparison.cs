using System.Collections;
using System.Reflection;
using System.Text;

namespace Scstd.Configuration;

/// <summary>
/// Whether two sections say the same, wherever it stands in the file and in whatever words. It goes by the sections'
/// properties, so that a key that comes later is compared without being listed here.
/// </summary>
internal static class SectionComparison
{
    /// <summary>Keys that are not called as their properties.</summary>
    private static readonly Dictionary<string, string> Keys = new()
    {
        [nameof(CartridgesSection.CapacityBytes)] = "capacity",
        [nameof(DeviceSection.SizeBytes)] = "size",
        [nameof(DeviceSection.BlockBytes)] = "block_size",
        [nameof(DeviceSection.PhysicalBlockBytes)] = "physical_block_size",
    };

    /// <summary>The keys of a section whose values differ.</summary>
    public static IReadOnlyList<string> Differences<T>(T left, T right) where T : Section =>
        [.. Properties(typeof(T)).Where(one => !AreSame(one.GetValue(left), one.GetValue(right))).Select(KeyOf)];

    public static bool AreSame(object? left, object? right) => (left, right) switch
    {
        (null, null) => true,
        (null, _) or (_, null) => false,
        _ when left.GetType() != right.GetType() && (left is not IEnumerable || right is not IEnumerable) => false,
        (Word a, Word b) => a.Text == b.Text,
        (string a, string b) => a == b,
        (Section, Section) =>
            Properties(left.GetType()).All(one => AreSame(one.GetValue(left), one.GetValue(right))),
        (IEnumerable a, IEnumerable b) => AreSame(a.Cast<object?>().ToArray(), b.Cast<object?>().ToArray()),
        _ => left.Equals(right),
    };

    /// <summary>What sets a section apart: all but where it stands in the file.</summary>
    internal static IEnumerable<PropertyInfo> Properties(Type section) =>
        section.GetProperties(BindingFlags.Instance | BindingFlags.Public)
            .Where(one => one.Name != nameof(Section.Position));

    /// <summary>HasWriteCache is write_cache.</summary>
    internal static string KeyOf(PropertyInfo property)
    {
        if (Keys.TryGetValue(property.Name, out string? key))
            return key;
        string name = property.Name;
        foreach (string prefix in (string[])["Is", "Has"])
        {
            if (name.StartsWith(prefix, StringComparison.Ordinal) && char.IsUpper(name[prefix.Length]))
                name = name[prefix.Length..];
        }
        var words = new StringBuilder();
        foreach (char letter in name)
        {
            if (char.IsUpper(letter) && words.Length > 0)
                words.Append('_');
            words.Append(char.ToLowerInvariant(letter));
        }
        return words.ToString();
    }

    private static bool AreSame(object?[] left, object?[] right) =>
        left.Length == right.Length && left.Zip(right).All(pair => AreSame(pair.First, pair.Second));
}
