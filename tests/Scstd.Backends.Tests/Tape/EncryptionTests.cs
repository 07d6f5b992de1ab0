using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Backends.Tests.Tape;

/// <summary>SECURITY PROTOCOL IN and OUT, tape data encryption (SSC-4 §8.5).</summary>
public sealed class EncryptionTests
{
    private const string All = "40";
    private const string Local = "20";
    private const string Public = "00";

    private static readonly SenseData Unable =
        new(SenseKey.DataProtect, AdditionalSense.UnableToDecryptData) { Information = 10 };

    private static readonly SenseData WrongKey =
        new(SenseKey.DataProtect, AdditionalSense.IncorrectDataEncryptionKey) { Information = 10 };

    [Fact]
    public void What_is_written_with_a_key_is_read_with_it_alone()
    {
        using var world = new TapeWorld();
        Set(world, All, encrypt: 2, decrypt: 2, key: 1).MustBeGood();
        world.Write(TapeWorld.Record(10)).MustBeGood();
        world.Rewind();
        Assert.Equal(TapeWorld.Record(10), world.Read(10).DataIn);
        world.Rewind();
        Set(world, All, encrypt: 2, decrypt: 2, key: 2).MustBeGood();
        world.Read(10).MustBe(WrongKey);
        Set(world, All, encrypt: 0, decrypt: 0, key: null).MustBeGood();
        world.Read(10).MustBe(Unable);
        Assert.Equal(0UL, world.At);
        world.Execute("13 00 00 00 0A 00").MustBe(Unable);
        Assert.True(world.Medium.Peek().IsEncrypted);
    }

    [Fact]
    public void Decrypt_refuses_what_is_not_encrypted_and_mixed_does_not()
    {
        using var world = new TapeWorld();
        world.Write(TapeWorld.Record(10));
        world.Rewind();
        Set(world, All, encrypt: 0, decrypt: 2, key: 1).MustBeGood();
        var unencrypted = new SenseData(
            SenseKey.DataProtect, AdditionalSense.UnencryptedDataEncounteredWhileDecrypting);
        world.Read(10).MustBe(unencrypted with { Information = 10 });
        Set(world, All, encrypt: 0, decrypt: 3, key: 1).MustBeGood();
        Assert.Equal(TapeWorld.Record(10), world.Read(10).DataIn);
    }

    [Fact]
    public void A_key_for_all_is_told_to_those_who_have_to_do_with_keys_and_is_everybodys()
    {
        using var world = new TapeWorld();
        TestInitiator third = world.Target.Login();
        third.TakeUnitAttentions();
        TestInitiator fourth = world.Target.Login();
        fourth.TakeUnitAttentions();
        // One asks, one has a key of its own, one has to do with neither.
        Status(world, world.Other);
        Set(world, Local, encrypt: 0, decrypt: 3, key: 2, from: third).MustBeGood();
        Set(world, All, encrypt: 2, decrypt: 3, key: 1).MustBeGood();
        world.Execute("00 00 00 00 00 00").MustBeGood();
        world.Execute("00 00 00 00 00 00", from: world.Other).MustBe(
            SenseData.UnitAttention(AdditionalSense.DataEncryptionParametersChangedByAnotherNexus));
        world.Execute("00 00 00 00 00 00", from: third).MustBeGood();
        world.Execute("00 00 00 00 00 00", from: fourth).MustBeGood();
        foreach (TestInitiator initiator in (TestInitiator[])[world.Other, fourth])
        {
            world.Write(TapeWorld.Record(10), initiator).MustBeGood();
            Assert.True(world.Medium.Peek(backwards: true).IsEncrypted);
        }
        world.Write(TapeWorld.Record(10), third).MustBeGood();
        Assert.False(world.Medium.Peek(backwards: true).IsEncrypted);
    }

    [Fact]
    public void A_key_that_goes_with_the_volume_wants_a_volume()
    {
        using var world = new TapeWorld();
        world.Execute("1B 00 00 00 00 00").MustBeGood();
        Set(world, All, encrypt: 2, decrypt: 3, key: 1, flags: "04").MustBe(
            SenseData.InvalidFieldInParameterList(5, 2));
        Set(world, All, encrypt: 2, decrypt: 3, key: 1).MustBeGood();
    }

