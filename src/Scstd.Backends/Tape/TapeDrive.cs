using Scstd.Core;
using Scstd.Linux;
using Scstd.Scsi;

namespace Scstd.Backends.Tape;

/// <summary>
/// A drive with its logical unit, as the robot sees it: a cartridge is put in and taken out while no command is with
/// the device server. What is called back runs on the unit's home reactor.
/// </summary>
public sealed class TapeDrive
{
    private readonly TapeBackend _backend;
    private readonly LogicalUnit _unit;
    private readonly Reactor _home;

    public TapeDrive(TapeBackend backend, LogicalUnit unit)
    {
        _backend = backend;
        _unit = unit;
        _home = backend.Reactors[unit.Home.Index];
    }

    /// <summary>PREVENT ALLOW MEDIUM REMOVAL of any nexus.</summary>
    public bool IsRemovalPrevented => _backend.IsRemovalPrevented;

    /// <summary>Null: the drive is empty.</summary>
    public string? Barcode => _backend.Barcode;

    /// <summary>Threaded; false: the drive is empty, or its cartridge waits to be taken.</summary>
    public bool IsLoaded => _backend.Load is TapeLoad.Loaded or TapeLoad.Incompatible or TapeLoad.Unreadable;

    /// <summary>Its store did what no store may do: nothing can be done with the cartridge until it is taken out and
    /// put in again.</summary>
    public bool HasFailed => _backend.Load == TapeLoad.Failed;

    /// <summary>The robot puts a cartridge into the empty drive, which owns it from now on. Every nexus is told when
    /// it is ready (28h/00h). A cartridge whose format cannot be read is in the drive, and every command says so.
    /// </summary>
    /// <param name="medium">The cartridge.</param>
    /// <param name="load">It is threaded; else it waits at the door for LOAD UNLOAD.</param>
    /// <param name="done">When it is there.</param>
    public void Insert(ITapeMedium medium, bool load, Action done) => _home.Post(() => _home.RunBlocking(
        () =>
        {
            if (load)
                _backend.Prepare(medium);
        },
        thrown => _unit.ChangeAlone(
            () =>
            {
                _backend.Attach(medium, load, thrown);
                if (thrown is not null)
                    _backend.TellFailure(medium.Description.Barcode, "the load of a cartridge", thrown);
                if (_backend.NotReady is null)
                    _unit.EstablishUnitAttention(AdditionalSense.MediumMayHaveChanged, except: null);
            },
            done)));

    /// <summary>The robot takes the cartridge out; what was buffered is on it then, or whoever has written it hears
    /// that it is lost.</summary>
    /// <param name="terms">Judged when no command is with the device server any more.</param>
    /// <param name="done">What became of it.</param>
    /// <returns>Gives it up, from any thread, if it has not begun: <paramref name="done"/> hears of that.</returns>
    public Action Remove(RemovalTerms terms, Action<DriveRemoval> done)
    {
        var removal = new DriveRemoval(RemovalOutcome.GivenUp);
        PendingChange pending = _unit.ChangeAlone(
            made =>
            {
                if (Refuses(terms))
                {
                    removal = new DriveRemoval(RemovalOutcome.Refused);
                    made();
                    return;
                }
                bool wasLoaded = IsLoaded;
                string barcode = Barcode ?? "";
                _home.RunBlocking(_backend.Settle, thrown =>
                {
                    ITapeMedium? medium = _backend.Detach(out ItNexus[] withoutKeys);
                    _unit.EstablishUnitAttention(
                        AdditionalSense.DataEncryptionParametersChangedByVendorSpecificEvent, withoutKeys);
                    if (thrown is not null)
                        _backend.TellFailure(barcode, "the removal of a cartridge", thrown);
                    removal = new DriveRemoval(RemovalOutcome.Taken, medium, wasLoaded);
                    made();
                });
            },
            _ => done(removal));
        return pending.GiveUp;
    }

    private bool Refuses(RemovalTerms terms) => terms switch
    {
        RemovalTerms.Always => false,
        RemovalTerms.UnlessPrevented => IsRemovalPrevented,
        _ => IsRemovalPrevented || IsLoaded,
    };
}

/// <summary>When a drive gives its cartridge.</summary>
public enum RemovalTerms
{
    /// <summary>Nobody is left whom it could concern.</summary>
    Always,

    /// <summary>Unless some nexus prevents that (PREVENT ALLOW MEDIUM REMOVAL).</summary>
    UnlessPrevented,

    /// <summary>Nor if it is loaded: the robot's fingers reach it only at the door.</summary>
    UnlessPreventedOrLoaded,
}

/// <summary>What became of a cartridge that a robot wanted.</summary>
public enum RemovalOutcome
{
    /// <summary>It is the robot's, if there was one.</summary>
    Taken,

    /// <summary>The drive keeps it.</summary>
    Refused,

    /// <summary>The robot has turned away before the drive was free.</summary>
    GivenUp,
}

/// <summary>What the robot has in its hand.</summary>
/// <param name="Outcome">Nothing, unless it was taken.</param>
/// <param name="Medium">The caller's from now on; null: the drive was empty, or its cartridge had been closed after a
/// failure and must be opened anew.</param>
/// <param name="WasLoaded">It was threaded.</param>
public readonly record struct DriveRemoval(
    RemovalOutcome Outcome, ITapeMedium? Medium = null, bool WasLoaded = false);
