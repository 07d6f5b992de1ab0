using System.Buffers.Binary;
using Scstd.Backends.Tape.Cartridges;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Backends.Tests.Tape.Model;

/// <summary>What a step is as commands.</summary>
internal sealed partial class TapeModelRun
{
    /// <summary>Fixed blocks of one command; more would only take time.</summary>
    private const int MostBlocks = 40;

    private static readonly int[] SpaceCodes = [0, 0, 0, 1, 1, 2, 2, 3];

    /// <summary>How large the next FORMAT MEDIUM shall make a partition, if one was asked for.</summary>
    private (int Partition, ulong Kilobytes)? _asked;

    private void Do(TapeStep step)
    {
        _verb = step.Verb;
        switch (step.Verb)
        {
            case TapeVerb.Write or TapeVerb.WriteFixed:
                Write(step, step.Verb == TapeVerb.WriteFixed);
                break;
            case TapeVerb.WriteMarks:
                WriteMarks(step);
                break;
            case TapeVerb.Read or TapeVerb.ReadFixed:
                Read(step, step.Verb == TapeVerb.ReadFixed);
                break;
            case TapeVerb.Verify or TapeVerb.VerifyFixed:
                Verify(step, step.Verb == TapeVerb.VerifyFixed);
                break;
            case TapeVerb.Erase:
                Erase(step);
                break;
            case TapeVerb.SelectBlockLength:
                SelectBlockLength(step);
                break;
            case TapeVerb.SelectPartitions:
                SelectPartitions(step);
                break;
            case TapeVerb.Format:
                Format(step);
                break;
            case TapeVerb.Load or TapeVerb.Unload or TapeVerb.Reinsert:
                Move(step);
                break;
            default:
                Position(step);
                break;
        }
    }

    // ---- Transfers --------------------------------------------------------------------------------------------------

    /// <summary>Null: the short form. Else an address, often the one where the drive stands.</summary>
    private ModelAddress? AddressOf(TapeStep step) => !step.IsLong ? null
        : step.Has(0x08) ? new ModelAddress(_model.Partition, _model.At)
        : new ModelAddress(step.Partition, step.NumberOf(_model.Objects));

    private void Write(TapeStep step, bool isFixed)
    {
        int count = !isFixed ? step.Count == 0 ? 0 : step.LengthBytes : step.Count % MostBlocks;
        var transfer = new ModelTransfer(
            isFixed, count, Address: AddressOf(step), IsFirstInSequence: step.IsLong && step.Has(0x04));
        byte[] data = NewBytes(isFixed ? count * _model.BlockLengthBytes : count);
        Execute(
            step.Initiator, TapeCdb.Transfer(0x0A, 0x8A, FlagsOf(transfer), count, transfer.Address),
            data.Length > 0 ? data : null, told => _model.Write(transfer, data, told));
    }

    private void WriteMarks(TapeStep step)
    {
        var transfer = new ModelTransfer(
            false, step.Marks, Address: AddressOf(step), IsFirstInSequence: step.IsLong && step.Has(0x04));
        bool isImmediate = step.Has(0x10);
        int flags = FlagsOf(transfer) | (isImmediate ? 0x01 : 0);
        Execute(
            step.Initiator, TapeCdb.Transfer(0x10, 0x80, flags, step.Marks, transfer.Address), null,
            told => _model.WriteMarks(transfer, told), isImmediate);
    }

    private void Read(TapeStep step, bool isFixed)
    {
        int count = !isFixed ? step.Count == 0 ? 0 : step.LengthBytes : step.Count;
        // SILI with FIXED is an error: not as often as without.
        bool isSuppressed = step.Has(isFixed ? 0xE0 : 0x20);
        var transfer = new ModelTransfer(isFixed, count, isSuppressed, AddressOf(step));
        Execute(
            step.Initiator, TapeCdb.Transfer(0x08, 0x88, FlagsOf(transfer), count, transfer.Address), null,
            _ => _model.Read(transfer));
    }

    /// <summary>Half of them with BYTCMP, and of these some with a byte that differs.</summary>
    private void Verify(TapeStep step, bool isFixed)
    {
        int count = !isFixed ? step.Count == 0 ? 0 : step.LengthBytes : step.Count % MostBlocks;
        var transfer = new ModelTransfer(isFixed, count, Address: AddressOf(step));
        byte[]? data = step.Has(0x20) ? _model.Expect(transfer) : null;
        if (data is { Length: > 0 } && step.Has(0xC0))
            data[(step.Number * 97) % data.Length] ^= 0x10;
        int flags = FlagsOf(transfer) | (data is null ? 0 : 0x02);
        Execute(
            step.Initiator, TapeCdb.Transfer(0x13, 0x8F, flags, count, transfer.Address),
            data is { Length: > 0 } ? data : null, _ => _model.Read(transfer, isVerify: true, data));
    }

