using Scstd.Scsi;
using Scstd.Testing;
using static Scstd.Scsi.AsymmetricAccessState;

namespace Scstd.Core.Tests.LogicalUnits;

/// <summary>
/// Asymmetric logical unit access (SPC-4 §5.15): what is done in which state, who is told of a change, and REPORT and
/// SET TARGET PORT GROUPS (§6.37, §6.45). Two ports of one target: port 1 is in group 10, port 2 in group 20.
/// </summary>
public sealed class PortGroupTests : IDisposable
{
    private const string Report = "A3 0A 00 00 00 00 00 00 00 FF 00 00";
    private const byte Move = HeldUnit.Move;

    private static readonly TargetPortName One = new("iqn.2026-11.test:target", 1);
    private static readonly TargetPortName Two = One with { RelativePortId = 2 };

    private static readonly TargetPortIdentity SecondPort = TestInitiator.Target with
    {
        PortName = "iqn.2026-11.test:target,t,0x0002",
        RelativePortId = 2,
        PortGroupTag = 2,
    };

    private readonly HeldUnit _held = new();
    private readonly TestInitiator _first;
    private readonly TestInitiator _second;

    public PortGroupTests()
    {
        Unit.TargetPorts = [One, Two, new TargetPortName("iqn.2026-11.test:other", 7)];
        Unit.BeginWith(Groups(ActiveOptimized, ActiveNonOptimized));
        _first = _held.Target.Login();
        _second = _held.Target.Login(target: SecondPort);
    }

    private LogicalUnit Unit => _held.Target.Unit;

    public void Dispose() => _held.Dispose();

    // ---- What each state allows ------------------------------------------------------------------------------------

