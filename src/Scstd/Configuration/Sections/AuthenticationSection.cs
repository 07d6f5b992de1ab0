using System.Text;

namespace Scstd.Configuration;

/// <summary>A CHAP secret. It shows itself to nobody who does not ask for its bytes.</summary>
public sealed class Secret(byte[] bytes) : IEquatable<Secret>
{
    /// <summary>RFC 7143 §12.1.3: 96 bits at least, where IPsec does not protect the connection.</summary>
    public const int LeastBytes = 12;

    /// <summary>Our choice: far more than any initiator's form takes.</summary>
    public const int MostBytes = 255;

    public ReadOnlyMemory<byte> Bytes { get; } = bytes;

    public static Secret FromText(string text) => new(Encoding.UTF8.GetBytes(text));

    public bool Equals(Secret? other) => other is not null && Bytes.Span.SequenceEqual(other.Bytes.Span);

    public override bool Equals(object? other) => Equals(other as Secret);

    public override int GetHashCode() => 0; // Nothing about a secret shall be derived from its hash.

    public override string ToString() => "(secret)";
}

/// <summary>A name and its secret, written here or in a file.</summary>
public sealed class CredentialSection : Section
{
    // Our choice; CHAP_N may have any length that a text value has (RFC 7143 §6.1: 255 bytes).
    private const int MostNameCharacters = 255;

    internal static readonly SectionRule<CredentialSection> Rule = new("credential", "A CHAP name and its secret.",
        new Row<CredentialSection, Word>("name",
            new NameRule("a CHAP name", MostNameCharacters, text => !text.Any(char.IsControl), null),
            (s, v) => s.Name = v, "The CHAP name (CHAP_N).", isRequired: true),
        new Row<CredentialSection, Secret>("secret", new SecretRule(), (s, v) => s.Secret = v,
            "The secret itself, at least 12 bytes. Better kept in a file."),
        new Row<CredentialSection, Word>("secret_file",
            new NameRule("a file name", 4096, text => !text.Contains('\0'), null), (s, v) => s.SecretFile = v,
            "The file that holds the secret; a relative name is looked for among systemd's credentials, then beside "
            + "the configuration. One line end at its end does not count."));

    public Word Name { get; internal set; }

    /// <summary>Null until it is read from its file.</summary>
    public Secret? Secret { get; internal set; }

    public Word? SecretFile { get; internal set; }

    public override string ToString() => $"{Name} (secret)";

    /// <summary>Takes text, and never repeats it in a message.</summary>
    private sealed class SecretRule : Rule<Secret>
    {
        public override string Expected => $"a secret of {Secret.LeastBytes} to {Secret.MostBytes} bytes";

        public override System.Text.Json.Nodes.JsonObject Schema(SchemaDefinitions definitions) =>
            new() { ["type"] = "string", ["minLength"] = 1 };

        public override bool TryRead(SourceNode node, Problems problems, out Secret value)
        {
            value = new Secret([]);
            if (node is not ScalarNode { IsEmpty: false } scalar)
            {
                problems.Add(node.Position, $"expected {Expected}, found something else");
                return false;
            }
            value = Secret.FromText(scalar.Text);
            return true;
        }
    }
}

/// <summary>Who may log in, proven by CHAP (RFC 7143 §12.1.3, RFC 1994).</summary>
public sealed class AuthenticationSection : Section
{
    internal static readonly SectionRule<AuthenticationSection> Rule = new("authentication",
        "CHAP: who may log in, and how the target proves itself.",
        new Row<AuthenticationSection, IReadOnlyList<CredentialSection>>("users",
            new ListRule<CredentialSection>(CredentialSection.Rule, orOne: false), (s, v) => s.Users = v,
            "An initiator must prove to be one of these.", isRequired: true),
        new Row<AuthenticationSection, CredentialSection>("mutual", CredentialSection.Rule, (s, v) => s.Mutual = v,
            "How the target proves itself to an initiator that asks for it. Its secret differs from the users'."));

    private static readonly AuthenticationSection None = new();

    /// <summary>"none", or the section.</summary>
    internal static readonly Rule<AuthenticationSection> NoneOrFull =
        new ShortRule<bool, AuthenticationSection>(new WordRule<bool>(("none", true)), (_, _) => None, Rule);

    public IReadOnlyList<CredentialSection> Users { get; internal set; } = [];

    public CredentialSection? Mutual { get; internal set; }

    /// <summary>Written as "none": everybody may log in.</summary>
    public bool IsNone => ReferenceEquals(this, None);
}
