using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>
/// The service actions of PERSISTENT RESERVE OUT (SPC-4 §5.13, §6.16) as a function from state and request to
/// outcome: no I/O, nothing remembered. Registering is in the other part.
/// </summary>
internal static partial class PersistentReserveOutActions
{
    private const int ScopeOffset = 2;

    public static PersistentReserveOutOutcome CarryOut(PersistentReserveOutRequest request)
    {
        if (request.Action is PersistentReserveOutAction.Register or
            PersistentReserveOutAction.RegisterAndIgnoreExistingKey)
            return Register(request);
        // SPC-4 §5.13.1 and §6.16.3: from a registered nexus alone, which must know its key.
        if (request.State.Find(request.Requester) is not { } own || own.Key != request.Parameters.Key)
            return Conflict(request);
        if (request.Action == PersistentReserveOutAction.RegisterAndMove)
            return Move(request);
        if (request.Parameters.Fault is { } fault)
            return Refuse(request, fault);
        return request.Action switch
        {
            PersistentReserveOutAction.Reserve => Reserve(request),
            PersistentReserveOutAction.Release => Release(request),
            PersistentReserveOutAction.Clear => Clear(request),
            _ => Preempt(request),
        };
    }

    /// <summary>SPC-4 §5.13.9: the holder may repeat it; nobody may change it so.</summary>
    private static PersistentReserveOutOutcome Reserve(PersistentReserveOutRequest request)
    {
        PersistentReservation state = request.State;
        if (state.Type is { } held && (!state.IsHolder(request.Requester) || request.ScopeAndType != (byte)held))
            return Conflict(request);
        return TypeOf(request, out SenseData fault) is { } type
            ? new PersistentReserveOutOutcome(Reserved(state, type, request.Requester))
            : Refuse(request, fault);
    }

    /// <summary>SPC-4 §5.13.11.2: without effect, and GOOD, from who does not hold it.</summary>
    private static PersistentReserveOutOutcome Release(PersistentReserveOutRequest request)
    {
        PersistentReservation state = request.State;
        if (state.Type is not { } type || !state.IsHolder(request.Requester))
            return new PersistentReserveOutOutcome(state);
        if (request.ScopeAndType != (byte)type)
        {
            return Refuse(request, SenseData.IllegalRequest(AdditionalSense.InvalidReleaseOfPersistentReservation));
        }
        return new PersistentReserveOutOutcome(Released(state))
        {
            RemainingCondition = TellsOfRelease(type) ? AdditionalSense.ReservationsReleased : null,
        };
    }

    /// <summary>SPC-4 §5.13.11.3.</summary>
    private static PersistentReserveOutOutcome Clear(PersistentReserveOutRequest request)
    {
        PersistentReservation state = request.State;
        return new PersistentReserveOutOutcome(PersistentReservation.None with
        {
            Generation = unchecked(state.Generation + 1),
            NextNumber = state.NextNumber,
        })
        {
            Deprived = Others(state.Registrations.Values, request.Requester),
            DeprivedCondition = AdditionalSense.ReservationsPreempted,
        };
    }

    /// <summary>PREEMPT and PREEMPT AND ABORT, SPC-4 §5.13.11.4 and §5.13.11.5: the reservation if the key is its
    /// holder's, else registrations alone.</summary>
    private static PersistentReserveOutOutcome Preempt(PersistentReserveOutRequest request)
    {
        PersistentReservation state = request.State;
        ulong key = request.Parameters.ServiceActionKey;
        if (state.Type is { } held && (held.IsAllRegistrants() ? key == 0 : key == state.HolderKey))
            return PreemptReservation(request, held, everybody: held.IsAllRegistrants());
        if (key == 0)
            return Refuse(request, SenseData.InvalidFieldInParameterList(8));
        List<Registration> going = [.. state.Registrations.Values.Where(r => r.Key == key)];
        if (going.Count == 0)
            return Conflict(request);
        PersistentReservation after = Generated(state.With([], going.Select(r => r.Name)));
        // Of all registrants' the last has gone, and it was the requester itself.
        if (after.Count == 0)
            after = Released(after);
        return new PersistentReserveOutOutcome(after)
        {
            Deprived = Others(going, request.Requester),
            DeprivedCondition = AdditionalSense.RegistrationsPreempted,
            Aborted = AbortedBy(request, going.Select(r => r.Name)),
        };
    }

    private static PersistentReserveOutOutcome PreemptReservation(
        PersistentReserveOutRequest request, PersistentReservationType held, bool everybody)
    {
        PersistentReservation state = request.State;
        if (TypeOf(request, out SenseData fault) is not { } type)
            return Refuse(request, fault);
        ulong key = request.Parameters.ServiceActionKey;
        IReadOnlySet<RegistrantName> going = Others(
            state.Registrations.Values.Where(r => everybody || r.Key == key), request.Requester);
        return new PersistentReserveOutOutcome(
            Generated(Reserved(Released(state.With([], going)), type, request.Requester)))
        {
            Deprived = going,
            DeprivedCondition = AdditionalSense.RegistrationsPreempted,
            RemainingCondition = type == held ? null : AdditionalSense.ReservationsReleased,
            Aborted = AbortedBy(request, going),
            ClearsEveryAca = everybody && request.Action == PersistentReserveOutAction.PreemptAndAbort,
        };
    }

    // ---- Parts -----------------------------------------------------------------------------------------------------

    /// <summary>SCOPE 0h and one of the six types; null: one of the two is wrong.</summary>
    private static PersistentReservationType? TypeOf(PersistentReserveOutRequest request, out SenseData fault)
    {
        bool scopeIsRight = request.ScopeAndType >> 4 == 0;
        fault = SenseData.InvalidFieldInCdb(ScopeOffset, scopeIsRight ? 3 : 7);
        var type = (PersistentReservationType)(request.ScopeAndType & 0x0F);
        return scopeIsRight && Enum.IsDefined(type) ? type : null;
    }

    private static PersistentReservation Reserved(
        PersistentReservation state, PersistentReservationType type, in RegistrantName holder) =>
        state.Type == type && state.IsHolder(holder)
            ? state
            : state with { Type = type, Holder = type.IsAllRegistrants() ? null : holder };

    private static PersistentReservation Released(PersistentReservation state) =>
        state.Type is null ? state : state with { Type = null, Holder = null };

    private static PersistentReservation Generated(PersistentReservation state) =>
        state with { Generation = unchecked(state.Generation + 1) };

    /// <summary>SPC-4 §5.13.11.2.2: with the other types nobody but the holder could do anything by it.</summary>
    private static bool TellsOfRelease(PersistentReservationType type) =>
        type.IsRegistrantsOnly() || type.IsAllRegistrants();

    private static IReadOnlySet<RegistrantName> AbortedBy(
        PersistentReserveOutRequest request, IEnumerable<RegistrantName> preempted) =>
        request.Action == PersistentReserveOutAction.PreemptAndAbort
            ? preempted.ToHashSet() : PersistentReserveOutOutcome.Nobody;

    private static HashSet<RegistrantName> Others(IEnumerable<Registration> all, RegistrantName requester) =>
        [.. all.Select(r => r.Name).Where(name => name != requester)];

    private static PersistentReserveOutOutcome Conflict(PersistentReserveOutRequest request) =>
        new(request.State) { Status = ScsiStatus.ReservationConflict };

    private static PersistentReserveOutOutcome Refuse(PersistentReserveOutRequest request, in SenseData sense) =>
        new(request.State) { Status = ScsiStatus.CheckCondition, Sense = sense };
}
