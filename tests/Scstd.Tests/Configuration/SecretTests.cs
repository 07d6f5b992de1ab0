using Scstd.Configuration;

namespace Scstd.Tests.Configuration;

public sealed class SecretTests
{
    private const string Spoken = "open-sesame-0815";

    private static string With(string authentication) =>
        Reading.Minimal + $"    authentication:\n      {authentication}\n";

    [Theory]
    [InlineData("users: [{name: a, secret: elevenbytes}]", "expected a secret of 12 to 255 bytes")]
    [InlineData("users: [{name: a}]", "the credential lacks the key 'secret_file' (or 'secret')")]
    [InlineData("users: [{secret: twelve-bytes}]", "credential lacks the key 'name'")]
    [InlineData("users: [{name: a, secret: twelve-bytes, secret_file: b}]", "exclude each other")]
    [InlineData("users: [{name: a, secret_file: none.secret}]", "none.secret: there is no such file")]
    [InlineData("users: [{name: a, secret: twelve-bytes}, {name: a, secret: twelve-others}]",
        "CHAP name 'a' is used twice")]
    [InlineData("{users: [{name: a, secret: twelve-bytes}], mutual: {name: b, secret: twelve-bytes}}",
        "the target's secret is the same as that of user 'a'")]
    public void A_rule_of_CHAP_that_is_broken_is_told(string authentication, string words)
    {
        ConfigurationFile file = Reading.Text(With(authentication));
        Reading.OneProblem(file, file.Problems[0].Position.ToString(), words);
    }

    [Fact]
    public void Twelve_bytes_are_counted_in_UTF8() =>
        Reading.Right(Reading.Text(With("users: [{name: a, secret: éééééé}]")));

    [Theory]
    [InlineData("twelve-bytes", "twelve-bytes")]
    [InlineData("twelve-bytes\n", "twelve-bytes")]
    [InlineData("twelve-bytes\r\n", "twelve-bytes")]
    [InlineData("twelve-bytes\n\n", "twelve-bytes\n")]
    [InlineData(" twelve-bytes ", " twelve-bytes ")]
    public void A_secrets_file_loses_one_line_end(string content, string secret)
    {
        using var folder = new TemporaryFolder();
        folder.Write("a.secret", content);
        ConfigurationFile file = Reading.Text(With("users: [{name: a, secret_file: a.secret}]"), folder);

        Reading.Right(file);
        Assert.Equal(Secret.FromText(secret), file.Daemon.Targets[0].Authentication!.Users[0].Secret);
    }

    [Fact]
    public void A_credential_of_systemd_comes_before_a_file_beside_the_configuration()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.File("credentials"));
        folder.Write("a.secret", "beside-the-file");
        folder.Write("credentials/a.secret", "from-systemd-1");
        folder.Write("b.secret", "only-beside-it");
        ConfigurationFile file = Reading.Text(
            With("users: [{name: a, secret_file: a.secret}, {name: b, secret_file: b.secret}]"), folder,
            folder.File("credentials"));

        Reading.Right(file);
        Assert.Equal([Secret.FromText("from-systemd-1"), Secret.FromText("only-beside-it")],
            file.Daemon.Targets[0].Authentication!.Users.Select(user => user.Secret));
    }

    [Fact]
    public void A_file_that_everybody_can_read_is_worth_a_word()
    {
        using var folder = new TemporaryFolder();
        File.SetUnixFileMode(folder.Write("a.secret", "twelve-bytes"), UnixFileMode.UserRead | UnixFileMode.OtherRead);
        ConfigurationFile file = Reading.Text(With("users: [{name: a, secret_file: a.secret}]"), folder);

        Reading.Right(file);
        Assert.Contains("can read", Assert.Single(file.Warnings).Message);
    }

    /// <summary>Whatever is wrong with or around a secret, what it says is told to nobody.</summary>
    [Theory]
    [InlineData("users: [{name: a, secret: {0}}]")]
    [InlineData("users: [{name: a, secret: {0}, secret: {0}}]")]
    [InlineData("users: [{name: a, secret: [{0}]}]")]
    [InlineData("users: [{name: a, secret: {{0}: 1}}]")]
    [InlineData("users: [{name: a, secrt: {0}}]")]
    [InlineData("users: [{name: a, secret: {0}, secret_file: x}]")]
    [InlineData("{users: [{name: a, secret: {0}}], mutual: {name: b, secret: {0}}}")]
    [InlineData("users: [{name: a, secret: '{0}]")]
    [InlineData("users: [{name: a, secret: {0}")]
    [InlineData("users: [{name: a, secret: \"{0}\\q\"}]")]
    [InlineData("users: [{name: a, secret: &x {0}, secret_file: *{0}}]")]
    public void A_secret_is_in_no_message(string authentication)
    {
        foreach (string secret in (string[])[Spoken, Spoken[..11]])
        {
            ConfigurationFile file = Reading.Text(With(authentication.Replace("{0}", secret)));
            string said = string.Join('\n', file.Report().Concat(file.ReportWarnings()));
            Assert.DoesNotContain("sesame", said);
        }
    }

    [Fact]
    public void A_secret_does_not_show_itself()
    {
        ConfigurationFile file = Reading.Text(With($"users: [{{name: a, secret: {Spoken}}}]"));
        CredentialSection user = file.Daemon.Targets[0].Authentication!.Users[0];

        Assert.Equal("(secret)", user.Secret!.ToString());
        Assert.Equal("a (secret)", user.ToString());
        Assert.DoesNotContain("sesame", System.Text.Json.JsonSerializer.Serialize(file.Daemon.Log));
    }
}
