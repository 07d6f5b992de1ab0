using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests.Regulation;

/// <summary>A device server that works on so many commands at a time and takes so long over each.</summary>
internal sealed class ModelStore
{
    public const byte Read = 0xC8;
    public const byte Control = 0xC9;
    public const int Bytes = 4096;

    private readonly TestExecutor _executor;
    private readonly Queue<ScsiCommand> _queue = new();
    private int _inService;

    public ModelStore(TestExecutor executor)
    {
        _executor = executor;
        Backend = new TestBackend
        {
            Commands =
            [
                new(Row("READ", Read, DataDirection.In), Begin),
                new(Row("CONTROL", Control, DataDirection.None), static command => command.Complete()),
            ],
        };
    }

    public TestBackend Backend { get; }

    public int ServiceMs { get; set; } = 1;

    /// <summary>Commands that it works on at a time.</summary>
    public int Servers { get; set; } = int.MaxValue;

    /// <summary>With the device server, begun or not.</summary>
    public int Commands => _inService + _queue.Count;

    public int MostCommands { get; set; }

    /// <summary>Each command that it gets.</summary>
    public Action<ScsiCommand>? Got { get; set; }

    private static CommandRow Row(string name, byte code, DataDirection direction) => new()
    {
        Name = name,
        OperationCode = code,
        Direction = direction,
        Traits = CommandTraits.NeedsMedium,
        Usage = [code, 0, 0, 0, 0, 0],
        TransferLength = direction == DataDirection.None ? null : static (_, _) => Bytes,
    };

    private void Begin(ScsiCommand command)
    {
        _queue.Enqueue(command);
        MostCommands = Math.Max(MostCommands, Commands);
        Got?.Invoke(command);
        Serve();
    }

    private void Serve()
    {
        while (_inService < Servers && _queue.TryDequeue(out ScsiCommand? next))
        {
            _inService++;
            _executor.PostAfter(ServiceMs, () =>
            {
                _inService--;
                next.Complete();
                Serve();
            });
        }
    }
}
