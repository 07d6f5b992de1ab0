using System.Buffers.Binary;
using Scstd.Scsi;

namespace Scstd.Simulation;

/// <summary>Initiators send commands.</summary>
internal sealed class CommandMoves(World world)
{
    private const int MostBlocks = 2;
    private const int Remembered = 24;
    private const byte Naca = 0x04;

    public void Send()
    {
        SimulatedSession session = world.Sessions[world.Dice(world.Sessions.Count)];
        if (!session.TakesCommands)
            return;
        NexusModel nexus = session.Nexuses[world.Dice(session.Nexuses.Count)];
        SimulatedCommand command = Make(session, nexus, Choose());
        world.Trace?.Invoke($"sends {command}");
        if (session.Recent.Count == Remembered)
            session.Recent.RemoveAt(0);
        session.Recent.Add(command);
        command.Model.Received(command);
        session.Nexus!.CommandReceived(command);
    }

    private CommandKind Choose()
    {
        int dice = world.Dice(100);
        return world.Mix switch
        {
            CommandMix.Writes => dice < 90 ? CommandKind.Write : CommandKind.Read,
            CommandMix.Reserves => dice < 20 ? CommandKind.Reserve
                : dice < 40 ? CommandKind.Release : CommandKind.Write,
            CommandMix.Preempts => dice < 40 ? CommandKind.PersistentReserveOut : CommandKind.Write,
            CommandMix.Registrants => dice < 30 ? CommandKind.PersistentReserveOut
                : dice < 45 ? CommandKind.PersistentReserveIn
                : dice < 60 ? CommandKind.Read : CommandKind.Write,
            _ => dice switch
            {
                < 20 => CommandKind.Read,
                < 46 => CommandKind.Write,
                < 56 => CommandKind.PersistentReserveOut,
                < 59 => CommandKind.PersistentReserveIn,
                < 66 => CommandKind.CompareAndWrite,
                < 70 => CommandKind.TestUnitReady,
                < 72 => CommandKind.Inquiry,
                < 76 => CommandKind.RequestSense,
                < 78 => CommandKind.ReportLuns,
                < 80 => CommandKind.ReadCapacity,
                < 83 => CommandKind.Reserve,
                < 90 => CommandKind.Release,
                < 95 => CommandKind.ModeSelect,
                < 98 => CommandKind.ModeSense,
                _ => CommandKind.Faulty,
            },
        };
    }

    private SimulatedCommand Make(SimulatedSession session, NexusModel nexus, CommandKind kind)
    {
        const int BlockCount = SimulatedUnit.MostBlocks;
        int blocks = kind is CommandKind.Read or CommandKind.Write or CommandKind.CompareAndWrite
            ? 1 + world.Dice(MostBlocks) : 0;
        int lba = world.Dice(BlockCount - MostBlocks + 1);
        PersistentRequest? persistent =
            kind == CommandKind.PersistentReserveOut ? PersistentMoves.Choose(world, nexus) : null;
        byte[] parameters = kind == CommandKind.ModeSelect ? ModeList(nexus.Unit.Mode)
            : persistent is not null ? PersistentMoves.ParameterList(persistent) : [];
        bool hasNaca = world.UsesNaca && world.Dice(5) == 0;
        var command = new SimulatedCommand
        {
            Id = world.NextId(),
            Kind = kind,
            To = nexus,
            Lba = (ulong)lba,
            Blocks = blocks,
            Compared = kind == CommandKind.CompareAndWrite ? Guess(nexus.Unit, lba, blocks) : [],
            Parameters = parameters,
            Persistent = persistent,
            Action = (byte)world.Dice(2),
            Saves = world.Dice(4) == 0,
            Lun = Lun.FromNumber(nexus.Lun),
            Tag = session.Sequence,
            Sequence = session.Sequence++,
            Attribute = Attribute(nexus),
            HasNaca = hasNaca,
        };
        Describe(command);
        return command;
    }

    /// <summary>An initiator that knows of its ACA condition uses the ACA attribute.</summary>
    private TaskAttribute Attribute(NexusModel nexus)
    {
        if (world.UsesNaca && world.Dice(nexus.Unit.Aca.MayBeFaulted(nexus) ? 2 : 60) == 0)
            return TaskAttribute.Aca;
        return world.Dice(12) switch
        {
            0 => TaskAttribute.Ordered,
            1 => TaskAttribute.HeadOfQueue,
            _ => TaskAttribute.Simple,
        };
    }

