namespace Scstd.Core.Tests.Regulation;

/// <summary>Who looks four times a second at what is under way does not go through thousands that do nothing.</summary>
public sealed class ActiveNexusTests
{
    [Fact]
    public void A_nexus_is_looked_at_from_its_first_command_until_a_moment_after_its_last()
    {
        using var world = new SlowWorld(wanted: 4);
        world.Store.ServiceMs = 4;
        ItlNexus busy = world.First.Nexus.ItlNexuses.First();
        Turnstile turnstile = busy.Turnstile;
        LinuxInitiator[] others = [.. Enumerable.Range(0, 50).Select(_ => world.Add(wanted: 1))];
        Assert.Equal((51, 0), (turnstile.Nexuses.Count, turnstile.Active.Count));

        world.Run(1_000);
        Assert.Equal(51, turnstile.Active.Distinct().Count());
        Assert.Equal(51, turnstile.Active.Count);
        foreach (LinuxInitiator other in others)
            other.IsStopped = true;
        world.Run(1_000);
        Assert.Same(busy, Assert.Single(turnstile.Active));
    }

    [Fact]
    public void A_nexus_that_ends_is_not_looked_at_any_more()
    {
        using var world = new SlowWorld(wanted: 4);
        world.Store.ServiceMs = 4;
        Turnstile turnstile = world.First.Nexus.ItlNexuses.First().Turnstile;
        TestInitiatorPort[] others = [.. Enumerable.Range(0, 3).Select(_ => world.Begin(ModelStore.Read))];
        world.Run(20);
        Assert.Equal(4, turnstile.Active.Count);
        ItlNexus gone = others[1].Nexus.ItlNexuses.First();
        Assert.True(turnstile.Has(gone));
        others[1].Nexus.End(static () => { });
        world.Run(1);

        Assert.False(turnstile.Has(gone));
        Assert.DoesNotContain(gone, turnstile.Active);
        Assert.Equal(3, turnstile.Active.Count);
        Assert.All([others[0], others[2]], other => Assert.True(turnstile.Has(other.Nexus.ItlNexuses.First())));
    }
}
