using System.Text;
using Scstd.Core;

namespace Scstd.Backends.Changer;

/// <summary>What a nexus has looked for by SEND VOLUME TAG (SMC-3), until it looks for something else or is gone.
/// </summary>
/// <param name="Nexus">Whose.</param>
/// <param name="ActionCode">SEND ACTION CODE.</param>
/// <param name="Type">Where.</param>
/// <param name="FirstAddress">From this element on.</param>
/// <param name="Template">With wildcards.</param>
internal sealed record VolumeTagSearch(
    ItNexus Nexus, byte ActionCode, ElementType Type, ushort FirstAddress, string Template)
{
    private const byte WithSequenceNumbers = 0x00;
    private const byte PrimaryWithSequenceNumbers = 0x01;
    private const byte WithoutSequenceNumbers = 0x04;
    private const byte PrimaryWithoutSequenceNumbers = 0x05;
    private const int TemplateBytes = 32;
    private const int LeastSequenceOffset = 34;

    public const int ParameterListBytes = 40;

    /// <summary>Whether tags from that sequence number on are none: all of ours are zero.</summary>
    public bool FindsNothing { get; private init; }

    /// <summary>The translating actions that look at primary tags. There are no alternate ones, and what stands on a
    /// label is not an initiator's to assert, replace or undefine.</summary>
    public static bool Does(int actionCode) => actionCode is WithSequenceNumbers or PrimaryWithSequenceNumbers or
        WithoutSequenceNumbers or PrimaryWithoutSequenceNumbers;

    public static VolumeTagSearch Read(ItNexus nexus, ReadOnlySpan<byte> cdb, ReadOnlySpan<byte> list)
    {
        byte action = (byte)(cdb[5] & 0x1F);
        ReadOnlySpan<byte> template = list[..TemplateBytes];
        int end = template.IndexOf((byte)0);
        string text = Encoding.ASCII.GetString(end < 0 ? template : template[..end]).TrimEnd(' ');
        bool looksAtSequence = action is WithSequenceNumbers or PrimaryWithSequenceNumbers;
        return new VolumeTagSearch(
            nexus, action, (ElementType)(cdb[1] & 0x0F), (ushort)((cdb[2] << 8) | cdb[3]), text)
        {
            FindsNothing = looksAtSequence &&
                (list[LeastSequenceOffset] != 0 || list[LeastSequenceOffset + 1] != 0),
        };
    }

    public bool Finds(LibraryElement element) => !FindsNothing && element.Cartridge is { } cartridge &&
        (Type == ElementType.All || Type == element.Type) && element.Address >= FirstAddress &&
        IsMatch(cartridge.Barcode, Template);

    /// <summary>'?' stands for one character, '*' for any number. Goes back to the last '*' alone: no template takes
    /// longer than the product of both lengths.</summary>
    internal static bool IsMatch(ReadOnlySpan<char> text, ReadOnlySpan<char> template)
    {
        int at = 0, pattern = 0, star = -1, starAt = 0;
        while (at < text.Length)
        {
            if (pattern < template.Length && template[pattern] == '*')
            {
                star = pattern++;
                starAt = at;
            }
            else if (pattern < template.Length && (template[pattern] == '?' || template[pattern] == text[at]))
            {
                pattern++;
                at++;
            }
            else if (star >= 0)
            {
                pattern = star + 1;
                at = ++starAt;
            }
            else
            {
                return false;
            }
        }
        return template[pattern..].IndexOfAnyExcept('*') < 0;
    }
}
