using System.Text;
using Scstd.Scsi;
using Scstd.Testing;
using static Scstd.Scsi.PersistentReserveOutAction;

namespace Scstd.Core.Tests.Reservations;

/// <summary>APTPL, SPC-4 §5.13.5: what was answered is found again; what could not be kept was not done.</summary>
public sealed class PowerLossTests
{
    private const byte Persists = 0x01;
    private const byte ReadKeys = 0, ReportCapabilities = 2;

    private readonly TestStateStore _store = new();

    [Fact]
    public void What_was_answered_is_there_after_a_power_loss()
    {
        using (TestTarget before = Power(out TestInitiator a, out TestInitiator b))
        {
            a.Register(0xA, Persists);
            b.Register(0xB, Persists);
            a.Out(Reserve, key: 0xA, type: 3).MustBeGood();
            Assert.Equal(0x1D, a.In(ReportCapabilities).DataIn[2]);
            Assert.Equal(0xB1, a.In(ReportCapabilities).DataIn[3]);
        }
        using TestTarget after = Power(out TestInitiator again, out TestInitiator other);
        Assert.Equal("00 00 00 00 00 00 00 10 00 00 00 00 00 00 00 0A 00 00 00 00 00 00 00 0B",
            again.In(ReadKeys).DataOfGood());
        other.Execute([0x1A, 0, 0x0A, 0, 0xFF, 0]).MustConflict();
        again.Execute([0x1A, 0, 0x0A, 0, 0xFF, 0]).MustBeGood();
    }

    [Fact]
    public void Without_APTPL_nothing_is_kept_and_what_was_kept_is_taken_away()
    {
        using (TestTarget before = Power(out TestInitiator a, out TestInitiator b))
        {
            a.Register(0xA);
            Assert.Empty(_store.Contents);
            a.Register(0xA, Persists);
            Assert.Single(_store.Contents);
            b.Register(0xB);
            Assert.Empty(_store.Contents);
            a.Register(0xA, Persists);
            a.Out(Clear, key: 0xA).MustBeGood();
            Assert.Empty(_store.Contents);
        }
        using TestTarget after = Power(out TestInitiator again, out _);
        Assert.Equal("00 00 00 00 00 00 00 00", again.In(ReadKeys).DataOfGood());
    }

    [Fact]
    public void What_cannot_be_saved_is_not_done()
    {
        using TestTarget target = Power(out TestInitiator a, out TestInitiator b);
        a.Register(0xA, Persists);
        b.Register(0xB, Persists);
        byte[] keys = a.In(ReadKeys).DataIn;
        _store.Fails = true;
        var failure = new SenseData(SenseKey.HardwareError, AdditionalSense.InternalTargetFailure);
        a.Out(Reserve, key: 0xA, type: 3).MustBe(failure);
        a.Out(Preempt, key: 0xA, newKey: 0xB, type: 3).MustBe(failure);
        a.Out(Clear, key: 0xA).MustBe(failure);
        b.Out(Register, key: 0xB, newKey: 0).MustBe(failure);
        Assert.Equal(keys, a.In(ReadKeys).DataIn);
        Assert.Empty(b.Attentions());
        b.Execute([0x1A, 0, 0x0A, 0, 0xFF, 0]).MustBeGood();
        _store.Fails = false;
        a.Out(Reserve, key: 0xA, type: 3).MustBeGood();
    }

    [Fact]
    public void Neither_status_nor_effect_comes_before_the_save_is_done()
    {
        using TestTarget target = Power(out TestInitiator a, out TestInitiator b);
        a.Register(0xA, Persists);
        _store.Holds = true;
        TestCommand reserve = a.Send(Reserve, PersistentReserve.List(0xA, 0), type: 3);
        target.Executor.Run();
        TestCommand meanwhile = b.Send(Lun.FromNumber(0), [0x1A, 0, 0x0A, 0, 0xFF, 0]);
        target.Executor.Run();
        Assert.False(reserve.IsAnswered || meanwhile.IsAnswered);
        _store.Settle(succeeds: true);
        target.Executor.Run();
        reserve.MustBeGood();
        meanwhile.MustConflict();
    }

    /// <summary>The state is taken or not, whatever becomes of the command that asked for it.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_reset_waits_for_a_save_on_its_way(bool succeeds)
    {
        using TestTarget target = Power(out TestInitiator a, out TestInitiator b);
        _store.Holds = true;
        TestCommand register = a.Send(Register, PersistentReserve.List(0, 0xA, Persists));
        target.Executor.Run();
        var reset = new TaskManagementRequest { Function = TaskManagementFunction.LogicalUnitReset };
        b.Nexus.TaskManagementRequested(reset);
        target.Executor.Run();
        Assert.Empty(b.Port.FunctionsExecuted);
        _store.Settle(succeeds);
        target.Executor.Run();
        Assert.Single(b.Port.FunctionsExecuted);
        Assert.True(register.WasAborted);
        b.TakeUnitAttentions();
        Assert.Equal(succeeds ? 8 : 0, b.In(ReadKeys).DataIn[7]);
        Assert.Equal(succeeds ? 1 : 0, _store.Contents.Count);
        _store.Holds = false;
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("{\"version\": 2, \"registrations\": []}")]
    [InlineData("{\"version\": 1, \"registrations\": []}")]
    [InlineData("{\"version\": 1, \"type\": \"WriteExclusive\", \"registrations\": [{\"initiator\": \"iqn.a:b,i,0x1\", "
        + "\"target\": \"t\", \"port\": 1, \"key\": \"0x1\", \"allTargetPorts\": false}]}")]
    [InlineData("{\"version\": 1, \"registrations\": [{\"initiator\": \"iqn a\", \"target\": \"t\", \"port\": 1, "
        + "\"key\": \"0x1\", \"allTargetPorts\": false}]}")]
    [InlineData("{\"version\": 1, \"registrations\": [{\"initiator\": \"iqn.a:b,i,0x1\", \"target\": \"t\", "
        + "\"port\": 1, \"key\": \"0x0\", \"allTargetPorts\": false}]}")]
    public void What_we_could_not_have_saved_is_refused(string content)
    {
        _store.Contents[("unit0", "reservations")] = Encoding.UTF8.GetBytes(content);
        var refused = Assert.Throws<UnitStateException>(() => new TestTarget(new TestBackend(), _store));
        Assert.Contains("unit0", refused.Message, StringComparison.Ordinal);
    }

    private TestTarget Power(out TestInitiator a, out TestInitiator b)
    {
        var target = new TestTarget(new TestBackend(), _store);
        a = target.Login();
        b = target.Login();
        return target;
    }
}
