using System.Globalization;
using Scstd.Backends.Changer;
using Scstd.Backends.Tape;
using Scstd.Composition;
using Scstd.Configuration;
using Scstd.Control;
using Scstd.Libraries;
using Scstd.Scsi;
using Serilog;

namespace Scstd.Administration;

/// <summary>Tape libraries: what lies where, and what an administrator does at their doors. Initiators are told of all
/// of it as the standards say.</summary>
internal sealed class LibraryCommands(Server server, ILogger log)
{
    /// <summary>A cartridge that a drive writes back, and a store that is slow, take their time.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>As an administrator calls places: with a number from 1 on behind it.</summary>
    private static readonly (string Word, ElementType Type)[] Places =
    [
        ("slot", ElementType.Storage), ("mail", ElementType.ImportExport), ("drive", ElementType.DataTransfer),
        ("robot", ElementType.MediumTransport),
    ];

    public LibrariesAnswer Describe(LibraryRequest request) => new(
    [
        .. (request.Library is { } name ? [Find(name)] : server.Libraries).Select(library => new LibraryRecord(
            library.Name, library.Section.Personality.Name, library.Changer.NotReady is null,
            [
                .. library.Changer.Library.Elements.Where(one => one.Type != ElementType.MediumTransport || one.IsFull)
                    .Select(element => Describe(library, element)),
            ])),
    ]);

    /// <summary>By the robot; without a place to go, back to where it came from.</summary>
    public async Task<ControlAnswer> MoveAsync(MoveCartridgeRequest request)
    {
        ServedLibrary library = Find(request.Library);
        LibraryElement from = Source(library, request.From);
        if (request.To is null && from.Type != ElementType.DataTransfer)
        {
            throw new ControlRefusal(
                ErrorCode.Malformed, $"{request.From} lies in no drive: expected a place to move it to");
        }
        log.Information("Administrator: library {Library:l} is to move {From:l} to {To:l}", library.Name, request.From,
            request.To ?? "its slot");
        return await DoAsync(library, from.Cartridge?.Barcode, limit => request.To is { } to
            ? library.Changer.MoveAsync(library.ChangerUnit.Unit, from.Address, Place(library, to).Address, limit)
            : library.Changer.UnloadAsync(library.ChangerUnit.Unit, from.Address, limit));
    }

    public async Task<ControlAnswer> ImportAsync(ImportCartridgeRequest request)
    {
        ServedLibrary library = Find(request.Library);
        string file = request.File.EndsWith(DirectoryShelf.Extension, StringComparison.Ordinal)
            ? request.File : request.File + DirectoryShelf.Extension;
        log.Information("Administrator: {File:l} is to come into library {Library:l}", file, library.Name);
        return await DoAsync(library, null, limit => library.Changer.ImportAsync(
            library.ChangerUnit.Unit, file, AddressOf(library, request.To), limit));
    }

    public async Task<ControlAnswer> ExportAsync(ExportCartridgeRequest request)
    {
        ServedLibrary library = Find(request.Library);
        LibraryElement from = Source(library, request.From);
        log.Information("Administrator: {From:l} is to leave library {Library:l}", request.From, library.Name);
        return await DoAsync(library, from.Cartridge?.Barcode,
            limit => library.Changer.ExportAsync(library.ChangerUnit.Unit, from.Address, limit));
    }

    public async Task<ControlAnswer> CreateAsync(CreateCartridgeRequest request)
    {
        ServedLibrary library = Find(request.Library);
        TapeDensity density = DensityOf(library, request.Generation);
        ulong? capacityBytes = null;
        if (request.Capacity is { } capacity)
        {
            if (!Units.TryParseSize(capacity, out long bytes) || bytes <= 0)
            {
                throw new ControlRefusal(ErrorCode.Malformed,
                    $"capacity: expected more than nothing, such as 100GiB, found '{capacity}'");
            }
            capacityBytes = (ulong)bytes;
        }
        log.Information("Administrator: cartridge {Barcode:l} is to be made for library {Library:l}", request.Barcode,
            library.Name);
        var wanted = new NewCartridge(
            request.Barcode, density.Code, capacityBytes, request.IsWorm, request.IsCleaning);
        return await DoAsync(library, request.Barcode, limit => library.Changer.CreateAsync(
            library.ChangerUnit.Unit, wanted, AddressOf(library, request.To), limit));
    }

