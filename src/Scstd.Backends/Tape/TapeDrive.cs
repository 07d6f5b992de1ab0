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
                _backend.Attach(medium, load, isReadable: thrown is null);
                if (thrown is not null)
                    _backend.TellFailure(medium, "the load of a cartridge", thrown);
                if (_backend.NotReady is null)
                    _unit.EstablishUnitAttention(AdditionalSense.MediumMayHaveChanged, except: null);
            },
            done)));

    /// <summary>The robot takes the cartridge out; what was buffered is on it then. Whoever may prevent that was asked
    /// before.</summary>
    /// <param name="done">With the cartridge, which is the caller's from now on, or null: there was none.</param>
    public void Remove(Action<ITapeMedium?> done)
    {
        ITapeMedium? medium = null;
        bool isDirty = false;
        ItNexus? writer = null;
        _unit.ChangeAlone(() => medium = _backend.Detach(out isDirty, out writer), () =>
        {
            if (medium is null)
                done(null);
            else
                Finish(medium, isDirty, writer, done);
        });
    }

    private void Finish(ITapeMedium medium, bool isDirty, ItNexus? writer, Action<ITapeMedium?> done) =>
        _home.RunBlocking(
            () =>
            {
                if (isDirty)
                    _backend.Finish(medium);
            },
            thrown =>
            {
                if (thrown is null)
                {
                    done(medium);
                    return;
                }
                // Writes that were GOOD are lost: whoever wrote last hears of it.
                _backend.TellFailure(medium, "the removal of a cartridge", thrown);
                _unit.ChangeAlone(() => _backend.DeferWriteError(writer), () => done(medium));
            });
}
