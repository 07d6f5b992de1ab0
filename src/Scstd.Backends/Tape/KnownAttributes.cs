namespace Scstd.Backends.Tape;

/// <summary>The host attributes of SPC-4 §7.4 that have a format and a length of their own.</summary>
/// <param name="Identifier">ATTRIBUTE IDENTIFIER.</param>
/// <param name="Format">0 binary, 1 ASCII, 2 text.</param>
/// <param name="MostBytes">Its length; text and what is marked may be shorter.</param>
/// <param name="MayBeShorter">It has no fixed length.</param>
internal sealed record KnownAttribute(ushort Identifier, byte Format, int MostBytes, bool MayBeShorter = false)
{
    public const byte Binary = 0;
    public const byte Ascii = 1;
    public const byte Text = 2;

    /// <summary>SPC-4 §7.4: 0800h to 0BFFh are the host's, 1400h to 17FFh a host's vendor's.</summary>
    public static bool IsHosts(ushort identifier) =>
        identifier is (>= 0x0800 and <= 0x0BFF) or (>= 0x1400 and <= 0x17FF);

    public static IReadOnlyList<KnownAttribute> Host { get; } =
    [
        new(0x0800, Ascii, 8), // APPLICATION VENDOR
        new(0x0801, Ascii, 32), // APPLICATION NAME
        new(0x0802, Ascii, 8), // APPLICATION VERSION
        new(0x0803, Text, 160, MayBeShorter: true), // USER MEDIUM TEXT LABEL
        new(0x0804, Ascii, 12), // DATE AND TIME LAST WRITTEN
        new(0x0805, Binary, 1), // TEXT LOCALIZATION IDENTIFIER
        new(0x0806, Ascii, 32), // BARCODE
        new(0x0807, Text, 80, MayBeShorter: true), // OWNING HOST TEXTUAL NAME
        new(0x0808, Text, 160, MayBeShorter: true), // MEDIA POOL
        new(0x0809, Ascii, 16), // PARTITION USER TEXT LABEL
        new(0x080A, Binary, 1), // LOAD/UNLOAD AT PARTITION
        new(0x080B, Ascii, 16), // APPLICATION FORMAT VERSION
        new(0x080C, Binary, 1023, MayBeShorter: true), // VOLUME COHERENCY INFORMATION
        new(0x0820, Binary, 36), // MEDIUM GLOBALLY UNIQUE IDENTIFIER
        new(0x0821, Binary, 36), // MEDIA POOL GLOBALLY UNIQUE IDENTIFIER
    ];

    public static KnownAttribute? Find(ushort identifier) =>
        Host.FirstOrDefault(one => one.Identifier == identifier);

    /// <summary>A value of this format and length may be written.</summary>
    public static bool Fits(ushort identifier, byte format, int lengthBytes) => Find(identifier) switch
    {
        null => format <= Text,
        _ when lengthBytes == 0 => true,
        { } known => format == known.Format &&
            (known.MayBeShorter ? lengthBytes <= known.MostBytes : lengthBytes == known.MostBytes),
    };
}
