using System.Buffers.Binary;
using System.Text;
using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Backends.Tape;

/// <summary>The log pages of a tape drive (SSC-4 §8.2, SPC-4 §7.3), as far as there is something true to tell: no page
/// speaks of retries, temperatures or wear.</summary>
public sealed partial class TapeBackend
{
    private const ulong Mebibyte = 1024 * 1024;

    private readonly TapeAlerts _alerts = new();

    private IEnumerable<LogPage> Logs() =>
    [
        new(0x02, () => ErrorCounters(_counts.Device.FromInitiators, _counts.Device.WriteErrors))
        {
            Reset = _counts.ForgetWriteErrors,
        },
        new(0x03, () => ErrorCounters(_counts.Device.ToInitiators, _counts.Device.ReadErrors))
        {
            Reset = _counts.ForgetReadErrors,
        },
        new(0x0C, SequentialAccessDevice),
        new(0x11, DeviceStatus),
        new(0x12, () => [new(0x0000, TapeAlerts.Bytes(_alerts.Set))]), // TapeAlert Response: all flags at once
        new(0x14, DeviceStatistics),
        new(0x17, VolumeStatistics),
        new(0x1B, DataCompressionPage),
        new(0x2E, () => TapeAlerts.Parameters(_alerts.Set)) { ReadFor = AlertsFor },
        new(0x31, TapeCapacity),
    ];

    private (IReadOnlyList<LogParameter> Parameters, Action Told) AlertsFor(ItNexus nexus)
    {
        ulong flags = _alerts.UntoldTo(nexus, out long upTo);
        return (TapeAlerts.Parameters(flags), () => _alerts.Tell(nexus, upTo));
    }

    private void Alert(TapeAlert alert) => _alerts.Activate(alert);

    /// <summary>SPC-4 §7.3.7: 0003h total errors corrected, 0005h total bytes processed, 0006h total uncorrected
    /// errors.</summary>
    private static IReadOnlyList<LogParameter> ErrorCounters(ulong bytes, ulong errors) =>
        [Counter(0x0003, 0), Counter(0x0005, bytes), Counter(0x0006, errors)];

    /// <summary>Bytes from and to initiators and from and to the medium; megabytes of the partition that the drive is
    /// at, all ones without one: to the end of data, to early warning, from there to the end, and to the position.
    /// Cleaning is never required.</summary>
    private IReadOnlyList<LogParameter> SequentialAccessDevice()
    {
        TapeCounts.Traffic device = _counts.Device;
        MediumView? view = _load == TapeLoad.Loaded ? _view : null;
        PartitionDescription? partition = view is null ? null : PartitionOf(view);
        return
        [
            Counter(0x0000, device.FromInitiators),
            Counter(0x0001, device.ToMedium),
            Counter(0x0002, device.FromMedium),
            Counter(0x0003, device.ToInitiators),
            Megabytes(0x0004, partition?.UsedBytes),
            Megabytes(0x0005, partition is { } one ? EarlyWarningBytes(one) : null),
            Megabytes(0x0006, partition is { } same ? same.CapacityBytes - EarlyWarningBytes(same) : null),
            Megabytes(0x0007, view?.Position.BytesBefore),
            Counter(0x0100, 0),
        ];
    }

    private static LogParameter Megabytes(ushort code, ulong? bytes) =>
        Counter(code, bytes / Megabyte ?? uint.MaxValue, 4);

    /// <summary>What is known of the drive: loads (since the daemon began), errors that nothing could mend, its names,
    /// whether removal is prevented, that it is not too hot.</summary>
    private IReadOnlyList<LogParameter> DeviceStatistics()
    {
        byte[] serial = Encoding.ASCII.GetBytes(Identity.SerialNumber);
        return
        [
            Counter(0x000D, _counts.Loads, 4),
            Counter(0x000E, _counts.Device.WriteErrors, 4),
            Counter(0x000F, _counts.Device.ReadErrors, 4),
            new(0x0040, serial),
            new(0x0041, serial),
            new(0x0080, [(byte)(IsRemovalPrevented ? 1 : 0)]),
            new(0x0081, [0]),
        ];
    }

