using System.Text.RegularExpressions;
using Scstd.Backends.Tape;
using Scstd.Core;
using Scstd.Linux;
using Scstd.Scsi;

namespace Scstd.Backends.Changer;

/// <summary>What became of something that an administrator wanted.</summary>
/// <param name="Element">Where the cartridge is now; null: outside, or nothing was done.</param>
/// <param name="Problem">Null: it is done.</param>
public sealed record LibraryOutcome(LibraryElement? Element, string? Problem = null)
{
    internal static LibraryOutcome Refused(string why) => new(null, why);
}

/// <summary>
/// What an administrator does to the library while it runs: each a change alone on the unit, told to every nexus before
/// any command goes on. From any thread; a cancelled one has not begun, or is carried through. The inventory is
/// <see cref="Library"/>, to be read at any time.
/// </summary>
public sealed partial class ChangerBackend
{
    /// <summary>After a start: puts the cartridges that lie in drives into them, until when the changer is becoming
    /// ready and says so, and saves an inventory that is new. What cannot be opened stays in its drive as an exception.
    /// </summary>
    public async Task StartAsync(LogicalUnit unit, CancellationToken cancellation = default)
    {
        // Not alone on the unit, or whoever asks whether it is ready would wait. No command that moves anything is
        // executed until it is, and no administrator's wish begun.
        LibraryElement[] full = _isReady ? [] :
        [
            .. Library.Elements.Where(element => element.Type == ElementType.DataTransfer && element.IsFull),
        ];
        foreach (LibraryElement drive in full)
        {
            cancellation.ThrowIfCancellationRequested();
            await FillAsync(unit, drive);
        }
        await AloneAsync(unit, made => Started(unit, made), cancellation);
        _started.TrySetResult();
    }

    /// <summary>Brings a cartridge of the shelf into the library.</summary>
    /// <param name="unit">The unit of this changer.</param>
    /// <param name="file">Its name on the shelf.</param>
    /// <param name="to">An empty import/export or storage element; null: the first import/export element that is free,
    /// or else the first storage element.</param>
    /// <param name="cancellation">See above.</param>
    public async Task<LibraryOutcome> ImportAsync(
        LogicalUnit unit, string file, ushort? to = null, CancellationToken cancellation = default)
    {
        if (!InventoryText.CanHold(file))
            return LibraryOutcome.Refused("that is not the name of a cartridge's file");
        return await ImportAsync(unit, () => Shelf.Look(file), to, cancellation);
    }

    /// <summary>Makes a cartridge, labels it and brings it into the library.</summary>
    public async Task<LibraryOutcome> CreateAsync(
        LogicalUnit unit, NewCartridge wanted, ushort? to = null, CancellationToken cancellation = default)
    {
        if (!LabelExpression().IsMatch(wanted.Barcode))
        {
            return LibraryOutcome.Refused(
                "expected a barcode of 1 to 32 letters, digits, '-' and '_', such as A00042L8");
        }
        // Before there is a file that nobody wants.
        if (JudgeNew(wanted.Barcode, to) is { } problem)
            return LibraryOutcome.Refused(problem);
        ShelvedCartridge? created = null;
        try
        {
            return await ImportAsync(unit, () => created = Shelf.Create(wanted), to, cancellation);
        }
        finally
        {
            if (created is not null && Library.FindFile(created.File) is null)
                await DiscardAsync(created);
        }
    }

    private async Task DiscardAsync(ShelvedCartridge shelved)
    {
        try
        {
            await Task.Run(() => Shelf.Discard(shelved));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Failed?.Invoke(new LibraryFailure(null, shelved.Description?.Barcode, exception.Message));
        }
    }

    /// <summary>What a label may say, and its file be called.</summary>
    [GeneratedRegex("^[A-Za-z0-9_-]{1,32}$", RegexOptions.CultureInvariant)]
    private static partial Regex LabelExpression();

    /// <summary>Takes a cartridge out of the library; its file stays on the shelf. Not from a drive.</summary>
    public Task<LibraryOutcome> ExportAsync(
        LogicalUnit unit, ushort from, CancellationToken cancellation = default) =>
        WhenStartedAsync(unit, made => Export(unit, from, made), cancellation);

