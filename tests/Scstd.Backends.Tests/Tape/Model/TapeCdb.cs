using System.Buffers.Binary;

namespace Scstd.Backends.Tests.Tape.Model;

/// <summary>CDBs of SSC-4 as bytes.</summary>
internal static class TapeCdb
{
    public static readonly byte[] TestUnitReady = new byte[6];

    public static readonly byte[][] ReadPosition =
    [
        [0x34, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        [0x34, 6, 0, 0, 0, 0, 0, 0, 0, 0],
        [0x34, 8, 0, 0, 0, 0, 0, 0, 32, 0],
    ];

    /// <summary>READ, WRITE, VERIFY, WRITE FILEMARKS, ERASE: the short form with the implicit address, or the long one.
    /// </summary>
    public static byte[] Transfer(byte shortCode, byte longCode, int flags, int count, ModelAddress? address)
    {
        if (address is not { } to)
            return [shortCode, (byte)flags, (byte)(count >> 16), (byte)(count >> 8), (byte)count, 0];
        byte[] cdb = new byte[16];
        (cdb[0], cdb[1], cdb[3]) = (longCode, (byte)flags, (byte)to.Partition);
        BinaryPrimitives.WriteUInt64BigEndian(cdb.AsSpan(4), (ulong)to.Number);
        (cdb[12], cdb[13], cdb[14]) = ((byte)(count >> 16), (byte)(count >> 8), (byte)count);
        return cdb;
    }

    public static byte[] Space6(int code, int count) =>
        [0x11, (byte)code, (byte)(count >> 16), (byte)(count >> 8), (byte)count, 0];

    public static byte[] Space16(int code, long count)
    {
        byte[] cdb = new byte[16];
        (cdb[0], cdb[1]) = (0x91, (byte)code);
        BinaryPrimitives.WriteInt64BigEndian(cdb.AsSpan(4), count);
        return cdb;
    }

    /// <param name="partition">Null: CP is zero, and the field means nothing.</param>
    public static byte[] Locate10(bool isVendors, int? partition, uint number)
    {
        byte[] cdb = new byte[10];
        (cdb[0], cdb[1]) = (0x2B, (byte)((isVendors ? 0x04 : 0) | (partition is null ? 0 : 0x02)));
        BinaryPrimitives.WriteUInt32BigEndian(cdb.AsSpan(3), number);
        cdb[8] = (byte)(partition ?? 1);
        return cdb;
    }

    public static byte[] Locate16(int destination, int? partition, ulong number)
    {
        byte[] cdb = new byte[16];
        (cdb[0], cdb[1]) = (0x92, (byte)((destination << 3) | (partition is null ? 0 : 0x02)));
        cdb[3] = (byte)(partition ?? 1);
        BinaryPrimitives.WriteUInt64BigEndian(cdb.AsSpan(4), number);
        return cdb;
    }
}