    /// <summary>Very high frequency data, 0000h, and how often it may be asked for, 0001h (milliseconds).</summary>
    /*   0  PAMR 7 | HUI 6 | MACC 5 | CMPR 4 | WRTP 3 | CRQST 2 | CRQRD 1 | DINIT 0
         1  INXTN 7 | RAA 5 | MPRSNT 4 | MSTD 2 | MTHRD 1 | MOUNTED 0
         2  DT DEVICE ACTIVITY (0: none)                                             */
    private IReadOnlyList<LogParameter> DeviceStatus()
    {
        TapeLoad load = _load;
        bool isThreaded = load is TapeLoad.Loaded or TapeLoad.Incompatible or TapeLoad.Unreadable;
        int first = (IsRemovalPrevented ? 0x80 : 0) | (load != TapeLoad.Empty ? 0x20 : 0) |
            (_pages.Compresses ? 0x10 : 0) | (IsReadOnly ? 0x08 : 0) | 0x01;
        int second = (load is TapeLoad.Ejected ? 0x20 : 0) | (load != TapeLoad.Empty ? 0x10 : 0) |
            (load is TapeLoad.Held || isThreaded ? 0x04 : 0) | (isThreaded ? 0x02 : 0) |
            (load == TapeLoad.Loaded ? 0x01 : 0);
        return
        [
            new(0x0000, [(byte)first, (byte)second, 0, 0]),
            new(0x0001, [0, 100]),
        ];
    }

    /// <summary>Of the volume in the drive, or of the last one where the page speaks of the last mount.</summary>
    private IReadOnlyList<LogParameter> VolumeStatistics()
    {
        MediumView? view = _view;
        TapeCounts.Life life = _counts.Volume;
        if (view is null || _load != TapeLoad.Loaded)
            return [new(0x0000, [0])];
        TapeCounts.Traffic mount = _counts.Mount;
        ulong used = Sum(view, static partition => partition.UsedBytes);
        return
        [
            new(0x0000, [1]), // PAGE VALID
            Counter(0x0001, life.Loads, 4),
            Counter(0x0003, 0, 4), // recovered write errors: nothing is tried twice
            Counter(0x0004, life.WriteErrors, 4),
            Counter(0x0008, 0, 4), // recovered read errors
            Counter(0x0009, life.ReadErrors, 4),
            Counter(0x000C, mount.WriteErrors, 2),
            Counter(0x000D, mount.ReadErrors, 2),
            Counter(0x000E, mount.ToMedium / Megabyte, 4),
            Counter(0x000F, mount.FromMedium / Megabyte, 4),
            Counter(0x0010, life.BytesWritten / Megabyte),
            Counter(0x0011, life.BytesRead / Megabyte),
            Counter(0x0012, (ulong)Ratio(mount.ToInitiators, mount.FromMedium), 2),
            Counter(0x0013, (ulong)Ratio(mount.FromInitiators, mount.ToMedium), 2),
            Counter(0x0016, view.Description.CapacityBytes / Megabyte, 4),
            Counter(0x0017, used / Megabyte, 4),
            Text(0x0040, view.Description.SerialNumber, 32),
            Text(0x0042, view.Description.Barcode, 32),
            Text(0x0045, $"Ultrium-{TapeDensity.Find(view.Description.DensityCode)?.Generation}", 9),
            new(0x0080, [(byte)(view.Description.IsWriteProtected ? 1 : 0)]),
            new(0x0081, [(byte)(view.Description.IsWorm ? 1 : 0)]),
            new(0x0202, PerPartition(view, static partition => partition.CapacityBytes)),
            new(0x0203, PerPartition(view, static partition => partition.UsedBytes)),
            // What can be written before early warning.
            new(0x0204, PerPartition(view, static partition =>
                EarlyWarningBytes(partition) - Math.Min(EarlyWarningBytes(partition), partition.UsedBytes))),
        ];
    }

