using Scstd.Scsi;
using static Scstd.Scsi.PersistentReserveOutAction;

namespace Scstd.Core.Tests.Reservations;

/// <summary>The service actions as a function of state and request: type × actor × action (SPC-4 §5.13).</summary>
public sealed class ActionsTests
{
    private const string TargetName = "iqn.2026-11.test:target";

    private static readonly RegistrantName A = Nexus("a");
    private static readonly RegistrantName B = Nexus("b");
    private static readonly RegistrantName C = Nexus("c");
    private static readonly RegistrantName Stranger = Nexus("stranger");

    public static TheoryData<PersistentReservationType> Types =>
        [.. Enum.GetValues<PersistentReservationType>()];

    public static TheoryData<PersistentReservationType, PersistentReservationType> Pairs
    {
        get
        {
            var pairs = new TheoryData<PersistentReservationType, PersistentReservationType>();
            foreach (PersistentReservationType held in Enum.GetValues<PersistentReservationType>())
            {
                foreach (PersistentReservationType other in Enum.GetValues<PersistentReservationType>())
                    pairs.Add(held, other);
            }
            return pairs;
        }
    }

    // ---- Who may ask at all ----------------------------------------------------------------------------------------

    [Theory]
    [InlineData((byte)Reserve)]
    [InlineData((byte)Release)]
    [InlineData((byte)Clear)]
    [InlineData((byte)Preempt)]
    [InlineData((byte)PreemptAndAbort)]
    [InlineData((byte)RegisterAndMove)]
    public void A_stranger_and_a_wrong_key_are_conflicts(byte action)
    {
        PersistentReservation state = Held(PersistentReservationType.WriteExclusive);
        Refused(Out(state, Stranger, (PersistentReserveOutAction)action, key: 0xA, newKey: 0xB, type: 1), state);
        Refused(Out(state, A, (PersistentReserveOutAction)action, key: 0xB, newKey: 0xB, type: 1), state);
    }

    // ---- REGISTER --------------------------------------------------------------------------------------------------

    [Fact]
    public void Register_follows_its_table()
    {
        PersistentReservation none = PersistentReservation.None;
        Refused(Out(none, A, Register, key: 1, newKey: 2), none);
        Assert.Same(none, Good(Out(none, A, Register, key: 0, newKey: 0)));
        PersistentReservation one = Good(Out(none, A, Register, newKey: 2));
        Assert.Equal((1u, 2UL), (one.Generation, one.Find(A)!.Key));
        Refused(Out(one, A, Register, key: 0, newKey: 3), one);
        PersistentReservation changed = Good(Out(one, A, Register, key: 2, newKey: 3));
        Assert.Equal((2u, 3UL, 1), (changed.Generation, changed.Find(A)!.Key, changed.Count));
        PersistentReservation gone = Good(Out(changed, A, Register, key: 3, newKey: 0));
        Assert.Equal((3u, 0), (gone.Generation, gone.Count));
    }

