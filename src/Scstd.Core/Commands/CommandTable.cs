using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>What a unit answers to, found in constant time by operation code and service action.</summary>
public sealed class CommandTable
{
    private readonly CommandBinding?[] _byOperationCode = new CommandBinding?[256];
    private readonly CommandBinding?[]?[] _byServiceAction = new CommandBinding?[]?[256];

    /// <summary>Two bindings of one (operation code, service action): the later one wins, so that a device type can
    /// replace what the mid-layer does.</summary>
    public CommandTable(IEnumerable<CommandBinding> bindings)
    {
        foreach (CommandBinding binding in bindings)
        {
            byte code = binding.Row.OperationCode;
            if (binding.Row.ServiceAction is not { } action)
            {
                _byOperationCode[code] = binding;
                continue;
            }
            _byServiceAction[code] ??= new CommandBinding?[ServiceActions];
            if (action < _byServiceAction[code]!.Length)
                _byServiceAction[code]![action] = binding;
        }
        All = [.. _byOperationCode
            .Concat(_byServiceAction.Where(a => a is not null).SelectMany(a => a!)).OfType<CommandBinding>()
            .OrderBy(b => b.Row.OperationCode).ThenBy(b => b.Row.ServiceAction ?? 0)];
    }

    private const byte VariableLength = 0x7F;

    /// <summary>Five bits, SPC-4 §4.3.2; no variable length command that we know has a higher one either.</summary>
    private const int ServiceActions = 0x20;

    /// <summary>In the order of operation code and service action.</summary>
    public IReadOnlyList<CommandBinding> All { get; }

    public bool HasServiceActions(byte operationCode) => _byServiceAction[operationCode] is not null;

    public CommandBinding? Find(ReadOnlySpan<byte> cdb)
    {
        byte code = cdb[0];
        if (_byOperationCode[code] is { } binding)
            return binding;
        if (_byServiceAction[code] is not { } actions)
            return null;
        // SPC-4 §4.3.2: bits 4-0 of byte 1; §4.3.3: bytes 8-9 of a variable length CDB.
        int action = code == VariableLength ? cdb.Length < 10 ? -1 : (cdb[8] << 8) | cdb[9] : cdb[1] & 0x1F;
        return (uint)action < (uint)actions.Length ? actions[action] : null;
    }

    public CommandBinding? Find(byte operationCode, ushort serviceAction) =>
        _byServiceAction[operationCode] is { } actions && serviceAction < actions.Length
            ? actions[serviceAction]
            : null;
}
