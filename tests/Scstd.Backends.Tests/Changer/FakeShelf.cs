using Scstd.Backends.Changer;
using Scstd.Backends.Tape;
using Scstd.Core;

namespace Scstd.Backends.Tests.Changer;

/// <summary>Cartridges in memory, each under its barcode as the file's name, and what is wrong with them.</summary>
internal sealed class FakeShelf : ICartridgeShelf
{
    private readonly SortedDictionary<string, MediumDescription> _cartridges = new(StringComparer.Ordinal);

    /// <summary>Files that cannot be opened, and why.</summary>
    public Dictionary<string, MediumFault> Faults { get; } = [];

    /// <summary>Opened and not disposed of.</summary>
    public List<FakeMedium> Open { get; } = [];

    /// <summary>What a call throws that no cartridge is to blame for.</summary>
    public Exception? Thrown { get; set; }

    public string Add(string barcode, bool isWorm = false, bool isCleaning = false, string? file = null)
    {
        file ??= barcode;
        _cartridges[file] = new MediumDescription(barcode, 0x58, isWorm, false, isCleaning, $"S{barcode}", 1 << 20);
        return file;
    }

    public void Remove(string file) => _cartridges.Remove(file);

    public IReadOnlyList<ShelvedCartridge> List() => [.. _cartridges.Keys.Union(Faults.Keys).Order().Select(Look)];

    public ShelvedCartridge Look(string file)
    {
        if (Thrown is not null)
            throw Thrown;
        if (Faults.TryGetValue(file, out MediumFault? fault))
            return new ShelvedCartridge(file, null, fault, $"{file}: {fault.Kind}");
        return _cartridges.TryGetValue(file, out MediumDescription? description)
            ? new ShelvedCartridge(file, description)
            : new ShelvedCartridge(file, null, new MediumFault(MediumFaultKind.Store, 2), $"{file}: no such file");
    }

    ITapeMedium ICartridgeShelf.Open(string file)
    {
        ShelvedCartridge shelved = Look(file);
        if (shelved.Description is null)
            throw new MediumFaultException(shelved.Fault!, shelved.Message);
        Assert.DoesNotContain(Open, medium => medium.File == file);
        var medium = new FakeMedium(this, file, shelved.Description);
        Open.Add(medium);
        return medium;
    }

    public ShelvedCartridge Create(NewCartridge wanted)
    {
        if (_cartridges.ContainsKey(wanted.Barcode))
        {
            throw new MediumFaultException(
                new MediumFault(MediumFaultKind.Store, 17), $"{wanted.Barcode}: the file exists");
        }
        return Look(Add(wanted.Barcode, wanted.IsWorm, wanted.IsCleaning));
    }

    public void Discard(ShelvedCartridge made) => Assert.True(_cartridges.Remove(made.File));
}

/// <summary>Which cartridge it is; a changer reads and writes nothing.</summary>
internal sealed class FakeMedium(FakeShelf shelf, string file, MediumDescription description) : ITapeMedium
{
    public string File => file;

    /// <summary>Thrown when it is closed.</summary>
    public Exception? ClosingFails { get; set; }

    public MediumDescription Description => description;

    public IReadOnlyList<PartitionDescription> Partitions => throw NotForAChanger();

    public TapePosition Position => throw NotForAChanger();

    public TapePosition EndOfData => throw NotForAChanger();

    public IDictionary<string, ulong> Statistics => throw NotForAChanger();

    public bool Locate(int partition, ulong objectNumber) => throw NotForAChanger();

    public bool LocateFile(int partition, ulong fileNumber) => throw NotForAChanger();

    public SpaceResult Space(SpaceUnit unit, long count, Func<bool>? isGivenUp = null) => throw NotForAChanger();

    public TapeObject Peek(bool backwards = false) => throw NotForAChanger();

    public int Read(
        DataBuffer destination, int offsetBytes, int maxLengthBytes, bool backwards = false, TapeKey? key = null) =>
        throw NotForAChanger();

    public void Skip(bool backwards = false) => throw NotForAChanger();

    public bool Write(DataBuffer source, int offsetBytes, int lengthBytes, in WriteOptions options) =>
        throw NotForAChanger();

    public bool WriteMarks(TapeObjectKind kind, int count) => throw NotForAChanger();

    public void Erase(bool isLong, Func<bool> isGivenUp) => throw NotForAChanger();

    public void Synchronize() => throw NotForAChanger();

    public void Format(IReadOnlyList<ulong> partitionCapacitiesBytes) => throw NotForAChanger();

    public IReadOnlyList<MediumAttribute> Attributes(int partition) => throw NotForAChanger();

    public void SetAttributes(int partition, IReadOnlyList<MediumAttribute> attributes) => throw NotForAChanger();

    public void Abandon() => throw NotForAChanger();

    public void Dispose()
    {
        Assert.True(shelf.Open.Remove(this), "a cartridge is closed once");
        if (ClosingFails is not null)
            throw ClosingFails;
    }

    private static InvalidOperationException NotForAChanger() => new("a changer moves cartridges and no tape");
}
