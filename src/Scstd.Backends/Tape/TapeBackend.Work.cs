using Scstd.Core;
using Scstd.Linux;
using Scstd.Scsi;

namespace Scstd.Backends.Tape;

/// <summary>How a command gets to the medium and back, and what becomes of what goes wrong there.</summary>
public sealed partial class TapeBackend
{
    /// <summary>Replaced whole: a nexus that ends asks from its own reactor.</summary>
    private volatile DeferredError[] _deferred = [];

    /// <summary>TEST UNIT READY does not run alone, and of two reactors both may tell.</summary>
    private readonly Lock _deferring = new();

    /// <summary>What went wrong away from the reactor, to be told there.</summary>
    private TapeFailure? _failure;

    /// <summary>The command that is being done has found that what its own nexus wrote is lost.</summary>
    private bool _hasTellerLost;

    private static readonly SenseData LostWrite = new(SenseKey.MediumError, AdditionalSense.WriteError);

    private sealed record DeferredError(ItNexus Nexus, SenseData Sense);

    /// <summary>Does work that may block, away from the reactor; then ends the command with what it returns, or with
    /// GOOD, or goes on with <paramref name="then"/>. A medium that is not there is the row's matter.</summary>
    /// <param name="command">Alone on the unit.</param>
    /// <param name="work">Null: it went well.</param>
    /// <param name="then">Ends the command, if the work was done and went well.</param>
    /// <param name="ended">Runs before either, whatever became of the work.</param>
    private void Work(
        ScsiCommand command, Func<ITapeMedium, SenseData?> work, Action? then = null, Action? ended = null)
    {
        Reactor reactor = _reactors[command.Nexus.Executor.Index];
        ITapeMedium medium = _medium!;
        SenseData? outcome = null;
        bool isDone = false;
        reactor.RunBlocking(
            () =>
            {
                // Aborted before it began: nothing is done of it.
                if (command.IsAborted)
                    return;
                isDone = true;
                outcome = Guarded(command, medium, work);
            },
            thrown =>
            {
                if (thrown is not null)
                {
                    Fail(command, medium, thrown);
                    outcome = FailedMedium;
                }
                TellFailure();
                ended?.Invoke();
                if (outcome is null && isDone && then is not null)
                    then();
                else
                    End(command, outcome);
            });
    }

    private void TellFailure()
    {
        if (_failure is not { } failure)
            return;
        _failure = null;
        Failed?.Invoke(failure);
    }

    private SenseData? Guarded(ScsiCommand command, ITapeMedium medium, Func<ITapeMedium, SenseData?> work)
    {
        try
        {
            SenseData? outcome = work(medium);
            Look(medium);
            return outcome;
        }
        catch (MediumFaultException fault)
        {
            _ahead = null;
            Look(medium);
            return Noted(command, medium, fault);
        }
        catch
        {
            medium.Abandon();
            throw;
        }
    }

    /// <summary>Notes for the log what went wrong, and tells it.</summary>
    private SenseData Noted(
        ScsiCommand command, ITapeMedium medium, MediumFaultException fault, ulong? information = null)
    {
        _failure = FailureOf(command, medium, fault);
        return SenseOf(command, fault.Fault) with { Information = information };
    }

    private static TapeFailure FailureOf(ScsiCommand command, ITapeMedium medium, MediumFaultException fault) => new(
        medium.Description.Barcode, fault.Fault, fault.Message, command.Binding.Row.Name, command.Nexus.InitiatorPort);

    /// <summary>A store that fails in another way than it may fails its drive, not the daemon. What is in memory of the
    /// cartridge may be wrong: nothing of it goes to the file, which is as a crash would have left it, and what was not
    /// synchronised may be lost.</summary>
    private void Fail(ScsiCommand command, ITapeMedium medium, Exception thrown)
    {
        _failure = new TapeFailure(
            medium.Description.Barcode, new MediumFault(MediumFaultKind.Store),
            $"{thrown}; the cartridge was closed as it is, and is opened again when it is put into a drive",
            command.Binding.Row.Name, command.Nexus.InitiatorPort);
        command.Unit.EstablishUnitAttention(
            AdditionalSense.DataEncryptionParametersChangedByVendorSpecificEvent, Unthread());
        _load = TapeLoad.Failed;
        DeferLoss(command.Nexus);
    }

    /// <summary>With IMMED what goes wrong is told with the next command (SPC-4 §4.5.7: deferred errors). The status
    /// waits for the work all the same: nothing here takes longer than an initiator waits, and so no command finds the
    /// drive on its way.</summary>
    private void End(ScsiCommand command, SenseData? outcome)
    {
        // Its status may tell nobody.
        if (_hasTellerLost && command.IsAborted)
            Defer(command.Nexus, LostWrite);
        _hasTellerLost = false;
        if (outcome is not { } sense)
        {
            command.Complete();
            return;
        }
        // What is known before the status, and is no failure of the medium, is told with it: a deferred early warning
        // would cost the next command its turn and look like a lost write.
        bool isFailure = sense.Key is SenseKey.MediumError or SenseKey.HardwareError or SenseKey.BlankCheck;
        if (command.DataInLengthBytes > 0 || !IsImmediate(command.Cdb) || !isFailure)
        {
            command.CheckCondition(sense);
            return;
        }
        Defer(command.Nexus, sense);
        command.Complete();
    }

