using System.Collections.Immutable;
using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>
/// An I_T nexus as a persistent reservation knows it, whether or not it exists now: an initiator port, a target device
/// and the relative identifier of one of its ports (SPC-4 §5.13.7).
/// </summary>
public readonly record struct RegistrantName(TransportId Initiator, string TargetName, ushort TargetPort)
{
    public override string ToString() => $"{Initiator} at port {TargetPort} of {TargetName}";
}

/// <param name="Number">Its place in the order of registration.</param>
/// <param name="Name">The registered I_T nexus.</param>
/// <param name="Key">Its reservation key, never zero.</param>
/// <param name="IsForAllTargetPorts">It was made for all ports of its target at once (ALL_TG_PT).</param>
internal sealed record Registration(long Number, RegistrantName Name, ulong Key, bool IsForAllTargetPorts);

/// <summary>
/// The registrations of a unit and its persistent reservation (SPC-4 §5.13). Immutable: a service action makes a new
/// state of the old one and shares with it what did not change, so a change that cannot be saved is simply not taken,
/// and every executor may look at the state that it was told.
/// </summary>
internal sealed record PersistentReservation
{
    public static PersistentReservation None { get; } = new();

    /// <summary>PRGENERATION; zero after power on.</summary>
    public uint Generation { get; init; }

    /// <summary>In the order in which they came.</summary>
    public ImmutableSortedDictionary<long, Registration> Registrations { get; init; } =
        ImmutableSortedDictionary<long, Registration>.Empty;

    public ImmutableDictionary<RegistrantName, long> Numbers { get; init; } =
        ImmutableDictionary<RegistrantName, long>.Empty;

    public long NextNumber { get; init; }

    /// <summary>Null: the unit is not reserved.</summary>
    public PersistentReservationType? Type { get; init; }

    /// <summary>Who holds it; null if nobody does, or every registrant.</summary>
    public RegistrantName? Holder { get; init; }

    /// <summary>The last APTPL that was accepted: this outlives a loss of power. Never without registrations.</summary>
    public bool PersistsThroughPowerLoss { get; init; }

    public int Count => Registrations.Count;

    public Registration? Find(in RegistrantName name) =>
        Numbers.TryGetValue(name, out long number) ? Registrations[number] : null;

    public bool IsHolder(in RegistrantName name) =>
        Type is { } type && (type.IsAllRegistrants() ? Numbers.ContainsKey(name) : Holder == name);

    /// <summary>The reservation lets it do everything.</summary>
    public bool IsPrivileged(in RegistrantName name) =>
        Type is not { } type || Holder == name ||
        ((type.IsAllRegistrants() || type.IsRegistrantsOnly()) && Numbers.ContainsKey(name));

    /// <summary>What a nexus must be asked about before each command; the cost of a command does not hang on how many
    /// registrants there are.</summary>
    public NexusConditions ConditionsOf(in RegistrantName name)
    {
        if (Type is not { } type || IsPrivileged(name))
            return NexusConditions.None;
        return type.IsWriteExclusive()
            ? NexusConditions.WriteExclusiveOfOther
            : NexusConditions.ExclusiveAccessOfOther;
    }

    /// <summary>RESERVATION KEY of the reservation, as READ RESERVATION tells it (SPC-4 §6.15.3).</summary>
    public ulong HolderKey => Holder is { } holder && Find(holder) is { } registration ? registration.Key : 0;

    /// <summary>The same with some registrations set and some taken away. What becomes of the reservation is for the
    /// caller to say.</summary>
    public PersistentReservation With(
        IEnumerable<(RegistrantName Name, ulong Key, bool AllPorts)> set, IEnumerable<RegistrantName> removed)
    {
        var byNumber = Registrations.ToBuilder();
        var numbers = Numbers.ToBuilder();
        long next = NextNumber;
        foreach (RegistrantName name in removed)
        {
            if (!numbers.TryGetValue(name, out long number))
                continue;
            numbers.Remove(name);
            byNumber.Remove(number);
        }
        foreach ((RegistrantName name, ulong key, bool allPorts) in set)
        {
            if (!numbers.TryGetValue(name, out long number))
                numbers[name] = number = next++;
            byNumber[number] = new Registration(number, name, key, allPorts);
        }
        return this with
        {
            Registrations = byNumber.ToImmutable(),
            Numbers = numbers.ToImmutable(),
            NextNumber = next,
            PersistsThroughPowerLoss = PersistsThroughPowerLoss && byNumber.Count > 0,
        };
    }
}
