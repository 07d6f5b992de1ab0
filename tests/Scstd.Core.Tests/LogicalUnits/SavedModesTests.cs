using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests.LogicalUnits;

/// <summary>Saved mode pages: SP of MODE SELECT, PS and the saved values of MODE SENSE (SPC-4 §5.9, §6.11).</summary>
public sealed class SavedModesTests : IDisposable
{
    private const string SenseCurrent = "1A 08 0A 00 FF 00";
    private const string SenseSaved = "1A 08 CA 00 FF 00";
    private const string DescriptorSense = "0A 0A 04 10 00 00 00 00 FF FF 00 00";

    private readonly TestStateStore _store = new();
    private readonly List<TestTarget> _targets = [];

    public void Dispose() => _targets.ForEach(target => target.Dispose());

    [Fact]
    public void Without_a_store_nothing_can_be_saved()
    {
        var target = new TestTarget(new TestBackend());
        _targets.Add(target);
        Save(target.Login(), DescriptorSense).MustBeInvalidInCdb(1, 0);
    }

    [Fact]
    public void Ps_says_that_a_page_can_be_saved() =>
        Assert.Equal("0F 00 10 00 8A 0A 00 10 00 00 00 00 FF FF 00 00", Sense(Start().Login(), SenseCurrent));

    [Fact]
    public void Saved_values_that_were_never_saved_are_the_defaults() =>
        Assert.Equal("0F 00 10 00 8A 0A 00 10 00 00 00 00 FF FF 00 00", Sense(Start().Login(), SenseSaved));

    [Fact]
    public void What_was_saved_is_current_after_a_restart()
    {
        Save(Start().Login(), DescriptorSense).MustBeGood();
        TestInitiator initiator = Start().Login();
        Assert.Equal("0F 00 10 00 8A 0A 04 10 00 00 00 00 FF FF 00 00", Sense(initiator, SenseCurrent));
        Assert.Equal("0F 00 10 00 8A 0A 04 10 00 00 00 00 FF FF 00 00", Sense(initiator, SenseSaved));
    }

    [Fact]
    public void What_was_selected_without_sp_ends_with_a_reset_and_what_was_saved_comes_back()
    {
        TestInitiator initiator = Start().Login();
        Save(initiator, DescriptorSense).MustBeGood();
        Select(initiator, 0x10, "0A 0A 00 10 08 00 00 00 FF FF 00 00").MustBeGood();
        initiator.Request(TaskManagementFunction.LogicalUnitReset);
        initiator.TakeUnitAttentions();
        Assert.Equal("0F 00 10 00 8A 0A 04 10 00 00 00 00 FF FF 00 00", Sense(initiator, SenseCurrent));
    }

    [Fact]
    public void The_status_waits_for_the_save()
    {
        TestInitiator initiator = Start().Login();
        _store.Holds = true;
        byte[] list = Hex.Bytes($"00 00 00 00 {DescriptorSense}");
        TestCommand command = initiator.Send(
            Lun.FromNumber(0), [0x15, 0x11, 0, 0, (byte)list.Length, 0], list);
        _targets[^1].Executor.Run();
        Assert.False(command.IsAnswered);
        _store.Settle(succeeds: true);
        _targets[^1].Executor.Run();
        command.MustBeGood();
    }

    [Fact]
    public void A_save_that_fails_changes_nothing_and_says_so()
    {
        TestTarget target = Start();
        TestInitiator initiator = target.Login(), other = target.Login();
        _store.Fails = true;
        Save(initiator, DescriptorSense)
            .MustBe(new SenseData(SenseKey.HardwareError, AdditionalSense.InternalTargetFailure));
        Assert.Equal("0F 00 10 00 8A 0A 00 10 00 00 00 00 FF FF 00 00", Sense(initiator, SenseCurrent));
        Assert.Equal("0F 00 10 00 8A 0A 00 10 00 00 00 00 FF FF 00 00", Sense(initiator, SenseSaved));
        Assert.Equal(0, other.ItlNexus.UnitAttentions.Count);
    }

