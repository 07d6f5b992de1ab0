using Scstd.Backends.Tape;
using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Backends.Changer;

/// <summary>What changes the inventory. Runs alone on the unit; a status follows when the change is on stable storage.
/// </summary>
public sealed partial class ChangerBackend
{
    private const string NotSavedMessage =
        "the inventory could not be saved: cartridges lie where they were moved to until the daemon ends, and where "
        + "they were before when it starts again";

    /// <summary>What an initiator has the robot do now; null: nothing.</summary>
    private volatile Carrying? _carrying;

    private sealed record Carrying(ScsiCommand Command, TransportOperation Operation);

    /// <summary>The drive does not give its cartridge now.</summary>
    internal bool IsHeldByDrive(LibraryElement drive)
    {
        IDriveBay bay = BayOf(drive);
        return bay.IsRemovalPrevented || (Personality.NeedsUnloadBeforeMove && bay.IsLoaded);
    }

    internal RemovalTerms TermsOfRemoval =>
        Personality.NeedsUnloadBeforeMove ? RemovalTerms.UnlessPreventedOrLoaded : RemovalTerms.UnlessPrevented;

    /// <summary>Null, or why no cartridge can be taken from there.</summary>
    private static SenseData? JudgeSource(LibraryElement element) => element switch
    {
        { IsOpen: true } => SenseData.IllegalRequest(AdditionalSense.MediumMagazineNotAccessible),
        { IsFull: false } => SenseData.IllegalRequest(AdditionalSense.MediumSourceElementEmpty),
        _ => null,
    };

    /// <summary>Null, or why none can be put there.</summary>
    private static SenseData? JudgeDestination(LibraryElement element) => element switch
    {
        { IsOpen: true } => SenseData.IllegalRequest(AdditionalSense.MediumMagazineNotAccessible),
        { IsFull: true } => SenseData.IllegalRequest(AdditionalSense.MediumDestinationElementFull),
        _ => null,
    };

    /// <summary>MOVE MEDIUM. To the place where the cartridge lies it need not be moved.</summary>
    private void MoveMedium(ScsiCommand command)
    {
        LibraryElement source = Library.At(AddressIn(command.Cdb, SourceOffset))!;
        LibraryElement destination = Library.At(AddressIn(command.Cdb, DestinationOffset))!;
        bool stays = ReferenceEquals(source, destination);
        if ((JudgeSource(source) ?? (stays ? null : JudgeDestination(destination))) is { } refused)
            command.CheckCondition(refused);
        else if (stays)
            command.Complete();
        else
            Carry(command, new TransportLeg(source, destination));
    }

    /// <summary>EXCHANGE MEDIUM: the cartridge of the source goes to the first destination, the one that was there to
    /// the second, which may be the source.</summary>
    private void ExchangeMedium(ScsiCommand command)
    {
        LibraryElement source = Library.At(AddressIn(command.Cdb, SourceOffset))!;
        LibraryElement first = Library.At(AddressIn(command.Cdb, DestinationOffset))!;
        LibraryElement second = Library.At(AddressIn(command.Cdb, SecondDestinationOffset))!;
        if ((JudgeSource(source) ?? JudgeSource(first) ??
            (ReferenceEquals(second, source) ? null : JudgeDestination(second))) is { } refused)
            command.CheckCondition(refused);
        else if (ReferenceEquals(source, first))
            command.CheckCondition(InvalidElementAddress(DestinationOffset));
        else
            Carry(command, new TransportLeg(source, first), new TransportLeg(first, second));
    }

    private void Carry(ScsiCommand command, params TransportLeg[] legs)
    {
        TransportOperation operation = Begin(command.Unit, command.Nexus.Executor, legs, (fault, isSaved) =>
        {
            _carrying = null;
            if (fault is not null)
                command.CheckCondition(fault.Sense);
            else
                CompleteSaved(command, isSaved);
        });
        _carrying = new Carrying(command, operation);
        operation.Start();
    }

    /// <summary>Moves, keeps the books, and has them saved; then calls back on <paramref name="executor"/>.</summary>
    private TransportOperation Begin(
        LogicalUnit unit, IExecutor executor, TransportLeg[] legs, Action<TransportFault?, bool> ended) =>
        new TransportOperation(this, executor, legs, fault =>
        {
            if (fault is not null)
            {
                ended(fault, false);
                return;
            }
            Library.Replace([.. legs.Select(leg => leg.Source.Emptied()), .. legs.Select(Arrived)]);
            Save(unit, executor, isSaved => ended(null, isSaved));
        });