    private static async Task<ControlAnswer> DoAsync(
        ServedLibrary library, string? barcode, Func<CancellationToken, Task<LibraryOutcome>> change)
    {
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            LibraryOutcome outcome = await change(limit.Token).WaitAsync(Patience + Patience);
            if (outcome.Problem is { } problem)
                throw new ControlRefusal(ErrorCode.Refused, problem);
            return new CartridgeAnswer(
                library.Name, outcome.Element?.Cartridge?.Barcode ?? barcode,
                outcome.Element is { } element ? PlaceOf(element) : null);
        }
        catch (OperationCanceledException)
        {
            throw new ControlRefusal(ErrorCode.TimedOut, $"library {library.Name} is busy; nothing was begun");
        }
        catch (TimeoutException)
        {
            throw new ControlRefusal(ErrorCode.TimedOut, $"library {library.Name} has begun and waits for a drive or a "
                + "store; 'library list' tells when it is done");
        }
    }

    private ServedLibrary Find(string name) => server.Libraries.FirstOrDefault(one => one.Name == name)
        ?? throw ControlRefusal.NotFound("library", name, server.Libraries.Select(one => one.Name));

    private static ushort? AddressOf(ServedLibrary library, string? place) =>
        place is null ? null : Place(library, place).Address;

    private static LibraryElement Place(ServedLibrary library, string place) => FindPlace(library, place)
        ?? throw new ControlRefusal(ErrorCode.NotFound,
            $"there is no place '{place}': expected slot1 to slot{library.Section.Slots}, mail1 to "
            + $"mail{library.Section.ImportExport} or drive1 to drive{library.Drives.Count}");

    /// <summary>A place, or a cartridge by its barcode.</summary>
    private static LibraryElement Source(ServedLibrary library, string what) =>
        library.Changer.Library.Find(what) ?? FindPlace(library, what)
        ?? throw ControlRefusal.NotFound("cartridge or place", what,
            library.Changer.Library.Elements.Select(one => one.Cartridge?.Barcode).OfType<string>());

    private static LibraryElement? FindPlace(ServedLibrary library, string place)
    {
        foreach ((string word, ElementType type) in Places)
        {
            if (place.StartsWith(word, StringComparison.OrdinalIgnoreCase) && int.TryParse(
                place.AsSpan(word.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int number))
                return library.Changer.Library.Find(type, number);
        }
        return null;
    }

    private static string PlaceOf(LibraryElement element) => string.Create(
        CultureInfo.InvariantCulture, $"{Places.First(one => one.Type == element.Type).Word}{element.Number}");

    private static TapeDensity DensityOf(ServedLibrary library, string? generation)
    {
        if (generation is null)
            return library.Drives[0].Backend.Personality.Density;
        return TapeDensity.All.FirstOrDefault(one => string.Equals(
                $"lto-{one.Generation}", generation, StringComparison.OrdinalIgnoreCase))
            ?? throw ControlRefusal.NotFound("generation", generation, TapeDensity.All.Select(
                one => $"lto-{one.Generation}"));
    }

    private static ElementRecord Describe(ServedLibrary library, LibraryElement element)
    {
        string? state = element.Cartridge?.Problem?.Message;
        if (element.Type == ElementType.DataTransfer && element.IsFull && state is null)
            state = StateOf(library.Drives[element.Number - 1].Drive);
        return new ElementRecord(
            PlaceOf(element), element.Address, element.Cartridge?.Barcode, element.Cartridge?.File,
            element.SourceNumber, state);
    }

    private static string StateOf(TapeDrive drive) =>
        drive.IsLoaded ? "loaded" : drive.HasFailed ? "failed: unload it and load it again" : "ejected";
}
