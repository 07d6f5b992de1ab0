using Scstd.Backends.Changer;
using Scstd.Backends.Tape;
using Scstd.Backends.Tape.Cartridges;
using Scstd.Scsi;

namespace Scstd.Libraries;

/// <summary>The cartridges of one library: the files of a directory.</summary>
internal sealed class DirectoryShelf(string directory) : ICartridgeShelf
{
    /// <summary>What files of cartridges are called; others that lie there are not looked at.</summary>
    public const string Extension = ".cartridge";

    public IReadOnlyList<ShelvedCartridge> List()
    {
        string[] files;
        try
        {
            files = [.. Directory.EnumerateFiles(directory, $"*{Extension}").Select(path => Path.GetFileName(path))];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new MediumFaultException(
                new MediumFault(MediumFaultKind.Store), $"{directory}: {exception.Message}", exception);
        }
        Array.Sort(files, StringComparer.Ordinal);
        return [.. files.Select(Look)];
    }

    public ShelvedCartridge Look(string file)
    {
        try
        {
            return new ShelvedCartridge(file, Cartridge.Describe(PathOf(file)));
        }
        catch (MediumFaultException exception)
        {
            return new ShelvedCartridge(file, null, exception.Fault, exception.Message);
        }
    }

    public ITapeMedium Open(string file) => Cartridge.Open(PathOf(file));

    public ShelvedCartridge Create(NewCartridge wanted)
    {
        string file = wanted.Barcode + Extension;
        TapeDensity? density = TapeDensity.Find(wanted.DensityCode);
        using var cartridge = Cartridge.Create(PathOf(file), new CartridgeOptions
        {
            Barcode = wanted.Barcode,
            DensityCode = wanted.DensityCode,
            CapacityBytes = wanted.CapacityBytes ?? density?.NativeCapacityBytes
                ?? throw new MediumFaultException(
                    new MediumFault(MediumFaultKind.UnknownFormat), $"no format has the code {wanted.DensityCode:X2}h"),
            ShrinksToFileSystem = wanted.CapacityBytes is null,
            IsWorm = wanted.IsWorm,
            IsCleaning = wanted.IsCleaning,
        });
        return new ShelvedCartridge(file, cartridge.Description);
    }

    public void Discard(ShelvedCartridge made) => File.Delete(PathOf(made.File));

    /// <summary>A name is a name in this directory and nothing else, whoever gave it.</summary>
    private string PathOf(string file) => file == Path.GetFileName(file) && file is not ("" or "." or "..")
        ? Path.Combine(directory, file)
        : throw new MediumFaultException(
            new MediumFault(MediumFaultKind.Store), $"'{file}' is not the name of a file in {directory}");
}
