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

    [Theory]
    [InlineData("damaged")]
    [InlineData("missing")]
    public void Reservations_that_fall_back_by_one_change_are_told_one_by_one(string what)
    {
        UnitState state = Of("A1");
        Save(state, Reservations(Registration("a", 0xA, holds: true), Registration("b", 0xB, holds: false)));
        Save(state, Reservations(Registration("b", 0xB, holds: true)));
        string file = _folder.File("state/disk@reservations.state");
        if (what == "missing")
            File.Delete(file);
        else
            File.AppendAllText(file, "x");
        state = Of("A1");
        state.TellWhatCameBack(new LogicalUnit("disk", new TestBackend(), [_executor], stateStore: state));
        string[] warnings =
            [.. _events.Lines.Where(line => line.StartsWith("Warning: Device disk: ", StringComparison.Ordinal))];
        Assert.Equal(3, warnings.Length);
        Assert.Contains("reserved WriteExclusive;", warnings[0], StringComparison.Ordinal);
        Assert.Contains("iqn.2026-11.test:a,i,0x000000000001", warnings[1], StringComparison.OrdinalIgnoreCase);
        Assert.Contains("key 0x000000000000000a, holds the reservation", warnings[1], StringComparison.Ordinal);
        Assert.Contains("key 0x000000000000000b", warnings[2], StringComparison.Ordinal);
    }

    [Fact]
    public void Reservations_that_are_whole_are_not_told_of()
    {
        UnitState state = Of("A1");
        Save(state, Reservations(Registration("a", 0xA, holds: true)));
        state.TellWhatCameBack(new LogicalUnit("disk", new TestBackend(), [_executor], stateStore: state));
        Assert.Empty(_events.Lines);
    }

    private static string Reservations(params string[] registrations) =>
        $$"""{"version": 1, "type": "WriteExclusive", "registrations": [{{string.Join(',', registrations)}}]}""";

    private static string Registration(string host, int key, bool holds) => $$"""
        {
          "initiator": "iqn.2026-11.test:{{host}},i,0x000000000001", "target": "iqn.2026-11.test:target", "port": 1,
          "key": "0x{{key:x16}}", "allTargetPorts": false, "holds": {{(holds ? "true" : "false")}}
        }
        """;

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
        state.Save("disk", "reservations", Encoding.UTF8.GetBytes(content), executor, isSaved => Assert.True(isSaved));
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