    /// <summary>The Control page comes first in the list and is changed already when the device server gives up.
    /// </summary>
    [Theory]
    [InlineData(0x10)]
    [InlineData(0x11)]
    public void What_the_device_server_cannot_do_changes_no_page_and_saves_none(byte flags)
    {
        TestTarget target = Start();
        TestInitiator initiator = target.Login(), other = target.Login();
        var lost = new SenseData(SenseKey.MediumError, AdditionalSense.WriteError);
        _backend.RefuseModePage = _ => lost;
        Select(initiator, flags, $"{DescriptorSense} 08 02 00 11").MustBe(lost);
        Assert.Equal("0F 00 10 00 8A 0A 00 10 00 00 00 00 FF FF 00 00", Sense(initiator, SenseCurrent));
        Assert.Equal("07 00 10 00 88 02 04 11", Sense(initiator, "1A 08 08 00 FF 00"));
        Assert.Equal("07 00 10 00 88 02 04 11", Sense(initiator, "1A 08 C8 00 FF 00"));
        Assert.Equal(0, other.ItlNexus.UnitAttentions.Count);
        Assert.Empty(_store.Contents);
        Assert.Equal([0x04, 0x11], _backend.ChangedPages[^1].Current);
    }

    [Fact]
    public void Sp_saves_the_pages_that_are_not_in_the_list_as_they_are()
    {
        TestInitiator initiator = Start().Login();
        Select(initiator, 0x10, DescriptorSense).MustBeGood();
        Save(initiator, "08 02 00 11").MustBeGood();
        Assert.Equal("0F 00 10 00 8A 0A 04 10 00 00 00 00 FF FF 00 00", Sense(initiator, SenseSaved));
        Assert.Equal("07 00 10 00 88 02 00 11", Sense(initiator, "1A 08 C8 00 FF 00"));
    }

    [Fact]
    public void A_saved_page_of_the_device_server_is_told_to_it_at_the_start()
    {
        Save(Start().Login(), "08 02 00 11").MustBeGood();
        Start();
        Assert.Equal([0x00, 0x11], Assert.Single(_backend.ChangedPages).Current);
    }

    [Fact]
    public void What_the_configuration_no_longer_lets_change_is_as_it_says()
    {
        Save(Start().Login(), "08 02 00 11").MustBeGood();
        _changeable = false;
        Assert.Equal("07 00 10 00 88 02 04 11", Sense(Start().Login(), "1A 08 08 00 FF 00"));
    }

    [Fact]
    public void Saved_values_that_are_not_whole_stop_the_start()
    {
        _store.Contents[("unit0", "modes")] = [1, 0x0A, 0, 0, 10, 0];
        Assert.Throws<UnitStateException>(() => Start());
        _store.Contents[("unit0", "modes")] = [2];
        Assert.Throws<UnitStateException>(() => Start());
        _store.Contents.Clear();
    }

    private TestBackend _backend = new();
    private bool _changeable = true;

    /// <summary>The daemon is started anew with what was saved.</summary>
    private TestTarget Start()
    {
        _backend = new TestBackend
        {
            ModePages = [ModeSenseTests.Page(0x08, [0x04, 0x11], [_changeable ? (byte)0x04 : (byte)0x00, 0x00])],
        };
        var target = new TestTarget(_backend, _store);
        _targets.Add(target);
        return target;
    }

    private static TestCommand Save(TestInitiator initiator, string page) => Select(initiator, 0x11, page);

    private static TestCommand Select(TestInitiator initiator, byte flags, string page)
    {
        byte[] list = Hex.Bytes($"00 00 00 00 {page}");
        return initiator.Execute([0x15, flags, 0, 0, (byte)list.Length, 0], list);
    }

    private static string Sense(TestInitiator initiator, string cdb) => initiator.Execute(Hex.Bytes(cdb)).DataOfGood();
}