    /// <summary>Has the robot move a cartridge, into a drive as well.</summary>
    public Task<LibraryOutcome> MoveAsync(
        LogicalUnit unit, ushort from, ushort to, CancellationToken cancellation = default) =>
        WhenStartedAsync(unit, made => Move(unit, Library.At(from), Library.At(to), made), cancellation);

    /// <summary>Has the robot take the cartridge of a drive back to the slot that it came from, or to the first that is
    /// free.</summary>
    public Task<LibraryOutcome> UnloadAsync(
        LogicalUnit unit, ushort drive, CancellationToken cancellation = default) =>
        WhenStartedAsync(unit, made =>
        {
            LibraryElement? source = Library.At(drive);
            LibraryElement? home =
                source?.SourceNumber is { } number ? Library.Find(ElementType.Storage, number) : null;
            if (source is not { Type: ElementType.DataTransfer })
                made(LibraryOutcome.Refused("no drive has this address"));
            else if ((home is { IsFull: false } ? home : Library.FindFree(ElementType.Storage)) is not { } slot)
                made(LibraryOutcome.Refused("no slot is free"));
            else
                Move(unit, source, slot, made);
        }, cancellation);

    private async Task<LibraryOutcome> ImportAsync(
        LogicalUnit unit, Func<ShelvedCartridge> take, ushort? to, CancellationToken cancellation)
    {
        ShelvedCartridge shelved;
        try
        {
            shelved = await Task.Run(take, cancellation);
        }
        catch (Exception exception) when (
            exception is MediumFaultException or IOException or UnauthorizedAccessException)
        {
            return LibraryOutcome.Refused(exception.Message);
        }
        if (shelved.Description is null)
            return LibraryOutcome.Refused(shelved.Message);
        return await WhenStartedAsync(
            unit, made => Import(unit, MediumLibrary.Describe(shelved), to, made), cancellation);
    }

    private async Task<LibraryOutcome> WhenStartedAsync(
        LogicalUnit unit, Action<Action<LibraryOutcome>> change, CancellationToken cancellation)
    {
        if (!_isReady)
            await _started.Task.WaitAsync(cancellation);
        return await AloneAsync(unit, change, cancellation);
    }

    private async Task<LibraryOutcome> AloneAsync(
        LogicalUnit unit, Action<Action<LibraryOutcome>> change, CancellationToken cancellation)
    {
        Invariant.That(ReferenceEquals(unit.Backend, this), "a library is changed through its own unit");
        var ended = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        LibraryOutcome? outcome = null;
        PendingChange pending = unit.ChangeAlone(
            made => change(result =>
            {
                outcome = result;
                made();
            }),
            ended.SetResult);
        using CancellationTokenRegistration giveUp = cancellation.Register(pending.GiveUp);
        return await ended.Task ? outcome! : throw new OperationCanceledException(cancellation);
    }

