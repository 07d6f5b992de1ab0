using System.Buffers.Binary;
using System.Text;
using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Backends.Tape;

/// <summary>Medium auxiliary memory: READ ATTRIBUTE and WRITE ATTRIBUTE (SPC-4 §6.16, §6.48, §7.4).</summary>
/*  an attribute  0-1  ATTRIBUTE IDENTIFIER
                  2    READ ONLY 7 | FORMAT 1-0
                  3-4  ATTRIBUTE LENGTH
                  5-   value                        */
public sealed partial class TapeBackend
{
    private const int AttributeHeaderBytes = 5;

    /// <summary>MAM CAPACITY; our choice, and what LTO cartridges have.</summary>
    private const int AuxiliaryMemoryBytes = 16 * 1024;

    private const byte AttributeIsReadOnly = 0x80;

    /// <summary>VOLUME CHANGE REFERENCE.</summary>
    private const ushort ChangeReference = 0x0009;

    private SenseData? ValidateReadAttribute(ScsiCommand command)
    {
        ReadOnlySpan<byte> cdb = command.Cdb;
        if ((cdb[1] & 0x1F) is not (<= 3 or 5))
            return SenseData.InvalidFieldInCdb(1, 4);
        return JudgeVolume(cdb);
    }

    /// <summary>A list longer than the memory can hold nothing that fits into it.</summary>
    private SenseData? ValidateWriteAttribute(ScsiCommand command) =>
        command.RequestedBytes > AuxiliaryMemoryBytes + 4 ? SenseData.InvalidFieldInCdb(10) : JudgeVolume(command.Cdb);

    /// <summary>LOGICAL VOLUME NUMBER and PARTITION NUMBER.</summary>
    private SenseData? JudgeVolume(ReadOnlySpan<byte> cdb)
    {
        if (cdb[5] != 0)
            return SenseData.InvalidFieldInCdb(5);
        return _view is { } view && cdb[7] >= view.Partitions.Count ? SenseData.InvalidFieldInCdb(7) : null;
    }

    /// <summary>The memory is in the cartridge's shell: it can be read although the tape is not threaded.</summary>
    private SenseData? MemoryNotReady => _load switch
    {
        TapeLoad.Empty or TapeLoad.Ejected => NoMedium,
        TapeLoad.Failed => FailedMedium,
        _ => null,
    };

    private void ReadAttribute(ScsiCommand command)
    {
        if (MemoryNotReady is { } notReady)
        {
            command.CheckCondition(notReady);
            return;
        }
        ReadOnlySpan<byte> cdb = command.Cdb;
        int partition = cdb[7];
        ushort first = BinaryPrimitives.ReadUInt16BigEndian(cdb[8..]);
        int action = cdb[1] & 0x1F;
        byte[] answer = [];
        Work(command, medium =>
        {
            // SPC-4 §6.16: the list begins with this attribute or not at all, so who asks for one gets no other.
            ushort[] identifiers = action is 2 or 3 ? [first] : [.. IdentifiersOf(medium, partition, action == 5)];
            if (!identifiers.Contains(first))
                return SenseData.InvalidFieldInCdb(8);
            if (action == 0 && first <= ChangeReference)
                _counts.ReferenceTold();
            answer = action switch
            {
                0 => Values(AttributesOf(medium, partition), first),
                2 => [0, 2, 0, 1], // one logical volume, 0
                3 => [0, 2, 0, (byte)medium.Partitions.Count],
                _ => Identifiers(identifiers, first),
            };
            return null;
        }, () => command.CompleteWithData(answer));
    }

    /// <summary>Of those that there are, or of all that there can be.</summary>
    private IEnumerable<ushort> IdentifiersOf(ITapeMedium medium, int partition, bool supported) => supported
        ? DeviceAttributes(medium, partition).Select(one => one.Identifier)
            .Concat(KnownAttribute.Host.Select(one => one.Identifier)).Order()
        : AttributesOf(medium, partition).Select(one => one.Identifier);

