using System.Buffers.Binary;

namespace Scstd.Scsi;

/// <summary>
/// A CDB with a block address and a number of blocks, in any of SBC-4's five shapes: READ, WRITE, WRITE AND VERIFY,
/// VERIFY, PRE-FETCH, SYNCHRONIZE CACHE, WRITE SAME, ORWRITE; COMPARE AND WRITE and WRITE ATOMIC too, whose numbers are
/// the last byte or two of the field.
/// </summary>
/*              (6)    (10)   (12)   (16)    (32)
    flags       -      1      1      1       10      PROTECT 7-5 | DPO 4 | FUA 3 | BYTCHK 2-1
    address     1-3    2-5    2-5    2-9     12-19   21, 32, 32, 64, 64 bits
    blocks      4      7-8    6-9    10-13   28-31
    group       -      6      10     14      6                                        */
public readonly ref struct BlockCdb
{
    private const byte CompareAndWrite = 0x89;
    private const byte WriteAtomic = 0x9C;
    private readonly byte _flags;

    public BlockCdb(ReadOnlySpan<byte> cdb)
    {
        // SPC-4 §4.2.5.1: the GROUP CODE, bits 7-5 of the operation code, tells the length; 7Fh is of variable length.
        switch (cdb[0] >> 5)
        {
            case 0:
                LogicalBlockAddress = BinaryPrimitives.ReadUInt32BigEndian(cdb) & 0x1F_FFFF;
                TransferLengthBlocks = cdb[4] == 0 ? 256u : cdb[4];
                break;
            case 1 or 2:
                _flags = cdb[1];
                LogicalBlockAddress = BinaryPrimitives.ReadUInt32BigEndian(cdb[2..]);
                TransferLengthBlocks = BinaryPrimitives.ReadUInt16BigEndian(cdb[7..]);
                GroupNumber = cdb[6];
                break;
            case 3:
                _flags = cdb[10];
                LogicalBlockAddress = BinaryPrimitives.ReadUInt64BigEndian(cdb[12..]);
                TransferLengthBlocks = BinaryPrimitives.ReadUInt32BigEndian(cdb[28..]);
                GroupNumber = cdb[6];
                break;
            case 4:
                _flags = cdb[1];
                LogicalBlockAddress = BinaryPrimitives.ReadUInt64BigEndian(cdb[2..]);
                TransferLengthBlocks = cdb[0] switch
                {
                    CompareAndWrite => cdb[13],
                    WriteAtomic => BinaryPrimitives.ReadUInt16BigEndian(cdb[12..]),
                    _ => BinaryPrimitives.ReadUInt32BigEndian(cdb[10..]),
                };
                GroupNumber = cdb[14];
                break;
            default:
                _flags = cdb[1];
                LogicalBlockAddress = BinaryPrimitives.ReadUInt32BigEndian(cdb[2..]);
                TransferLengthBlocks = BinaryPrimitives.ReadUInt32BigEndian(cdb[6..]);
                GroupNumber = cdb[10];
                break;
        }
    }

    public ulong LogicalBlockAddress { get; }

    /// <summary>Blocks to read, write, verify…; the 0 of READ (6) and WRITE (6) is 256 already.</summary>
    public uint TransferLengthBlocks { get; }

    public byte GroupNumber { get; }

    /// <summary>RDPROTECT, WRPROTECT, VRPROTECT or ORPROTECT.</summary>
    public int Protect => _flags >> 5;

    /// <summary>DISABLE PAGE OUT.</summary>
    public bool Dpo => (_flags & 0x10) != 0;

    /// <summary>FORCE UNIT ACCESS. Meaningless in VERIFY and WRITE AND VERIFY, which have no such bit.</summary>
    public bool Fua => (_flags & 0x08) != 0;

    /// <summary>BYTCHK of VERIFY and WRITE AND VERIFY.</summary>
    public int ByteCheck => (_flags >> 1) & 0x03;

    /// <summary>IMMED of SYNCHRONIZE CACHE and PRE-FETCH.</summary>
    public bool Immediate => (_flags & 0x02) != 0;

    /// <summary>UNMAP of WRITE SAME.</summary>
    public bool Unmap => (_flags & 0x08) != 0;

    /// <summary>NO DATA-OUT BUFFER of WRITE SAME (16) and (32).</summary>
    public bool NoDataOutBuffer => (_flags & 0x01) != 0;
}
