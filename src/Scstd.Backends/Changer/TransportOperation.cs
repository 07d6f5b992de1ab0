using Scstd.Backends.Tape;
using Scstd.Core;
using Scstd.Linux;
using Scstd.Scsi;

namespace Scstd.Backends.Changer;

/// <summary>A cartridge on its way from one element to another.</summary>
internal sealed class TransportLeg(LibraryElement source, LibraryElement destination)
{
    public LibraryElement Source { get; } = source;

    public LibraryElement Destination { get; } = destination;

    public bool LeavesDrive => Source.Type == ElementType.DataTransfer;

    public bool EntersDrive => Destination.Type == ElementType.DataTransfer;

    /// <summary>The cartridge, opened or out of a drive.</summary>
    public ITapeMedium? Medium { get; set; }

    public bool IsOutOfDrive { get; set; }

    /// <summary>The drive that it comes from had it open.</summary>
    public bool HadMedium { get; set; }

    /// <summary>It was threaded in the drive that it comes from.</summary>
    public bool WasLoaded { get; set; }
}

/// <summary>
/// The robot moves one cartridge, or two whose places depend on each other. Runs alone on the changer's unit, on one
/// reactor, step by step: what can fail (opening cartridges) first, then out of the drives, then in. What fails leaves
/// every cartridge where it was.
/// </summary>
/// <param name="changer">Whose.</param>
/// <param name="executor">Where it runs and calls back.</param>
/// <param name="legs">All source elements are full, all destinations empty or emptied by another leg.</param>
/// <param name="ended">With null, or why nothing was moved.</param>
internal sealed class TransportOperation(
    ChangerBackend changer, IExecutor executor, TransportLeg[] legs, Action<TransportFault?> ended)
{
    private readonly Reactor _reactor = changer.Reactors[executor.Index];
    private Action? _stopWaiting;
    private bool _isGivenUp;

    public void Start()
    {
        // Asked again when the drive does nothing any more; but what is known to fail need not begin.
        if (Array.Find(legs, leg => leg.LeavesDrive && changer.IsHeldByDrive(leg.Source)) is { } held)
            ended(Held(held));
        else
            OpenNext(leg => !leg.LeavesDrive, RemoveNext);
    }

    /// <summary>Waits for no drive that is at work, now or later: then nothing has moved, and nothing will. From the
    /// executor.</summary>
    public void GiveUp()
    {
        _isGivenUp = true;
        _stopWaiting?.Invoke();
    }

    private static readonly TransportFault GivenUp =
        new(new SenseData(SenseKey.AbortedCommand, AdditionalSense.None), "the move was given up");

    private static TransportFault Held(TransportLeg leg) => new(
        SenseData.IllegalRequest(AdditionalSense.MediumRemovalPreventedByDataTransferElement),
        $"{leg.Source.Name} does not give its cartridge: its removal is prevented");

    /// <summary>Opens what goes into a drive and is not open.</summary>
    private void OpenNext(Func<TransportLeg, bool> isMeant, Action then)
    {
        if (Array.Find(legs, leg => leg.EntersDrive && leg.Medium is null && isMeant(leg)) is not { } leg)
        {
            then();
            return;
        }
        string file = leg.Source.Cartridge!.File;
        _reactor.RunBlocking(() => leg.Medium = changer.Shelf.Open(file), thrown =>
        {
            if (thrown is null)
                OpenNext(isMeant, then);
            else
                OpeningFailed(leg, thrown);
        });
    }

    private void OpeningFailed(TransportLeg leg, Exception thrown)
    {
        (MediumFault fault, string message) = CartridgeFaults.Of(thrown);
        SenseData sense = CartridgeFaults.SenseOf(fault);
        changer.NoteProblem(leg.Source, new CartridgeProblem(sense, message));
        PutBackNext(new TransportFault(sense, message));
    }

    private void RemoveNext()
    {
        if (Array.Find(legs, leg => leg.LeavesDrive && !leg.IsOutOfDrive) is not { } leg)
        {
            // A drive that came to nothing (its cartridge could not be opened at the start) gave nothing.
            OpenNext(static _ => true, PutNext);
            return;
        }
        if (_isGivenUp)
        {
            PutBackNext(GivenUp);
            return;
        }
        _stopWaiting = changer.BayOf(leg.Source).Remove(
            changer.TermsOfRemoval, removal => executor.Post(() => Removed(leg, removal)));
    }

    private void Removed(TransportLeg leg, in DriveRemoval removal)
    {
        _stopWaiting = null;
        switch (removal.Outcome)
        {
            case RemovalOutcome.Taken:
                (leg.Medium, leg.WasLoaded, leg.IsOutOfDrive) = (removal.Medium, removal.WasLoaded, true);
                leg.HadMedium = removal.Medium is not null;
                RemoveNext();
                break;
            case RemovalOutcome.Refused:
                PutBackNext(Held(leg));
                break;
            default:
                PutBackNext(GivenUp);
                break;
        }
    }

    private void PutNext()
    {
        if (Array.Find(legs, leg => leg.Medium is not null) is not { Medium: { } medium } leg)
        {
            ended(null);
            return;
        }
        leg.Medium = null;
        if (leg.EntersDrive)
            changer.BayOf(leg.Destination).Insert(medium, load: true, () => executor.Post(PutNext));
        else
            Close(leg.Source, medium, PutNext);
    }

    /// <summary>It has come to nothing: what was taken out of a drive goes back there. What a drive had closed after a
    /// failure lies in it and is an exception.</summary>
    private void PutBackNext(TransportFault fault)
    {
        if (Array.Find(legs, leg => leg.Medium is not null) is not { Medium: { } medium } leg)
        {
            foreach (TransportLeg closed in legs.Where(one => one.IsOutOfDrive && !one.HadMedium))
                changer.NoteClosed(closed.Source);
            ended(fault);
            return;
        }
        leg.Medium = null;
        if (leg.IsOutOfDrive)
        {
            changer.BayOf(leg.Source).Insert(
                medium, leg.WasLoaded, () => executor.Post(() => PutBackNext(fault)));
        }
        else
            Close(leg.Source, medium, () => PutBackNext(fault));
    }

    /// <summary>The drive has synchronised it: what goes wrong here is told, and the cartridge lies in its
    /// slot.</summary>
    private void Close(LibraryElement source, ITapeMedium medium, Action then) =>
        _reactor.RunBlocking(medium.Dispose, thrown =>
        {
            if (thrown is not null)
                changer.Tell(source, CartridgeFaults.Of(thrown).Message);
            then();
        });
}

/// <summary>Why nothing was moved.</summary>
/// <param name="Sense">For an initiator.</param>
/// <param name="Message">For an administrator.</param>
internal sealed record TransportFault(SenseData Sense, string Message);