    /// <summary>All of them, in the order of their identifiers.</summary>
    private IEnumerable<MediumAttribute> AttributesOf(ITapeMedium medium, int partition) =>
        DeviceAttributes(medium, partition).Concat(medium.Attributes(partition)).OrderBy(one => one.Identifier);

    private static byte[] Values(IEnumerable<MediumAttribute> attributes, ushort first)
    {
        var answer = new List<byte> { 0, 0, 0, 0 };
        foreach (MediumAttribute one in attributes.Where(one => one.Identifier >= first))
        {
            int length = one.Value.Length;
            byte readOnly = KnownAttribute.IsHosts(one.Identifier) ? (byte)0 : AttributeIsReadOnly;
            answer.AddRange([(byte)(one.Identifier >> 8), (byte)one.Identifier, (byte)(readOnly | one.Format),
                (byte)(length >> 8), (byte)length]);
            answer.AddRange(one.Value.ToArray());
        }
        return WithLength([.. answer]);
    }

    private static byte[] Identifiers(IEnumerable<ushort> identifiers, ushort first) => WithLength(
    [
        0, 0, 0, 0,
        .. identifiers.Where(one => one >= first).SelectMany(one => (byte[])[(byte)(one >> 8), (byte)one]),
    ]);

    private static byte[] WithLength(byte[] answer)
    {
        BinaryPrimitives.WriteUInt32BigEndian(answer, (uint)(answer.Length - 4));
        return answer;
    }

    /// <summary>What the device knows itself: of its own (0000h …), and of the medium (0400h …).</summary>
    private List<MediumAttribute> DeviceAttributes(ITapeMedium medium, int partition)
    {
        MediumDescription description = medium.Description;
        PartitionDescription part = medium.Partitions[partition];
        TapeCounts.Life life = _counts.Volume;
        TapeCounts.Traffic mount = _counts.Mount;
        var attributes = new List<MediumAttribute>
        {
            // The remaining and the maximum capacity of the partition, in mebibytes.
            Number(0x0000, part.LeftBytes / Mebibyte, 8),
            Number(0x0001, part.CapacityBytes / Mebibyte, 8),
            new(0x0002, KnownAttribute.Binary, TapeAlerts.Bytes(_alerts.Set)),
            Number(0x0003, life.Loads, 8),
            Number(0x0004, (ulong)Math.Max(0, AuxiliaryMemoryBytes - UsedOfMemory(medium)), 8),
            Ascii(0x0005, TapeDensity.Organization, 8),
            Number(0x0006, description.DensityCode, 1),
            Ascii(0x0008, description.Barcode, 32),
            Number(ChangeReference, life.Changes, 4),
            Ascii(0x020A, Identity.Vendor.PadRight(8) + Identity.SerialNumber, 40),
            Number(0x0220, life.BytesWritten / Mebibyte, 8),
            Number(0x0221, life.BytesRead / Mebibyte, 8),
            Number(0x0222, mount.ToMedium / Mebibyte, 8),
            Number(0x0223, mount.FromMedium / Mebibyte, 8),
            Ascii(0x0400, Identity.Vendor, 8),
            Ascii(0x0401, description.SerialNumber, 32),
        };
        if (TapeDensity.Find(description.DensityCode) is { } density)
        {
            attributes.Add(Number(0x0402, (ulong)density.LengthMetres, 4));
            attributes.Add(Number(0x0403, TapeDensity.WidthTenthsOfMillimetre, 4));
            attributes.Add(Ascii(0x0404, TapeDensity.Organization, 8));
            attributes.Add(Number(0x0405, density.Code, 1));
        }
        attributes.Add(Number(0x0407, AuxiliaryMemoryBytes, 8));
        // MEDIUM TYPE: data, cleaning, or written once.
        attributes.Add(Number(0x0408, description.IsCleaning ? 0x01u : description.IsWorm ? 0x80u : 0x00u, 1));
        return attributes;
    }

