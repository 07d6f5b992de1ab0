using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Scstd.Composition;
using Scstd.Core;
using Scstd.Frontends.Iscsi;

namespace Scstd.Hosting;

/// <summary>What the daemon counts, as one line of JSON. Each reactor is asked on its own thread, so that its numbers
/// belong together.</summary>
internal static class CounterReport
{
    // Our choice: a reactor answers within a pass; one that does not is worth knowing about.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public static async Task<string> MakeAsync(Server server)
    {
        var counts = new List<Counts>();
        foreach (Lane lane in server.Lanes)
            counts.Add(await lane.Reactor.InvokeAsync(() => new Counts(server, lane)).WaitAsync(Patience));
        return Write(server, counts);
    }

    private static string Write(Server server, List<Counts> counts)
    {
        using var memory = new MemoryStream();
        using (var json = new Utf8JsonWriter(memory))
        {
            json.WriteStartObject();
            json.WriteNumber("uptimeSeconds", (DateTime.Now - Process.GetCurrentProcess().StartTime).TotalSeconds);
            json.WriteNumber("allocatedBytes", GC.GetTotalAllocatedBytes(precise: false));
            json.WriteNumber("reactorAllocatedBytes", counts.Sum(c => c.AllocatedBytes));
            json.WriteNumber("collections", GC.CollectionCount(0));
            json.WriteNumber("openFileDescriptors", OpenFileDescriptors());
            json.WriteNumber("sessions", server.SessionCount);
            json.WriteNumber("connections", counts.Sum(c => c.Connections));
            json.WriteNumber("commands", counts.Sum(c => (long)c.Commands));
            json.WriteNumber("dataInBytes", counts.Sum(c => (long)c.DataInBytes));
            json.WriteNumber("dataOutBytes", counts.Sum(c => (long)c.DataOutBytes));
            json.WriteNumber("payloadCopiedBytes", counts.Sum(c => (long)c.PayloadCopiedBytes));
            json.WriteNumber("storeCopiedBytes", counts.Sum(c => c.StoreCopiedBytes));
            json.WriteNumber("bufferLeasesOut", counts.Sum(c => c.LeasesOut));
            json.WriteNumber("bufferBytesOut", counts.Sum(c => c.BytesOut));
            json.WriteNumber("slabs", server.Arena.Taken);
            json.WriteNumber("slabsAtMost", server.Arena.Capacity);
            WriteRegulation(json, [.. counts.SelectMany(c => c.Regulation)]);
            WriteLimits(json, "unitLimits", "unit", counts.SelectMany(c => c.UnitLimits));
            WriteLimits(json, "targetLimits", "target", counts.SelectMany(c => c.TargetLimits));
            json.WriteStartArray("reactors");
            foreach (Counts one in counts)
                one.Write(json);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(memory.ToArray());
    }

    /// <summary>The sums; each reactor tells which units these are.</summary>
    private static void WriteRegulation(Utf8JsonWriter json, IReadOnlyList<(string Unit, RegulationCounts Counts)> all)
    {
        json.WriteNumber("limitedUnits", all.Where(one => one.Counts.Regulator.Limit is not null)
            .Select(one => one.Unit).Distinct().Count());
        json.WriteNumber("kept", all.Sum(one => (long)one.Counts.Regulator.Kept));
        json.WriteNumber("turnedAway", all.Sum(one => (long)one.Counts.Regulator.TurnedAway));
        json.WriteNumber("waitingForLimits", all.Sum(one => one.Counts.WaitingForLimits));
        json.WriteNumber("faultsMet", all.Sum(one => (long)one.Counts.FaultsMet));
    }

    private static void WriteLimits(Utf8JsonWriter json, string key, string what, IEnumerable<CommandLimitUse> told)
    {
        json.WriteStartArray(key);
        foreach (CommandLimitUse use in CommandLimits.Sum(told))
        {
            json.WriteStartObject();
            json.WriteString(what, use.Name);
            json.WriteNumber("atMost", use.Most);
            json.WriteNumber("inUse", use.View.InUse);
            json.WriteNumber("refused", use.View.Refused);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    internal static int OpenFileDescriptors() =>
        Directory.GetFiles("/proc/self/fd").Length - 1; // One is the look itself.

    private readonly struct Counts(Server server, Lane lane)
    {
        /// <summary>Of the units where anything ever stood in the way.</summary>
        public IReadOnlyList<(string Unit, RegulationCounts Counts)> Regulation { get; } =
        [
            .. server.Devices.Select(device => (Unit: device.Name, Counts: device.Unit.RegulationOn(lane.Executor)))
                .Where(one => !one.Counts.IsQuiet),
        ];

        private readonly IscsiCounters _iscsi = lane.Iscsi.Counters;
        private readonly int _index = lane.Reactor.Index;
        private readonly string _kind = lane.Reactor.Kind;
        private readonly ulong _passes = lane.Reactor.Passes;
        private readonly ulong _sleeps = lane.Reactor.Sleeps;
        private readonly ulong _systemCalls = lane.Reactor.SystemCalls;
        private readonly ulong _receives = lane.Reactor.Receives;
        private readonly ulong _sends = lane.Reactor.Sends;
        private readonly int _slabs = lane.Executor.Buffers.SlabCount;
        private readonly int _headerSlotsOut = lane.Iscsi.HeaderSlotsOut;

        public IReadOnlyList<CommandLimitUse> UnitLimits { get; } = CommandLimits.OfUnits(server, lane);

        public IReadOnlyList<CommandLimitUse> TargetLimits { get; } = CommandLimits.OfTargets(server, lane);

        public long AllocatedBytes { get; } = GC.GetAllocatedBytesForCurrentThread();

        public int Connections { get; } = lane.Iscsi.ConnectionCount;

        public ulong Commands { get; } = lane.Iscsi.Counters.Commands;

        public ulong DataInBytes { get; } = lane.Iscsi.Counters.DataInBytes;

        public ulong DataOutBytes { get; } = lane.Iscsi.Counters.DataOutBytes;

        public ulong PayloadCopiedBytes { get; } = lane.Iscsi.Counters.PayloadCopiedBytes;

        public long StoreCopiedBytes { get; } =
            server.Devices.Sum(device => (long)device.Disk.CopiedBytesOn(lane.Reactor));

        public long LeasesOut { get; } = lane.Executor.Buffers.LeasesOut;

        public long BytesOut { get; } = lane.Executor.Buffers.BytesOut;

        public void Write(Utf8JsonWriter json)
        {
            json.WriteStartObject();
            json.WriteNumber("index", _index);
            json.WriteString("io", _kind);
            json.WriteNumber("passes", _passes);
            json.WriteNumber("sleeps", _sleeps);
            json.WriteNumber("systemCalls", _systemCalls);
            json.WriteNumber("receives", _receives);
            json.WriteNumber("sends", _sends);
            json.WriteNumber("allocatedBytes", AllocatedBytes);
            json.WriteNumber("connections", Connections);
            json.WriteNumber("commands", Commands);
            json.WriteNumber("payloadCopiedBytes", PayloadCopiedBytes);
            json.WriteNumber("storeCopiedBytes", StoreCopiedBytes);
            json.WriteNumber("bufferLeasesOut", LeasesOut);
            json.WriteNumber("bufferBytesOut", BytesOut);
            json.WriteNumber("slabs", _slabs);
            json.WriteNumber("headerSlotsOut", _headerSlotsOut);
            json.WriteNumber("pdusReceived", _iscsi.PdusReceived);
            json.WriteNumber("loginFailures", _iscsi.LoginFailures);
            json.WriteNumber("protocolFaults", _iscsi.ProtocolFaults);
            json.WriteNumber("rejects", _iscsi.Rejects);
            json.WriteNumber("digestErrors", _iscsi.DigestErrors);
            json.WriteStartArray("regulation");
            foreach ((string unit, RegulationCounts counts) in Regulation)
                Write(json, unit, counts);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        private static void Write(Utf8JsonWriter json, string unit, in RegulationCounts counts)
        {
            json.WriteStartObject();
            json.WriteString("unit", unit);
            if (counts.Regulator.Limit is { } window)
                json.WriteNumber("window", window);
            json.WriteNumber("waiting", counts.Regulator.Waiting);
            json.WriteNumber("kept", counts.Regulator.Kept);
            json.WriteNumber("turnedAway", counts.Regulator.TurnedAway);
            json.WriteNumber("waitingForLimits", counts.WaitingForLimits);
            json.WriteNumber("faultsMet", counts.FaultsMet);
            json.WriteNumber("heldByFaults", counts.HeldByFaults);
            json.WriteEndObject();
        }
    }
}
