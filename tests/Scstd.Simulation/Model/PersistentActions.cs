using Scstd.Scsi;

namespace Scstd.Simulation;

/// <summary>PERSISTENT RESERVE OUT, SPC-4 §5.13.6 to §5.13.11, as the standard tells it.</summary>
internal static class PersistentActions
{
    public const byte Register = 0;
    public const byte Reserve = 1;
    public const byte Release = 2;
    public const byte Clear = 3;
    public const byte Preempt = 4;
    public const byte PreemptAndAbort = 5;
    public const byte RegisterAndIgnore = 6;
    public const byte RegisterAndMove = 7;

    public static PersistentOutcome CarryOut(PersistentState state, PersistentRequest request)
    {
        if (request.Action is Register or RegisterAndIgnore)
            return OfRegister(state, request);
        if (!state.Keys.TryGetValue(request.Requester, out ulong key) || key != request.Key)
            return Conflict(state);
        return request.Action switch
        {
            Reserve => OfReserve(state, request),
            Release => OfRelease(state, request),
            Clear => new PersistentOutcome(
                PersistentState.None with { Generation = unchecked(state.Generation + 1) })
            {
                Deprived = [.. state.Keys.Keys.Where(name => name != request.Requester)],
                DeprivedCondition = AdditionalSense.ReservationsPreempted,
            },
            RegisterAndMove => OfMove(state, request),
            _ => OfPreempt(state, request),
        };
    }

    private static PersistentOutcome OfRegister(PersistentState state, PersistentRequest request)
    {
        ulong own = state.Keys.GetValueOrDefault(request.Requester);
        if (request.Action == Register && request.Key != own)
            return Conflict(state);
        PersistentState after = state;
        if (request.ActionKey != 0)
        {
            foreach (string name in request.Names)
                after = after.With(name, request.ActionKey);
            return new PersistentOutcome(after.Generated() with { Persists = request.Persists });
        }
        string[] going = [.. request.Names.Where(state.IsRegistered)];
        if (going.Length == 0)
            return new PersistentOutcome(state);
        after = state.Without(going).Generated();
        after = after with { Persists = request.Persists && after.Keys.Count > 0 };
        bool ends = state.Type != 0 &&
            (state.IsAllRegistrants ? after.Keys.Count == 0 : going.Contains(state.Holder));
        if (!ends)
            return new PersistentOutcome(after);
        return new PersistentOutcome(after.Released())
        {
            RemainingCondition = state.Type is 5 or 6 ? AdditionalSense.ReservationsReleased : null,
        };
    }

    private static PersistentOutcome OfReserve(PersistentState state, PersistentRequest request)
    {
        if (state.Type == 0)
            return new PersistentOutcome(state.Reserved(request.Type, request.Requester));
        return state.IsHolder(request.Requester) && state.Type == request.Type
            ? new PersistentOutcome(state) : Conflict(state);
    }

    private static PersistentOutcome OfRelease(PersistentState state, PersistentRequest request)
    {
        if (!state.IsHolder(request.Requester))
            return new PersistentOutcome(state);
        if (state.Type != request.Type)
            return Refuse(state, AdditionalSense.InvalidReleaseOfPersistentReservation);
        return new PersistentOutcome(state.Released())
        {
            RemainingCondition = state.IsForRegistrants ? AdditionalSense.ReservationsReleased : null,
        };
    }

    private static PersistentOutcome OfPreempt(PersistentState state, PersistentRequest request)
    {
        ulong holderKey = state.Holder is { } holder ? state.Keys[holder] : 0;
        bool takesReservation = state.Type != 0 &&
            (state.IsAllRegistrants ? request.ActionKey == 0 : request.ActionKey == holderKey);
        if (!takesReservation && request.ActionKey == 0)
            return Refuse(state, AdditionalSense.InvalidFieldInParameterList);
        bool everybody = takesReservation && state.IsAllRegistrants;
        string[] named = [.. state.Keys.Where(r => everybody || r.Value == request.ActionKey).Select(r => r.Key)];
        if (named.Length == 0)
            return Conflict(state);
        string[] others = [.. named.Where(name => name != request.Requester)];
        PersistentState after = takesReservation
            ? state.Without(others).Reserved(request.Type, request.Requester)
            : state.Without(named);
        if (after.Keys.Count == 0)
            after = after.Released();
        return new PersistentOutcome(after.Generated())
        {
            Deprived = others,
            DeprivedCondition = AdditionalSense.RegistrationsPreempted,
            RemainingCondition = takesReservation && state.Type != request.Type
                ? AdditionalSense.ReservationsReleased : null,
            Aborted = request.Action != PreemptAndAbort ? null : takesReservation ? others : named,
            ClearsEveryAca = everybody,
        };
    }

    private static PersistentOutcome OfMove(PersistentState state, PersistentRequest request)
    {
        if (state.Type == 0)
            return Refuse(state, AdditionalSense.InvalidFieldInCdb);
        if (state.IsAllRegistrants || !state.IsHolder(request.Requester))
            return Conflict(state);
        if (request.ActionKey == 0 || InitiatorOf(request.Target!) == InitiatorOf(request.Requester))
            return Refuse(state, AdditionalSense.InvalidFieldInParameterList);
        PersistentState after = state.With(request.Target!, request.ActionKey);
        if (request.Unregisters)
            after = after.Without([request.Requester]);
        return new PersistentOutcome(after.Generated() with { Holder = request.Target, Persists = request.Persists });
    }

    /// <summary>A name is that of the initiator port, and the target port behind it.</summary>
    private static string InitiatorOf(string name) => name[..name.LastIndexOf('|')];

    private static PersistentOutcome Conflict(PersistentState state) =>
        new(state) { Status = ScsiStatus.ReservationConflict };

    private static PersistentOutcome Refuse(PersistentState state, AdditionalSense sense) =>
        new(state) { Status = ScsiStatus.CheckCondition, Sense = sense };
}
