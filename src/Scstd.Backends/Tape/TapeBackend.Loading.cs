using Scstd.Core;
using Scstd.Linux;
using Scstd.Scsi;

namespace Scstd.Backends.Tape;

/// <summary>The cartridge comes and goes: LOAD UNLOAD, PREVENT ALLOW MEDIUM REMOVAL, and the robot's hands.</summary>
public sealed partial class TapeBackend
{
    private const int Hold = 0x08;
    private const int EndOfTape = 0x04;
    private const int LoadBit = 0x01;

    private static readonly SenseData NoMedium = new(SenseKey.NotReady, AdditionalSense.MediumNotPresent);

    /// <summary>SSC-4: a volume that is held can be told by its auxiliary memory alone.</summary>
    private static readonly SenseData HeldMedium =
        new(SenseKey.NotReady, AdditionalSense.MediumAuxiliaryMemoryAccessible);

    private static readonly SenseData Incompatible =
        new(SenseKey.NotReady, AdditionalSense.IncompatibleMediumInstalled);

    private static readonly SenseData Cleaning =
        new(SenseKey.NotReady, AdditionalSense.CleaningCartridgeInstalled);

    private static readonly SenseData Unreadable =
        new(SenseKey.NotReady, AdditionalSense.CannotReadMediumUnknownFormat);

    private static readonly SenseData FailedMedium =
        new(SenseKey.HardwareError, AdditionalSense.InternalTargetFailure);

    /// <summary>Its store could not even bring it to its beginning.</summary>
    private bool _isUnreadable;

    private readonly MediumRemoval _removal = new();

    public SenseData? NotReady => _load switch
    {
        TapeLoad.Loaded => null,
        TapeLoad.Held => HeldMedium,
        TapeLoad.Incompatible => _view is { Description.IsCleaning: true } ? Cleaning : Incompatible,
        TapeLoad.Unreadable => Unreadable,
        TapeLoad.Failed => FailedMedium,
        _ => NoMedium,
    };

    public SenseData? TakeNotReady(ItNexus nexus) =>
        NotReady is { } notReady ? TakeDeferred(nexus) ?? notReady : null;

    public TapeLoad Load => _load;

    public bool IsRemovalPrevented => _removal.IsPrevented;

    /// <summary>Of the cartridge that is in the drive, threaded or not.</summary>
    public string? Barcode => _load == TapeLoad.Empty ? null : _view?.Description.Barcode;

    // ---- LOAD UNLOAD ------------------------------------------------------------------------------------------------

    /// <summary>SSC-4: EOT with LOAD is an invalid field. RETEN asks for nothing that a file needs.</summary>
    private static SenseData? ValidateLoadUnload(ScsiCommand command) =>
        (command.Cdb[4] & (EndOfTape | LoadBit)) == (EndOfTape | LoadBit) ? SenseData.InvalidFieldInCdb(4, 2) : null;

    private void LoadUnload(ScsiCommand command)
    {
        if (TellDeferred(command))
            return;
        int flags = command.Cdb[4];
        bool loads = (flags & LoadBit) != 0;
        bool holds = (flags & Hold) != 0;
        if (_load == TapeLoad.Empty)
        {
            command.CheckCondition(NoMedium);
        }
        else if (_load == TapeLoad.Failed)
        {
            command.CheckCondition(FailedMedium);
        }
        else if (loads && (!holds || _load == TapeLoad.Loaded))
        {
            LoadMedium(command);
        }
        else if (!holds && IsRemovalPrevented)
        {
            Alert(TapeAlert.NoRemoval);
            command.CheckCondition(SenseData.IllegalRequest(AdditionalSense.MediumRemovalPrevented));
        }
        else
        {
            UnloadTo(command, holds ? TapeLoad.Held : TapeLoad.Ejected);
        }
    }

    /// <summary>A loaded volume goes to its beginning; one that was not is ready then, which the others must hear of.
    /// </summary>
    private void LoadMedium(ScsiCommand command)
    {
        bool wasLoaded = _load == TapeLoad.Loaded;
        Work(command, medium =>
        {
            if (wasLoaded && Flush(command, medium) is { } failed)
                return failed;
            _ahead = null;
            Thread(medium, isNew: !wasLoaded);
            return null;
        }, () =>
        {
            if (!wasLoaded)
            {
                _isUnreadable = false;
                _load = Threaded();
                command.Unit.EstablishUnitAttention(AdditionalSense.MediumMayHaveChanged, command.ItlNexus);
            }
            End(command, NotReady);
        });
    }

