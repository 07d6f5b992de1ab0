namespace Scstd.Configuration;

internal sealed partial class ConfigurationChecks
{
    /// <summary>RFC 7143 §12.1.3: secrets are long enough, and no secret serves both directions.</summary>
    private void Authentication(AuthenticationSection authentication)
    {
        if (authentication.IsNone)
            return;
        foreach (CredentialSection user in authentication.Users)
            Credential(user);
        Unique(authentication.Users.Where(user => user.Name.Text is not null).Select(user => user.Name), "CHAP name",
            StringComparer.Ordinal);
        if (authentication.Mutual is not { } mutual)
            return;
        Credential(mutual);
        if (mutual.Secret is { } secret
            && authentication.Users.FirstOrDefault(user => secret.Equals(user.Secret)) is { } same)
        {
            _problems.Add(mutual.PositionOf(mutual.SecretFile is null ? "secret" : "secret_file"),
                $"the target's secret is the same as that of user '{same.Name}': whoever knows one would know both");
        }
    }

    private void Credential(CredentialSection credential)
    {
        if (credential.Has("secret") && credential.Has("secret_file"))
        {
            _problems.Add(credential.PositionOf("secret_file"), "'secret' and 'secret_file' exclude each other");
            return;
        }
        if (!credential.Has("secret") && !credential.Has("secret_file"))
        {
            _problems.AddMissing(credential.Position, "the credential lacks the key 'secret_file' (or 'secret')");
            return;
        }
        SourcePosition position = credential.PositionOf("secret");
        if (credential.SecretFile is { } file)
        {
            position = file.Position;
            credential.Secret = ReadSecret(file);
        }
        else if (credential.Has("secret") && _surroundings.IsFileReadableByOthers(_surroundings.ConfigurationFile))
        {
            _warnings.Add(new Problem(position, "a secret stands in a file that every user of this machine can read"));
        }
        // The length is told, the secret never.
        if (credential.Secret?.Bytes.Length is < Secret.LeastBytes or > Secret.MostBytes)
        {
            _problems.Add(position, $"expected a secret of {Secret.LeastBytes} to {Secret.MostBytes} bytes "
                + $"(RFC 7143 §12.1.3), found {credential.Secret.Bytes.Length}");
        }
    }

    private Secret? ReadSecret(Word file)
    {
        string full = _surroundings.SecretPath(file.Text);
        try
        {
            if (_surroundings.IsFileReadableByOthers(full))
                _warnings.Add(new Problem(file.Position, $"every user of this machine can read {full}"));
            return Surroundings.ReadSecret(full);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            string why = exception switch
            {
                FileNotFoundException or DirectoryNotFoundException => "there is no such file",
                UnauthorizedAccessException => "permission denied",
                _ => "it cannot be read",
            };
            _problems.Add(file.Position, $"secret file {full}: {why}");
            return null;
        }
    }
}
