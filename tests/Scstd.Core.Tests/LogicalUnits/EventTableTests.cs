using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests.LogicalUnits;

/// <summary>
/// Each event that establishes unit attention conditions (SAM-5 §5.14): exactly the right one, on exactly the right
/// nexuses. Reservations and LUN maps have theirs in classes of their own.
/// </summary>
public sealed class EventTableTests : IDisposable
{
    private static readonly AdditionalSense[] None = [];

    private readonly HeldUnit _unit = new();
    private readonly TestInitiator _actor;
    private readonly TestInitiator _other;
    private readonly TestInitiator _third;

    public EventTableTests()
    {
        _actor = _unit.Target.Login();
        _other = _unit.Target.Login();
        _third = _unit.Target.Login();
    }

    public void Dispose() => _unit.Dispose();

    [Fact]
    public void Power_on_29_01_to_an_initiator_port_that_was_here_before()
    {
        TestInitiator first = _unit.Target.Login(keepUnitAttention: true);
        Expect(first, AdditionalSense.PowerOnOccurred);
        ExpectNothing(_actor, _other, _third);
    }

    [Fact]
    public void Microcode_3F_01_behind_the_power_on_to_an_initiator_port_that_another_version_served()
    {
        TestInitiator first = _unit.Target.Login(keepUnitAttention: true, hasNewMicrocode: true);
        Assert.Equal([AdditionalSense.PowerOnOccurred, AdditionalSense.MicrocodeHasBeenChanged],
            first.ItlNexus.UnitAttentions.Pending.ToArray());
        ExpectNothing(_actor, _other, _third);
    }

    [Fact]
    public void Login_29_00_to_an_initiator_port_that_never_was_here()
    {
        TestInitiator stranger = _unit.Target.Login(keepUnitAttention: true, isStranger: true);
        Expect(stranger, AdditionalSense.PowerOnResetOrBusDeviceReset);
        ExpectNothing(_actor, _other, _third);
    }

    [Fact]
    public void Nexus_loss_29_07_to_the_initiator_port_that_comes_back()
    {
        _other.Logout();
        TestInitiator again = _unit.Target.Login(keepUnitAttention: true, afterLoss: true);
        Expect(again, AdditionalSense.ItNexusLossOccurred);
        ExpectNothing(_actor, _third);
    }

    [Fact]
    public void Nexus_reset_29_07_to_its_own_nexus()
    {
        _actor.Request(TaskManagementFunction.ItNexusReset);
        Expect(_actor, AdditionalSense.ItNexusLossOccurred);
        ExpectNothing(_other, _third);
    }

    [Fact]
    public void Logical_unit_reset_29_03_to_all()
    {
        _actor.Request(TaskManagementFunction.LogicalUnitReset);
        ExpectOfAll(AdditionalSense.BusDeviceResetFunctionOccurred);
    }

    [Theory]
    [InlineData(TaskManagementFunction.TargetWarmReset)]
    [InlineData(TaskManagementFunction.TargetColdReset)]
    public void Target_reset_29_00_to_all(TaskManagementFunction function)
    {
        _actor.Request(function);
        ExpectOfAll(AdditionalSense.PowerOnResetOrBusDeviceReset);
    }

    [Fact]
    public void Mode_select_2A_01_to_the_others_if_it_changes_something()
    {
        byte[] same = [0, 0, 0, 0, 0x0A, 0x0A, 0x00, 0x10, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0];
        _actor.Execute([0x15, 0x10, 0, 0, 16, 0], same).MustBeGood();
        ExpectNothing(_actor, _other, _third);
        same[6] = 0x04;
        _actor.Execute([0x15, 0x10, 0, 0, 16, 0], same).MustBeGood();
        ExpectOfOthers(AdditionalSense.ModeParametersChanged);
    }

    [Fact]
    public void Log_select_2A_02_to_the_others_if_it_resets_something()
    {
        byte[] reset = [0x4C, 0x02, 0x03, 0, 0, 0, 0, 0, 0, 0];
        _actor.Execute(reset).MustBeGood();
        ExpectNothing(_actor, _other, _third);
        _unit.Fail(_unit.Send(_other, HeldUnit.Read));
        Assert.Equal(1, ReadErrors());
        _actor.Execute(reset).MustBeGood();
        Assert.Equal(0, ReadErrors());
        ExpectOfOthers(AdditionalSense.LogParametersChanged);
    }