    private void Defer(ItNexus nexus, in SenseData sense)
    {
        lock (_deferring)
        {
            _deferred =
            [
                .. _deferred.Where(one => !ReferenceEquals(one.Nexus, nexus)),
                new DeferredError(nexus, sense with { IsDeferred = true }),
            ];
        }
    }

    /// <summary>An error of an earlier command is told instead of doing this one; true: it has ended.</summary>
    private bool TellDeferred(ScsiCommand command)
    {
        if (TakeDeferred(command.Nexus) is not { } error)
            return false;
        command.CheckCondition(error);
        return true;
    }

    public void NotTold(ItNexus nexus, in SenseData deferred) => Defer(nexus, deferred);

    private SenseData? TakeDeferred(ItNexus nexus)
    {
        if (_deferred.Length == 0 ||
            _deferred.FirstOrDefault(one => ReferenceEquals(one.Nexus, nexus)) is not { } error)
            return null;
        lock (_deferring)
            _deferred = [.. _deferred.Where(one => !ReferenceEquals(one, error))];
        return error.Sense;
    }

    /// <summary>IMMED, where a command has it.</summary>
    private static bool IsImmediate(ReadOnlySpan<byte> cdb) => cdb[0] switch
    {
        0x01 or 0x04 or 0x0B or 0x10 or 0x1B or 0x2B or 0x80 or 0x92 => (cdb[1] & 0x01) != 0,
        0x19 or 0x93 => (cdb[1] & 0x02) != 0,
        0x13 or 0x8F => (cdb[1] & 0x04) != 0,
        _ => false,
    };

    // ---- Buffered data ----------------------------------------------------------------------------------------------

    /// <summary>What is buffered is written before anything else is done with the medium. If that fails, this is an
    /// error of the writes before: deferred, and the command is not done (SPC-4 §4.5.7).</summary>
    private SenseData? Flush(ScsiCommand command, ITapeMedium medium)
    {
        if (!_isDirty)
            return null;
        try
        {
            Synchronize(medium, command.Nexus);
            return null;
        }
        catch (MediumFaultException fault)
        {
            _failure = FailureOf(command, medium, fault);
            _counts.WriteFailed();
            Alert(TapeAlert.WriteFailure);
            return LostWrite with { IsDeferred = true };
        }
    }

    /// <summary>If it fails, each nexus that wrote since it last went well is told with its next command: what it lost
    /// may be anybody's.</summary>
    /// <param name="medium">All that was written to it.</param>
    /// <param name="teller">Hears of it by the command that asked for it; null: nobody does.</param>
    private void Synchronize(ITapeMedium medium, ItNexus? teller)
    {
        _counts.KeepIn(medium.Statistics);
        try
        {
            medium.Synchronize();
            ForgetWriters();
        }
        catch (MediumFaultException)
        {
            DeferLoss(teller);
            throw;
        }
    }

    /// <summary>What was buffered is lost. That is told once: there is nothing more to lose.</summary>
    private void DeferLoss(ItNexus? teller)
    {
        ItNexus[] writers = _writers;
        ForgetWriters();
        foreach (ItNexus writer in writers)
        {
            if (ReferenceEquals(writer, teller))
                _hasTellerLost = true;
            else if (!writer.IsEnding)
                Defer(writer, LostWrite);
        }
    }

    private void ForgetWriters()
    {
        _isDirty = false;
        _writers = [];
    }

    /// <summary>What other commands see of the medium from now on.</summary>
    private void Look(ITapeMedium medium)
    {
        MediumView? before = _view;
        TapePosition position = medium.Position;
        _view = new MediumView(medium.Description, [.. medium.Partitions], position);
        _pages.Refresh(_view);
        if (!IsPastProgrammableWarning(PartitionOf(_view), position) ||
            position.Partition != before?.Position.Partition)
            _isZoneTold = false;
        // ALLOW OVERWRITE holds as long as the position does.
        if (_overwrite is { IsFormat: false } allowed &&
            (allowed.Partition != position.Partition || allowed.ObjectNumber != position.ObjectNumber))
            _overwrite = null;
    }

    // ---- What a medium's fault is to an initiator -------------------------------------------------------------------

    private SenseData SenseOf(ScsiCommand command, MediumFault fault)
    {
        bool writes = command.Binding.Row.Has(CommandTraits.WritesMedium);
        switch (fault.Kind)
        {
            case MediumFaultKind.DamagedFormat:
                return new SenseData(SenseKey.MediumError, AdditionalSense.MediumFormatCorrupted);
            case MediumFaultKind.UnknownFormat:
                return new SenseData(SenseKey.MediumError, AdditionalSense.CannotReadMediumUnknownFormat);
            case MediumFaultKind.WrongKey:
                return new SenseData(SenseKey.DataProtect, AdditionalSense.IncorrectDataEncryptionKey);
            case MediumFaultKind.WriteProtected:
                return Protected(AdditionalSense.WriteProtected);
            default:
                if (writes)
                    _counts.WriteFailed();
                else
                    _counts.ReadFailed();
                Alert(writes ? TapeAlert.WriteFailure : TapeAlert.ReadFailure);
                return new SenseData(
                    SenseKey.MediumError,
                    writes ? AdditionalSense.WriteError : AdditionalSense.UnrecoveredReadError);
        }
    }
}
