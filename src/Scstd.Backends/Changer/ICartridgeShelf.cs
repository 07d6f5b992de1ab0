using Scstd.Backends.Tape;

namespace Scstd.Backends.Changer;

/// <summary>Where the cartridges of a library are kept, whether they lie in it or outside. Every call may block.
/// </summary>
public interface ICartridgeShelf
{
    /// <summary>Every cartridge, in the order of the names. One that cannot be read is there, with why. Throws
    /// <see cref="MediumFaultException"/> if nothing can be listed.</summary>
    IReadOnlyList<ShelvedCartridge> List();

    /// <summary>Looks at one, which need not be there.</summary>
    ShelvedCartridge Look(string file);

    /// <summary>For a drive. Throws <see cref="MediumFaultException"/>.</summary>
    ITapeMedium Open(string file);

    /// <summary>Makes a new one and labels it. Throws <see cref="MediumFaultException"/>; then there is none.</summary>
    ShelvedCartridge Create(NewCartridge wanted);

    /// <summary>Takes back what <see cref="Create"/> has made and nobody wants.</summary>
    void Discard(ShelvedCartridge made);
}

/// <summary>What the shelf knows of a cartridge without opening it for a drive.</summary>
/// <param name="File">Its name on the shelf.</param>
/// <param name="Description">Null: it cannot be read.</param>
/// <param name="Fault">Why.</param>
/// <param name="Message">The same for the administrator.</param>
public sealed record ShelvedCartridge(
    string File, MediumDescription? Description, MediumFault? Fault = null, string Message = "");

/// <summary>What an administrator says of a cartridge to be made.</summary>
/// <param name="Barcode">Its label.</param>
/// <param name="DensityCode">Of its format, as <see cref="MediumDescription.DensityCode"/>.</param>
/// <param name="CapacityBytes">Null: what the format has.</param>
/// <param name="IsWorm">Written once.</param>
/// <param name="IsCleaning">A cleaning cartridge.</param>
public sealed record NewCartridge(
    string Barcode, byte DensityCode, ulong? CapacityBytes = null, bool IsWorm = false, bool IsCleaning = false);
