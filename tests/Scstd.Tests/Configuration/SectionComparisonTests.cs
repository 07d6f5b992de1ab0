using Scstd.Configuration;

namespace Scstd.Tests.Configuration;

/// <summary>What a reload finds to be different.</summary>
public sealed class SectionComparisonTests
{
    [Theory]
    [InlineData("devices: {a: {store: memory, size: 1GiB}}", "devices: {a: {size: 1024MiB, store: memory}}")]
    [InlineData("limits: {login_timeout: 1min}", "\n\n# moved\nlimits: {login_timeout: 60s}")]
    [InlineData("limits: {connections: 4096}", "limits: {}")]
    [InlineData("targets: {iqn.2026-11.a:b: {portals: x}}", "targets: {iqn.2026-11.a:b: {portals: [x]}}")]
    public void The_same_in_other_words_is_no_difference(string left, string right) =>
        Assert.Empty(SectionComparison.Differences(Read(left), Read(right)));

    [Theory]
    [InlineData("log: {level: debug}", "log")]
    [InlineData("memory: 1GiB", "memory")]
    [InlineData("control: {group: disk}", "control")]
    [InlineData("discovery: {enabled: no}", "discovery")]
    [InlineData("discovery: {authentication: {users: [{name: a, secret: twelve-bytes!}]}}", "discovery")]
    [InlineData("targets: {iqn.2026-11.a:b: {luns: {0: {device: a, read_only: yes}}}}", "targets")]
    [InlineData("portals: {a: {address: '127.0.0.1', tag: 2}}", "portals")]
    [InlineData("libraries: {a: {cartridges: /a}}", "libraries")]
    public void A_difference_is_told_by_its_key(string text, string key) =>
        Assert.Equal([key], SectionComparison.Differences(Read(""), Read(text)));

    [Fact]
    public void A_secret_that_changed_is_a_difference()
    {
        const string Text = "discovery: {authentication: {users: [{name: a, secret: SECRET-of-twelve}]}}";
        Assert.Equal(["discovery"],
            SectionComparison.Differences(Read(Text), Read(Text.Replace("SECRET", "another"))));
    }

    /// <summary>Each property is called by the key that it comes from.</summary>
    [Fact]
    public void Every_property_has_the_name_of_a_key()
    {
        Check(DaemonSection.Rule);
        Check(DeviceSection.Rule);
        Check(LibrarySection.Rule);
        Check(DrivesSection.Rule);
        Check(CartridgesSection.Rule);
        Check(TargetSection.Rule);
        Check(LimitsSection.Rule);
        Check(PortalSection.Rule);
        Check(LunSection.Rule, nameof(LunSection.Number));

        static void Check<T>(SectionRule<T> rule, params string[] besides) where T : Section, new() => Assert.Equal(
            rule.Rows.Select(row => row.Key).Order(),
            SectionComparison.Properties(typeof(T)).Where(one => !besides.Contains(one.Name) && one.Name != "Name")
                .Select(SectionComparison.KeyOf).Order());
    }

    private static DaemonSection Read(string text) => Reading.Text(text).Daemon;
}
