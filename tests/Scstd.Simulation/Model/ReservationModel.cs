namespace Scstd.Simulation;

/// <summary>
/// RESERVE and RELEASE, SPC-2 §5.5.1 and §7.21: one holder, until it releases, is lost, or the unit is reset. What
/// begins at the device server sees a change from the moment that it was made; what is refused without coming there may
/// see it only when the change is answered.
/// </summary>
internal sealed class ReservationModel(World world)
{
    private readonly List<Period> _periods = [];

    public SimulatedSession? Holder { get; private set; }

    /// <param name="session">The new holder.</param>
    /// <param name="by">The command, until whose answer the change is being told.</param>
    public void Reserved(SimulatedSession session, object by)
    {
        if (ReferenceEquals(Holder, session))
            return;
        Released(by);
        Holder = session;
        _periods.Add(new Period(session, by) { From = world.Now });
    }

    public void Released(object by)
    {
        if (Holder is null)
            return;
        Holder = null;
        _periods[^1].ReleasedBy = by;
    }

    /// <summary>A change has been answered.</summary>
    public void Told(object by)
    {
        for (int i = _periods.Count - 1; i >= 0; i--)
        {
            Period period = _periods[i];
            if (ReferenceEquals(period.ReservedBy, by))
                period.ToldAt = Math.Min(period.ToldAt, world.Now);
            if (ReferenceEquals(period.ReleasedBy, by))
                period.To = Math.Min(period.To, world.Now);
        }
    }

    /// <summary>A nexus was lost or reset, which is carried out now: what it holds ends.</summary>
    public void NexusEnded(SimulatedSession session)
    {
        if (ReferenceEquals(Holder, session))
            Released(session);
    }

    /// <summary>It has held the unit since before that moment.</summary>
    public bool HasHeldSince(SimulatedSession session, long moment) =>
        ReferenceEquals(Holder, session) && _periods[^1].From < moment;

    /// <summary>What SPC-2 table 10 (and SBC) lets pass though another has reserved the unit.</summary>
    public static bool IsAllowedToOthers(CommandKind kind) => kind is CommandKind.Inquiry or
        CommandKind.RequestSense or CommandKind.ReportLuns or CommandKind.Release or CommandKind.ReadCapacity;

    /// <summary>A command that begins.</summary>
    public void Begins(SimulatedCommand command) =>
        world.Law(IsAllowedToOthers(command.Kind) || Holder is null ||
            ReferenceEquals(Holder, command.Session), "a command passed another's reservation: {0}", command);

    /// <summary>A command acts on the medium: whoever was granted the unit has it alone.</summary>
    public void Lands(SimulatedCommand command) =>
        world.Law(Holder is null || ReferenceEquals(Holder, command.Session),
            "{0} touched the medium in another's reservation", command);

    /// <summary>Another held it at some moment between the command's coming and now.</summary>
    public bool MayConflict(SimulatedCommand command)
    {
        for (int i = _periods.Count - 1; i >= 0; i--)
        {
            if (_periods[i].To >= command.ReceivedAt && !ReferenceEquals(_periods[i].Holder, command.Session))
                return !IsAllowedToOthers(command.Kind);
        }
        return false;
    }

    /// <summary>Another has held it all the time since the command came.</summary>
    public bool MustConflict(SimulatedCommand command) =>
        Holder is { } holder && !ReferenceEquals(holder, command.Session) &&
        _periods[^1].ToldAt < command.ReceivedAt && !IsAllowedToOthers(command.Kind);

    private sealed class Period(SimulatedSession holder, object reservedBy)
    {
        public SimulatedSession Holder => holder;

        public object ReservedBy => reservedBy;

        public long From { get; init; }

        public object? ReleasedBy { get; set; }

        /// <summary>From then on every executor knows of it.</summary>
        public long ToldAt { get; set; } = long.MaxValue;

        /// <summary>From then on every executor knows that it is over.</summary>
        public long To { get; set; } = long.MaxValue;
    }
}
