using Scstd.Scsi;
using Scstd.Testing;
using static Scstd.Scsi.PersistentReserveOutAction;

namespace Scstd.Core.Tests.Reservations;

/// <summary>Persistent reservations of one unit and three initiators.</summary>
public sealed class PersistentReserveTests : IDisposable
{
    private const byte ReadKeys = 0, ReadReservation = 1, ReportCapabilities = 2, ReadFullStatus = 3;

    private static readonly CommandRow[] DiskRows =
    [
        Row("READ", 0xC3, CommandTraits.AllowedUnderWriteExclusive),
        Row("WRITE", 0xC4, CommandTraits.None),
        Row("READ CAPACITY", 0xC5, CommandTraits.AllowedUnderReserve | CommandTraits.AllowedUnderWriteExclusive |
            CommandTraits.AllowedUnderExclusiveAccess),
    ];

    private readonly TestTarget _target = new(new TestBackend
    {
        Commands = [.. DiskRows.Select(row => new CommandBinding(row, static command => command.Complete()))],
    });

    private readonly TestInitiator _a;
    private readonly TestInitiator _b;
    private readonly TestInitiator _c;

    public PersistentReserveTests()
    {
        _a = _target.Login();
        _b = _target.Login();
        _c = _target.Login();
    }

    public void Dispose() => _target.Dispose();

    // ---- PERSISTENT RESERVE IN -------------------------------------------------------------------

    [Fact]
    public void An_untouched_unit_reports_nothing()
    {
        foreach (byte action in (byte[])[ReadKeys, ReadReservation, ReadFullStatus])
            Assert.Equal("00 00 00 00 00 00 00 00", _a.In(action).DataOfGood());
        Assert.Equal("00 08 1C B0 EA 01 00 00", _a.In(ReportCapabilities).DataOfGood());
    }

    [Fact]
    public void Keys_are_reported_in_the_order_of_registration_with_the_whole_length_always()
    {
        _b.Register(0xB0B);
        _a.Register(0xA0A);
        const string All = "00 00 00 02 00 00 00 10 00 00 00 00 00 00 0B 0B 00 00 00 00 00 00 0A 0A";
        Assert.Equal(All, _c.In(ReadKeys).DataOfGood());
        for (ushort length = 0; length <= 24; length++)
        {
            string expected = length == 0 ? "" : All[..((length * 3) - 1)];
            Assert.Equal(expected, _c.In(ReadKeys, length).DataOfGood());
        }
    }

    [Fact]
    public void The_reservation_is_reported_with_its_holders_key()
    {
        _a.Register(0xA);
        _a.Out(Reserve, key: 0xA, type: 5).MustBeGood();
        Assert.Equal("00 00 00 01 00 00 00 10 00 00 00 00 00 00 00 0A 00 00 00 00 00 05 00 00",
            _b.In(ReadReservation).DataOfGood());
        _a.Out(Release, key: 0xA, type: 5).MustBeGood();
        _a.Out(Reserve, key: 0xA, type: 8).MustBeGood();
        Assert.Equal("00 00 00 01 00 00 00 10 00 00 00 00 00 00 00 00 00 00 00 00 00 08 00 00",
            _b.In(ReadReservation).DataOfGood());
    }

    [Fact]
    public void The_full_status_describes_each_nexus()
    {
        _a.Register(0xA);
        _b.Register(0xB);
        _a.Out(Reserve, key: 0xA, type: 1).MustBeGood();
        string Id(string name) =>
            "45 00 00 30 " + Hex.Ascii($"iqn.2026-11.test:{name},i,0x000000000001") + " 00 00 00 00";
        string expected = "00 00 00 02 00 00 00 98 " +
            "00 00 00 00 00 00 00 0A 00 00 00 00 01 01 00 00 00 00 00 01 00 00 00 34 " + Id("initiator0") + " " +
            "00 00 00 00 00 00 00 0B 00 00 00 00 00 00 00 00 00 00 00 01 00 00 00 34 " + Id("initiator1");
        Assert.Equal(expected, _c.In(ReadFullStatus).DataOfGood());
        for (ushort length = 1; length < 160; length += 7)
            Assert.Equal(expected[..((length * 3) - 1)], _c.In(ReadFullStatus, length).DataOfGood());
    }