    private void Erase(TapeStep step)
    {
        var transfer = new ModelTransfer(
            false, 0, Address: AddressOf(step), IsFirstInSequence: step.IsLong && step.Has(0x04));
        bool isImmediate = step.Has(0x40);
        int flags = FlagsOf(transfer) | (step.Has(0x10) ? 0x01 : 0) | (isImmediate ? 0x02 : 0); // LONG, IMMED
        Execute(
            step.Initiator, TapeCdb.Transfer(0x19, 0x93, flags, 0, transfer.Address), null,
            _ => _model.Erase(transfer), isImmediate);
    }

    /// <summary>FIXED, SILI, FCS.</summary>
    private static int FlagsOf(ModelTransfer transfer) => (transfer.IsFixed ? 0x01 : 0) |
        (transfer.SuppressesIncorrectLength ? 0x02 : 0) | (transfer.IsFirstInSequence ? 0x08 : 0);

    // ---- Positions --------------------------------------------------------------------------------------------------

    private void Position(TapeStep step)
    {
        _verb = step.Verb;
        int number = step.NumberOf(_model.Objects);
        int file = step.NumberOf(_model.Files + 1);
        int? partition = step.Has(0x04) ? step.Partition : null;
        (byte[] cdb, Func<ModelAnswer> expect) = step.Verb switch
        {
            TapeVerb.Rewind => ([0x01, 0, 0, 0, 0, 0], _model.Rewind),
            TapeVerb.LocateObject when step.Has(0x01) => (
                TapeCdb.Locate10(step.Has(0x02), partition, (uint)number),
                () => _model.LocateObject(partition, number, 8)),
            TapeVerb.LocateObject => (
                TapeCdb.Locate16(0, partition, (ulong)number), () => _model.LocateObject(partition, number, 3)),
            TapeVerb.LocateFile => (
                TapeCdb.Locate16(1, partition, (ulong)file), () => _model.LocateFile(partition, file)),
            TapeVerb.LocateEnd => (
                TapeCdb.Locate16(3, partition, (ulong)number), () => _model.LocateEnd(partition)),
            _ => Space(step),
        };
        bool isImmediate = step.Verb != TapeVerb.Space && step.Has(0x60);
        cdb[1] |= (byte)(isImmediate ? 0x01 : 0);
        Execute(step.Initiator, cdb, null, _ => expect(), isImmediate);
    }

    private (byte[] Cdb, Func<ModelAnswer> Expect) Space(TapeStep step)
    {
        int code = SpaceCodes[(step.Dice >> 4) & 0x07];
        long count = step.Has(0x08) ? -step.Count : step.Count;
        // More than 32 bits hold, with zeros in the lower ones.
        if (step.IsLong && step.Number % 8 == 0)
            count <<= 32;
        return (
            step.IsLong ? TapeCdb.Space16(code, count) : TapeCdb.Space6(code, (int)count),
            () => _model.Space(code, count));
    }

    // ---- Mode parameters --------------------------------------------------------------------------------------------

    private void SelectBlockLength(TapeStep step) => SelectBlockLength(
        step.Initiator, step.Has(0x04), step.Has(0x30) ? (byte)((step.Dice & 0x03) % 3 * 0x10) : _model.BufferedMode,
        step.BlockLengthBytes);

    private void SelectBlockLength(int initiator, bool isLong, byte bufferedMode, int lengthBytes)
    {
        byte[] length = [(byte)(lengthBytes >> 16), (byte)(lengthBytes >> 8), (byte)lengthBytes];
        byte[] descriptor = [0, 0, 0, 0, 0, .. length];
        byte[] list = isLong
            ? [0, 0, 0, bufferedMode, 0, 0, 0, 8, .. descriptor] : [0, 0, bufferedMode, 8, .. descriptor];
        byte[] cdb = isLong
            ? [0x55, 0x10, 0, 0, 0, 0, 0, 0, (byte)list.Length, 0] : [0x15, 0x10, 0, 0, (byte)list.Length, 0];
        Execute(initiator, cdb, list, _ => _model.SelectMode(initiator, bufferedMode, lengthBytes));
        byte[] told = Send(initiator, [0x1A, 0, 0x10, 0, 0xFF, 0]).DataIn;
        Assert.Equal((bufferedMode, Hex.Of(length)), (told[2], Hex.Of(told.AsSpan(9, 3))));
    }

