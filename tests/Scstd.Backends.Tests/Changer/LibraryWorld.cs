using System.Buffers.Binary;
using System.Text;
using Scstd.Backends.Changer;
using Scstd.Core;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Backends.Tests.Changer;

/// <summary>A library as an initiator meets it: behind a real logical unit, with fake drives and a fake shelf, on a
/// reactor that the test steps. Four slots, two mail slots, two drives; cartridges A1 and A2 in the first two
/// slots.</summary>
internal sealed class LibraryWorld : IDisposable
{
    public const ushort Robot = 0x0001;
    public const ushort MailSlot1 = 0x0010;
    public const ushort MailSlot2 = 0x0011;
    public const ushort Drive1 = 0x0100;
    public const ushort Drive2 = 0x0101;
    public const ushort Slot1 = 0x1000;
    public const ushort Slot2 = 0x1001;
    public const ushort Slot3 = 0x1002;
    public const ushort Slot4 = 0x1003;

    /// <summary>The name that the unit of a <see cref="TestTarget"/> has.</summary>
    public const string Name = "unit0";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private bool _isKilled;

    public LibraryWorld(
        Func<ChangerOptions, ChangerOptions>? with = null, FakeShelf? shelf = null, TestStateStore? states = null)
    {
        Shelf = shelf ?? ShelfOf("A1", "A2");
        States = states ?? new TestStateStore();
        var options = new ChangerOptions { Name = Name, Slots = 4, ImportExports = 2, SerialNumber = "L0001" };
        Changer = ChangerBackend.Open(
            with?.Invoke(options) ?? options, Shelf, Bays, [Reactor], States, Failures.Add);
        Target = new TestTarget(Changer, States);
        Initiator = Target.Login();
    }

    public FakeShelf Shelf { get; }

    public TestStateStore States { get; }

    public FakeBay[] Bays { get; } = [new(1), new(2)];

    public ManualReactor Reactor { get; } = new();

    public ChangerBackend Changer { get; }

    public TestTarget Target { get; }

    public TestInitiator Initiator { get; }

    public List<LibraryFailure> Failures { get; } = [];

    public static FakeShelf ShelfOf(params string[] barcodes)
    {
        var shelf = new FakeShelf();
        foreach (string barcode in barcodes)
            shelf.Add(barcode);
        return shelf;
    }

    /// <summary>The daemon is gone; what is on stable storage and on the shelf is there for another.</summary>
    public void Kill()
    {
        _isKilled = true;
        Shelf.Open.Clear();
    }

    /// <summary>The daemon was killed, and starts again with what is on stable storage.</summary>
    public LibraryWorld Restarted(Func<ChangerOptions, ChangerOptions>? with = null)
    {
        Kill();
        var world = new LibraryWorld(with, Shelf, States);
        world.Await(world.Changer.StartAsync(world.Target.Unit));
        world.Initiator.TakeUnitAttentions();
        return world;
    }

    public TestCommand Send(ReadOnlySpan<byte> cdb, byte[]? dataOut = null, TestInitiator? from = null) =>
        (from ?? Initiator).Send(Lun.FromNumber(0), cdb, dataOut);

    /// <summary>Sends a command and runs everything until nothing moves any more; it must have been answered.</summary>
    public TestCommand Execute(ReadOnlySpan<byte> cdb, byte[]? dataOut = null, TestInitiator? from = null)
    {
        TestCommand command = Send(cdb, dataOut, from);
        Run();
        Assert.True(command.IsAnswered, $"{command.Cdb[0]:X2}h is not answered");
        return command;
    }

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