    [Fact]
    public void One_descriptor_stands_for_all_target_ports_only_where_they_are_the_same()
    {
        _target.Unit.TargetPorts = [new("iqn.2026-11.test:target", 1), new("iqn.2026-11.test:target", 7)];
        _a.Register(0xA, flags: 0x04);
        byte[] status = _c.In(ReadFullStatus).DataIn;
        Assert.Equal((8 + 24 + 52, 2), (status.Length, status[8 + 12]));
        _a.Out(Reserve, key: 0xA, type: 1).MustBeGood();
        status = _c.In(ReadFullStatus).DataIn;
        Assert.Equal((8 + 76 + 76, 1, 0), (status.Length, status[8 + 12], status[8 + 76 + 12]));
        Assert.Equal((1, 7), (status[8 + 19], status[8 + 76 + 19]));
        Assert.Equal(16, _c.In(ReadKeys).DataIn[7]);
    }

    [Fact]
    public void Sixty_five_thousand_registrations_are_kept_found_and_reported()
    {
        const int Count = 65_536;
        RegistrantName own = _a.Nexus.Registrant;
        PersistentReservation state = PersistentReservation.None.With(
            [(own, 0xA, false), .. Enumerable.Range(2, Count - 1).Select(n =>
                (own with { Initiator = TransportId.OfFibreChannelPort((ulong)n) }, (ulong)n, false))], []);
        _target.Unit.Take(new PersistentReserveOutOutcome(state), own);
        _a.Out(Reserve, key: 0xA, type: 1).MustBeGood();
        _b.Out(Register, newKey: 1).MustBe(
            SenseData.IllegalRequest(AdditionalSense.InsufficientRegistrationResources));
        Write(_a).MustBeGood();
        byte[] keys = _b.In(ReadKeys, ushort.MaxValue).DataIn;
        Assert.Equal(ushort.MaxValue, keys.Length);
        Assert.Equal(8u * Count, System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(keys.AsSpan(4)));
    }

    /// <summary>What the initiator has no room for is counted and not written.</summary>
    [Fact]
    public void The_length_of_the_full_status_is_told_whatever_part_of_it_is_asked_for()
    {
        const int Count = 3_000;
        RegistrantName own = _a.Nexus.Registrant;
        PersistentReservation state = PersistentReservation.None.With(
            [(own, 0xA, false), .. Enumerable.Range(2, Count - 1).Select(n =>
                (own with { Initiator = TransportId.OfPortName($"iqn.a:b,i,0x{n:x12}")! }, (ulong)n, false))], []);
        _target.Unit.Take(new PersistentReserveOutOutcome(state), own);
        _a.Out(Reserve, key: 0xA, type: 1).MustBeGood();
        byte[] whole = _b.In(ReadFullStatus, ushort.MaxValue).DataIn;
        Assert.Equal(ushort.MaxValue, whole.Length);
        foreach (ushort length in (ushort[])[4, 8, 9, 84, 85, 4_096])
            Assert.Equal(whole[..length], _b.In(ReadFullStatus, length).DataIn);
        int others = 24 + TransportId.OfPortName("iqn.a:b,i,0x000000000001")!.LengthBytes;
        Assert.Equal((uint)((others * (Count - 1)) + 24 + own.Initiator.LengthBytes),
            System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(whole.AsSpan(4)));
    }

    // ---- What PERSISTENT RESERVE OUT refuses -----------------------------------------------------

    /// <summary>Such a port could never log in at the port that the list came by.</summary>
    [Fact]
    public void An_initiator_port_of_another_protocol_is_refused_at_its_place()
    {
        byte[] own = IdOf(_b.Nexus.Registrant.Initiator);
        byte[] foreign = IdOf(TransportId.OfFibreChannelPort(0x21));
        _a.Out(Register, WithPorts(0xA, own, foreign))
            .MustBe(SenseData.InvalidFieldInParameterList(28 + own.Length));
        _a.Register(0xA);
        _a.Out(Reserve, key: 0xA, type: 1).MustBeGood();
        byte[] move = [.. PersistentReserve.List(0xA, 0xB), .. foreign];
        (move[19], move[23]) = (1, (byte)foreign.Length);
        _a.Out(RegisterAndMove, move).MustBe(SenseData.InvalidFieldInParameterList(24));
    }

    /// <summary>The rest of the list is not even read.</summary>
    [Fact]
    public void More_initiator_ports_than_may_be_registered_are_too_many()
    {
        byte[] id = IdOf(_b.Nexus.Registrant.Initiator);
        byte[] wrong = [0x0F, .. new byte[23]];
        byte[][] ids = [.. Enumerable.Repeat(id, LogicalUnit.UsualMaxRegistrations), wrong];
        byte[] list = WithPorts(0xA, ids);
        byte[] cdb = PersistentReserve.Cdb(Register, 0);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(cdb.AsSpan(5), (uint)list.Length);
        _a.Execute(cdb, list).MustBe(
            SenseData.IllegalRequest(AdditionalSense.InsufficientRegistrationResources));
    }

