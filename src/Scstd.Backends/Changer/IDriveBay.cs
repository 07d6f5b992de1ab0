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

    /// <summary>Has the drive unload if need be, with everything synchronised, and takes the cartridge, which belongs
    /// to the caller from then on. Null: there was none.</summary>
    void Remove(Action<ITapeMedium?> done);
}
