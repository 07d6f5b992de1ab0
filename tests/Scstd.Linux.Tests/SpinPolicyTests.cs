using Xunit;

namespace Scstd.Linux.Tests;

public sealed class SpinPolicyTests
{
    private const int BudgetUs = SpinPolicy.BalancedUs;

    private readonly SpinPolicy _policy = new(ReactorLatency.Balanced);

    [Fact]
    public void Power_never_looks()
    {
        var policy = new SpinPolicy(ReactorLatency.Power);
        policy.Waited(0, slept: true);

        Assert.Equal(0, policy.BudgetUs);
        Assert.False(policy.IsWorthIt);
    }

    [Fact]
    public void Low_looks_whatever_came_of_it()
    {
        var policy = new SpinPolicy(ReactorLatency.Low);
        for (int i = 0; i < 100; i++)
            policy.Waited(SpinPolicy.LowUs, slept: true);

        Assert.True(policy.IsWorthIt);
    }

    [Fact]
    public void Balanced_sleeps_until_the_waits_have_become_short()
    {
        Assert.False(_policy.IsWorthIt);
        Repeat(7, BudgetUs, slept: true);
        Assert.False(_policy.IsWorthIt);

        Repeat(1, BudgetUs, slept: true);

        Assert.True(_policy.IsWorthIt);
    }

    [Fact]
    public void Balanced_goes_on_looking_while_it_finds()
    {
        Repeat(8, BudgetUs, slept: true);
        Repeat(1000, BudgetUs / 2, slept: false);

        Assert.True(_policy.IsWorthIt);
    }

    [Fact]
    public void Balanced_gives_up_after_a_few_that_found_nothing()
    {
        Repeat(1000, BudgetUs / 2, slept: false);

        int lookedInVain = 0;
        for (; _policy.IsWorthIt; lookedInVain++)
            _policy.Waited(BudgetUs + 1, slept: true);

        Assert.InRange(lookedInVain, 1, 4);
    }

    [Fact]
    public void Balanced_forgives_a_single_pause_in_a_steady_stream()
    {
        Repeat(1000, BudgetUs / 2, slept: false);
        _policy.Waited(1_000_000, slept: true);

        Assert.True(_policy.IsWorthIt);
    }

    [Theory]
    [InlineData(2 * BudgetUs)]
    [InlineData(1000)]
    [InlineData(250_000)]
    public void Balanced_never_looks_for_a_trickle(int everyUs)
    {
        // Between two commands the kernel tells, at once, that the answer was sent.
        for (int i = 0; i < 1000; i++)
        {
            _policy.Waited(1, slept: true);
            _policy.Waited(everyUs, slept: true);
            Assert.False(_policy.IsWorthIt);
        }
    }

    private void Repeat(int times, long waitedUs, bool slept)
    {
        for (int i = 0; i < times; i++)
            _policy.Waited(waitedUs, slept);
    }
}
