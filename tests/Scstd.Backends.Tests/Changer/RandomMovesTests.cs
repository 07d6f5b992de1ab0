using Scstd.Backends.Changer;
using Scstd.Backends.Tape;
using Scstd.Scsi;
using Scstd.Testing;
using static Scstd.Backends.Tests.Changer.LibraryWorld;

namespace Scstd.Backends.Tests.Changer;

/// <summary>Moves, exchanges, restarts and an administrator, in any order, against a model: a dictionary of what lies
/// where and which slot it was last moved out of.</summary>
public sealed class RandomMovesTests
{
    private const int Steps = 150;

    private static readonly ushort[] Addresses =
        [MailSlot1, MailSlot2, Drive1, Drive2, Slot1, Slot2, Slot3, Slot4, Robot, 0x0200];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void Every_cartridge_is_where_a_trivial_model_says(int seed)
    {
        var dice = new Random(seed);
        var model = new Model();
        var world = new LibraryWorld(shelf: ShelfOf("A", "B", "C"));
        for (int i = 0; i < Steps; i++)
        {
            Step(dice, ref world, model);
            world.Initiator.TakeUnitAttentions();
            Assert.Equal(model.Places.OrderBy(one => one.Key).Select(one => (one.Key, one.Value.Barcode)),
                world.Places().OrderBy(one => one.Key).Select(one => (one.Key, one.Value)));
            Assert.All(model.Places, one => Assert.Equal(one.Value.Source, world.Status(one.Key).Source));
            Assert.Equal(model.InDrives, world.Bays.Select(bay => bay.Medium?.File));
        }
        world.Dispose();
    }

    private static void Step(Random dice, ref LibraryWorld world, Model model)
    {
        ushort a = Any(dice), b = Any(dice), c = Any(dice);
        switch (dice.Next(12))
        {
            case < 6:
                AssertIs(model.Move(a, b), world.Move(a, b));
                break;
            case < 9:
                AssertIs(model.Exchange(a, b, c), world.Execute(ExchangeCdb(a, b, c)));
                break;
            case 9:
                bool isOutside = world.Await(world.Changer.ExportAsync(world.Target.Unit, a)).Problem is null;
                Assert.Equal(model.Export(a), isOutside);
                break;
            case 10:
                string barcode = $"{(char)('A' + dice.Next(3))}";
                LibraryOutcome outcome = world.Await(world.Changer.ImportAsync(world.Target.Unit, barcode, b));
                Assert.Equal(model.Import(barcode, b), outcome.Problem is null);
                break;
            default:
                LibraryWorld killed = world;
                world = killed.Restarted();
                killed.Dispose();
                break;
        }
    }

    private static ushort Any(Random dice) => Addresses[dice.Next(Addresses.Length)];

    private static void AssertIs(AdditionalSense? expected, TestCommand command)
    {
        if (expected is { } refused)
            AssertIllegal(refused, command);
        else
            AssertGood(command);
    }

    private sealed class Model
    {
        public Dictionary<ushort, (string Barcode, ushort? Source)> Places { get; } = new()
        {
            [Slot1] = ("A", null),
            [Slot2] = ("B", null),
            [Slot3] = ("C", null),
        };

        public IEnumerable<string?> InDrives => new[] { Drive1, Drive2 }.Select(
            drive => Places.TryGetValue(drive, out (string Barcode, ushort? Source) there) ? there.Barcode : null);

        public AdditionalSense? Move(ushort from, ushort to)
        {
            if (!IsPlace(from) || !IsPlace(to))
                return AdditionalSense.InvalidElementAddress;
            if (!Places.ContainsKey(from))
                return AdditionalSense.MediumSourceElementEmpty;
            if (from == to)
                return null;
            if (Places.ContainsKey(to))
                return AdditionalSense.MediumDestinationElementFull;
            Places[to] = Taken(from);
            return null;
        }

        public AdditionalSense? Exchange(ushort source, ushort first, ushort second)
        {
            if (!IsPlace(source) || !IsPlace(first) || !IsPlace(second))
                return AdditionalSense.InvalidElementAddress;
            if (!Places.ContainsKey(source) || !Places.ContainsKey(first))
                return AdditionalSense.MediumSourceElementEmpty;
            if (second != source && Places.ContainsKey(second))
                return AdditionalSense.MediumDestinationElementFull;
            if (source == first)
                return AdditionalSense.InvalidElementAddress;
            (string, ushort?) one = Taken(source), other = Taken(first);
            Places[first] = one;
            Places[second] = other;
            return null;
        }

        public bool Export(ushort from) => IsPlace(from) && from is not (Drive1 or Drive2) && Places.Remove(from);

        public bool Import(string barcode, ushort to) =>
            IsPlace(to) && to is not (Drive1 or Drive2) && Places.Values.All(one => one.Barcode != barcode) &&
            Places.TryAdd(to, (barcode, null));

        private (string, ushort?) Taken(ushort from)
        {
            Places.Remove(from, out (string Barcode, ushort? Source) taken);
            return (taken.Barcode, from >= Slot1 ? from : taken.Source);
        }

        private static bool IsPlace(ushort address) => address is not (Robot or 0x0200);
    }
}