    private static byte[] IdOf(TransportId id)
    {
        byte[] bytes = new byte[id.LengthBytes];
        id.Write(bytes);
        return bytes;
    }

    /// <summary>The list of REGISTER with SPEC_I_PT.</summary>
    private static byte[] WithPorts(ulong newKey, params byte[][] ids)
    {
        byte[] all = [.. ids.SelectMany(id => id)];
        byte[] length = new byte[4];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(length, (uint)all.Length);
        return [.. PersistentReserve.List(0, newKey, flags: 0x08), .. length, .. all];
    }

    [Theory]
    [InlineData(0)]
    [InlineData(23)]
    [InlineData(25)]
    public void A_list_of_another_length_is_an_error(int length)
    {
        byte[] list = new byte[length];
        _a.Execute(PersistentReserve.Cdb(Register, length), length == 0 ? null : list, 0)
            .MustBe(SenseData.IllegalRequest(AdditionalSense.ParameterListLengthError));
    }

    [Theory]
    [InlineData(20, 0x10, 4)]
    [InlineData(20, 0x80, 7)]
    [InlineData(20, 0x02, 1)]
    [InlineData(20, 0x01, 0)] // APTPL, and nowhere to keep it
    [InlineData(21, 0x01, null)]
    public void A_field_that_is_reserved_or_not_to_be_had_is_told_with_its_place(int offset, byte value, int? bit)
    {
        byte[] list = PersistentReserve.List(0, 1);
        list[offset] = value;
        _a.Out(Register, list).MustBe(SenseData.InvalidFieldInParameterList(offset, bit));
        Assert.Equal("00 00 00 00 00 00 00 00", _a.In(ReadKeys).DataOfGood());
    }

    [Fact]
    public void Initiator_ports_that_are_named_are_registered_and_what_is_no_port_is_refused()
    {
        TransportId other = TransportId.OfPortName("iqn.2026-11.test:later,i,0x5")!;
        byte[] list = [.. PersistentReserve.List(0, 0xA, flags: 0x08), 0, 0, 0, (byte)other.LengthBytes,
            .. new byte[other.LengthBytes]];
        other.Write(list.AsSpan(28));
        _a.Out(Register, list[..^4]).MustBe(SenseData.IllegalRequest(AdditionalSense.ParameterListLengthError));
        byte[] nameOnly = [.. PersistentReserve.List(0, 0xA, flags: 0x08), 0, 0, 0, 24, .. new byte[24]];
        TransportId.OfPortName("iqn.a")!.Write(nameOnly.AsSpan(28));
        _a.Out(Register, nameOnly).MustBe(SenseData.InvalidFieldInParameterList(28));
        byte[] wrongInside = [.. list];
        wrongInside[29] = 1;
        _a.Out(Register, wrongInside).MustBe(SenseData.InvalidFieldInParameterList(29));
        _a.Out(Register, list).MustBeGood();
        Assert.Equal(16, _b.In(ReadKeys).DataIn[7]);
        TestInitiator later = _target.Login(name: "iqn.2026-11.test:later,i,0x5");
        later.Out(Reserve, key: 0xA, type: 1).MustBeGood();
    }

    [Fact]
    public void A_reservation_moves_to_a_port_that_is_not_there_yet()
    {
        TransportId other = TransportId.OfPortName("iqn.2026-11.test:later,i,0x5")!;
        byte[] list = new byte[24 + other.LengthBytes];
        PersistentReserve.List(0xA, 0xD).AsSpan(0, 16).CopyTo(list);
        (list[17], list[19], list[23]) = (0x02, 1, (byte)other.LengthBytes);
        other.Write(list.AsSpan(24));
        _a.Register(0xA);
        _a.Out(RegisterAndMove, list).MustBe(SenseData.InvalidFieldInCdb(1, 4));
        _a.Out(Reserve, key: 0xA, type: 3).MustBeGood();
        byte[] cut = [.. list];
        cut[23] -= 4;
        _a.Out(RegisterAndMove, cut).MustBe(SenseData.IllegalRequest(AdditionalSense.ParameterListLengthError));
        byte[] reserved = [.. list];
        reserved[17] |= 0x40;
        _a.Out(RegisterAndMove, reserved).MustBe(SenseData.InvalidFieldInParameterList(17, 6));
        byte[] nowhere = [.. list];
        nowhere[18] = 9;
        _a.Out(RegisterAndMove, nowhere).MustBe(SenseData.InvalidFieldInParameterList(18));
        _a.Out(RegisterAndMove, list).MustBeGood();
        Write(_a).MustConflict();
        TestInitiator later = _target.Login(name: "iqn.2026-11.test:later,i,0x5");
        Write(later).MustBeGood();
        Assert.Equal("00 00 00 02 00 00 00 08 00 00 00 00 00 00 00 0D", _c.In(ReadKeys).DataOfGood());
        Assert.Empty(_b.Attentions());
    }