    /// <summary>Medium Partition: one partition, two halves, a small one before or behind.</summary>
    private void SelectPartitions(TapeStep step)
    {
        TakeAttentions(step.Initiator, TapeCdb.TestUnitReady);
        byte[] before = PartitionPage(step.Initiator);
        byte[] page = [.. before];
        int layout = (step.Dice & 0x03) switch { 2 when IsTiny => 1, int any => any };
        int kilobytes = (int)(_capacityBytes / 3000);
        page[3] = (byte)(layout == 0 && step.Has(0x10) ? 0 : 1);
        page[4] = layout switch { 1 => 0x44, 2 => 0x84, _ => 0x2C }; // SDP; FDP; IDP, in kilobytes
        BinaryPrimitives.WriteUInt16BigEndian(page.AsSpan(8), (ushort)(layout == 3 ? kilobytes : 0xFFFF));
        BinaryPrimitives.WriteUInt16BigEndian(
            page.AsSpan(10), (ushort)(page[3] == 0 ? 0 : layout == 3 ? 0xFFFF : kilobytes));
        byte[] list = [0, 0, _model.BufferedMode, 0, .. page];
        Execute(step.Initiator, [0x15, 0x10, 0, 0, (byte)list.Length, 0], list, _ =>
        {
            Assert.Equal(page, PartitionPage(step.Initiator));
            if (!page.AsSpan().SequenceEqual(before))
                _model.TellOthers(step.Initiator, AdditionalSense.ModeParametersChanged);
            _model.SelectedPartitions = page[3] + 1;
            _asked = layout == 3 ? (0, (ulong)kilobytes) : layout == 0 && page[3] == 1 ? (1, (ulong)kilobytes) : null;
            return ModelAnswer.Good;
        });
    }

    private byte[] PartitionPage(int initiator) =>
        Send(initiator, [0x5A, 0x08, 0x11, 0, 0, 0, 0, 0, 0xFF, 0]).DataIn[8..];

    // ---- The medium as a whole --------------------------------------------------------------------------------------

    private void Format(TapeStep step)
    {
        if ((step.Dice & 0x07) != 0)
            Position(step with { Verb = TapeVerb.LocateObject, Number = 0, Partition = 0, Dice = 0x04 });
        _verb = step.Verb;
        int kind = (step.Dice >> 4) & 0x03;
        Execute(step.Initiator, [0x04, 0, (byte)kind, 0, 0, 0], null, _ =>
        {
            if (kind == 3)
                return ModelAnswer.Refused(SenseData.InvalidFieldInCdb(2, 3));
            if (_model.JudgeFormat() is { } refused)
                return ModelAnswer.Refused(refused);
            byte[] page = PartitionPage(step.Initiator);
            Assert.Equal(kind == 0 ? 1 : _model.SelectedPartitions, page[3] + 1);
            if (kind != 0 && _asked is { } asked)
                Assert.Equal(asked.Kilobytes * 1000, UnitsOf(page, asked.Partition) * UnitOf(page));
            _asked = null;
            _model.Format(step.Initiator, Enumerable.Range(0, page[3] + 1).Select(i => PartitionOf(page, i)));
            return ModelAnswer.Good;
        });
    }

    /// <summary>As large as the page says, which counts in units.</summary>
    private static ModelPartition PartitionOf(byte[] page, int number) => new(
        UnitsOf(page, number) * UnitOf(page), (UnitsOf(page, number) + 1) * UnitOf(page));

    private static ulong UnitsOf(byte[] page, int number) =>
        BinaryPrimitives.ReadUInt16BigEndian(page.AsSpan(8 + (number * 2)));

    private static ulong UnitOf(byte[] page) => (ulong)Math.Pow(10, page[6] & 0x0F);

    private void Move(TapeStep step)
    {
        int from = step.Initiator;
        switch (step.Verb)
        {
            case TapeVerb.Load:
                Execute(from, [0x1B, 0, 0, 0, 1, 0], null, _ => _model.Load(from, wasLoaded: true));
                break;
            case TapeVerb.Unload:
                Unload(from, isHeld: step.Has(0x01));
                Execute(from, [0x1B, (byte)(step.Has(0x02) ? 1 : 0), 0, 0, 1, 0], null,
                    _ => _model.Load(from, wasLoaded: false));
                break;
            default:
                _world.Remove()!.Dispose();
                _world.Insert(Cartridge.Open(_path));
                _model.Reinsert();
                _asked = null;
                break;
        }
    }

    /// <summary>A volume that is not threaded has no position and cannot be read.</summary>
    private void Unload(int from, bool isHeld)
    {
        byte[] cdb = [0x1B, 0, 0, 0, (byte)(isHeld ? 0x08 : 0), 0];
        TakeAttentions(from, cdb);
        Send(from, cdb).MustBeGood();
        var notReady = new SenseData(
            SenseKey.NotReady,
            isHeld ? AdditionalSense.MediumAuxiliaryMemoryAccessible : AdditionalSense.MediumNotPresent);
        foreach (byte[] one in TapeCdb.ReadPosition)
            Send(from, one).MustBe(notReady);
        Send(from, [0x08, 0, 0, 0, 1, 0]).MustBe(notReady);
        Send(from, [0x0A, 0, 0, 0, 1, 0], [1]).MustBe(notReady);
    }
}
