using System.Security.Cryptography;
using System.Text;
using Scstd.Core;

namespace Scstd.Backends.Disk;

/// <summary>Names for a disk that stay the same over restarts and differ between machines.</summary>
internal static class DiskIdentity
{
    // SBC-3 (no version claimed), as initiators look for it before they believe a long Block Limits page; then SBC-4.
    private static readonly ushort[] CommandSets = [0x04C0, 0x0600];

    public static LogicalUnitIdentity Of(DiskOptions options)
    {
        string serial = options.SerialNumber ?? Derive(options.Name);
        return new LogicalUnitIdentity
        {
            Vendor = options.Vendor,
            Product = options.Product,
            Revision = options.Revision,
            SerialNumber = serial,
            Naa = LocallyAssigned(serial),
            IsRemovable = options.Removable,
            VersionDescriptors = CommandSets,
        };
    }

    /// <summary>NAA 3h (SPC-4 §7.8.6.6.4): the other formats begin with a company's IEEE identifier, and a program that
    /// anyone may run has none. 60 bits of a hash make a collision between units as good as impossible.</summary>
    private static byte[] LocallyAssigned(string serial)
    {
        byte[] naa = SHA256.HashData(Encoding.UTF8.GetBytes(serial))[..8];
        naa[0] = (byte)(0x30 | (naa[0] & 0x0F));
        return naa;
    }

    private static string Derive(string name)
    {
        string machine = "";
        try
        {
            machine = File.ReadAllText("/etc/machine-id").Trim();
        }
        catch (IOException)
        {
            machine = Environment.MachineName;
        }
        catch (UnauthorizedAccessException)
        {
            machine = Environment.MachineName;
        }
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{machine}/{name}"));
        return Convert.ToHexString(hash, 0, 8);
    }
}