    [Fact]
    public void Register_and_ignore_existing_key_looks_at_no_key()
    {
        PersistentReservation none = PersistentReservation.None;
        Assert.Same(none, Good(Out(none, A, RegisterAndIgnoreExistingKey, key: 7, newKey: 0)));
        PersistentReservation one = Good(Out(none, A, RegisterAndIgnoreExistingKey, key: 7, newKey: 2));
        PersistentReservation changed = Good(Out(one, A, RegisterAndIgnoreExistingKey, key: 9, newKey: 3));
        Assert.Equal(3UL, changed.Find(A)!.Key);
        Assert.Equal(0, Good(Out(changed, A, RegisterAndIgnoreExistingKey, key: 1, newKey: 0)).Count);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void A_new_key_leaves_the_reservation_with_its_holder(PersistentReservationType type)
    {
        PersistentReservation state = Good(Out(Held(type), A, Register, key: 0xA, newKey: 0xAA));
        Assert.Equal(type, state.Type);
        Assert.True(state.IsHolder(A));
        Assert.Equal(type.IsAllRegistrants() ? 0UL : 0xAAUL, state.HolderKey);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void The_holder_that_leaves_takes_the_reservation_along(PersistentReservationType type)
    {
        PersistentReserveOutOutcome outcome = Out(Held(type), A, Register, key: 0xA, newKey: 0);
        PersistentReservation state = Good(outcome);
        Assert.Equal(type.IsAllRegistrants() ? type : null, state.Type);
        AdditionalSense? told = type.IsRegistrantsOnly() ? AdditionalSense.ReservationsReleased : null;
        Assert.Equal(told, outcome.RemainingCondition);
        Assert.Empty(outcome.Deprived);
        state = Good(Out(Good(Out(state, B, Register, key: 0xB, newKey: 0)), C, Register, key: 0xC, newKey: 0));
        Assert.Equal((0, null), (state.Count, state.Type));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Another_that_leaves_leaves_the_reservation(PersistentReservationType type)
    {
        PersistentReserveOutOutcome outcome = Out(Held(type), B, Register, key: 0xB, newKey: 0);
        Assert.Equal(type, Good(outcome).Type);
        Assert.Null(outcome.RemainingCondition);
        Assert.True(outcome.State.IsHolder(A));
    }

    [Fact]
    public void All_target_ports_and_named_initiator_ports_are_registered_together_or_not_at_all()
    {
        PersistentReserveOutOutcome outcome = Out(PersistentReservation.None, A, Register, newKey: 5, allPorts: true,
            others: [B.Initiator, B.Initiator, A.Initiator]);
        Assert.Equal(6, Good(outcome).Count);
        foreach (ushort port in (ushort[])[1, 2, 3])
        {
            Assert.Equal(5UL, outcome.State.Find(A with { TargetPort = port })!.Key);
            Assert.Equal(5UL, outcome.State.Find(B with { TargetPort = port })!.Key);
        }
        PersistentReservation before = Good(Out(PersistentReservation.None, B, Register, newKey: 9));
        Refused(Out(before, A, Register, newKey: 5, others: [C.Initiator, B.Initiator]), before);
        Invalid(Out(before, B, Register, key: 9, newKey: 5, others: [C.Initiator]), before, 20, 3);
        PersistentReserveOutOutcome full = Out(before, A, Register, newKey: 5, allPorts: true, max: 3);
        Assert.Equal(SenseData.IllegalRequest(AdditionalSense.InsufficientRegistrationResources), full.Sense);
        Assert.Same(before, full.State);
        Assert.Equal(4, Good(Out(before, A, Register, newKey: 5, allPorts: true, max: 4)).Count);
    }

    [Fact]
    public void A_full_unit_still_lets_keys_change_and_leave()
    {
        PersistentReservation state = Registered();
        Assert.Equal(0xFUL, Good(Out(state, A, Register, key: 0xA, newKey: 0xF, max: 3)).Find(A)!.Key);
        Assert.Equal(2, Good(Out(state, A, Register, key: 0xA, newKey: 0, max: 3)).Count);
        Assert.Equal(ScsiStatus.CheckCondition, Out(state, Stranger, Register, newKey: 1, max: 3).Status);
    }

    [Fact]
    public void Power_loss_is_outlived_as_the_last_register_said_and_where_it_can_be()
    {
        PersistentReservation state = Good(Out(PersistentReservation.None, A, Register, newKey: 1, persists: true));
        Assert.True(state.PersistsThroughPowerLoss);
        Assert.False(Good(Out(state, B, Register, newKey: 2)).PersistsThroughPowerLoss);
        Assert.True(Good(Out(state, A, Reserve, key: 1, type: 1)).PersistsThroughPowerLoss);
        Assert.False(Good(Out(state, A, Clear, key: 1)).PersistsThroughPowerLoss);
        Invalid(Out(state, B, Register, newKey: 2, persists: true, canPersist: false), state, 20, 0);
    }

    // ---- RESERVE, RELEASE ------------------------------------------------------------------------------------------

    [Theory]
    [MemberData(nameof(Pairs))]
    public void A_reservation_is_taken_once(PersistentReservationType held, PersistentReservationType wanted)
    {
        PersistentReservation state = Held(held);
        PersistentReserveOutOutcome again = Out(state, A, Reserve, key: 0xA, type: (byte)wanted);
        PersistentReserveOutOutcome others = Out(state, B, Reserve, key: 0xB, type: (byte)wanted);
        Assert.Equal(held == wanted ? ScsiStatus.Good : ScsiStatus.ReservationConflict, again.Status);
        Assert.Equal(held == wanted && held.IsAllRegistrants() ? ScsiStatus.Good : ScsiStatus.ReservationConflict,
            others.Status);
        Assert.Same(state, again.State);
        Assert.Same(state, others.State);
    }

    [Theory]
    [InlineData(0x00, 3)]
    [InlineData(0x02, 3)]
    [InlineData(0x04, 3)]
    [InlineData(0x09, 3)]
    [InlineData(0x11, 7)]
    [InlineData(0x21, 7)]
    public void A_type_or_a_scope_that_there_is_not_is_an_invalid_field(byte scopeAndType, byte bit)
    {
        PersistentReservation state = Registered();
        foreach (PersistentReserveOutOutcome outcome in new[]
        {
            Out(state, A, Reserve, key: 0xA, type: scopeAndType),
            Out(Held(PersistentReservationType.WriteExclusive), B, Preempt, key: 0xB, newKey: 0xA, type: scopeAndType),
        })
        {
            Assert.Equal(SenseData.InvalidFieldInCdb(2, bit), outcome.Sense);
            Assert.Equal(ScsiStatus.CheckCondition, outcome.Status);
        }
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Only_its_holder_releases_it_and_as_what_it_is(
        PersistentReservationType held, PersistentReservationType said)
    {
        PersistentReservation state = Held(held);
        PersistentReserveOutOutcome own = Out(state, A, Release, key: 0xA, type: (byte)said);
        if (held != said)
        {
            Assert.Equal(SenseData.IllegalRequest(AdditionalSense.InvalidReleaseOfPersistentReservation), own.Sense);
            Assert.Same(state, own.State);
            return;
        }
        Assert.Null(Good(own).Type);
        Assert.Equal((3, state.Generation), (own.State.Count, own.State.Generation));
        bool tells = held.IsRegistrantsOnly() || held.IsAllRegistrants();
        Assert.Equal(tells ? AdditionalSense.ReservationsReleased : null, own.RemainingCondition);
        PersistentReserveOutOutcome other = Out(state, B, Release, key: 0xB, type: (byte)said);
        Assert.Equal(ScsiStatus.Good, other.Status);
        Assert.Equal(held.IsAllRegistrants() ? null : held, other.State.Type);
    }

    [Fact]
    public void A_release_of_nothing_is_good()
    {
        PersistentReservation state = Registered();
        Assert.Same(state, Good(Out(state, A, Release, key: 0xA, type: 1)));
    }

    // ---- CLEAR -----------------------------------------------------------------------------------------------------

    [Theory]
    [MemberData(nameof(Types))]
    public void Clear_takes_everything_and_tells_all_others(PersistentReservationType type)
    {
        PersistentReservation state = Held(type);
        PersistentReserveOutOutcome outcome = Out(state, B, Clear, key: 0xB);
        Assert.Equal((0, null, state.Generation + 1),
            (Good(outcome).Count, outcome.State.Type, outcome.State.Generation));
        Assert.Equivalent(new[] { A, C }, outcome.Deprived);
        Assert.Equal(AdditionalSense.ReservationsPreempted, outcome.DeprivedCondition);
    }

    // ---- PREEMPT ---------------------------------------------------------------------------------------------------

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Preempting_the_holder_takes_its_reservation(
        PersistentReservationType held, PersistentReservationType wanted)
    {
        PersistentReservation state = Held(held);
        ulong victim = held.IsAllRegistrants() ? 0UL : 0xA;
        PersistentReserveOutOutcome outcome = Out(state, B, Preempt, key: 0xB, newKey: victim, type: (byte)wanted);
        Assert.Equal((wanted, true), (Good(outcome).Type, outcome.State.IsHolder(B)));
        Assert.Equal(state.Generation + 1, outcome.State.Generation);
        Assert.Equivalent(held.IsAllRegistrants() ? new[] { A, C } : [A], outcome.Deprived);
        Assert.Equal(held.IsAllRegistrants() ? 1 : 2, outcome.State.Count);
        Assert.Equal(AdditionalSense.RegistrationsPreempted, outcome.DeprivedCondition);
        Assert.Equal(held == wanted ? null : AdditionalSense.ReservationsReleased, outcome.RemainingCondition);
        Assert.Empty(outcome.Aborted);
        Assert.Equivalent(outcome.Deprived,
            Out(state, B, PreemptAndAbort, key: 0xB, newKey: victim, type: (byte)wanted).Aborted);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Preempting_another_registrant_takes_its_registration_alone(PersistentReservationType type)
    {
        PersistentReserveOutOutcome outcome = Out(Held(type), B, Preempt, key: 0xB, newKey: 0xC, type: 0xFF);
        Assert.Equal((type, 2), (Good(outcome).Type, outcome.State.Count));
        Assert.Equal([C], outcome.Deprived);
        Assert.Null(outcome.RemainingCondition);
        Assert.True(outcome.State.IsHolder(A));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Preempting_nobody_is_a_conflict_and_the_key_zero_an_invalid_field(PersistentReservationType type)
    {
        PersistentReservation state = Held(type);
        Refused(Out(state, B, Preempt, key: 0xB, newKey: 0xDEAD, type: (byte)type), state);
        if (!type.IsAllRegistrants())
            Invalid(Out(state, B, Preempt, key: 0xB, newKey: 0, type: (byte)type), state, 8);
        PersistentReservation free = Registered();
        Invalid(Out(free, B, Preempt, key: 0xB, newKey: 0, type: (byte)type), free, 8);
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void The_holder_may_preempt_itself_to_change_the_type(
        PersistentReservationType held, PersistentReservationType wanted)
    {
        if (held.IsAllRegistrants())
            return;
        PersistentReserveOutOutcome outcome = Out(Held(held), A, Preempt, key: 0xA, newKey: 0xA, type: (byte)wanted);
        Assert.Equal((wanted, 3, true), (Good(outcome).Type, outcome.State.Count, outcome.State.IsHolder(A)));
        Assert.Empty(outcome.Deprived);
        Assert.Equal(held == wanted ? null : AdditionalSense.ReservationsReleased, outcome.RemainingCondition);
    }

    [Fact]
    public void All_that_have_the_key_go_together()
    {
        PersistentReservation state = PersistentReservation.None.With(
            [(A, 1UL, false), (B, 2UL, false), (C, 2UL, false)], []);
        PersistentReserveOutOutcome outcome = Out(state, A, Preempt, key: 1, newKey: 2, type: 1);
        Assert.Equal((1, null), (Good(outcome).Count, outcome.State.Type));
        Assert.Equivalent(new[] { B, C }, outcome.Deprived);
    }

    // ---- REGISTER AND MOVE -----------------------------------------------------------------------------------------

    [Theory]
    [MemberData(nameof(Types))]
    public void A_reservation_moves_with_a_registration(PersistentReservationType type)
    {
        PersistentReservation state = Held(type);
        PersistentReserveOutOutcome outcome =
            Out(state, A, RegisterAndMove, key: 0xA, newKey: 0xD, others: [Stranger.Initiator]);
        if (type.IsAllRegistrants())
        {
            Refused(outcome, state);
            return;
        }
        RegistrantName moved = Stranger;
        Assert.Equal((type, moved, 4), (Good(outcome).Type, outcome.State.Holder!.Value, outcome.State.Count));
        Assert.Equal((0xDUL, state.Generation + 1), (outcome.State.HolderKey, outcome.State.Generation));
        Assert.Null(outcome.RemainingCondition);
        PersistentReservation left = Good(Out(
            state, A, RegisterAndMove, key: 0xA, newKey: 0xD, others: [Stranger.Initiator], unregisters: true));
        Assert.Null(left.Find(A));
        Assert.True(left.IsHolder(moved));
    }

    [Fact]
    public void What_cannot_move_does_not()
    {
        PersistentReservation state = Held(PersistentReservationType.WriteExclusive);
        Refused(Out(state, B, RegisterAndMove, key: 0xB, newKey: 1, others: [C.Initiator]), state);
        PersistentReservation free = Registered();
        PersistentReserveOutOutcome nothing = Out(free, A, RegisterAndMove, key: 0xA, newKey: 1, others: [C.Initiator]);
        Assert.Equal((ScsiStatus.CheckCondition, SenseData.InvalidFieldInCdb(1, 4)), (nothing.Status, nothing.Sense));
        Assert.Same(free, nothing.State);
        Invalid(Out(state, A, RegisterAndMove, key: 0xA, newKey: 0, others: [C.Initiator]), state, 8);
        Invalid(Out(state, A, RegisterAndMove, key: 0xA, newKey: 1, others: [A.Initiator]), state, 24);
        Invalid(Out(state, A, RegisterAndMove, key: 0xA, newKey: 1, others: [C.Initiator], port: 9), state, 18);
        Invalid(Out(state, A, RegisterAndMove, key: 0xA, newKey: 1, others: [A.Initiator], port: 2), state, 24);
    }

    // ---- What the reservation lets others do -----------------------------------------------------------------------

    [Theory]
    [MemberData(nameof(Types))]
    public void Who_may_do_what_hangs_on_the_type(PersistentReservationType type)
    {
        PersistentReservation state = Held(type);
        NexusConditions forbidden = type.IsWriteExclusive()
            ? NexusConditions.WriteExclusiveOfOther : NexusConditions.ExclusiveAccessOfOther;
        bool isShared = type.IsAllRegistrants() || type.IsRegistrantsOnly();
        Assert.Equal(NexusConditions.None, state.ConditionsOf(A));
        Assert.Equal(isShared ? NexusConditions.None : forbidden, state.ConditionsOf(B));
        Assert.Equal(forbidden, state.ConditionsOf(Stranger));
    }

    /// <summary>Keeping, and finding again, every state that can be.</summary>
    [Theory]
    [MemberData(nameof(Types))]
    public void What_is_saved_is_read_back(PersistentReservationType type)
    {
        PersistentReservation state = Good(Out(Held(type), A, Register, key: 0xA, newKey: 1, persists: true));
        PersistentReservation read = PersistentReservationText.Read("unit", PersistentReservationText.Write(state));
        Assert.Equal(state.Registrations.Values.Select(r => (r.Name, r.Key)),
            read.Registrations.Values.Select(r => (r.Name, r.Key)));
        Assert.Equal((state.Type, state.Holder, 0u), (read.Type, read.Holder, read.Generation));
        Assert.True(read.PersistsThroughPowerLoss);
    }

    // ---- Parts -----------------------------------------------------------------------------------------------------

    private static RegistrantName Nexus(string name) =>
        new(TransportId.OfPortName($"iqn.{name},i,0x1")!, TargetName, 1);

    private static PersistentReservation Registered() => PersistentReservation.None.With(
        [(A, 0xAUL, false), (B, 0xBUL, false), (C, 0xCUL, false)], []);

    private static PersistentReservation Held(PersistentReservationType type) =>
        Good(Out(Registered(), A, Reserve, key: 0xA, type: (byte)type));

    private static PersistentReserveOutOutcome Out(
        PersistentReservation state, RegistrantName requester, PersistentReserveOutAction action, ulong key = 0,
        ulong newKey = 0, byte type = 0, bool allPorts = false, TransportId[]? others = null, bool persists = false,
        bool canPersist = true, bool unregisters = false, ushort port = 1, int max = 100) =>
        PersistentReserveOutActions.CarryOut(new PersistentReserveOutRequest
        {
            State = state,
            Requester = requester,
            Action = action,
            ScopeAndType = type,
            Parameters = new PersistentReserveOutParameters
            {
                Key = key,
                ServiceActionKey = newKey,
                IsForAllTargetPorts = allPorts,
                SpecifiesInitiatorPorts = others is not null && action == Register,
                TransportIds = others ?? [],
                Persists = persists,
                Unregisters = unregisters,
                MovesToTargetPort = port,
            },
            TargetPorts = [1, 2, 3],
            MaxRegistrations = max,
            CanPersist = canPersist,
        });

    private static PersistentReservation Good(PersistentReserveOutOutcome outcome)
    {
        Assert.Equal(ScsiStatus.Good, outcome.Status);
        return outcome.State;
    }

    private static void Refused(PersistentReserveOutOutcome outcome, PersistentReservation state)
    {
        Assert.Equal(ScsiStatus.ReservationConflict, outcome.Status);
        Assert.Same(state, outcome.State);
    }

    private static void Invalid(
        PersistentReserveOutOutcome outcome, PersistentReservation state, int offset, int? bit = null)
    {
        Assert.Equal(SenseData.InvalidFieldInParameterList(offset, bit), outcome.Sense);
        Assert.Equal(ScsiStatus.CheckCondition, outcome.Status);
        Assert.Same(state, outcome.State);
    }
}