    /// <summary>What lay in a drive is put into it, or why that cannot be is noted.</summary>
    private Task FillAsync(LogicalUnit unit, LibraryElement drive)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Reactor home = Reactors[unit.Home.Index];
        ITapeMedium? medium = null;
        home.Post(() => home.RunBlocking(() => medium = Shelf.Open(drive.Cartridge!.File), thrown =>
        {
            if (thrown is null)
            {
                BayOf(drive).Insert(medium!, load: true, done.SetResult);
                return;
            }
            (MediumFault fault, string message) = CartridgeFaults.Of(thrown);
            NoteProblem(drive, new CartridgeProblem(CartridgeFaults.SenseOf(fault), message));
            done.SetResult();
        }));
        return done.Task;
    }

    // ---- Alone on the unit, on its home executor --------------------------------------------------------------------

    private void Started(LogicalUnit unit, Action<LibraryOutcome> made)
    {
        if (!_isReady)
            unit.EstablishUnitAttention(AdditionalSense.MediumMayHaveChanged, except: null);
        _isReady = true;
        if (!_isNew)
        {
            made(new LibraryOutcome(null));
            return;
        }
        _isNew = false;
        Save(unit, unit.Home, isSaved => made(new LibraryOutcome(null, isSaved ? null : NotSavedMessage)));
    }

    private void Import(LogicalUnit unit, LibraryCartridge cartridge, ushort? to, Action<LibraryOutcome> made)
    {
        if ((JudgeNew(cartridge.Barcode, to) ?? JudgeFile(cartridge.File)) is { } problem)
        {
            made(LibraryOutcome.Refused(problem));
            return;
        }
        LibraryElement place = PlaceFor(to)!;
        Library.Replace(place.Emptied() with { Cartridge = cartridge, IsPlacedByOperator = true });
        Accessed(unit, place, made);
    }

    private string? JudgeFile(string file) => Library.FindFile(file) is { } element
        ? $"the cartridge is in the library already, in {element.Name}" : null;

    /// <summary>Null, or why no cartridge with this label can come in there.</summary>
    private string? JudgeNew(string barcode, ushort? to)
    {
        if (IsRemovalPrevented)
            return "an initiator keeps operators out (PREVENT ALLOW MEDIUM REMOVAL)";
        if (Library.Find(barcode) is { } other)
            return $"a cartridge with the barcode {barcode} is in the library already, in {other.Name}";
        if (to is { } address && Library.At(address) is not { Type: ElementType.Storage or ElementType.ImportExport })
            return "no slot has this address";
        return PlaceFor(to) switch
        {
            null => "no slot is free",
            { IsFull: true } full => $"{full.Name} is not empty",
            _ => null,
        };
    }

    private LibraryElement? PlaceFor(ushort? to) => to is { } address
        ? Library.At(address) : Library.FindFree(ElementType.ImportExport) ?? Library.FindFree(ElementType.Storage);

    private void Export(LogicalUnit unit, ushort from, Action<LibraryOutcome> made)
    {
        LibraryElement? element = Library.At(from);
        string? problem = element switch
        {
            { Type: ElementType.DataTransfer } => $"{element.Name} must be unloaded first",
            not { Type: ElementType.Storage or ElementType.ImportExport } => "no slot has this address",
            { IsFull: false } => $"{element.Name} is empty",
            _ when IsRemovalPrevented => "an initiator keeps operators out (PREVENT ALLOW MEDIUM REMOVAL)",
            _ => null,
        };
        if (problem is not null)
        {
            made(LibraryOutcome.Refused(problem));
            return;
        }
        Library.Replace(element!.Emptied());
        Accessed(unit, element, made, isOutside: true);
    }

    private void Move(
        LogicalUnit unit, LibraryElement? source, LibraryElement? destination, Action<LibraryOutcome> made)
    {
        string? problem =
            source is null or { Type: ElementType.MediumTransport } ? "the source has no element's address"
            : destination is null or { Type: ElementType.MediumTransport } ? "the destination has no element's address"
            : !source.IsFull ? $"{source.Name} is empty"
            : destination.IsFull ? $"{destination.Name} is not empty"
            : source.IsOpen || destination.IsOpen ? "the robot reaches no mail slot that an initiator has opened"
            : null;
        if (problem is not null)
        {
            made(LibraryOutcome.Refused(problem));
            return;
        }
        Begin(unit, unit.Home, [new TransportLeg(source!, destination!)], (fault, isSaved) =>
        {
            if (fault is not null)
            {
                made(LibraryOutcome.Refused(fault.Message));
                return;
            }
            // Who relies on what it knew of the elements must look again.
            unit.EstablishUnitAttention(AdditionalSense.MediumMayHaveChanged, except: null);
            made(Outcome(destination!, isSaved));
        }).Start();
    }

    /// <summary>An operator has put something there or taken it away: IMPORT OR EXPORT ELEMENT ACCESSED. To reach a
    /// slot the door must be opened, after which any medium may have changed.</summary>
    private void Accessed(LogicalUnit unit, LibraryElement place, Action<LibraryOutcome> made, bool isOutside = false)
    {
        unit.EstablishUnitAttention(
            place.Type == ElementType.ImportExport
                ? AdditionalSense.ImportOrExportElementAccessed : AdditionalSense.MediumMayHaveChanged,
            except: null);
        Save(unit, unit.Home, isSaved =>
        {
            LibraryOutcome outcome = Outcome(place, isSaved);
            made(isOutside ? outcome with { Element = null } : outcome);
        });
    }

    private LibraryOutcome Outcome(LibraryElement place, bool isSaved) =>
        new(Library.At(place.Address), isSaved ? null : NotSavedMessage);
}
