using Scstd.Backends.Changer;
using Scstd.Backends.Tape;

namespace Scstd.Libraries;

/// <summary>A tape drive as its library's robot sees it.</summary>
internal sealed class DriveBay(TapeBackend backend, TapeDrive drive) : IDriveBay
{
    public string Vendor => backend.Identity.Vendor;

    public string Product => backend.Identity.Product;

    public string SerialNumber => backend.Identity.SerialNumber;

    public bool IsRemovalPrevented => drive.IsRemovalPrevented;

    public bool IsLoaded => drive.IsLoaded;

    public void Insert(ITapeMedium medium, bool load, Action done) => drive.Insert(medium, load, done);

    public Action Remove(RemovalTerms terms, Action<DriveRemoval> done) => drive.Remove(terms, done);
}
