using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Scstd.Core;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Frontends.Iscsi.Tests.Connections;

/// <summary>
/// A disk of a test: 512-byte blocks in native memory, which it copies from or lends. Commands complete at once, or
/// wait until the test lets them go.
/// </summary>
internal sealed unsafe class TestDisk : IDisposable
{
    public const int BlockBytes = 512;

    private readonly byte* _memory;
    private readonly List<ScsiCommand> _waiting = [];

    public TestDisk(int blocks = 8192)
    {
        Blocks = blocks;
        _memory = (byte*)NativeMemory.AllocZeroed((nuint)blocks, BlockBytes);
        Backend = new TestBackend
        {
            MaxTransferLengthBytes = 4 << 20,
            Commands =
            [
                new CommandBinding(Sbc.Read10, Read),
                new CommandBinding(Sbc.Write10, Write),
                new CommandBinding(Sbc.Read32, Read),
                new CommandBinding(Spc.TestUnitReady, static command => command.Complete()),
            ],
        };
    }

    public TestBackend Backend { get; }

    public int Blocks { get; }

    public Span<byte> Contents => new(_memory, Blocks * BlockBytes);

    /// <summary>Reads lend the disk's own memory instead of a copy.</summary>
    public bool Lends { get; set; }

    /// <summary>Commands stay enabled until <see cref="LetGo"/>.</summary>
    public bool Holds { get; set; }

    public int WaitingCount => _waiting.Count;

    /// <summary>Of the oldest waiting command, a READ, the first bytes have been read.</summary>
    public void HasRead(int lengthBytes) => HasRead(_waiting[0], lengthBytes);

    /// <summary>Of any waiting READ, any part has been read.</summary>
    public void HasReadSome(Random random)
    {
        if (_waiting.Count == 0)
            return;
        ScsiCommand command = _waiting[random.Next(_waiting.Count)];
        bool isInside = (long)BlockOf(command.Cdb) * BlockBytes + command.RequestedBytes <= (long)Blocks * BlockBytes;
        if (command.Cdb[0] != 0x2A && isInside && command.RequestedBytes > 0)
            HasRead(command, random.Next(1, (int)command.RequestedBytes + 1));
    }

    private void HasRead(ScsiCommand command, int lengthBytes)
    {
        if (command.Data.IsEmpty)
            Fetch(command);
        command.SendDataIn(lengthBytes);
    }

    /// <summary>And its rest cannot be read.</summary>
    public void Fail(in SenseData sense)
    {
        ScsiCommand command = _waiting[0];
        _waiting.RemoveAt(0);
        command.DataInLengthBytes = command.DataInReadyBytes;
        command.CheckCondition(sense);
    }

    /// <summary>WRITEs that reached the medium.</summary>
    public int WriteCount { get; private set; }

    public int ReadCount { get; private set; }

    /// <summary>In this order.</summary>
    public List<ulong> Executed { get; } = new(1024);

    /// <summary>Does what the waiting commands want, oldest first.</summary>
    public void LetGo()
    {
        ScsiCommand[] waiting = [.. _waiting];
        _waiting.Clear();
        foreach (ScsiCommand command in waiting)
            Do(command);
    }

    public void Dispose() => NativeMemory.Free(_memory);

    private void Read(ScsiCommand command) => Begin(command);

    private void Write(ScsiCommand command) => Begin(command);

    private void Begin(ScsiCommand command)
    {
        if (Executed.Count < Executed.Capacity)
            Executed.Add(command.Tag);
        if (Holds)
            _waiting.Add(command);
        else
            Do(command);
    }

    private void Do(ScsiCommand command)
    {
        ulong block = BlockOf(command.Cdb);
        int lengthBytes = (int)command.RequestedBytes;
        if (block > (ulong)Blocks || lengthBytes > (Blocks - (int)block) * BlockBytes)
        {
            command.CheckCondition(SenseData.IllegalRequest(AdditionalSense.LogicalBlockAddressOutOfRange));
            return;
        }
        int offset = (int)block * BlockBytes;
        if (command.Cdb[0] == 0x2A)
        {
            lengthBytes = Math.Min(lengthBytes, command.Data.LengthBytes);
            command.Data.CopyTo(Contents.Slice(offset, lengthBytes), 0);
            WriteCount++;
            command.Complete();
        }
        else
        {
            ReadCount++;
            command.DataInLengthBytes = lengthBytes;
            if (Lends && lengthBytes > 0 && command.Data.IsEmpty)
            {
                command.Data.Lend((nint)_memory + offset, lengthBytes);
                if (!command.TryLeaseCopy())
                    return;
            }
            else if (command.Data.IsEmpty && !command.TryLeaseDataIn(lengthBytes))
                return;
            else
                Fetch(command);
            command.Complete();
        }
    }

    private void Fetch(ScsiCommand command)
    {
        int lengthBytes = (int)command.RequestedBytes;
        if (lengthBytes > 0 && (!command.Data.IsEmpty || command.TryLeaseDataIn(lengthBytes)))
            command.Data.CopyFrom(Contents.Slice((int)BlockOf(command.Cdb) * BlockBytes, lengthBytes), 0);
    }

    private static ulong BlockOf(ReadOnlySpan<byte> cdb) => cdb[0] == 0x7F
        ? BinaryPrimitives.ReadUInt64BigEndian(cdb[12..]) : BinaryPrimitives.ReadUInt32BigEndian(cdb[2..]);
}