    private void UnloadTo(ScsiCommand command, TapeLoad where)
    {
        bool wasLoaded = _load is TapeLoad.Loaded or TapeLoad.Incompatible or TapeLoad.Unreadable;
        if (!wasLoaded)
        {
            _load = where;
            command.Complete();
            return;
        }
        Work(command, medium =>
        {
            SenseData? failed = Flush(command, medium);
            _counts.KeepIn(medium.Statistics);
            return failed;
        }, () =>
        {
            command.Unit.EstablishUnitAttention(
                AdditionalSense.DataEncryptionParametersChangedByAnotherNexus,
                [.. Unthread().Where(one => !ReferenceEquals(one, command.Nexus))]);
            _load = where;
            command.Complete();
        });
    }

    /// <summary>To the beginning of partition 0; counts a load.</summary>
    private void Thread(ITapeMedium medium, bool isNew)
    {
        if (isNew)
            _counts.Loaded(medium.Statistics);
        if (Personality.Reads(medium.Description.DensityCode))
            medium.Locate(0, 0);
    }

    private TapeLoad Threaded()
    {
        MediumDescription description = _view!.Description;
        if (_isUnreadable)
            return TapeLoad.Unreadable;
        if (Personality.Reads(description.DensityCode) && !description.IsCleaning)
            return TapeLoad.Loaded;
        Alert(description.IsCleaning ? TapeAlert.CleaningMedia : TapeAlert.UnsupportedFormat);
        return TapeLoad.Incompatible;
    }

    /// <summary>Returns who is to hear that its keys are gone.</summary>
    private ItNexus[] Unthread()
    {
        _ahead = null;
        _overwrite = null;
        return ForgetKeysOnUnload();
    }

    // ---- The robot --------------------------------------------------------------------------------------------------

    /// <summary>Away from the reactors, before the medium is the drive's: what a load needs of it.</summary>
    internal void Prepare(ITapeMedium medium)
    {
        try
        {
            Thread(medium, isNew: true);
        }
        catch (Exception exception) when (exception is not MediumFaultException)
        {
            medium.Abandon();
            throw;
        }
    }

    /// <summary>Alone on the unit: the medium is the drive's from now on.</summary>
    /// <param name="medium">The cartridge.</param>
    /// <param name="load">It is threaded.</param>
    /// <param name="thrown">By <see cref="Prepare"/>.</param>
    internal void Attach(ITapeMedium medium, bool load, Exception? thrown)
    {
        Invariant.That(_medium is null, "a drive holds one cartridge");
        _medium = medium;
        _alerts.Clear();
        _isUnreadable = thrown is not null;
        Look(medium);
        _pages.Show(_view);
        _load = thrown is not (null or MediumFaultException) ? TapeLoad.Failed
            : load ? Threaded() : TapeLoad.Ejected;
    }

    /// <summary>Away from the reactors, alone on the unit: nothing that is buffered is lost with the move. Throws what
    /// went wrong; then each who lost something will be told.</summary>
    internal void Settle()
    {
        if (_medium is not { } medium || _load == TapeLoad.Failed)
            return;
        try
        {
            // What was counted is kept with the cartridge also when nothing was written.
            if (_isDirty)
                Synchronize(medium, teller: null);
            else
                _counts.KeepIn(medium.Statistics);
        }
        catch (Exception exception) when (exception is not MediumFaultException)
        {
            medium.Abandon();
            DeferLoss(teller: null);
            _load = TapeLoad.Failed;
            throw;
        }
    }

    /// <summary>Alone on the unit, after <see cref="Settle"/>: the medium is not the drive's any more. Null: there was
    /// none, or none that could be used before it is opened anew.</summary>
    /// <param name="withoutKeys">Who is to hear that its keys went with it.</param>
    internal ITapeMedium? Detach(out ItNexus[] withoutKeys)
    {
        ITapeMedium? medium = _load == TapeLoad.Failed ? null : _medium;
        _medium = null;
        withoutKeys = Unthread();
        _load = TapeLoad.Empty;
        _view = null;
        _pages.Show(null);
        return medium;
    }

    internal void TellFailure(string barcode, string what, Exception thrown) => Failed?.Invoke(new TapeFailure(
        barcode,
        (thrown as MediumFaultException)?.Fault ?? new MediumFault(MediumFaultKind.Store), thrown.Message, what, null));
}
