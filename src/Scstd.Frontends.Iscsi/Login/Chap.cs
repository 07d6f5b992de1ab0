using System.Security.Cryptography;
using System.Text;

namespace Scstd.Frontends.Iscsi.Login;

/// <summary>CHAP_A, RFC 7143 §12.1.3 and the IANA registry of PPP authentication algorithms.</summary>
public enum ChapAlgorithm
{
    Md5 = 5,
    Sha1 = 6,
    Sha256 = 7,
    Sha3256 = 8,
}

/// <summary>A user name and what it shares with us. Its text never shows the secret.</summary>
public sealed class ChapAccount
{
    private readonly byte[] _secret;

    public ChapAccount(string userName, ReadOnlySpan<byte> secret)
    {
        UserName = userName;
        _secret = secret.ToArray();
    }

    /// <summary>For a secret configured as text: its UTF-8 bytes, as initiators take it.</summary>
    public ChapAccount(string userName, string secret) : this(userName, Encoding.UTF8.GetBytes(secret))
    {
    }

    public string UserName { get; }

    internal ReadOnlySpan<byte> Secret => _secret;

    public override string ToString() => $"ChapAccount {{ UserName = {UserName} }}";
}

/// <summary>
/// Who may log in to a target, to a target as a group's member, or to discovery; and how we prove ourselves when the
/// initiator asks. Without accounts nobody has to authenticate.
/// </summary>
public sealed record ChapSettings(IReadOnlyList<ChapAccount> Accounts, ChapAccount? Mutual = null)
{
    public static ChapSettings None { get; } = new([]);

    public bool Required => Accounts.Count != 0;
}

/// <summary>The secrets' rules of RFC 7143 §9.2.1 and §12.1.3, to be asked when configuration is read.</summary>
public static class ChapSecretRules
{
    /// <summary>§9.2.1: 96 bits, below which the connection must be protected by IPsec.</summary>
    public const int SecretLengthMin = 12;

    /// <summary>Our choice: what any initiator's configuration can hold.</summary>
    public const int SecretLengthMax = 255;

    /// <summary>Null, or what is wrong with these accounts; never the secret itself.</summary>
    /// <param name="settings">Accounts that are used together.</param>
    /// <param name="protectedByIpsec">The administrator's word that short secrets cannot be overheard.</param>
    public static string? Check(ChapSettings settings, bool protectedByIpsec = false)
    {
        foreach (var account in settings.Accounts)
        {
            if (Check(account, protectedByIpsec) is { } problem) return problem;
        }
        if (settings.Mutual is not { } mutual) return null;
        if (!settings.Required) return "a mutual CHAP account needs an account for the initiator";
        if (Check(mutual, protectedByIpsec) is { } fault) return fault;

        // §9.2.1: the two directions must not share a secret, or each side could be made to answer for itself.
        foreach (var account in settings.Accounts)
        {
            if (CryptographicOperations.FixedTimeEquals(account.Secret, mutual.Secret))
                return $"the mutual CHAP secret is the same as that of user '{account.UserName}'";
        }
        return null;
    }

    private static string? Check(ChapAccount account, bool protectedByIpsec)
    {
        if (account.UserName.Length == 0) return "a CHAP user name is empty";
        if (Encoding.UTF8.GetByteCount(account.UserName) > LoginLimits.SimpleValueLengthMax)
            return $"CHAP user name '{account.UserName}' is longer than {LoginLimits.SimpleValueLengthMax} bytes";
        if (account.UserName.Contains('\0')) return "a CHAP user name contains a zero byte";
        if (account.Secret.IsEmpty) return $"the CHAP secret of user '{account.UserName}' is empty";
        if (account.Secret.Length > SecretLengthMax)
            return $"the CHAP secret of user '{account.UserName}' is longer than {SecretLengthMax} bytes";
        return account.Secret.Length < SecretLengthMin && !protectedByIpsec
            ? $"the CHAP secret of user '{account.UserName}' is shorter than {SecretLengthMin} bytes"
            : null;
    }
}

/// <summary>The one calculation of CHAP: R = H(I, secret, C), RFC 1994 §4.1.</summary>
public static class ChapResponse
{
    public static bool IsSupported(ChapAlgorithm algorithm) => algorithm switch
    {
        ChapAlgorithm.Md5 or ChapAlgorithm.Sha1 or ChapAlgorithm.Sha256 => true,
        ChapAlgorithm.Sha3256 => SHA3_256.IsSupported,
        _ => false,
    };

    /// <summary>Length of a response; also of the challenges we send, as RFC 1994 §4.1 advises.</summary>
    public static int Length(ChapAlgorithm algorithm) => algorithm switch
    {
        ChapAlgorithm.Md5 => MD5.HashSizeInBytes,
        ChapAlgorithm.Sha1 => SHA1.HashSizeInBytes,
        _ => SHA256.HashSizeInBytes,
    };

    public static byte[] Compute(
        ChapAlgorithm algorithm, byte identifier, ReadOnlySpan<byte> secret, ReadOnlySpan<byte> challenge)
    {
        using var hash = IncrementalHash.CreateHash(algorithm switch
        {
            ChapAlgorithm.Md5 => HashAlgorithmName.MD5,
            ChapAlgorithm.Sha1 => HashAlgorithmName.SHA1,
            ChapAlgorithm.Sha256 => HashAlgorithmName.SHA256,
            ChapAlgorithm.Sha3256 => HashAlgorithmName.SHA3_256,
            _ => throw new ArgumentOutOfRangeException(nameof(algorithm)),
        });
        hash.AppendData([identifier]);
        hash.AppendData(secret);
        hash.AppendData(challenge);
        return hash.GetHashAndReset();
    }
}