    // ---- Enforcement -----------------------------------------------------------------------------

    [Theory]
    [InlineData(1, false, true, false)]
    [InlineData(3, false, false, false)]
    [InlineData(5, true, true, true)]
    [InlineData(6, true, false, true)]
    [InlineData(7, true, true, true)]
    [InlineData(8, true, false, true)]
    public void Each_type_lets_pass_what_it_says(
        byte type, bool registrantWrites, bool strangerReads, bool registrantReadsAnyway)
    {
        _a.Register(0xA);
        _b.Register(0xB);
        _a.Out(Reserve, key: 0xA, type: type).MustBeGood();
        Write(_a).MustBeGood();
        Must(Write(_b), registrantWrites);
        Must(Read(_b), strangerReads || registrantReadsAnyway);
        Write(_c).MustConflict();
        Must(Read(_c), strangerReads);
        _c.Execute([0xC5, 0, 0, 0, 0, 0]).MustBeGood();
        _c.Execute([0x00, 0, 0, 0, 0, 0]).MustBeGood();
        Must(_c.Execute([0x1A, 0, 0x0A, 0, 0xFF, 0]), strangerReads);
        TestInitiator late = _target.Login();
        Write(late).MustConflict();
        _a.Out(Release, key: 0xA, type: type).MustBeGood();
        Write(late).MustBeGood();
    }

    [Fact]
    public void A_session_that_comes_back_is_who_it_was()
    {
        _a.Register(0xA);
        _a.Out(Reserve, key: 0xA, type: 3).MustBeGood();
        string name = _a.Nexus.InitiatorPort;
        _a.Logout();
        Write(_b).MustConflict();
        TestInitiator again = _target.Login(name: name);
        Write(again).MustBeGood();
        again.Out(Release, key: 0xA, type: 3).MustBeGood();
        Write(_b).MustBeGood();
    }

    [Theory]
    [InlineData(TaskManagementFunction.LogicalUnitReset)]
    [InlineData(TaskManagementFunction.TargetColdReset)]
    [InlineData(TaskManagementFunction.ItNexusReset)]
    public void A_reset_leaves_it_alone(TaskManagementFunction function)
    {
        _a.Register(0xA);
        _a.Out(Reserve, key: 0xA, type: 1).MustBeGood();
        _a.Request(function);
        foreach (TestInitiator initiator in new[] { _a, _b, _c })
            initiator.TakeUnitAttentions();
        Write(_b).MustConflict();
        Write(_a).MustBeGood();
    }

    [Fact]
    public void The_conflict_comes_before_a_unit_attention_but_not_before_a_reset()
    {
        _a.Register(0xA);
        _a.Out(Reserve, key: 0xA, type: 1).MustBeGood();
        _b.ItlNexus.UnitAttentions.Establish(AdditionalSense.ModeParametersChanged);
        Write(_b).MustConflict();
        _b.ItlNexus.UnitAttentions.Establish(AdditionalSense.PowerOnOccurred);
        Write(_b).MustBe(SenseData.UnitAttention(AdditionalSense.PowerOnOccurred));
        Write(_b).MustConflict();
        Read(_b).MustBe(SenseData.UnitAttention(AdditionalSense.ModeParametersChanged));
    }

    // ---- With SPC-2 reservations -----------------------------------------------------------------

