using System.Buffers.Binary;
using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>REPORT SUPPORTED OPERATION CODES, SPC-4 §6.35: the command table, told to the initiator.</summary>
internal static class SupportedOperationCodes
{
    private const int OptionsOffset = 2;
    private const int DescriptorBytes = 8;
    private const int TimeoutsDescriptorBytes = 12;
    private const byte NotSupported = 0x01;
    private const byte SupportedByStandard = 0x03;

    public static IReadOnlyList<CommandBinding> Bindings { get; } = [new(Spc.ReportSupportedOperationCodes, Report)];

    /// <summary>REPORTING OPTIONS.</summary>
    private enum Option
    {
        All,
        OperationCode,
        ServiceAction,
        Either,
    }

    private static void Report(ScsiCommand command)
    {
        ReadOnlySpan<byte> cdb = command.Cdb;
        var option = (Option)(cdb[OptionsOffset] & 0x07);
        bool withTimeouts = (cdb[OptionsOffset] & 0x80) != 0;
        byte code = cdb[3];
        ushort action = BinaryPrimitives.ReadUInt16BigEndian(cdb[4..]);
        CommandTable table = command.Unit.Commands;
        CommandBinding? plain = FindPlain(table, code);
        // An option that does not fit the operation code is the wrong field: without service actions where it has some
        // (001b), with one where it has none (010b).
        bool wrong = option switch
        {
            Option.All or Option.Either => false,
            Option.OperationCode => plain is null && table.HasServiceActions(code),
            Option.ServiceAction => plain is not null,
            _ => true,
        };
        if (wrong)
        {
            command.CheckCondition(SenseData.InvalidFieldInCdb(OptionsOffset, 2));
            return;
        }
        CommandBinding? one = option switch
        {
            Option.OperationCode => plain,
            Option.Either when plain is not null => action == 0 ? plain : null,
            _ => table.Find(code, action),
        };
        IBackend? timed = withTimeouts ? command.Unit.Backend : null;
        command.CompleteWithData(option == Option.All ? All(table, timed) : One(one?.Row, timed));
    }

    private static CommandBinding? FindPlain(CommandTable table, byte code) =>
        table.HasServiceActions(code) ? null : table.Find([code]);

    private static byte[] All(CommandTable table, IBackend? timed)
    {
        int each = DescriptorBytes + (timed is not null ? TimeoutsDescriptorBytes : 0);
        var to = new ParameterDataWriter(new byte[4 + (table.All.Count * each)]);
        to.Four(0);
        foreach (CommandBinding binding in table.All)
        {
            CommandRow row = binding.Row;
            to.Byte(row.OperationCode);
            to.Byte(0);
            to.Two(row.ServiceAction ?? 0);
            to.Byte(0);
            to.Byte((timed is not null ? 0x02 : 0) | (row.ServiceAction is null ? 0 : 0x01)); // CTDP, SERVACTV
            to.Two(row.CdbLengthBytes);
            if (timed is not null)
                WriteTimeouts(ref to, timed, row);
        }
        to.CloseFour(0);
        return to.Written.ToArray();
    }

    private static byte[] One(CommandRow? row, IBackend? timed)
    {
        // SUPPORT 001b: the rest of the fields is not defined, so there is none.
        if (row is null)
            return [0, NotSupported, 0, 0];
        var to = new ParameterDataWriter(new byte[4 + row.CdbLengthBytes + TimeoutsDescriptorBytes]);
        to.Byte(0);
        to.Byte((timed is not null ? 0x80 : 0) | SupportedByStandard);
        to.Two(row.CdbLengthBytes);
        to.Bytes(row.Usage);
        if (timed is not null)
            WriteTimeouts(ref to, timed, row);
        return to.Written.ToArray();
    }

    /// <summary>§6.35.4: no time is promised (NOMINAL COMMAND PROCESSING TIMEOUT zero), and one is recommended where
    /// the device knows better than its initiators.</summary>
    private static void WriteTimeouts(ref ParameterDataWriter to, IBackend backend, CommandRow row)
    {
        to.Two(TimeoutsDescriptorBytes - 2);
        to.Zeros(6);
        to.Four(backend.RecommendedTimeoutSeconds(row));
    }
}
