using Scstd.Core;

namespace Scstd.Backends.Disk;

/// <summary>What INQUIRY tells of a disk.</summary>
internal static class DiskIdentity
{
    // SBC-3 (no version claimed), as initiators look for it before they believe a long Block Limits page; then SBC-4.
    private static readonly ushort[] CommandSets = [0x04C0, 0x0600];

    public static LogicalUnitIdentity Of(DiskOptions options)
    {
        string serial = options.SerialNumber ?? DerivedIdentity.SerialNumber(options.Name);
        return new LogicalUnitIdentity
        {
            Vendor = options.Vendor,
            Product = options.Product,
            Revision = options.Revision,
            SerialNumber = serial,
            Naa = DerivedIdentity.LocallyAssignedNaa(serial),
            IsRemovable = options.Removable,
            VersionDescriptors = CommandSets,
        };
    }
}
