using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests;

/// <summary>RESERVE and RELEASE, SPC-2 §5.5.1 and §7.16 ff.</summary>
public sealed class ReservationTests : IDisposable
{
    private readonly TestTarget _target = new(new TestBackend());
    private readonly TestInitiator _holder;
    private readonly TestInitiator _other;

    public ReservationTests()
    {
        _holder = _target.Login();
        _other = _target.Login();
    }

    public static TheoryData<string, string> Forms => new()
    {
        { "16 00 00 00 00 00", "17 00 00 00 00 00" },
        { "56 00 00 00 00 00 00 00 00 00", "57 00 00 00 00 00 00 00 00 00" },
    };

    public void Dispose() => _target.Dispose();

    [Theory]
    [MemberData(nameof(Forms))]
    public void A_reservation_holds_until_its_holder_releases_it(string reserve, string release)
    {
        Run(_holder, reserve).MustBeGood();
        Run(_other, reserve).MustConflict();
        Run(_other, "00 00 00 00 00 00").MustConflict();
        Run(_other, "1A 00 3F 00 FF 00").MustConflict();
        Run(_holder, reserve).MustBeGood();
        Run(_holder, "1A 00 3F 00 FF 00").MustBeGood();
        Run(_holder, release).MustBeGood();
        Run(_other, "00 00 00 00 00 00").MustBeGood();
        Run(_other, reserve).MustBeGood();
        Run(_holder, "00 00 00 00 00 00").MustConflict();
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void A_release_by_another_is_good_and_does_nothing(string reserve, string release)
    {
        Run(_other, release).MustBeGood();
        Run(_holder, reserve).MustBeGood();
        Run(_other, release).MustBeGood();
        Run(_other, "00 00 00 00 00 00").MustConflict();
    }

    [Fact]
    public void The_two_forms_are_one_reservation()
    {
        Run(_holder, "16 00 00 00 00 00").MustBeGood();
        Run(_other, "56 00 00 00 00 00 00 00 00 00").MustConflict();
        Run(_holder, "57 00 00 00 00 00 00 00 00 00").MustBeGood();
        Run(_other, "56 00 00 00 00 00 00 00 00 00").MustBeGood();
    }

    [Theory]
    [InlineData("12 00 00 00 60 00")]
    [InlineData("A0 00 00 00 00 00 00 00 01 00 00 00")]
    [InlineData("03 00 00 00 60 00")]
    [InlineData("4D 00 00 00 00 00 00 00 FF 00")]
    public void Some_commands_pass_anothers_reservation(string cdb)
    {
        Run(_holder, "16 00 00 00 00 00").MustBeGood();
        Run(_other, cdb).MustBeGood();
    }

    [Fact]
    public void A_logout_ends_it()
    {
        Run(_holder, "16 00 00 00 00 00").MustBeGood();
        _holder.Logout();
        Run(_other, "16 00 00 00 00 00").MustBeGood();
    }

    [Theory]
    [InlineData(TaskManagementFunction.LogicalUnitReset)]
    [InlineData(TaskManagementFunction.TargetWarmReset)]
    [InlineData(TaskManagementFunction.TargetColdReset)]
    public void A_reset_ends_it(TaskManagementFunction reset)
    {
        Run(_holder, "16 00 00 00 00 00").MustBeGood();
        Assert.Equal(TaskManagementResponse.FunctionComplete, _other.Request(reset));
        _other.TakeUnitAttentions();
        Run(_other, "16 00 00 00 00 00").MustBeGood();
    }

    [Theory]
    [InlineData("16 10 00 00 00 00", 1, 4)]
    [InlineData("16 01 00 00 00 00", 1, 0)]
    [InlineData("17 10 00 00 00 00", 1, 4)]
    [InlineData("17 01 00 00 00 00", 1, 0)]
    [InlineData("16 00 01 00 00 00", 2, 0)]
    [InlineData("16 00 00 00 08 00", 4, 3)]
    [InlineData("56 10 00 00 00 00 00 00 00 00", 1, 4)]
    [InlineData("56 02 00 00 00 00 00 00 00 00", 1, 1)]
    [InlineData("56 01 00 00 00 00 00 00 00 00", 1, 0)]
    [InlineData("57 10 00 00 00 00 00 00 00 00", 1, 4)]
    [InlineData("56 00 00 05 00 00 00 00 00 00", 3, 2)]
    [InlineData("56 00 00 00 00 00 00 00 08 00", 8, 3)]
    public void Extents_and_third_parties_are_refused(string cdb, int offset, int bit)
    {
        Run(_holder, cdb).MustBeInvalidInCdb(offset, bit);
        Run(_other, "16 00 00 00 00 00").MustBeGood();
    }

    private static TestCommand Run(TestInitiator initiator, string cdb) => initiator.Execute(Hex.Bytes(cdb));
}