    [Fact]
    public void Who_loses_a_key_with_the_volume_hears_of_it()
    {
        using var world = new TapeWorld();
        Set(world, All, encrypt: 2, decrypt: 3, key: 1, flags: "04").MustBeGood();
        Status(world, world.Other);
        world.Execute("1B 00 00 00 00 00").MustBeGood();
        world.Execute("12 00 00 00 FF 00").MustBeGood();
        world.Execute("00 00 00 00 00 00", from: world.Other).MustBe(
            SenseData.UnitAttention(AdditionalSense.DataEncryptionParametersChangedByAnotherNexus));
        world.Execute("1B 00 00 00 01 00").MustBeGood();
        world.TakeAttentions();
        Set(world, Local, encrypt: 2, decrypt: 3, key: 1, flags: "04").MustBeGood();
        world.Remove();
        world.Execute("00 00 00 00 00 00").MustBe(
            SenseData.UnitAttention(AdditionalSense.DataEncryptionParametersChangedByVendorSpecificEvent));
        world.Execute("00 00 00 00 00 00", from: world.Other).MustBe(
            new SenseData(SenseKey.NotReady, AdditionalSense.MediumNotPresent));
    }

    [Theory]
    [InlineData(All)]
    [InlineData(Local)]
    [InlineData(Public)]
    public void Who_is_locked_to_a_key_writes_with_no_other(string scope)
    {
        using var world = new TapeWorld();
        var changed = new SenseData(
            SenseKey.DataProtect, AdditionalSense.DataEncryptionKeyInstanceCounterHasChanged);
        Set(world, All, encrypt: 2, decrypt: 3, key: 1, from: world.Other).MustBeGood();
        string locked = $"{Convert.ToByte(scope, 16) | 1:X2}";
        if (scope == Public)
            Set(world, locked, encrypt: 0, decrypt: 0, key: null).MustBeGood();
        else
            Set(world, locked, encrypt: 2, decrypt: 3, key: 1).MustBeGood();
        world.TakeAttentions();
        world.Write(TapeWorld.Record(10)).MustBeGood();
        Set(world, All, encrypt: 2, decrypt: 3, key: 2, from: world.Other).MustBeGood();
        world.TakeAttentions();
        if (scope == Local)
        {
            // Its own key is as it was.
            world.Write(TapeWorld.Record(10)).MustBeGood();
            return;
        }
        world.Write(TapeWorld.Record(10)).MustBe(changed with { Information = 10 });
        world.Marks(1).MustBe(changed with { Information = 1 });
        world.Write(TapeWorld.Record(10), world.Other).MustBeGood();
        world.Rewind().MustBeGood();
        Set(world, Public, encrypt: 0, decrypt: 0, key: null).MustBeGood();
        world.Write(TapeWorld.Record(10)).MustBeGood();
    }

    [Fact]
    public void A_key_for_all_stays_when_who_gave_it_wants_none_of_its_own()
    {
        using var world = new TapeWorld();
        Set(world, All, encrypt: 2, decrypt: 3, key: 1).MustBeGood();
        Assert.Equal(0x42, Status(world)[4]);
        Set(world, Public, encrypt: 0, decrypt: 0, key: null).MustBeGood();
        Assert.Equal(0x02, Status(world)[4]);
        world.Write(TapeWorld.Record(10)).MustBeGood();
        Assert.True(world.Medium.Peek(backwards: true).IsEncrypted);
    }

    [Fact]
    public void A_local_key_is_of_one_nexus_and_ends_with_it()
    {
        using var world = new TapeWorld();
        Set(world, Local, encrypt: 2, decrypt: 3, key: 1, from: world.Other).MustBeGood();
        world.Write(TapeWorld.Record(10), world.Other);
        world.Write(TapeWorld.Record(10)).MustBeGood();
        Assert.False(world.Medium.Peek(backwards: true).IsEncrypted);
        world.Rewind();
        world.Read(10).MustBe(Unable);
        Assert.Equal(TapeWorld.Record(10), world.Read(10, world.Other).DataIn);
        Assert.True(world.Backend.HoldsStateOf(world.Other.Nexus));
        world.Other.Logout();
        Assert.False(world.Backend.HoldsStateOf(world.Other.Nexus));
    }