    public static TheoryData<AsymmetricAccessState, string, bool> Allowed()
    {
        const string Always = "12 00 00 00 60 00;A0 00 00 00 00 00 00 00 00 FF 00 00;03 00 00 00 FC 00;" + Report;
        const string InStandby =
            "4D 00 40 00 00 00 00 00 FF 00;1A 08 0A 00 FF 00;5A 08 0A 00 00 00 00 00 FF 00;1C 01 00 00 FF 00;"
            + "1D 04 00 00 00 00;15 10 00 00 00 00;55 10 00 00 00 00 00 00 00 00;4C 00 00 00 00 00 00 00 00 00;"
            + "5E 00 00 00 00 00 00 00 FF 00";
        const string Set = "A4 0A 00 00 00 00 00 00 00 00 00 00";
        const string Never = "00 00 00 00 00 00;C0 00 00 00 00 00;C2 00 00 00 00 00;16 00 00 00 00 00;"
            + "A3 0C 00 00 00 00 00 00 00 FF 00 00";
        var data = new TheoryData<AsymmetricAccessState, string, bool>();
        foreach ((AsymmetricAccessState state, string yes, string no) in
            ((AsymmetricAccessState, string, string)[])
            [
                (ActiveOptimized, $"{Always};{InStandby};{Set}", ""),
                (ActiveNonOptimized, $"{Always};{InStandby};{Set}", ""),
                (Standby, $"{Always};{InStandby};{Set}", Never),
                (Unavailable, $"{Always};{Set}", $"{InStandby};{Never}"),
                (Offline, $"{Always};{Set}", $"{InStandby};{Never}"),
                (Transitioning, Always, $"{InStandby};{Set};{Never}"),
            ])
        {
            foreach (string cdb in yes.Split(';', StringSplitOptions.RemoveEmptyEntries))
                data.Add(state, cdb, true);
            foreach (string cdb in no.Split(';', StringSplitOptions.RemoveEmptyEntries))
                data.Add(state, cdb, false);
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Allowed))]
    public void A_state_allows_what_the_row_says(AsymmetricAccessState state, string cdb, bool isAllowed)
    {
        Change(Groups(ActiveOptimized, state, isExplicit: true));
        _second.TakeUnitAttentions();
        TestCommand command = _second.Execute(Hex.Bytes(cdb));
        if (isAllowed)
            command.MustBeGood();
        else
            command.MustBe(NotReady(state));
        Assert.Empty(_held.Held);
    }

    [Theory]
    [InlineData(Standby, 0x0B)]
    [InlineData(Unavailable, 0x0C)]
    [InlineData(Offline, 0x12)]
    [InlineData(Transitioning, 0x0A)]
    public void Request_sense_tells_why_the_port_is_not_ready(AsymmetricAccessState state, byte qualifier)
    {
        Change(Groups(ActiveOptimized, state));
        _second.TakeUnitAttentions();
        byte[] sense = _second.Execute([0x03, 0, 0, 0, 0xFC, 0]).DataIn;
        Assert.Equal((0x02, 0x04, qualifier), (sense[2], sense[12], sense[13]));
    }

    [Fact]
    public void An_unknown_command_is_unknown_in_every_state()
    {
        Change(Groups(ActiveOptimized, Unavailable));
        _second.TakeUnitAttentions();
        Assert.Equal(AdditionalSense.InvalidCommandOperationCode, _second.Execute(new byte[] { 0xDD, 0, 0, 0, 0, 0 })
            .Sense.Additional);
    }

    [Fact]
    public void The_other_port_serves_on()
    {
        Change(Groups(ActiveOptimized, Unavailable));
        TestCommand command = _held.Send(_first, Move);
        Assert.Equal([command], _held.Held);
        _held.End(command);
        command.MustBeGood();
    }

    [Fact]
    public void A_nexus_that_comes_later_is_in_the_state_of_its_port()
    {
        Change(Groups(ActiveOptimized, Standby));
        TestInitiator late = _held.Target.Login(target: SecondPort);
        Assert.Equal(Standby, late.ItlNexus.AccessState);
        _held.Send(late, Move).MustBe(NotReady(Standby));
    }

    // ---- A change --------------------------------------------------------------------------------------------------

    /// <summary>What is inside ends under the old state; what comes meanwhile meets the new one.</summary>
    [Fact]
    public void No_command_acts_under_the_old_state_once_the_change_is_made()
    {
        TestCommand inside = _held.Send(_second, Move);
        bool isChanged = false;
        Unit.ChangePortGroups(Groups(ActiveOptimized, Unavailable), made => isChanged = made);
        _held.Target.Executor.Run();
        TestCommand behind = _held.Send(_second, Move);
        Assert.False(isChanged);
        Assert.False(behind.IsAnswered);
        _held.End(inside);
        Assert.True(isChanged);
        inside.MustBeGood();
        behind.MustBe(SenseData.UnitAttention(AdditionalSense.AsymmetricAccessStateChanged));
        _held.Send(_second, Move).MustBe(NotReady(Unavailable));
        Assert.Empty(_held.Held);
    }

    [Fact]
    public void Those_whose_ports_are_in_the_group_are_told_2A_06()
    {
        Change(Groups(ActiveOptimized, Standby));
        ExpectTold([], [AdditionalSense.AsymmetricAccessStateChanged]);
    }

    [Fact]
    public void The_same_states_are_no_change()
    {
        Change(Groups(ActiveOptimized, ActiveNonOptimized));
        ExpectTold([], []);
    }

    [Fact]
    public void The_beginning_of_a_transition_is_not_told_and_its_end_is()
    {
        Change(Groups(ActiveOptimized, Transitioning));
        ExpectTold([], []);
        Change(Groups(ActiveOptimized, ActiveNonOptimized));
        ExpectTold([], [AdditionalSense.AsymmetricAccessStateChanged]);
    }

    [Fact]
    public void Another_preference_is_told()
    {
        Change(Groups(ActiveOptimized, ActiveNonOptimized, isPreferred: true));
        ExpectTold([AdditionalSense.AsymmetricAccessStateChanged], []);
    }

    [Fact]
    public void Another_group_or_another_way_to_ask_is_other_inquiry_data()
    {
        Change(null);
        ExpectTold([AdditionalSense.InquiryDataHasChanged], [AdditionalSense.InquiryDataHasChanged]);
        Change(Groups(ActiveOptimized, ActiveNonOptimized));
        ExpectTold([AdditionalSense.InquiryDataHasChanged], [AdditionalSense.InquiryDataHasChanged]);
        Change(Groups(ActiveOptimized, ActiveNonOptimized, isExplicit: true));
        ExpectTold([AdditionalSense.InquiryDataHasChanged], [AdditionalSense.InquiryDataHasChanged]);
        Change(new PortGroups([Group(10, ActiveOptimized, true, One)]));
        ExpectTold([], [AdditionalSense.InquiryDataHasChanged, AdditionalSense.AsymmetricAccessStateChanged]);
    }

    // ---- What is reported ------------------------------------------------------------------------------------------

    [Fact]
    public void ReportTargetPortGroups_tells_the_groups_of_this_targets_ports() => Assert.Equal(
        "00 00 00 18 00 CF 00 0A 00 00 00 01 00 00 00 01 01 CF 00 14 00 00 00 01 00 00 00 02",
        _first.Execute(Hex.Bytes(Report)).DataOfGood());

    [Fact]
    public void The_extended_header_comes_where_it_is_asked_for() => Assert.Equal(
        "00 00 00 1C 10 00 00 00 00 CF 00 0A 00 00 00 01 00 00 00 01 01 CF 00 14 00 00 00 01 00 00 00 02",
        _second.Execute(Hex.Bytes(Report.Replace("A3 0A", "A3 2A"))).DataOfGood());

    [Fact]
    public void Preference_and_cause_are_told()
    {
        Change(Groups(ActiveOptimized, Standby, isPreferred: true));
        _first.TakeUnitAttentions();
        Assert.Equal(
            "00 00 00 18 80 CF 00 0A 00 00 00 01 00 00 00 01 02 CF 00 14 00 02 00 01 00 00 00 02",
            _first.Execute(Hex.Bytes(Report)).DataOfGood());
    }

    /// <summary>Every port is in a group: what nobody put into one is in group 0.</summary>
    [Fact]
    public void Ports_that_are_in_no_group_are_in_group_0()
    {
        Change(new PortGroups([Group(20, Standby, false, Two)]));
        _first.TakeUnitAttentions();
        Assert.Equal(
            "00 00 00 18 00 CF 00 00 00 00 00 01 00 00 00 01 02 CF 00 14 00 02 00 01 00 00 00 02",
            _first.Execute(Hex.Bytes(Report)).DataOfGood());
        Assert.Equal(ActiveOptimized, _first.ItlNexus.AccessState);
    }

    [Theory]
    [InlineData("A3 4A 00 00 00 00 00 00 00 FF 00 00", 1, 7)]
    [InlineData("A3 0A 01 00 00 00 00 00 00 FF 00 00", 2, 0)]
    public void A_format_that_is_not_known_is_refused(string cdb, int offset, int bit) =>
        _first.Execute(Hex.Bytes(cdb)).MustBeInvalidInCdb(offset, bit);

    [Fact]
    public void Inquiry_tells_how_the_groups_change_and_the_designator_which_it_is()
    {
        Assert.Equal((0x10, 0x14), Inquiry(_second));
        Change(Groups(ActiveOptimized, ActiveNonOptimized, isExplicit: true));
        Assert.Equal((0x30, 0x14), Inquiry(_second));
        Change(null);
        Assert.Equal((0x00, 0x02), Inquiry(_second));
    }

    [Fact]
    public void Without_groups_there_is_no_command_to_ask()
    {
        Change(null);
        _first.TakeUnitAttentions();
        _first.Execute(Hex.Bytes(Report)).MustBeInvalidInCdb(1, 4);
        Assert.Null(Unit.Commands.Find(Hex.Bytes(Report)));
    }

    // ---- SET TARGET PORT GROUPS ------------------------------------------------------------------------------------

    [Fact]
    public void SetTargetPortGroups_is_there_only_where_the_configuration_allows_it() =>
        Set(_first, "00 00 00 14").MustBeInvalidInCdb(1, 4);

    [Fact]
    public void SetTargetPortGroups_changes_the_states_and_tells_all_but_its_sender()
    {
        var told = new List<IReadOnlyDictionary<ushort, AsymmetricAccessState>>();
        Unit.PortGroupStatesSet = told.Add;
        Change(Groups(ActiveOptimized, Standby, isExplicit: true));
        TestInitiator beside = _held.Target.Login(target: SecondPort);
        _first.TakeUnitAttentions();
        _second.TakeUnitAttentions();
        Set(_second, "01 00 00 0A 00 00 00 14").MustBeGood();
        ExpectTold([AdditionalSense.AsymmetricAccessStateChanged], []);
        Assert.Equal(
            [AdditionalSense.AsymmetricAccessStateChanged], beside.ItlNexus.UnitAttentions.Pending.ToArray());
        Assert.Equal(
            "00 00 00 18 01 CF 00 0A 00 01 00 01 00 00 00 01 00 CF 00 14 00 01 00 01 00 00 00 02",
            _second.Execute(Hex.Bytes(Report)).DataOfGood());
        Assert.Equal([(10, ActiveNonOptimized), (20, ActiveOptimized)],
            Assert.Single(told).Select(one => ((int)one.Key, one.Value)));
    }

    [Theory]
    [InlineData("0E 00 00 14", 4, 3)]
    [InlineData("0F 00 00 14", 4, 3)]
    [InlineData("00 00 00 0B", 6, null)]
    [InlineData("00 00 00 00", 6, null)]
    [InlineData("02 00 00 14 03 00 00 14", 10, null)]
    public void A_bad_descriptor_changes_nothing(string descriptors, int offset, int? bit)
    {
        Change(Groups(ActiveOptimized, ActiveNonOptimized, isExplicit: true));
        _first.TakeUnitAttentions();
        _second.TakeUnitAttentions();
        Set(_first, descriptors).MustBe(SenseData.InvalidFieldInParameterList(offset, bit));
        Assert.Equal(ActiveNonOptimized, _second.ItlNexus.AccessState);
        ExpectTold([], []);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(7)]
    public void A_list_that_is_not_whole_is_a_length_error(byte length)
    {
        Change(Groups(ActiveOptimized, ActiveNonOptimized, isExplicit: true));
        _first.TakeUnitAttentions();
        _first.Execute([0xA4, 0x0A, 0, 0, 0, 0, 0, 0, 0, length, 0, 0], new byte[length])
            .MustBe(SenseData.IllegalRequest(AdditionalSense.ParameterListLengthError));
    }

    [Fact]
    public void A_group_that_only_administrators_change_is_not_an_initiators()
    {
        Change(new PortGroups([Group(10, ActiveOptimized, true, One), Group(20, Standby, false, Two)]));
        _first.TakeUnitAttentions();
        Set(_first, "00 00 00 14").MustBe(SenseData.InvalidFieldInParameterList(6));
    }

    private static SenseData NotReady(AsymmetricAccessState state) => new(SenseKey.NotReady, new AdditionalSense(
        0x04, state switch { Standby => 0x0B, Unavailable => 0x0C, Offline => 0x12, _ => 0x0A }));

    private static PortGroups Groups(
        AsymmetricAccessState one, AsymmetricAccessState two, bool isExplicit = false, bool isPreferred = false) => new(
    [
        Group(10, one, isExplicit, One) with { IsPreferred = isPreferred }, Group(20, two, isExplicit, Two),
    ]);

    private static TargetPortGroup Group(
        ushort id, AsymmetricAccessState state, bool isExplicit, TargetPortName port) =>
        new(id, state, IsPreferred: false, isExplicit) { Ports = [port] };

    private void Change(PortGroups? next)
    {
        bool isChanged = false;
        Unit.ChangePortGroups(next, made => isChanged = made);
        _held.Target.Executor.Run();
        Assert.True(isChanged);
    }

    private static TestCommand Set(TestInitiator initiator, string descriptors)
    {
        byte[] list = [0, 0, 0, 0, .. Hex.Bytes(descriptors)];
        return initiator.Execute([0xA4, 0x0A, 0, 0, 0, 0, 0, 0, 0, (byte)list.Length, 0, 0], list);
    }

    /// <summary>Byte 5 of the standard data, and the target port group designator (type 5) of page 83h.</summary>
    private static (int Support, int Group) Inquiry(TestInitiator initiator)
    {
        int support = initiator.Execute([0x12, 0, 0, 0, 0x60, 0]).DataIn[5];
        byte[] page = initiator.Execute([0x12, 1, 0x83, 0, 0xFF, 0]).DataIn;
        int at = 4;
        while ((page[at + 1] & 0x0F) != 5)
            at += 4 + page[at + 3];
        return (support, (page[at + 6] << 8) | page[at + 7]);
    }

    /// <summary>And takes it.</summary>
    private void ExpectTold(AdditionalSense[] first, AdditionalSense[] second)
    {
        Assert.Equal(first, _first.ItlNexus.UnitAttentions.Pending.ToArray());
        Assert.Equal(second, _second.ItlNexus.UnitAttentions.Pending.ToArray());
        _first.TakeUnitAttentions();
        _second.TakeUnitAttentions();
    }
}