    /// <summary>What a drive has taken could be opened.</summary>
    private static LibraryElement Arrived(TransportLeg leg)
    {
        LibraryElement element = leg.Destination.Receiving(leg.Source);
        return leg.EntersDrive ? element with { Cartridge = element.Cartridge! with { Problem = null } } : element;
    }

    private void Save(LogicalUnit unit, IExecutor executor, Action<bool> saved)
    {
        Invariant.That(unit.Name == _options.Name, "an inventory is found again under the name it was saved by");
        if (unit.StateStore is not { } store)
        {
            saved(true);
            return;
        }
        store.Save(unit.Name, MediumLibrary.StatePart, Library.Write(), executor, isSaved =>
        {
            if (!isSaved)
                Failed?.Invoke(new LibraryFailure(null, null, NotSavedMessage));
            saved(isSaved);
        });
    }

    /// <summary>A GOOD status is kept, so there is none for what a restart would not find. The initiator looks where
    /// its cartridges are, as after any hardware error.</summary>
    private static void CompleteSaved(ScsiCommand command, bool isSaved)
    {
        if (isSaved)
            command.Complete();
        else
            command.CheckCondition(new SenseData(SenseKey.HardwareError, AdditionalSense.InternalTargetFailure));
    }

    /// <summary>Looks at the label of every cartridge, or of those in a range. A drive knows what it
    /// has: its cartridge is not looked at.</summary>
    private void InitializeElementStatus(ScsiCommand command)
    {
        bool hasRange = command.Binding.Row == Smc.InitializeElementStatusWithRange && (command.Cdb[1] & Range) != 0;
        int first = hasRange ? AddressIn(command.Cdb, 2) : 0;
        // NUMBER OF ELEMENTS of zero is all from there on.
        int most = hasRange && AddressIn(command.Cdb, 6) is var number and > 0 ? number : int.MaxValue;
        LibraryElement[] places =
        [
            .. Library.Elements.Where(element => element.Address >= first).Take(most)
                .Where(element => element.IsFull && element.Type != ElementType.DataTransfer),
        ];
        ShelvedCartridge[] seen = [];
        Reactors[command.Nexus.Executor.Index].RunBlocking(
            () => seen = [.. places.Select(place => Shelf.Look(place.Cartridge!.File))],
            thrown =>
            {
                if (thrown is not null)
                {
                    (MediumFault fault, string message) = CartridgeFaults.Of(thrown);
                    Failed?.Invoke(new LibraryFailure(null, null, message));
                    command.CheckCondition(CartridgeFaults.SenseOf(fault));
                    return;
                }
                Adopt(command, places, seen);
            });
    }

    private void Adopt(ScsiCommand command, LibraryElement[] places, ShelvedCartridge[] seen)
    {
        byte[] before = Library.Write();
        LibraryElement[] changed =
        [
            .. places.Select((place, i) => place with
            {
                Cartridge = MediumLibrary.Describe(seen[i], place.Cartridge!.Barcode),
            }),
        ];
        Library.Replace(changed);
        for (int i = 0; i < places.Length; i++)
        {
            if (changed[i].Cartridge!.Problem is { } problem && problem != places[i].Cartridge!.Problem)
                Tell(changed[i], problem.Message);
        }
        if (Library.Write().AsSpan().SequenceEqual(before))
            command.Complete();
        else
            Save(command.Unit, command.Nexus.Executor, isSaved => CompleteSaved(command, isSaved));
    }

    /// <summary>OPEN/CLOSE IMPORT/EXPORT ELEMENT. What is locked is not opened.</summary>
    private void OpenClose(ScsiCommand command)
    {
        LibraryElement element = Library.At(AddressIn(command.Cdb, TransportOffset))!;
        bool opens = (command.Cdb[4] & 0x1F) == OpenAction;
        if (opens && IsRemovalPrevented)
        {
            command.CheckCondition(SenseData.IllegalRequest(AdditionalSense.MediumRemovalPrevented));
            return;
        }
        Library.Replace(element with { IsOpen = opens });
        command.Complete();
    }
}
