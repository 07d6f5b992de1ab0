using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>Where a command is, as it was when somebody looked.</summary>
public sealed record CommandView
{
    /// <summary>Initiator port name.</summary>
    public required string Initiator { get; init; }

    public required string Target { get; init; }

    public required Lun Lun { get; init; }

    public required ulong Tag { get; init; }

    public required string Name { get; init; }

    public required TaskAttribute Attribute { get; init; }

    public required CommandState State { get; init; }

    /// <summary>Since it was received.</summary>
    public required long AgeUs { get; init; }

    /// <summary>Since it took its state.</summary>
    public required long InStateUs { get; init; }

    /// <summary>How long it was in each of its states so far, in the order of a command's life; those without a
    /// measurable time are left out, but for the present one.</summary>
    public required IReadOnlyList<(CommandState State, long Us)> Stays { get; init; }

    public required byte[] Cdb { get; init; }

    /// <summary>Null for commands without a block address.</summary>
    public ulong? LogicalBlockAddress { get; init; }

    public long LengthBytes { get; init; }

    public bool IsAborted { get; init; }

    /// <summary>What it waits for beyond its state, in words; null: nothing that is known here.</summary>
    public string? WaitsFor { get; init; }
}

/// <summary>One executor's side of a unit, as it was when somebody looked.</summary>
public sealed record UnitView
{
    public required int Executor { get; init; }

    public required long NowUs { get; init; }

    /// <summary>Commands in the task set, and of these those with the device server.</summary>
    public required int Admitted { get; init; }

    public required int Executing { get; init; }

    /// <summary>Oldest first within each nexus.</summary>
    public required IReadOnlyList<CommandView> Commands { get; init; }

    public required IReadOnlyList<LatencyHistogram> Histograms { get; init; }

    /// <summary>The last moves of commands, the newest first.</summary>
    public required IReadOnlyList<CommandMove> Moves { get; init; }

    /// <summary>What is known of the device server's speed.</summary>
    public required RegulatorView Regulator { get; init; }

    /// <summary>The injected faults and what they did here.</summary>
    public IReadOnlyList<FaultView> Faults { get; init; } = [];

    /// <summary>On the home executor: who or what the gate is shut for, and the last that happened there.</summary>
    public string? GateHolder { get; init; }

    public IReadOnlyList<HistoryEntry> GateHistory { get; init; } = [];
}

public sealed partial class LogicalUnit
{
    /// <summary>Looks at one executor's side; to be called there.</summary>
    /// <param name="executor">The side.</param>
    /// <param name="maxCommands">No more commands than this are told, the oldest of each nexus first.</param>
    public UnitView ViewOn(IExecutor executor, int maxCommands = int.MaxValue)
    {
        Turnstile turnstile = TurnstileOf(executor);
        bool isHome = ReferenceEquals(executor, Home);
        return new UnitView
        {
            Executor = executor.Index,
            NowUs = executor.NowUs,
            Admitted = turnstile.Admitted,
            Executing = turnstile.Executing,
            Commands = [.. turnstile.Nexuses.SelectMany(ViewOf).Take(maxCommands)],
            Histograms = turnstile.Watch.Histograms(),
            Moves = turnstile.Watch.Moves,
            Regulator = turnstile.Regulator.View,
            Faults = turnstile.Injector?.Views(isHome ? FaultCounts : null) ?? [],
            GateHolder = isHome ? Gate.Describe() : null,
            GateHistory = isHome ? Gate.History.Newest() : [],
        };
    }

    private static IEnumerable<CommandView> ViewOf(ItlNexus itl) => itl.Snapshot().Select(command =>
    {
        long nowUs = itl.Nexus.Executor.NowUs;
        CommandRow row = command.Binding.Row;
        bool hasAddress = HasBlockAddress(command);
        return new CommandView
        {
            Initiator = itl.Nexus.InitiatorPort,
            Target = itl.Nexus.Target.PortName,
            Lun = itl.Lun,
            Tag = command.Tag,
            Name = row.Name,
            Attribute = command.Attribute,
            State = command.State,
            AgeUs = nowUs - command.ReceivedUs,
            InStateUs = nowUs - command.StateSinceUs,
            Stays = StaysOf(command, nowUs),
            Cdb = command.Cdb.ToArray(),
            LogicalBlockAddress = hasAddress ? new BlockCdb(command.Cdb).LogicalBlockAddress : null,
            LengthBytes = command.RequestedBytes,
            IsAborted = command.IsAborted,
            WaitsFor = itl.Turnstile.WaitsFor(command),
        };
    });

    private static List<(CommandState State, long Us)> StaysOf(ScsiCommand command, long nowUs)
    {
        var stays = new List<(CommandState State, long Us)>();
        for (CommandState state = CommandState.Received; state <= CommandState.Ended; state++)
        {
            bool isPresent = state == command.State;
            long us = command.Stays[(int)state] + (isPresent ? nowUs - command.StateSinceUs : 0);
            if (us > 0 || isPresent)
                stays.Add((state, us));
        }
        return stays;
    }

    internal static bool HasBlockAddress(ScsiCommand command)
    {
        CommandRow row = command.Binding.Row;
        return row.Has(CommandTraits.NeedsMedium) && row.Direction != DataDirection.None &&
            command.Unit.Backend.DeviceType == PeripheralDeviceType.DirectAccessBlock &&
            command.Cdb.Length >= BlockCdbLength(command.Cdb[0]);
    }

    /// <summary>By the GROUP CODE of the operation code (SPC-4 §4.2.5.1); beyond any CDB for groups that have no block
    /// address.</summary>
    private static int BlockCdbLength(byte operationCode) => (operationCode >> 5) switch
    {
        0 => 6,
        1 or 2 => 10,
        3 when operationCode == 0x7F => 32,
        4 => 16,
        5 => 12,
        _ => int.MaxValue,
    };
}