    /// <summary>Runs everything until it has ended.</summary>
    public void Await(Task task)
    {
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                Run();
                return task.IsCompleted;
            },
            Patience));
        task.GetAwaiter().GetResult();
    }

    public LibraryOutcome Await(Task<LibraryOutcome> task)
    {
        Await((Task)task);
        return task.Result;
    }

    // ---- Commands ------------------------------------------------------------------------------------------------

    public static byte[] MoveCdb(ushort source, ushort destination, ushort transport = 0, byte invert = 0) =>
        [0xA5, 0, .. Two(transport), .. Two(source), .. Two(destination), 0, 0, invert, 0];

    public static byte[] ExchangeCdb(
        ushort source, ushort first, ushort second, ushort transport = 0, byte inverts = 0) =>
        [0xA6, 0, .. Two(transport), .. Two(source), .. Two(first), .. Two(second), inverts, 0];

    public static byte[] StatusCdb(
        byte flags = 0, ushort first = 0, ushort count = ushort.MaxValue, byte options = 0, int allocation = 0xFFFF) =>
    [
        0xB8, flags, .. Two(first), .. Two(count), options,
        (byte)(allocation >> 16), .. Two((ushort)allocation), 0, 0,
    ];

    public TestCommand Move(ushort source, ushort destination, TestInitiator? from = null) =>
        Execute(MoveCdb(source, destination), from: from);

    public void MoveGood(ushort source, ushort destination) => AssertGood(Move(source, destination));

    public TestCommand Prevent(bool prevents, TestInitiator? from = null) =>
        Execute([0x1E, 0, 0, 0, (byte)(prevents ? 1 : 0), 0], from: from);

    public TestCommand OpenClose(ushort address, bool opens) =>
        Execute([0x1B, 0, .. Two(address), (byte)(opens ? 0 : 1), 0]);

    public static byte[] Two(int value)
    {
        byte[] bytes = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)value);
        return bytes;
    }

    // ---- What is where -------------------------------------------------------------------------------------------

    /// <summary>Barcode at each full element, as READ ELEMENT STATUS tells.</summary>
    public Dictionary<ushort, string> Places()
    {
        TestCommand command = Execute(StatusCdb(flags: 0x10));
        AssertGood(command);
        return ReportedElement.ReadAll(command.DataIn).Where(element => element.IsFull)
            .ToDictionary(element => element.Address, element => element.Barcode);
    }

    public ReportedElement Status(ushort address)
    {
        TestCommand command = Execute(StatusCdb(flags: 0x10, first: address, count: 1, options: 1));
        AssertGood(command);
        return Assert.Single(ReportedElement.ReadAll(command.DataIn));
    }

    // ---- What a command must have become ---------------------------------------------------------------------------

    public static void AssertGood(TestCommand command) =>
        Assert.True(command.Status == ScsiStatus.Good, command.ToString());

    public static void AssertSense(SenseKey key, AdditionalSense additional, TestCommand command)
    {
        Assert.Equal(ScsiStatus.CheckCondition, command.Status);
        Assert.Equal((key, additional), (command.Sense.Key, command.Sense.Additional));
    }

    public static void AssertIllegal(AdditionalSense additional, TestCommand command) =>
        AssertSense(SenseKey.IllegalRequest, additional, command);

    public static void AssertInvalidField(int offset, int? bit, TestCommand command)
    {
        AssertIllegal(AdditionalSense.InvalidFieldInCdb, command);
        Assert.True(command.Sense.FieldIsInCdb);
        Assert.Equal(((ushort?)offset, (byte?)bit), (command.Sense.FieldPointer, command.Sense.BitPointer));
    }

    public static void AssertNoElement(int offset, TestCommand command)
    {
        AssertIllegal(AdditionalSense.InvalidElementAddress, command);
        Assert.True(command.Sense.FieldIsInCdb);
        Assert.Equal((ushort)offset, command.Sense.FieldPointer);
    }

    public void AssertAttention(AdditionalSense condition, params TestInitiator[] initiators)
    {
        foreach (TestInitiator initiator in initiators)
        {
            TestCommand told = Execute([0x00, 0, 0, 0, 0, 0], from: initiator);
            AssertSense(SenseKey.UnitAttention, condition, told);
            AssertGood(Execute([0x00, 0, 0, 0, 0, 0], from: initiator));
        }
    }

    /// <summary>No cartridge is open but those in the drives, and each of those is in its drive.</summary>
    public void Dispose()
    {
        Run();
        if (!_isKilled)
        {
            Assert.Equal(
                Bays.Select(bay => bay.Medium?.File).OfType<string>().Order(),
                Shelf.Open.Select(medium => medium.File).Order());
        }
        Target.Dispose();
    }
}

/// <summary>An element descriptor, read as SMC-3 lays it out.</summary>
internal sealed record ReportedElement(ElementType Type, ushort Address, byte[] Descriptor, bool HasVolumeTag)
{
    public int Flags => Descriptor[2];

    public bool IsFull => (Flags & 0x01) != 0;

    public bool IsPlacedByOperator => (Flags & 0x02) != 0;

    public bool IsException => (Flags & 0x04) != 0;

    public bool IsAccessible => (Flags & 0x08) != 0;

    public AdditionalSense Exception => new(Descriptor[4], Descriptor[5]);

    public ushort? Source => (Descriptor[9] & 0x80) == 0
        ? null : BinaryPrimitives.ReadUInt16BigEndian(Descriptor.AsSpan(10));

    public int MediumType => Descriptor[9] & 0x07;

    public byte[] VolumeTag => Descriptor[12..48];

    public string Barcode => Encoding.ASCII.GetString(VolumeTag, 0, 32).TrimEnd(' ', '\0');

    public byte[] Identifier => Descriptor[(HasVolumeTag ? 48 : 12)..];

    /// <summary>Every length and count of the report must be right.</summary>
    public static IReadOnlyList<ReportedElement> ReadAll(ReadOnlySpan<byte> report)
    {
        var elements = new List<ReportedElement>();
        int first = BinaryPrimitives.ReadUInt16BigEndian(report);
        int count = BinaryPrimitives.ReadUInt16BigEndian(report[2..]);
        Assert.Equal(report.Length - 8, Three(report[5..]));
        for (int at = 8; at < report.Length;)
        {
            ReadOnlySpan<byte> page = report[at..];
            int descriptorBytes = BinaryPrimitives.ReadUInt16BigEndian(page[2..]);
            int bytes = Three(page[5..]);
            Assert.True(bytes > 0 && bytes % descriptorBytes == 0);
            for (int offset = 8; offset < 8 + bytes; offset += descriptorBytes)
            {
                byte[] descriptor = page.Slice(offset, descriptorBytes).ToArray();
                elements.Add(new ReportedElement(
                    (ElementType)page[0], BinaryPrimitives.ReadUInt16BigEndian(descriptor), descriptor,
                    (page[1] & 0x80) != 0));
            }
            at += 8 + bytes;
        }
        Assert.Equal(count, elements.Count);
        Assert.Equal(count == 0 ? 0 : first, elements.FirstOrDefault()?.Address ?? 0);
        Assert.Equal(elements.Count, elements.Select(element => element.Address).Distinct().Count());
        return elements;
    }

    private static int Three(ReadOnlySpan<byte> bytes) => (bytes[0] << 16) | (bytes[1] << 8) | bytes[2];
}
