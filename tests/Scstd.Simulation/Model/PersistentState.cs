using Scstd.Scsi;

namespace Scstd.Simulation;

/// <summary>
/// Registrations and persistent reservation of a unit (SPC-4 §5.13) at one moment. Nexuses are known by name: initiator
/// port and target port.
/// </summary>
internal sealed record PersistentState
{
    public static readonly PersistentState None = new();

    public IReadOnlyDictionary<string, ulong> Keys { get; init; } = new Dictionary<string, ulong>();

    /// <summary>TYPE, SPC-4 §6.15.3.4; 0: there is no reservation.</summary>
    public byte Type { get; init; }

    /// <summary>Null as well where all registrants hold it.</summary>
    public string? Holder { get; init; }

    public uint Generation { get; init; }

    /// <summary>APTPL of the last REGISTER.</summary>
    public bool Persists { get; init; }

    public bool IsAllRegistrants => Type is 7 or 8;

    /// <summary>Every registrant may do what the holder may.</summary>
    public bool IsForRegistrants => Type >= 5;

    private bool IsWriteExclusive => Type is 1 or 5 or 7;

    public bool IsRegistered(string nexus) => Keys.ContainsKey(nexus);

    public bool IsHolder(string nexus) => Type != 0 && (IsAllRegistrants ? IsRegistered(nexus) : Holder == nexus);

    public bool IsPrivileged(string nexus) => IsHolder(nexus) || (IsForRegistrants && IsRegistered(nexus));

    /// <summary>SPC-4 §5.13.1 table of commands, SBC-4 §4.17: the reservation is in the command's way.</summary>
    public bool Forbids(string nexus, CommandKind kind)
    {
        if (Type == 0 || IsPrivileged(nexus))
            return false;
        return kind switch
        {
            CommandKind.Write or CommandKind.CompareAndWrite or CommandKind.ModeSelect => true,
            CommandKind.Read or CommandKind.ModeSense => !IsWriteExclusive,
            _ => false,
        };
    }

    public PersistentState With(string nexus, ulong key) =>
        this with { Keys = new Dictionary<string, ulong>(Keys) { [nexus] = key } };

    public PersistentState Without(IEnumerable<string> nexuses)
    {
        var keys = new Dictionary<string, ulong>(Keys);
        foreach (string nexus in nexuses)
            keys.Remove(nexus);
        // Without a registration nothing is left that would have to outlive a loss of power.
        return this with { Keys = keys, Persists = Persists && keys.Count > 0 };
    }

    public PersistentState Released() => this with { Type = 0, Holder = null };

    public PersistentState Reserved(byte type, string holder) =>
        this with { Type = type, Holder = type is 7 or 8 ? null : holder };

    public PersistentState Generated() => this with { Generation = unchecked(Generation + 1) };
}

/// <summary>What a PERSISTENT RESERVE OUT asks for.</summary>
internal sealed record PersistentRequest
{
    public required byte Action { get; init; }

    public required string Requester { get; init; }

    public byte Type { get; init; }

    public ulong Key { get; init; }

    public ulong ActionKey { get; init; }

    public bool Persists { get; init; }

    /// <summary>ALL_TG_PT: the names of the initiator port at all target ports.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>REGISTER AND MOVE: where to.</summary>
    public string? Target { get; init; }

    public bool Unregisters { get; init; }

    public override string ToString() =>
        $"[{Action}, type {Type}, key {Key}, {ActionKey}{(Persists ? ", APTPL" : "")}" +
        $"{(Names.Count > 1 ? ", ALL_TG_PT" : "")}{(Target is null ? "" : $", to {Target}")}]";
}

/// <summary>What becomes of it.</summary>
internal sealed record PersistentOutcome(PersistentState State)
{
    public ScsiStatus Status { get; init; }

    public AdditionalSense Sense { get; init; }

    /// <summary>Who loses its registration to the requester, and what it is told.</summary>
    public IReadOnlyList<string> Deprived { get; init; } = [];

    public AdditionalSense DeprivedCondition { get; init; }

    /// <summary>What the other remaining registrants are told.</summary>
    public AdditionalSense? RemainingCondition { get; init; }

    /// <summary>Whose commands go: all that are preempted, the requester too if it names itself; null: nobody's.
    /// </summary>
    public IReadOnlyList<string>? Aborted { get; init; }

    /// <summary>With an abort: the reservation of all registrants goes, and every ACA condition with it.</summary>
    public bool ClearsEveryAca { get; init; }
}
