using CsCheck;
using Scstd.Frontends.Iscsi.Login;

namespace Scstd.Frontends.Iscsi.Tests.Login;

public sealed class IscsiNameTests
{
    [Theory]
    [InlineData("iqn.2001-04.com.example:storage:disk2.sys1.xyz")]
    [InlineData("iqn.2001-04.com.example")]
    [InlineData("iqn.2007-10.com.github:sahlberg:libiscsi:iscsi-test")]
    [InlineData("iqn.1993-08.org.debian:01:ab_cd")]
    [InlineData("eui.02004567a425678d")]
    [InlineData("naa.52004567ba64678d")]
    [InlineData("naa.62004567ba64678d0123456789abcdef")]
    [InlineData("iqn.2001-04.com.example:größe")]
    public void Names_of_the_standard_forms_are_valid_and_normalised(string name)
    {
        Assert.True(IscsiName.TryNormalize(name, out var normalized));
        Assert.Equal(name, normalized);
    }

    [Theory]
    [InlineData("IQN.2001-04.COM.Example:Disk", "iqn.2001-04.com.example:disk")]
    [InlineData("eui.02004567A425678D", "eui.02004567a425678d")]
    public void Upper_case_is_mapped_to_lower(string name, string expected)
    {
        Assert.True(IscsiName.TryNormalize(name, out var normalized));
        Assert.Equal(expected, normalized);
    }

    [Theory]
    [InlineData("")]
    [InlineData("iqn.")]
    [InlineData("disk1")]
    [InlineData("iqn.2001-4.com.example")]
    [InlineData("iqn.2001-13.com.example")]
    [InlineData("iqn.2001-00.com.example")]
    [InlineData("iqn.20x1-04.com.example")]
    [InlineData("iqn.2001-04.")]
    [InlineData("iqn.2001-04..com")]
    [InlineData("iqn.2001-04.com.example:a b")]
    [InlineData("iqn.2001-04.com.example:a,b")]
    [InlineData("iqn.2001-04.com.example:a\0b")]
    [InlineData("eui.02004567A425678")]
    [InlineData("eui.02004567A425678G")]
    [InlineData("naa.02004567A425678D0")]
    public void Other_texts_are_no_names(string name)
    {
        Assert.False(IscsiName.TryNormalize(name, out var normalized));
        Assert.Equal("", normalized);
    }

    [Fact]
    public void Name_has_at_most_223_bytes()
    {
        const string Prefix = "iqn.2001-04.com.example:";
        Assert.True(IscsiName.IsValid(Prefix + new string('a', 223 - Prefix.Length)));
        Assert.False(IscsiName.IsValid(Prefix + new string('a', 224 - Prefix.Length)));
        Assert.False(IscsiName.IsValid(Prefix + new string('ö', (224 - Prefix.Length) / 2)));
    }

    [Fact]
    public void Normalisation_never_throws_and_is_idempotent() =>
        Gen.OneOf(Gen.String, Gen.String.Select(s => "iqn.2001-04." + s)).Sample(name =>
        {
            if (!IscsiName.TryNormalize(name, out var once)) return;
            Assert.True(IscsiName.TryNormalize(once, out var twice));
            Assert.Equal(once, twice);
        });
}