    [Fact]
    public void Commands_cleared_2F_00_to_those_that_lost_some_by_clear_task_set()
    {
        _unit.Send(_other, HeldUnit.Move);
        _actor.Nexus.TaskManagementRequested(
            new TaskManagementRequest { Function = TaskManagementFunction.ClearTaskSet });
        _unit.Target.Executor.Run();
        _unit.EndAll();
        Expect(_other, AdditionalSense.CommandsClearedByAnotherInitiator);
        ExpectNothing(_actor, _third);
    }

    [Fact]
    public void Commands_cleared_2F_00_to_those_that_lost_some_by_qerr()
    {
        _unit.Target.Unit.Control.Current[1] |= 0x02;
        _unit.Send(_other, HeldUnit.Move);
        _unit.Fail(_unit.Send(_actor, HeldUnit.Move));
        _unit.EndAll();
        Expect(_other, AdditionalSense.CommandsClearedByAnotherInitiator);
        ExpectNothing(_actor, _third);
    }

    [Fact]
    public void Timestamp_2A_10_to_the_others()
    {
        _actor.Execute([0xA4, 0x0F, 0, 0, 0, 0, 0, 0, 0, 12, 0, 0], new byte[12]).MustBeGood();
        ExpectOfOthers(AdditionalSense.TimestampChanged);
    }

    [Fact]
    public void Capacity_2A_09_to_all() => Announces(AdditionalSense.CapacityDataHasChanged);

    [Fact]
    public void Inquiry_data_3F_03_to_all() => Announces(AdditionalSense.InquiryDataHasChanged);

    [Fact]
    public void Microcode_3F_01_to_all() => Announces(AdditionalSense.MicrocodeHasBeenChanged);

    [Fact]
    public void Thin_provisioning_38_07_to_all() => Announces(AdditionalSense.ThinProvisioningSoftThresholdReached);

    [Fact]
    public void Asymmetric_access_2A_06_to_all_but_who_changed_it()
    {
        _unit.Target.Unit.Announce(AdditionalSense.AsymmetricAccessStateChanged, _actor.Nexus);
        _unit.Target.Executor.Run();
        ExpectOfOthers(AdditionalSense.AsymmetricAccessStateChanged);
    }

    [Theory]
    [InlineData(0x18, 0x09)]
    [InlineData(0x08, 0x07)]
    [InlineData(0x28, 0x08)]
    public void Previous_status_2C_to_the_nexus_that_got_it_with_an_interlock_of_11b(byte status, byte qualifier)
    {
        _unit.Target.Unit.Control.Current[2] |= 0x30;
        TestCommand command = _unit.Send(_actor, HeldUnit.Move);
        _unit.EndWith(command, (ScsiStatus)status);
        Expect(_actor, new AdditionalSense(0x2C, qualifier));
        ExpectNothing(_other, _third);
    }

    private void Announces(AdditionalSense condition)
    {
        bool told = false;
        _unit.Target.Unit.Announce(condition, told: () => told = true);
        Assert.False(told);
        _unit.Target.Executor.Run();
        Assert.True(told);
        ExpectOfAll(condition);
    }

    private int ReadErrors() => _actor.Execute([0x4D, 0, 0x43, 0, 0, 0, 0, 0, 0xFF, 0]).DataIn[^1];

    private void ExpectOfAll(AdditionalSense condition)
    {
        Expect(_actor, condition);
        ExpectOfOthers(condition, actor: [condition]);
    }

    private void ExpectOfOthers(AdditionalSense condition, AdditionalSense[]? actor = null)
    {
        Assert.Equal(actor ?? None, _actor.ItlNexus.UnitAttentions.Pending.ToArray());
        Expect(_other, condition);
        Expect(_third, condition);
    }

    private static void Expect(TestInitiator initiator, AdditionalSense condition) =>
        Assert.Equal([condition], initiator.ItlNexus.UnitAttentions.Pending.ToArray());

    private static void ExpectNothing(params ReadOnlySpan<TestInitiator> initiators)
    {
        foreach (TestInitiator initiator in initiators)
            Assert.Empty(initiator.ItlNexus.UnitAttentions.Pending.ToArray());
    }
}
