using System.Buffers.Binary;
using Scstd.Scsi;

namespace Scstd.Backends.Tests.Disk;

/// <summary>CDBs with an address and a length, laid out as their row says.</summary>
internal static class Cdbs
{
    public const byte Fua = 0x08;

    public static byte[] For(CommandRow row, ulong lba, ulong length, byte flags = 0)
    {
        byte[] cdb = new byte[row.CdbLengthBytes];
        cdb[0] = row.OperationCode;
        switch (cdb.Length)
        {
            case 6:
                BinaryPrimitives.WriteUInt32BigEndian(cdb, (uint)lba);
                cdb[0] = row.OperationCode;
                cdb[4] = checked((byte)length);
                break;
            case 10:
                cdb[1] = flags;
                BinaryPrimitives.WriteUInt32BigEndian(cdb.AsSpan(2), checked((uint)lba));
                BinaryPrimitives.WriteUInt16BigEndian(cdb.AsSpan(7), checked((ushort)length));
                break;
            case 12:
                cdb[1] = flags;
                BinaryPrimitives.WriteUInt32BigEndian(cdb.AsSpan(2), checked((uint)lba));
                BinaryPrimitives.WriteUInt32BigEndian(cdb.AsSpan(6), checked((uint)length));
                break;
            case 32:
                cdb[7] = 0x18;
                cdb[9] = (byte)row.ServiceAction!;
                cdb[10] = flags;
                BinaryPrimitives.WriteUInt64BigEndian(cdb.AsSpan(12), lba);
                BinaryPrimitives.WriteUInt32BigEndian(cdb.AsSpan(28), checked((uint)length));
                break;
            default:
                cdb[1] = (byte)(flags | (row.ServiceAction ?? 0));
                BinaryPrimitives.WriteUInt64BigEndian(cdb.AsSpan(2), lba);
                if (row == Sbc.CompareAndWrite)
                    cdb[13] = checked((byte)length);
                else
                    BinaryPrimitives.WriteUInt32BigEndian(cdb.AsSpan(10), checked((uint)length));
                break;
        }
        return cdb;
    }
}