    [Fact]
    public void A_public_scope_gives_a_local_key_up()
    {
        using var world = new TapeWorld();
        Set(world, Local, encrypt: 2, decrypt: 3, key: 1).MustBeGood();
        Set(world, Public, encrypt: 0, decrypt: 0, key: null).MustBeGood();
        world.Write(TapeWorld.Record(10));
        Assert.False(world.Medium.Peek(backwards: true).IsEncrypted);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Ckod_clears_the_key_when_the_volume_is_unloaded(bool clears)
    {
        using var world = new TapeWorld();
        Set(world, All, encrypt: 2, decrypt: 3, key: 1, flags: clears ? "04" : "00").MustBeGood();
        world.Execute("1B 00 00 00 00 00").MustBeGood();
        world.Execute("1B 00 00 00 01 00").MustBeGood();
        world.Write(TapeWorld.Record(10)).MustBeGood();
        Assert.Equal(!clears, world.Medium.Peek(backwards: true).IsEncrypted);
    }

    [Fact]
    public void A_reset_clears_every_key()
    {
        using var world = new TapeWorld();
        Set(world, All, encrypt: 2, decrypt: 3, key: 1).MustBeGood();
        world.Initiator.Request(TaskManagementFunction.LogicalUnitReset);
        world.TakeAttentions();
        Assert.Equal("00 00 00 00", Hex.Of(Status(world)[4..8]));
    }

    [Fact]
    public void The_status_tells_scope_modes_and_the_keys_name()
    {
        using var world = new TapeWorld();
        Assert.Equal("00 20 00 14 00 00 00 00 00 00 00 00", Hex.Of(Status(world)[..12]));
        Set(world, All, encrypt: 2, decrypt: 3, key: 1, associated: "00 00 00 03 41 42 43").MustBeGood();
        byte[] status = Status(world);
        Assert.Equal("00 20 00 1B 42 02 03 01 00 00 00 01", Hex.Of(status[..12]));
        Assert.Equal("00 00 00 03 41 42 43", Hex.Of(status[24..]));
        world.Other.TakeUnitAttentions();
        Assert.Equal("02 02 03 01", Hex.Of(Status(world, world.Other)[4..8]));
    }

    [Fact]
    public void The_next_block_tells_whether_it_can_be_read()
    {
        using var world = new TapeWorld();
        world.Write(TapeWorld.Record(10));
        Set(world, All, encrypt: 2, decrypt: 3, key: 1, associated: "00 00 00 01 41").MustBeGood();
        world.Write(TapeWorld.Record(10));
        world.Marks(1);
        world.Rewind();
        Assert.Equal("33 00", Next(world));
        world.Read(10);
        Assert.Equal("35 01", Next(world));
        Assert.Equal(1UL, world.At);
        Set(world, All, encrypt: 0, decrypt: 3, key: 2).MustBeGood();
        Assert.Equal("36 01", Next(world));
        world.Execute("2B 00 00 00 00 00 02 00 00 00");
        Assert.Equal("22 00", Next(world));
    }

    [Theory]
    [InlineData(4, "60", 4, 7)]
    [InlineData(5, "80", 5, 7)]
    [InlineData(5, "20", 5, 5)]
    [InlineData(5, "30", 5, 5)]
    [InlineData(5, "08", 5, 3)]
    [InlineData(5, "02", 5, 1)]
    [InlineData(6, "01", 6, null)]
    [InlineData(7, "01", 7, null)]
    [InlineData(8, "02", 8, null)]
    [InlineData(9, "01", 9, null)]
    [InlineData(10, "01", 10, null)]
    [InlineData(19, "10", 18, null)]
    public void What_the_drive_cannot_do_is_refused_at_its_place(int at, string value, int offset, int? bit)
    {
        using var world = new TapeWorld();
        byte[] page = Page(All, 2, 2, 1, "00", "");
        page[at] = Hex.Bytes(value)[0];
        Send(world, page).MustBe(SenseData.InvalidFieldInParameterList(offset, bit));
        world.Execute("00 00 00 00 00 00", from: world.Other).MustBeGood();
    }

    [Fact]
    public void A_page_that_is_not_whole_is_a_length_error()
    {
        using var world = new TapeWorld();
        byte[] page = Page(All, 2, 2, 1, "00", "");
        for (int length = 0; length < page.Length; length++)
        {
            if (length > 0)
                Send(world, page[..length]).MustBe(SenseData.IllegalRequest(AdditionalSense.ParameterListLengthError));
        }
        Send(world, page).MustBeGood();
    }

    [Fact]
    public void The_pages_that_there_are()
    {
        using var world = new TapeWorld();
        Assert.Equal("00 00 00 00 00 00 00 02 00 20", In(world, 0, 0).DataOfGood());
        Assert.Equal("00 00 00 00", In(world, 0, 1).DataOfGood());
        Assert.Equal(
            "00 00 00 10 00 00 00 01 00 10 00 11 00 12 00 20 00 21 00 30", In(world, 0x20, 0).DataOfGood());
        Assert.Equal("00 01 00 02 00 10", In(world, 0x20, 1).DataOfGood());
        byte[] capabilities = In(world, 0x20, 0x10).DataIn;
        Assert.Equal("00 10 00 28", Hex.Of(capabilities[..4]));
        Assert.Equal("01 00 00 14 BA 00", Hex.Of(capabilities[20..26]));
        Assert.Equal("00 20 00 20 00 20", Hex.Of(capabilities[26..32]));
        Assert.Equal("00 01 00 14", Hex.Of(capabilities[40..44]));
        Assert.Equal("00 11 00 01 00", In(world, 0x20, 0x11).DataOfGood());
        Assert.Equal(16, In(world, 0x20, 0x12).DataIn.Length);
        Assert.NotEqual(In(world, 0x20, 0x30).DataIn, In(world, 0x20, 0x30).DataIn);
        In(world, 0x20, 0x40).MustBeInvalidInCdb(2);
        In(world, 0x21, 0).MustBeInvalidInCdb(1);
        world.Execute("B5 00 00 00 00 00 00 00 00 00 00 00").MustBeInvalidInCdb(1);
        world.Execute("B5 20 00 11 00 00 00 00 00 00 00 00").MustBeInvalidInCdb(2);
        world.Execute("B5 20 00 10 00 00 00 00 00 00 00 00").MustBeGood();
        world.Execute("B5 20 00 10 00 00 00 00 00 7D 00 00", new byte[125]).MustBeInvalidInCdb(6);
    }

    private static TestCommand In(TapeWorld world, int protocol, int page, TestInitiator? from = null) =>
        world.Execute($"A2 {protocol:X2} 00 {page:X2} 00 00 00 00 04 00 00 00", from: from);

    private static byte[] Status(TapeWorld world, TestInitiator? from = null) => In(world, 0x20, 0x20, from).DataIn;

    [Fact]
    public void Key_associated_data_are_told_with_the_record_and_whether_they_are_authentic()
    {
        using var world = new TapeWorld();
        Set(world, All, encrypt: 2, decrypt: 3, key: 1, associated: "00 00 00 01 41 01 00 00 02 42 43").MustBeGood();
        world.Write(TapeWorld.Record(10));
        world.Rewind();
        Assert.Equal("00 00 00 01 41 01 02 00 02 42 43", Hex.Of(In(world, 0x20, 0x21).DataIn[16..]));
        Set(world, All, encrypt: 0, decrypt: 0, key: null).MustBeGood();
        Assert.Equal("00 00 00 01 41 01 01 00 02 42 43", Hex.Of(In(world, 0x20, 0x21).DataIn[16..]));
    }

    private static string Next(TapeWorld world) => Hex.Of(In(world, 0x20, 0x21).DataIn[12..14]);

    private static TestCommand Set(
        TapeWorld world, string scope, int encrypt, int decrypt, byte? key, string flags = "00",
        string associated = "", TestInitiator? from = null) =>
        Send(world, Page(scope, encrypt, decrypt, key, flags, associated), from);

    private static TestCommand Send(TapeWorld world, byte[] page, TestInitiator? from = null) =>
        world.Execute($"B5 20 00 10 00 00 00 00 00 {page.Length:X2} 00 00", page, from);

    private static byte[] Page(
        string scope, int encrypt, int decrypt, byte? key, string flags, string associated)
    {
        byte[] keyBytes = key is { } value ? [.. Enumerable.Repeat(value, 32)] : [];
        byte[] page =
        [
            .. Hex.Bytes($"00 10 00 00 {scope} {flags} {encrypt:X2} {decrypt:X2} 01 00 00 00 00 00 00 00 00 00 00"),
            (byte)keyBytes.Length, .. keyBytes, .. Hex.Bytes(associated),
        ];
        page[3] = (byte)(page.Length - 4);
        return page;
    }
}
