using System.Net;

namespace Scstd.Frontends.Iscsi.Tests.Connections;

/// <summary>What a portal tells of itself is settled when it is opened.</summary>
public sealed class PortalTests
{
    private static readonly PortalOptions Second = new() { EndPoint = new IPEndPoint(IPAddress.Loopback, 3261) };

    [Theory]
    [InlineData("")]
    [InlineData(":3260")]
    [InlineData("storage.example:x")]
    [InlineData("storage.example:")]
    [InlineData("storage.example:65536")]
    [InlineData("[fe80::1]:-1")]
    public void An_address_that_nobody_could_use_is_refused_when_the_portal_is_opened(string address)
    {
        using var world = new IscsiWorld();

        Assert.Throws<ArgumentException>(() => world.Registry.OpenPortal(
            Second with { AdvertisedAddress = address }, world.Home));

        Assert.Single(world.Registry.Portals);
        world.Registry.OpenPortal(Second, world.Home);
    }

    [Theory]
    [InlineData("storage.example", "storage.example:3260,1")]
    [InlineData("storage.example:860", "storage.example:860,1")]
    [InlineData("[2001:db8::1]:860", "[2001:db8::1]:860,1")]
    [InlineData("[2001:db8::1]", "[2001:db8::1]:3260,1")]
    [InlineData("2001:db8::1", "[2001:db8::1]:3260,1")]
    public void Discovery_tells_the_advertised_address(string address, string told)
    {
        using var world = new IscsiWorld(portal: portal => portal with { AdvertisedAddress = address });
        Initiator initiator = world.Connect();
        initiator.LogIn([], discovery: true);

        initiator.SendText(Initiator.Keys("SendTargets=All"));

        Assert.Equal($"TargetName={IscsiWorld.TargetName}\0TargetAddress={told}\0", initiator.Receive().Text);
    }

    [Fact]
    public void Portals_may_be_opened_while_others_are_being_told()
    {
        using var world = new IscsiWorld();
        IReadOnlyList<IscsiPortal> before = world.Registry.Portals;

        world.Registry.OpenPortal(Second, world.Home);

        Assert.Single(before);
        Assert.Equal(2, world.Registry.Portals.Count);
    }
}
