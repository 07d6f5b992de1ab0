using System.Buffers.Binary;
using Scstd.Core;

namespace Scstd.Backends.Disk;

/// <summary>Short answers about the medium.</summary>
public sealed partial class DiskBackend
{
    private const byte ProvisioningManagement = 0x80; // LBPME
    private const byte ProvisioningReadsZeros = 0x40; // LBPRZ

    /// <summary>SBC-4 §5.15: FFFFFFFFh sends the initiator to READ CAPACITY (16).</summary>
    private void ReadCapacity10(ScsiCommand command)
    {
        Span<byte> answer = stackalloc byte[8];
        BinaryPrimitives.WriteUInt32BigEndian(answer, (uint)Math.Min(BlockCount - 1, uint.MaxValue));
        BinaryPrimitives.WriteUInt32BigEndian(answer[4..], (uint)BlockLengthBytes);
        command.CompleteWithData(answer);
    }

    /// <summary>SBC-4 §5.16: PROT_EN 0; block 0 is aligned to a physical block.</summary>
    private void ReadCapacity16(ScsiCommand command)
    {
        Span<byte> answer = stackalloc byte[32];
        answer.Clear();
        BinaryPrimitives.WriteUInt64BigEndian(answer, BlockCount - 1);
        BinaryPrimitives.WriteUInt32BigEndian(answer[8..], (uint)BlockLengthBytes);
        answer[13] = (byte)_options.PhysicalBlockExponent;
        if (IsThin)
            answer[14] = ProvisioningManagement | ProvisioningReadsZeros;
        command.CompleteWithData(answer);
    }

    /// <summary>SBC-4 §5.18: no defects are known, of either list, in whatever format was asked for.</summary>
    private void ReadDefectData10(ScsiCommand command) =>
        command.CompleteWithData([0, (byte)(command.Cdb[2] & 0x1F), 0, 0]);

    /// <summary>SBC-4 §5.19.</summary>
    private void ReadDefectData12(ScsiCommand command) =>
        command.CompleteWithData([0, (byte)(command.Cdb[1] & 0x1F), 0, 0, 0, 0, 0, 0]);
}
