namespace Scstd.Configuration;

/// <summary>Where a configuration lives: its folder, systemd's credentials, the machine's CPUs.</summary>
internal sealed class Surroundings
{
    // Our choice: a secret with some white space around it; anything longer is another file.
    private const int MostSecretFileBytes = 4096;

    private readonly string? _credentials;
    private readonly string _folder;

    /// <param name="configurationFile">The file itself.</param>
    /// <param name="credentials">$CREDENTIALS_DIRECTORY, systemd.exec(5).</param>
    /// <param name="onlineCpuList">As /sys/devices/system/cpu/online has it; null: not known.</param>
    public Surroundings(string configurationFile, string? credentials, string? onlineCpuList)
    {
        ConfigurationFile = Path.GetFullPath(configurationFile);
        _folder = Path.GetDirectoryName(ConfigurationFile)!;
        _credentials = string.IsNullOrEmpty(credentials) ? null : credentials;
        OnlineCpuList = onlineCpuList;
        OnlineCpus = onlineCpuList is not null && Units.TryParseCpus(onlineCpuList, out IReadOnlyList<int> cpus)
            ? new HashSet<int>(cpus)
            : null;
    }

    public string ConfigurationFile { get; }

    public IReadOnlySet<int>? OnlineCpus { get; }

    public string? OnlineCpuList { get; }

    public static Surroundings Of(string configurationFile)
    {
        const string Online = "/sys/devices/system/cpu/online";
        return new Surroundings(configurationFile, Environment.GetEnvironmentVariable("CREDENTIALS_DIRECTORY"),
            File.Exists(Online) ? File.ReadAllText(Online).Trim() : null);
    }

    public string FullPath(string path) => Path.GetFullPath(path, _folder);

    /// <summary>systemd's credential of that name, if there is one, else a path.</summary>
    public string SecretPath(string name)
    {
        if (_credentials is not null && !Path.IsPathRooted(name) && File.Exists(Path.Combine(_credentials, name)))
            return Path.Combine(_credentials, name);
        return FullPath(name);
    }

    public static Secret ReadSecret(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read);
        var buffer = new byte[MostSecretFileBytes];
        int length = stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        // An editor ends the last line; nobody means that as part of the secret.
        if (length > 0 && buffer[length - 1] == '\n')
            length--;
        if (length > 0 && buffer[length - 1] == '\r')
            length--;
        return new Secret(buffer[..length]);
    }

    public bool IsFileReadableByOthers(string path) =>
        File.Exists(path) && (File.GetUnixFileMode(path) & UnixFileMode.OtherRead) != 0;
}