    /// <summary>Ratios in hundredths of what was moved since the cartridge came (100: as it is), and the bytes: whole
    /// megabytes and what is left of them.</summary>
    private IReadOnlyList<LogParameter> DataCompressionPage()
    {
        TapeCounts.Traffic mount = _counts.Mount;
        return
        [
            new(0x0000, Two(Ratio(mount.ToInitiators, mount.FromMedium))),
            new(0x0001, Two(Ratio(mount.FromInitiators, mount.ToMedium))),
            Counter(0x0002, mount.ToInitiators / Megabyte, 4),
            Counter(0x0003, mount.ToInitiators % Megabyte, 4),
            Counter(0x0004, mount.FromMedium / Megabyte, 4),
            Counter(0x0005, mount.FromMedium % Megabyte, 4),
            Counter(0x0006, mount.FromInitiators / Megabyte, 4),
            Counter(0x0007, mount.FromInitiators % Megabyte, 4),
            Counter(0x0008, mount.ToMedium / Megabyte, 4),
            Counter(0x0009, mount.ToMedium % Megabyte, 4),
            new(0x0100, [(byte)(_pages.Compresses ? 1 : 0)]),
        ];
    }

    /// <summary>The page of LTO's vendors, in mebibytes: what is left and what there is, of partition 0 and of the one
    /// beside it.</summary>
    private IReadOnlyList<LogParameter> TapeCapacity()
    {
        MediumView? view = _load == TapeLoad.Loaded ? _view : null;
        return
        [
            Counter(0x0001, Remaining(view, 0) / Mebibyte, 4),
            Counter(0x0002, Remaining(view, 1) / Mebibyte, 4),
            Counter(0x0003, Capacity(view, 0) / Mebibyte, 4),
            Counter(0x0004, Capacity(view, 1) / Mebibyte, 4),
        ];
    }

    private static ulong Capacity(MediumView? view, int partition) =>
        view is null || partition >= view.Partitions.Count ? 0 : view.Partitions[partition].CapacityBytes;

    private static ulong Remaining(MediumView? view, int partition) =>
        view is null || partition >= view.Partitions.Count ? 0 : view.Partitions[partition].LeftBytes;

    private static ulong Sum(MediumView view, Func<PartitionDescription, ulong> of) =>
        view.Partitions.Aggregate(0UL, (sum, partition) => sum + of(partition));

    private static int Ratio(ulong bytes, ulong storedBytes) =>
        storedBytes == 0 ? 0 : (int)UInt128.Min((UInt128)bytes * 100 / storedBytes, ushort.MaxValue);

    private static byte[] Two(int value) => [(byte)(value >> 8), (byte)value];

    private static LogParameter Counter(ushort code, ulong value, int lengthBytes = 8)
    {
        byte[] bytes = new byte[8];
        ulong most = lengthBytes == 8 ? ulong.MaxValue : (1UL << (lengthBytes * 8)) - 1;
        BinaryPrimitives.WriteUInt64BigEndian(bytes, Math.Min(value, most));
        return new LogParameter(code, bytes[^lengthBytes..], IsCounter: true);
    }

    private static LogParameter Text(ushort code, string text, int lengthBytes)
    {
        byte[] bytes = new byte[lengthBytes];
        bytes.AsSpan().Fill((byte)' ');
        Encoding.ASCII.GetBytes(text.AsSpan(0, Math.Min(text.Length, lengthBytes)), bytes);
        return new LogParameter(code, bytes);
    }

    /// <summary>A record for each partition: its length behind this byte, a reserved byte, the number, megabytes.
    /// </summary>
    private static byte[] PerPartition(MediumView view, Func<PartitionDescription, ulong> of)
    {
        byte[] records = new byte[view.Partitions.Count * 8];
        for (int i = 0; i < view.Partitions.Count; i++)
        {
            Span<byte> record = records.AsSpan(i * 8);
            record[0] = 7;
            record[3] = (byte)i;
            BinaryPrimitives.WriteUInt32BigEndian(
                record[4..], (uint)Math.Min(of(view.Partitions[i]) / Megabyte, uint.MaxValue));
        }
        return records;
    }
}