    private static int UsedOfMemory(ITapeMedium medium) => Enumerable.Range(0, medium.Partitions.Count)
        .SelectMany(medium.Attributes).Sum(one => AttributeHeaderBytes + one.Value.Length);

    private static MediumAttribute Number(ushort identifier, ulong value, int lengthBytes)
    {
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        return new MediumAttribute(identifier, KnownAttribute.Binary, bytes[^lengthBytes..]);
    }

    private static MediumAttribute Ascii(ushort identifier, string text, int lengthBytes) => new(
        identifier, KnownAttribute.Ascii,
        Encoding.ASCII.GetBytes(text.PadRight(lengthBytes)[..lengthBytes]));

    // ---- WRITE ATTRIBUTE -------------------------------------------------------------------------------------------

    /// <summary>All or nothing. An attribute of no length takes the one that is there away.</summary>
    private void WriteAttribute(ScsiCommand command)
    {
        if (MemoryNotReady is { } notReady)
        {
            command.CheckCondition(notReady);
            return;
        }
        if (command.RequestedBytes == 0)
        {
            command.Complete();
            return;
        }
        int partition = command.Cdb[7];
        byte[] list = command.Data.ToArray(command.Data.LengthBytes);
        var attributes = new List<MediumAttribute>();
        if (ReadAttributes(list, attributes) is { } refused)
        {
            command.CheckCondition(refused);
            return;
        }
        Work(command, medium =>
        {
            if (medium.Description.IsWriteProtected || command.ItlNexus!.IsReadOnly)
                return new SenseData(SenseKey.DataProtect, AdditionalSense.WriteProtected);
            int replaced = medium.Attributes(partition)
                .Where(one => attributes.Exists(other => other.Identifier == one.Identifier))
                .Sum(one => AttributeHeaderBytes + one.Value.Length);
            int added = attributes.Where(one => one.Value.Length > 0)
                .Sum(one => AttributeHeaderBytes + one.Value.Length);
            if (UsedOfMemory(medium) - replaced + added > AuxiliaryMemoryBytes)
                return SenseData.IllegalRequest(AdditionalSense.AuxiliaryMemoryOutOfSpace);
            medium.SetAttributes(partition, attributes);
            return null;
        });
    }

    private static SenseData? ReadAttributes(ReadOnlySpan<byte> list, List<MediumAttribute> attributes)
    {
        if (list.Length < 4)
            return SenseData.IllegalRequest(AdditionalSense.ParameterListLengthError);
        // PARAMETER DATA LENGTH: what is behind it in the list is not looked at. LTFS counts the field itself, too, as
        // drives let it.
        uint lengthBytes = BinaryPrimitives.ReadUInt32BigEndian(list);
        if (lengthBytes > list.Length)
            return SenseData.IllegalRequest(AdditionalSense.ParameterListLengthError);
        int end = Math.Min(4 + (int)lengthBytes, list.Length);
        int last = -1;
        for (int at = 4; at < end;)
        {
            if (end - at < AttributeHeaderBytes)
                return SenseData.IllegalRequest(AdditionalSense.ParameterListLengthError);
            ushort identifier = BinaryPrimitives.ReadUInt16BigEndian(list[at..]);
            byte format = (byte)(list[at + 2] & 0x03);
            int length = BinaryPrimitives.ReadUInt16BigEndian(list[(at + 3)..]);
            // SPC-4 §6.48: in ascending order, and the host's own alone.
            if (identifier <= last || !KnownAttribute.IsHosts(identifier))
                return SenseData.InvalidFieldInParameterList(at);
            if (!KnownAttribute.Fits(identifier, format, length))
                return SenseData.InvalidFieldInParameterList(at + 3);
            if (length > end - at - AttributeHeaderBytes)
                return SenseData.IllegalRequest(AdditionalSense.ParameterListLengthError);
            last = identifier;
            attributes.Add(new MediumAttribute(
                identifier, format, list.Slice(at + AttributeHeaderBytes, length).ToArray()));
            at += AttributeHeaderBytes + length;
        }
        return null;
    }
}
