using System.Buffers.Binary;
using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Backends.Tape;

/// <summary>FORMAT MEDIUM, SET CAPACITY and ALLOW OVERWRITE.</summary>
public sealed partial class TapeBackend
{
    /// <summary>Our choice: less than this proportion of a tape is no tape.</summary>
    private const ulong LeastProportion = 0xFFFF / 20;

    /// <summary>FORMAT: 0 the default, 1 as the Medium Partition page says, 2 both, one after the other.</summary>
    private static SenseData? ValidateFormat(ScsiCommand command) =>
        (command.Cdb[2] & 0x0F) > 2 ? SenseData.InvalidFieldInCdb(2, 3) : null;

    private void FormatMedium(ScsiCommand command)
    {
        if (TellDeferred(command))
            return;
        bool divides = (command.Cdb[2] & 0x0F) != 0;
        Reformat(command, medium =>
        {
            ulong capacity = medium.Description.CapacityBytes;
            ulong least = TapeDensity.Find(medium.Description.DensityCode)!.LeastPartitionBytes(capacity);
            return divides ? _pages.Partitions.Capacities(capacity, least) : [capacity];
        });
    }

    /// <summary>MEDIUM CAPACITY PROPORTION VALUE: of FFFFh parts.</summary>
    private void SetCapacity(ScsiCommand command)
    {
        if (TellDeferred(command))
            return;
        ulong proportion = Math.Max(LeastProportion, BinaryPrimitives.ReadUInt16BigEndian(command.Cdb[3..]));
        Reformat(command, medium => [(ulong)((UInt128)medium.Description.CapacityBytes * proportion / 0xFFFF)]);
    }

    /// <summary>SSC-4: from the beginning of partition 0 alone; everything is gone then. The others are told that the
    /// medium may have changed, for what they know of it has.</summary>
    private void Reformat(ScsiCommand command, Func<ITapeMedium, IReadOnlyList<ulong>?> divide)
    {
        bool isFormatted = false;
        Work(command, medium =>
        {
            if (JudgeFormat(medium) is { } refused)
                return refused;
            if (divide(medium) is not { } capacities)
                return SenseData.IllegalRequest(AdditionalSense.ParameterValueInvalid);
            _ahead = null;
            KeepChange(command, medium);
            medium.Format(capacities);
            isFormatted = true;
            // What was buffered is gone because somebody wanted that.
            ForgetWriters();
            medium.Locate(0, 0);
            Synchronize(medium, command.Nexus);
            return null;
        }, ended: () =>
        {
            if (!isFormatted)
                return;
            _overwrite = null;
            _pages.Show(_view);
            command.Unit.EstablishUnitAttention(AdditionalSense.MediumMayHaveChanged, command.ItlNexus);
        });
    }

    private SenseData? JudgeFormat(ITapeMedium medium)
    {
        TapePosition position = medium.Position;
        if (position.Partition != 0 || !position.IsBeginningOfPartition)
            return SenseData.IllegalRequest(AdditionalSense.PositionPastBeginningOfMedium);
        if (medium.Description.IsWorm)
            return Protected(AdditionalSense.WormMediumOverwriteAttempted, TapeAlert.WormOverwriteAttempted);
        if (!Personality.Writes(medium.Description.DensityCode))
            return new SenseData(SenseKey.DataProtect, AdditionalSense.CannotWriteMediumIncompatibleFormat);
        if (_pages.IsSoftwareWriteProtected)
            return Protected(AdditionalSense.LogicalUnitSoftwareWriteProtected);
        bool isEmpty = medium.Partitions.All(partition => partition.ObjectCount == 0);
        return !_pages.IsAppendOnly || isEmpty || _overwrite is { IsFormat: true }
            ? null : Protected(AdditionalSense.OperatorSelectedWriteProtect);
    }

    // ---- ALLOW OVERWRITE --------------------------------------------------------------------------------------------

    private static SenseData? ValidateAllowOverwrite(ScsiCommand command) =>
        (command.Cdb[2] & 0x0F) > 2 ? SenseData.InvalidFieldInCdb(2, 3) : null;

    /// <summary>0: nothing is allowed; 1: the next write, if it is where the drive stands now and the CDB says;
    /// 2: the next format.</summary>
    private void AllowOverwrite(ScsiCommand command)
    {
        if (TellDeferred(command))
            return;
        ReadOnlySpan<byte> cdb = command.Cdb;
        int allowed = cdb[2] & 0x0F;
        int partition = cdb[3];
        ulong number = BinaryPrimitives.ReadUInt64BigEndian(cdb[4..]);
        TapePosition position = _view!.Position;
        if (!_pages.IsAppendOnly)
        {
            _overwrite = null;
            command.CheckCondition(SenseData.IllegalRequest(AdditionalSense.IllegalWhenNotInAppendOnlyMode));
        }
        else if (allowed == 1 && (partition != position.Partition || number != position.ObjectNumber))
        {
            _overwrite = null;
            command.CheckCondition(SenseData.IllegalRequest(AdditionalSense.SequentialPositioningError));
        }
        else
        {
            _overwrite = allowed == 0 ? null : new OverwriteAllowed(allowed == 2, partition, number);
            command.Complete();
        }
    }
}
