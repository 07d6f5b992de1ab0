namespace Scstd.HotPath.Tests;

/// <summary>Once a session is warm, nothing is allocated for a command on its way through frontend, mid-layer and
/// backend.</summary>
public sealed class AllocationTests
{
    private const int WarmUp = 2_000;
    private const int Commands = 10_000;

    public static TheoryData<string> Loads => [.. HotLoad.All.Select(load => load.Name)];

    [Theory]
    [MemberData(nameof(Loads))]
    public void Ten_thousand_commands_allocate_nothing(string load)
    {
        using var session = new HotSession(HotLoad.Called(load));
        session.Run(WarmUp);
        long before = GC.GetAllocatedBytesForCurrentThread();
        session.Run(Commands);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(0, allocated);
        Assert.Equal(WarmUp + Commands, session.Answered);
    }
}
