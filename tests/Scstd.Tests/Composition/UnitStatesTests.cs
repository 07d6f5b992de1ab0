using System.Text;
using Scstd.Backends.Disk;
using Scstd.Composition;
using Scstd.Configuration;
using Scstd.Core;
using Scstd.Testing;

namespace Scstd.Tests.Composition;

/// <summary>Whose saved state a unit begins with, and what the log says of it.</summary>
public sealed class UnitStatesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Events _events = new();
    private readonly TestExecutor _executor = new();
    private readonly UnitStates _states;

    public UnitStatesTests() =>
        _states = UnitStates.Open(new Word("state", default), _folder.Path, ofSystemd: null, _events.Log)!;

    public void Dispose()
    {
        _states.Dispose();
        _executor.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Another_medium_under_the_same_name_inherits_nothing_and_the_log_says_so()
    {
        UnitState first = Of("A1"), second = Of("B2");
        Save(first, "one");
        Assert.Equal("one"u8.ToArray(), first.Load("disk", "reservations"));
        Assert.Null(second.Load("disk", "reservations"));
        string line = Assert.Single(_events.Lines);
        Assert.StartsWith("Error: Device disk: ", line, StringComparison.Ordinal);
        string aside = Assert.Single(Directory.GetFiles(_folder.File("state"), "disk@reservations.*"));
        Assert.Contains(aside, line, StringComparison.Ordinal);
        Assert.EndsWith("one", File.ReadAllText(aside), StringComparison.Ordinal);
    }

    private static UnitState Of(UnitStates states, string serial)
    {
        var options = new DiskOptions
        {
            Name = "disk",
            Store = DiskStoreKind.Null,
            SizeBytes = 1 << 20,
            SerialNumber = serial,
        };
        using DiskBackend disk = DiskBackend.Open(options, [new ManualReactor()]);
        return states.Of(disk.Identity);
    }

    private UnitState Of(string serial) => Of(_states, serial);

    private void Save(UnitState state, string content)
    {
        using var saved = new ManualResetEventSlim();
        var executor = new Here(_executor.Buffers, saved.Set);
        state.Save("disk", "reservations", Encoding.UTF8.GetBytes(content), executor, Assert.True);
        Assert.True(saved.Wait(TimeSpan.FromSeconds(30)));
    }

    /// <summary>Runs what is posted on the thread that posts it, and tells.</summary>
    private sealed class Here(BufferPool buffers, Action ran) : IExecutor
    {
        public int Index => 0;

        public long NowMs => 0;

        public BufferPool Buffers => buffers;

        public void Post(Action work)
        {
            work();
            ran();
        }

        public void PostAfter(long delayMs, Action work) => throw new NotSupportedException();
    }
}
