using Scstd.Backends.Tape;

namespace Scstd.Backends.Changer;

/// <summary>A drive as the robot sees it. From any thread; nothing blocks.</summary>
public interface IDriveBay
{
    /// <summary>T10 VENDOR IDENTIFICATION of the drive.</summary>
    string Vendor { get; }

    /// <summary>PRODUCT IDENTIFICATION.</summary>
    string Product { get; }

    /// <summary>Its PRODUCT SERIAL NUMBER, by which initiators find the unit that it is.</summary>
    string SerialNumber { get; }

    /// <summary>PREVENT ALLOW MEDIUM REMOVAL of any nexus of the drive.</summary>
    bool IsRemovalPrevented { get; }

    /// <summary>A medium is threaded: ready, or judged and refused. False: there is none, or it was ejected and waits
    /// to be taken.</summary>
    bool IsLoaded { get; }

    /// <summary>Puts a cartridge in, which belongs to the drive from then on. <paramref name="done"/> runs on a thread
    /// of the drive's choice when every nexus of the drive has been told (28h/00h).</summary>
    void Insert(ITapeMedium medium, bool load, Action done);

    /// <summary>Waits until the drive does nothing, has it unload if need be, with everything synchronised, and takes
    /// the cartridge, which belongs to the caller from then on.</summary>
    /// <param name="terms">Judged when the drive does nothing any more.</param>
    /// <param name="done">Runs once, on a thread of the drive's choice.</param>
    /// <returns>Stops waiting, if it still does.</returns>
    Action Remove(RemovalTerms terms, Action<DriveRemoval> done);
}