    [Fact]
    public void An_SPC_2_reservation_conflicts_with_both_commands_even_for_its_holder()
    {
        _a.Execute([0x16, 0, 0, 0, 0, 0]).MustBeGood();
        foreach (TestInitiator initiator in new[] { _a, _b })
        {
            initiator.Out(Register, newKey: 1).MustConflict();
            initiator.In(ReadKeys).MustConflict();
        }
        _a.Execute([0x17, 0, 0, 0, 0, 0]).MustBeGood();
        _a.Out(Register, newKey: 1).MustBeGood();
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(3, false)]
    [InlineData(5, true)]
    [InlineData(6, true)]
    [InlineData(7, true)]
    [InlineData(8, true)]
    public void Reserve_and_release_are_handled_compatibly(byte type, bool registrantIsExempt)
    {
        _a.Register(0xA);
        _b.Register(0xB);
        foreach (byte code in (byte[])[0x16, 0x17])
        {
            _a.Execute([code, 0, 0, 0, 0, 0]).MustConflict();
            _c.Execute([code, 0, 0, 0, 0, 0]).MustConflict();
        }
        _a.Out(Reserve, key: 0xA, type: type).MustBeGood();
        foreach (byte code in (byte[])[0x16, 0x17])
        {
            _a.Execute([code, 0, 0, 0, 0, 0]).MustBeGood();
            Must(_b.Execute([code, 0, 0, 0, 0, 0]), registrantIsExempt);
            _c.Execute([code, 0, 0, 0, 0, 0]).MustConflict();
        }
        Assert.Equal(type, _a.In(ReadReservation).DataIn[21]);
        _a.In(ReadKeys).MustBeGood();
    }

    // ---- Unit attentions -------------------------------------------------------------------------

    [Theory]
    [InlineData(1, false)]
    [InlineData(3, false)]
    [InlineData(5, true)]
    [InlineData(6, true)]
    [InlineData(7, true)]
    [InlineData(8, true)]
    public void A_release_is_told_to_the_registrants_that_could_use_it(byte type, bool isTold)
    {
        _a.Register(0xA);
        _b.Register(0xB);
        _a.Out(Reserve, key: 0xA, type: type).MustBeGood();
        _a.Out(Release, key: 0xA, type: type).MustBeGood();
        Expect(_a);
        Expect(_b, isTold ? [AdditionalSense.ReservationsReleased] : []);
        Expect(_c);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(3, false)]
    [InlineData(5, true)]
    [InlineData(6, true)]
    [InlineData(7, false)]
    [InlineData(8, false)]
    public void The_holder_that_unregisters_is_told_of_with_registrants_only(byte type, bool isTold)
    {
        _a.Register(0xA);
        _b.Register(0xB);
        _a.Out(Reserve, key: 0xA, type: type).MustBeGood();
        _a.Register(0);
        Expect(_a);
        Expect(_b, isTold ? [AdditionalSense.ReservationsReleased] : []);
        Expect(_c);
    }

    [Fact]
    public void A_clear_is_told_to_every_other_registrant()
    {
        _a.Register(0xA);
        _b.Register(0xB);
        _a.Out(Clear, key: 0xA).MustBeGood();
        Expect(_a);
        Expect(_b, AdditionalSense.ReservationsPreempted);
        Expect(_c);
    }

    [Fact]
    public void A_preempt_is_told_to_those_deprived_and_a_new_type_to_those_left()
    {
        TestInitiator d = _target.Login();
        _a.Register(0xA);
        _b.Register(0xB);
        _c.Register(0xC);
        _a.Out(Reserve, key: 0xA, type: 5).MustBeGood();
        _b.Out(Preempt, key: 0xB, newKey: 0xA, type: 1).MustBeGood();
        Expect(_a, AdditionalSense.RegistrationsPreempted);
        Expect(_b);
        Expect(_c, AdditionalSense.ReservationsReleased);
        Expect(d);
        Write(_b).MustBeGood();
        Write(_a).MustConflict();
    }

    [Fact]
    public void Registering_reserving_and_moving_are_told_to_nobody()
    {
        _a.Register(0xA);
        _b.Register(0xB);
        _a.Out(Reserve, key: 0xA, type: 1).MustBeGood();
        _a.Register(0xAA);
        _b.Register(0);
        foreach (TestInitiator initiator in new[] { _a, _b, _c })
            Expect(initiator);
    }

    // ---- Parts -----------------------------------------------------------------------------------

    private static TestCommand Read(TestInitiator initiator) => initiator.Execute([0xC3, 0, 0, 0, 0, 0]);

    private static TestCommand Write(TestInitiator initiator) => initiator.Execute([0xC4, 0, 0, 0, 0, 0]);

    private static void Must(TestCommand command, bool good)
    {
        if (good)
            command.MustBeGood();
        else
            command.MustConflict();
    }

    private static void Expect(TestInitiator initiator, params AdditionalSense[] conditions) =>
        Assert.Equal(conditions, initiator.Attentions());

    private static CommandRow Row(string name, byte code, CommandTraits traits) => new()
    {
        Name = name,
        OperationCode = code,
        Traits = traits,
        Usage = [code, 0, 0, 0, 0, 0],
    };
}
