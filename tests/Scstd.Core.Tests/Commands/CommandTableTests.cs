using Scstd.Scsi;

namespace Scstd.Core.Tests.Commands;

public sealed class CommandTableTests
{
    private static readonly CommandBinding Plain = Bind("PLAIN", 0x28, null, 10);
    private static readonly CommandBinding Action = Bind("ACTION", 0x9E, 0x10, 16);
    private static readonly CommandBinding Variable = Bind("VARIABLE", 0x7F, 0x09, 32);

    [Fact]
    public void A_command_is_found_by_its_operation_code() =>
        Assert.Same(Plain, Table().Find(Cdb(10, 0x28)));

    [Fact]
    public void A_service_action_is_in_byte_1() =>
        Assert.Same(Action, Table().Find(Cdb(16, 0x9E, 0x10)));

    [Fact]
    public void A_variable_length_service_action_is_in_bytes_8_and_9()
    {
        byte[] cdb = Cdb(32, 0x7F);
        cdb[9] = 0x09;
        Assert.Same(Variable, Table().Find(cdb));
        cdb[8] = 0x01;
        Assert.Null(Table().Find(cdb));
    }

    [Fact]
    public void A_variable_length_cdb_that_is_cut_short_is_not_read_beyond_its_end() =>
        Assert.Null(Table().Find([0x7F, 0, 0, 0]));

    [Fact]
    public void Unknown_codes_and_actions_are_not_found()
    {
        Assert.Null(Table().Find(Cdb(6, 0x00)));
        Assert.Null(Table().Find(Cdb(16, 0x9E, 0x11)));
    }

    [Fact]
    public void The_later_binding_of_a_command_wins()
    {
        CommandBinding other = Bind("OTHER", 0x28, null, 10);
        var table = new CommandTable([Plain, other]);
        Assert.Same(other, table.Find(Cdb(10, 0x28)));
        Assert.Equal([other], table.All);
    }

    [Fact]
    public void All_are_listed_in_order() =>
        Assert.Equal([Plain, Variable, Action], Table().All);

    private static CommandTable Table() => new([Action, Variable, Plain]);

    private static byte[] Cdb(int length, params byte[] first)
    {
        byte[] cdb = new byte[length];
        first.CopyTo(cdb, 0);
        return cdb;
    }

    private static CommandBinding Bind(string name, byte code, ushort? action, int length)
    {
        byte[] usage = new byte[length];
        usage[0] = code;
        return new CommandBinding(
            new CommandRow { Name = name, OperationCode = code, ServiceAction = action, Usage = usage },
            static command => command.Complete());
    }
}
