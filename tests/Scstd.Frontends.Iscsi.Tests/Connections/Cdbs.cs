using System.Buffers.Binary;

namespace Scstd.Frontends.Iscsi.Tests.Connections;

/// <summary>The few CDBs that conversations need.</summary>
internal static class Cdbs
{
    public static readonly byte[] TestUnitReady = new byte[6];

    public static byte[] Read10(int block, int blocks) => Ten(0x28, block, blocks);

    public static byte[] Write10(int block, int blocks) => Ten(0x2A, block, blocks);

    public static byte[] Inquiry(int lengthBytes = 96) => [0x12, 0, 0, (byte)(lengthBytes >> 8), (byte)lengthBytes, 0];

    /// <summary>READ (32): 32 bytes, of which a BHS carries 16.</summary>
    public static byte[] Read32(int block, int blocks)
    {
        byte[] cdb = new byte[32];
        cdb[0] = 0x7F;
        cdb[7] = 0x18;
        cdb[9] = 0x09;
        BinaryPrimitives.WriteUInt64BigEndian(cdb.AsSpan(12), (ulong)block);
        BinaryPrimitives.WriteUInt32BigEndian(cdb.AsSpan(20), (uint)block);
        BinaryPrimitives.WriteUInt32BigEndian(cdb.AsSpan(28), (uint)blocks);
        return cdb;
    }

    private static byte[] Ten(byte code, int block, int blocks)
    {
        byte[] cdb = new byte[10];
        cdb[0] = code;
        BinaryPrimitives.WriteUInt32BigEndian(cdb.AsSpan(2), (uint)block);
        BinaryPrimitives.WriteUInt16BigEndian(cdb.AsSpan(7), (ushort)blocks);
        return cdb;
    }
}
