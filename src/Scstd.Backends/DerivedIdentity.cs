using System.Security.Cryptography;
using System.Text;

namespace Scstd.Backends;

/// <summary>Names for a unit that stay the same over restarts and differ between machines.</summary>
public static class DerivedIdentity
{
    /// <summary>For a unit that was given none.</summary>
    public static string SerialNumber(string deviceName)
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
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{machine}/{deviceName}"));
        return Convert.ToHexString(hash, 0, 8);
    }

    /// <summary>NAA 3h (SPC-4 §7.8.6.6.4): the other formats begin with a company's IEEE identifier, and a program that
    /// anyone may run has none. 60 bits of a hash make a collision between units as good as impossible.</summary>
    public static byte[] LocallyAssignedNaa(string serial)
    {
        byte[] naa = SHA256.HashData(Encoding.UTF8.GetBytes(serial))[..8];
        naa[0] = (byte)(0x30 | (naa[0] & 0x0F));
        return naa;
    }
}