    private void Describe(SimulatedCommand command)
    {
        Span<byte> cdb = stackalloc byte[16];
        cdb.Clear();
        int bytes = command.Blocks * SimulatedDisk.BlockBytes;
        int length = command.Kind switch
        {
            CommandKind.Read => Blocks10(cdb, 0x28, command),
            CommandKind.Write => Blocks10(cdb, 0x2A, command),
            CommandKind.CompareAndWrite => CompareAndWrite(cdb, command),
            CommandKind.Inquiry => Six(cdb, 0x12, 96),
            CommandKind.RequestSense => Six(cdb, 0x03, 32),
            CommandKind.ReportLuns => ReportLuns(cdb),
            CommandKind.ReadCapacity => Plain(cdb, 0x25, 10),
            CommandKind.Reserve => world.Dice(2) == 0 ? Plain(cdb, 0x16, 6) : Plain(cdb, 0x56, 10),
            CommandKind.Release => world.Dice(2) == 0 ? Plain(cdb, 0x17, 6) : Plain(cdb, 0x57, 10),
            CommandKind.ModeSelect => ModeSelect(cdb, command),
            CommandKind.PersistentReserveIn => PersistentReserveIn(cdb, command.Action),
            CommandKind.PersistentReserveOut => PersistentReserveOut(cdb, command),
            CommandKind.ModeSense => ModeSense(cdb),
            CommandKind.Faulty => Faulty(cdb, command),
            _ => 6,
        };
        if (command.HasNaca)
            cdb[length - 1] = Naca;
        command.SetCdb(cdb[..length]);
        if (command.Kind == CommandKind.Read)
            command.ExpectedDataInBytes = (uint)bytes;
        else if (command.Writes)
            command.ExpectedDataOutBytes = (uint)(command.Kind == CommandKind.CompareAndWrite ? 2 * bytes : bytes);
        else if (command.Parameters.Length > 0)
            command.ExpectedDataOutBytes = (uint)command.Parameters.Length;
        else
            command.ExpectedDataInBytes = 256;
    }

    /// <summary>Mostly what an initiator could have read, so that some comparisons succeed.</summary>
    private ulong[] Guess(UnitModel unit, int lba, int blocks)
    {
        var guess = new ulong[blocks];
        for (int i = 0; i < blocks; i++)
            guess[i] = unit.LastKnown(lba + i);
        return guess;
    }

    /// <summary>The Control page as it is, with bits changed: mostly such as may be changed.</summary>
    private byte[] ModeList(ModeModel mode)
    {
        byte[] values = [.. mode.Current];
        switch (world.Dice(12))
        {
            case 0:
                values[8] ^= 0x01;
                break;
            case 1:
                break;
            case < 4:
                values[2] ^= (byte)(0x08 & mode.Changeable[2]);
                break;
            case 4:
                values[0] ^= (byte)((world.Dice(2) == 0 ? 0x04 : 0x20) & mode.Changeable[0]);
                break;
            case 5:
                values[0] ^= (byte)(0x10 & mode.Changeable[0]);
                break;
            case 6:
                values[1] ^= (byte)(0x10 & mode.Changeable[1]);
                break;
            case < 9:
                values[1] = (byte)((values[1] & 0xF9) | (world.Dice(4) << 1));
                break;
            case 9:
                values[2] = (byte)((values[2] & 0xCF) | (world.Dice(4) << 4));
                break;
            default:
                values[3] ^= (byte)(0x40 & mode.Changeable[3]);
                break;
        }
        return ModeParameters.Control(values);
    }

    private int Faulty(Span<byte> cdb, SimulatedCommand command)
    {
        switch (world.Dice(3))
        {
            case 0:
                command.Refused = AdditionalSense.InvalidCommandOperationCode;
                return Plain(cdb, 0x0D, 6);
            case 1:
                command.Refused = AdditionalSense.InvalidFieldInCdb;
                cdb[3] = 0x5A;
                return 6;
            default:
                command.Refused = AdditionalSense.LogicalBlockAddressOutOfRange;
                cdb[2] = 0x7F;
                return Blocks10(cdb, 0x28, command);
        }
    }

    private static int Plain(Span<byte> cdb, byte operationCode, int length)
    {
        cdb[0] = operationCode;
        return length;
    }

    private static int Six(Span<byte> cdb, byte operationCode, byte allocationLength)
    {
        cdb[4] = allocationLength;
        return Plain(cdb, operationCode, 6);
    }

    private static int Blocks10(Span<byte> cdb, byte operationCode, SimulatedCommand command)
    {
        cdb[5] = (byte)command.Lba;
        cdb[8] = (byte)Math.Max(1, command.Blocks);
        return Plain(cdb, operationCode, 10);
    }

    private static int CompareAndWrite(Span<byte> cdb, SimulatedCommand command)
    {
        cdb[9] = (byte)command.Lba;
        cdb[13] = (byte)command.Blocks;
        return Plain(cdb, 0x89, 16);
    }

    private static int ReportLuns(Span<byte> cdb)
    {
        BinaryPrimitives.WriteUInt32BigEndian(cdb[6..], 256);
        return Plain(cdb, 0xA0, 12);
    }

    private static int PersistentReserveIn(Span<byte> cdb, byte action)
    {
        cdb[1] = action;
        cdb[7] = 0x01;
        return Plain(cdb, 0x5E, 10);
    }

    private static int PersistentReserveOut(Span<byte> cdb, SimulatedCommand command)
    {
        cdb[1] = command.Persistent!.Action;
        cdb[2] = command.Persistent.Type;
        cdb[8] = (byte)command.Parameters.Length;
        return Plain(cdb, 0x5F, 10);
    }

    private static int ModeSelect(Span<byte> cdb, SimulatedCommand command)
    {
        cdb[1] = (byte)(command.Saves ? 0x11 : 0x10);
        cdb[4] = (byte)command.Parameters.Length;
        return Plain(cdb, 0x15, 6);
    }

    private static int ModeSense(Span<byte> cdb)
    {
        cdb[1] = 0x08;
        cdb[2] = 0x0A;
        cdb[4] = 64;
        return Plain(cdb, 0x1A, 6);
    }
}
