using System.Buffers.Binary;
using Scstd.Backends.Tape;
using Scstd.Backends.Tape.Cartridges;
using Scstd.Core;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Backends.Tests.Tape;

/// <summary>A drive as an initiator meets it: behind a real logical unit, on a reactor that the test steps, with a
/// cartridge of lists.</summary>
internal sealed class TapeWorld : IDisposable
{
    private readonly ITapeMedium _medium;

    public TapeWorld(
        MemoryMedium? medium = null, TapePersonality? personality = null, bool isEmpty = false, string? vendor = null)
        : this(isEmpty, medium ?? new MemoryMedium(), personality ?? TapePersonality.Lto5, vendor)
    {
    }

    private TapeWorld(bool isEmpty, ITapeMedium medium, TapePersonality personality, string? vendor = null)
    {
        Backend = new TapeBackend(
            new TapeOptions
            {
                Name = "drive",
                Personality = personality,
                SerialNumber = "DRIVE00001",
                Vendor = vendor,
                Compresses = false,
            },
            [Reactor]);
        Target = new TestTarget(Backend);
        Drive = new TapeDrive(Backend, Target.Unit);
        Initiator = Target.Login();
        Other = Target.Login();
        _medium = medium;
        if (!isEmpty)
            Insert(medium);
        TakeAttentions();
    }

    public ManualReactor Reactor { get; } = new();

    public TapeBackend Backend { get; }

    public TapeDrive Drive { get; }

    public TestTarget Target { get; }

    public TestInitiator Initiator { get; }

    public TestInitiator Other { get; }

    public MemoryMedium Medium => (MemoryMedium)_medium;

    /// <summary>With a cartridge of a file.</summary>
    public static TapeWorld Of(Cartridge cartridge, TapePersonality personality) => new(false, cartridge, personality);

    public void Insert(ITapeMedium medium, bool load = true)
    {
        bool isDone = false;
        Drive.Insert(medium, load, () => isDone = true);
        Run();
        Assert.True(isDone, "the robot did not get an answer");
    }

    public ITapeMedium? Remove()
    {
        DriveRemoval? removal = null;
        Drive.Remove(RemovalTerms.UnlessPrevented, outcome => removal = outcome);
        Run();
        Assert.True(removal is { Outcome: RemovalOutcome.Taken }, "the robot did not get what it wanted");
        return removal.Value.Medium;
    }

    public void TakeAttentions()
    {
        Initiator.TakeUnitAttentions();
        Other.TakeUnitAttentions();
    }

    /// <summary>Sends a command and runs everything until nothing moves any more; it must have been answered.</summary>
    public TestCommand Execute(string cdb, byte[]? dataOut = null, TestInitiator? from = null, uint room = 1 << 24)
    {
        TestCommand command = Send(cdb, dataOut, from, room);
        Run();
        Assert.True(command.IsAnswered, $"{cdb} is not answered");
        return command;
    }

    public TestCommand Send(string cdb, byte[]? dataOut = null, TestInitiator? from = null, uint room = 1 << 24) =>
        (from ?? Initiator).Send(Lun.FromNumber(0), Hex.Bytes(cdb), dataOut, room);

    public void Run()
    {
        bool moved = true;
        while (moved)
        {
            moved = !Target.Executor.IsIdle;
            Target.Executor.Run();
            moved |= Reactor.RunPass();
        }
    }

    // ---- The usual -----------------------------------------------------------------------------------------------

    /// <summary>In variable mode.</summary>
    public TestCommand Write(byte[] record, TestInitiator? from = null) =>
        Execute($"0A 00 {Three(record.Length)} 00", record, from);

    public TestCommand WriteFixed(byte[] data, int blocks) => Execute($"0A 01 {Three(blocks)} 00", data);

    public TestCommand Read(int lengthBytes, TestInitiator? from = null, bool sili = false, uint room = 1 << 24) =>
        Execute($"08 {(sili ? "02" : "00")} {Three(lengthBytes)} 00", from: from, room: room);

    public TestCommand ReadFixed(int blocks, uint room = 1 << 24) =>
        Execute($"08 01 {Three(blocks)} 00", room: room);

    public TestCommand Marks(int count, bool immediate = false, TestInitiator? from = null) =>
        Execute($"10 0{(immediate ? 1 : 0)} {Three(count)} 00", from: from);

    public TestCommand Space(int code, int count) => Execute($"11 0{code} {Three(count)} 00");

    public TestCommand Rewind(TestInitiator? from = null) => Execute("01 00 00 00 00 00", from: from);

    public TestCommand SetBlockLength(int lengthBytes, TestInitiator? from = null) =>
        Execute("15 10 00 00 0C 00", Hex.Bytes($"00 00 10 08 00 00 00 00 00 {Three(lengthBytes)}"), from);

    /// <summary>MODE SELECT (6) of one page; the header is as it is by default.</summary>
    public TestCommand SelectPage(string page, TestInitiator? from = null)
    {
        byte[] list = Hex.Bytes($"00 00 10 00 {page}");
        return Execute($"15 10 00 00 {list.Length:X2} 00", list, from);
    }

    /// <summary>The bytes of a mode page, without any header.</summary>
    public byte[] ModePage(int page, int subpage = 0)
    {
        byte[] answer = Execute($"5A 08 {page:X2} {subpage:X2} 00 00 00 04 00 00").DataIn;
        return answer[(8 + (subpage == 0 ? 2 : 4))..];
    }

    /// <summary>Partition, object and file number, as READ POSITION tells them in its long form.</summary>
    public (int Partition, ulong Object, ulong File) Position()
    {
        byte[] answer = Execute("34 06 00 00 00 00 00 00 00 00").DataIn;
        return (
            BinaryPrimitives.ReadInt32BigEndian(answer.AsSpan(4)),
            BinaryPrimitives.ReadUInt64BigEndian(answer.AsSpan(8)),
            BinaryPrimitives.ReadUInt64BigEndian(answer.AsSpan(16)));
    }

    /// <summary>The flags of TapeAlert that are set, whoever has been told.</summary>
    public IReadOnlyList<TapeAlert> Alerts()
    {
        ulong flags = BinaryPrimitives.ReadUInt64BigEndian(Execute("4D 00 52 00 00 00 00 04 00 00").DataIn.AsSpan(8));
        return [.. Enum.GetValues<TapeAlert>().Where(flag => (flags & (1UL << (64 - (int)flag))) != 0)];
    }

    /// <summary>The number of objects before the position.</summary>
    public ulong At => Position().Object;

    /// <summary>Bytes that differ from record to record.</summary>
    public static byte[] Record(int lengthBytes, int seed = 1)
    {
        byte[] bytes = new byte[lengthBytes];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    public static string Three(int value) => $"{(value >> 16) & 0xFF:X2} {(value >> 8) & 0xFF:X2} {value & 0xFF:X2}";

    /// <summary>Nothing was left behind: no buffer leased.</summary>
    public void Dispose()
    {
        Run();
        Target.Dispose();
        Backend.Dispose();
    }
}
