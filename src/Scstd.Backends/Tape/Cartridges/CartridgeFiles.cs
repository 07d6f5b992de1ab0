using System.Text;
using Scstd.Linux;

namespace Scstd.Backends.Tape.Cartridges;

/// <summary>Files of cartridges: how they are opened and made, and what it means if that fails.</summary>
internal static class CartridgeFiles
{
    public static ICartridgeFile Open(string path)
    {
        Require(path);
        try
        {
            return new SystemCartridgeFile(BlockFile.Open(path, new BlockFileOptions()));
        }
        catch (LinuxException exception) when (IsForbidden(exception))
        {
            return OpenReadOnly(path);
        }
        catch (LinuxException exception)
        {
            throw Fault(path, exception);
        }
    }

    /// <summary>Only to look at it: several may at a time.</summary>
    public static ICartridgeFile OpenReadOnly(string path) => OpenReadOnly(path, isLocked: true);

    /// <summary>Beside whoever has it.</summary>
    public static ICartridgeFile OpenToLook(string path) => OpenReadOnly(path, isLocked: false);

    private static SystemCartridgeFile OpenReadOnly(string path, bool isLocked)
    {
        Require(path);
        try
        {
            return new SystemCartridgeFile(
                BlockFile.Open(path, new BlockFileOptions { ReadOnly = true, Lock = isLocked }));
        }
        catch (LinuxException exception)
        {
            throw Fault(path, exception);
        }
    }

    public static ICartridgeFile Create(string path)
    {
        try
        {
            BlockFile file = BlockFile.Open(path, new BlockFileOptions { CreateSizeBytes = 0 });
            if (file.WasCreated)
                return new SystemCartridgeFile(file);
            file.Dispose();
        }
        catch (LinuxException exception)
        {
            throw Fault(path, exception);
        }
        throw new MediumFaultException(
            new MediumFault(MediumFaultKind.Store, ErrorNumber.FileExists), $"{path}: there is such a file already");
    }

    public static MediumFaultException Fault(string path, LinuxException exception)
    {
        string why = exception.Error switch
        {
            ErrorNumber.TryAgain when exception.Call.StartsWith("fcntl", StringComparison.Ordinal) =>
                "another process has this cartridge",
            ErrorNumber.NoSpace => "its file system has no room left",
            ErrorNumber.TooLarge => "its file system holds no file so large",
            _ => LinuxException.Describe(exception.Error),
        };
        return new MediumFaultException(
            new MediumFault(MediumFaultKind.Store, exception.Error), $"{path}: {why} ({exception.Call})", exception);
    }

    /// <summary>What is asked for can be written down. Throws <see cref="MediumFaultException"/>.</summary>
    public static void Judge(CartridgeOptions options)
    {
        string? wrong = null;
        if (IsTooLong(options.Barcode))
            wrong = "the barcode is too long";
        else if (IsTooLong(options.SerialNumber ?? ""))
            wrong = "the serial number is too long";
        else if (options.Partitions.Count > CartridgeFormat.PartitionsMax)
            wrong = $"more than {CartridgeFormat.PartitionsMax} partitions";
        else if (options.CapacityBytes is 0 or > CartridgeFormat.CapacityBytesMax)
            wrong = "a capacity that no cartridge can have";
        else if (!Fit(options.Partitions, options.CapacityBytes))
            wrong = "the partitions are larger than the cartridge";
        if (wrong is not null)
            throw new MediumFaultException(new MediumFault(MediumFaultKind.Store, ErrorNumber.InvalidArgument), wrong);
    }

    /// <summary>What is asked for, in a new file that can become as long as that: no write may fail for it before the
    /// tape has ended. Throws <see cref="MediumFaultException"/>.</summary>
    public static CartridgeOptions FitTo(ICartridgeFile file, CartridgeOptions options)
    {
        if (CouldHold(file, options.CapacityBytes))
            return options;
        const ulong Unit = CartridgeFormat.PartitionAlignmentBytes;
        ulong most = 0;
        for (ulong step = 1UL << 59; step >= Unit; step /= 2)
            most += most + step < options.CapacityBytes && CouldHold(file, most + step) ? step : 0;
        if (most == 0 || !options.ShrinksToFileSystem || options.Partitions.Count > 0)
        {
            throw new MediumFaultException(
                new MediumFault(MediumFaultKind.Store, ErrorNumber.TooLarge),
                $"{file.Path}: its file system holds no file so large; a cartridge here has at most {most} bytes");
        }
        return options with { CapacityBytes = most };
    }

    /// <summary>However it will be divided: each partition begins at a page of its own.</summary>
    private static bool CouldHold(ICartridgeFile file, ulong capacityBytes) => file.CouldGrowTo(
        CartridgeLabel.Lay([capacityBytes])[0].EndBytes +
        (CartridgeFormat.PartitionsMax * CartridgeFormat.PartitionAlignmentBytes));

    /// <summary>Each has room, and all of them together no more than there is.</summary>
    public static bool Fit(IReadOnlyList<ulong> capacitiesBytes, ulong capacityBytes)
    {
        ulong left = capacityBytes;
        foreach (ulong capacity in capacitiesBytes)
        {
            if (capacity == 0 || capacity > left)
                return false;
            left -= capacity;
        }
        return true;
    }

    private static bool IsTooLong(string text) => Encoding.UTF8.GetByteCount(text) > CartridgeFormat.TextBytesMax;

    private static bool IsForbidden(LinuxException exception) =>
        exception.Error is ErrorNumber.AccessDenied or ErrorNumber.ReadOnlyFileSystem
            or ErrorNumber.OperationNotPermitted
        && exception.Call == "open";

    /// <summary>Opening a pipe would wait for who writes it.</summary>
    private static void Require(string path)
    {
        switch (PathProbe.KindOf(path))
        {
            case PathKind.Regular or null:
                return;
            case PathKind.Missing:
                throw new MediumFaultException(
                    new MediumFault(MediumFaultKind.Store, ErrorNumber.NoSuchFile), $"{path}: there is no such file");
            default:
                throw new MediumFaultException(
                    new MediumFault(MediumFaultKind.UnknownFormat), $"{path}: a cartridge is a regular file");
        }
    }
}
