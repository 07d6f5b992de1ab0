using Scstd.Composition;

namespace Scstd.Tests.Composition;

public sealed class OpeningTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task What_waits_waits_together()
    {
        using var allAreOpening = new Barrier(8);
        bool[] met = await Task.WhenAll(
            Opening.All(Enumerable.Range(0, 8).ToArray(), _ => allAreOpening.SignalAndWait(Patience)));
        Assert.All(met, one => Assert.True(one));
    }

    [Fact]
    public async Task Each_is_told_in_its_place_whatever_became_of_the_others()
    {
        Task<int>[] opened = Opening.All(Enumerable.Range(0, 100).ToArray(),
            number => number % 10 == 3 ? throw new IOException($"no {number}") : number * number);
        Assert.Equal(100, opened.Length);
        for (int number = 0; number < opened.Length; number++)
        {
            Task<int> one = opened[number];
            if (number % 10 == 3)
                Assert.Equal($"no {number}", (await Assert.ThrowsAsync<IOException>(() => one)).Message);
            else
                Assert.Equal(number * number, await one);
        }
    }

    [Fact]
    public void Of_nothing_nothing_is_opened() => Assert.Empty(Opening.All<int, int>([], static number => number));
}
