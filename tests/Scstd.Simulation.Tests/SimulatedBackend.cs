using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Simulation;

/// <summary>
/// A device server with a handful of commands that take as long as the scheduler likes. It watches the laws of the
/// gate from where they matter: whoever executes while something else must be alone is caught here.
/// </summary>
internal sealed class SimulatedBackend : IBackend
{
    public const byte Move = 0xC0;
    public const byte MoveOut = 0xC1;
    public const byte Change = 0xC2;
    public const byte Reserve = 0xC3;
    public const byte Release = 0xC4;
    private const int DataBytes = 4096;

    private readonly List<ScsiCommand> _running = [];
    private readonly Func<int, int> _random;

    public SimulatedBackend(Func<int, int> random)
    {
        _random = random;
        Commands =
        [
            new(Row("MOVE", Move, DataDirection.In, CommandTraits.None), Begin),
            new(Row("MOVE OUT", MoveOut, DataDirection.Out, CommandTraits.WritesMedium), Begin),
            new(Row("CHANGE", Change, DataDirection.None, CommandTraits.ChangesUnit), Begin),
            new(Row("RESERVE", Reserve, DataDirection.None, CommandTraits.ChangesUnit), Begin),
            new(Row("RELEASE", Release, DataDirection.None,
                CommandTraits.ChangesUnit | CommandTraits.AllowedUnderReserve), Begin),
        ];
    }

    public PeripheralDeviceType DeviceType => PeripheralDeviceType.DirectAccessBlock;

    public LogicalUnitIdentity Identity { get; } = new()
    {
        Vendor = "SCSTD",
        Product = "SIMULATED",
        Revision = "1",
        SerialNumber = "1",
        Naa = [0x30, 0, 0, 0, 0, 0, 0, 1],
    };

    public IReadOnlyList<CommandBinding> Commands { get; }

    public int BlockLengthBytes => 512;

    public int MaxTransferLengthBytes => 1 << 20;

    public bool IsReadOnly => false;

    public IReadOnlyList<ModePage> ModePages => [];

    public IReadOnlyList<VitalProductDataPage> VitalProductData => [];

    public byte ModeDeviceSpecificParameter => 0;

    public SenseData? NotReady => null;

    public IReadOnlyList<ScsiCommand> Running => _running;

    /// <summary>Told of each command that reaches the device server.</summary>
    public Action<ScsiCommand>? Began { get; set; }

    /// <summary>The unit's reset runs; nothing may be with the device server.</summary>
    public Action? WasReset { get; set; }

    public int WriteModeBlockDescriptor(Span<byte> destination, bool longLba) => 0;

    public void ModePageChanged(ModePage page)
    {
    }

    public void Abort(ScsiCommand command)
    {
    }

    public void Reset() => WasReset?.Invoke();

    /// <summary>Ends one running command, chosen by the scheduler's dice.</summary>
    public void EndOne()
    {
        ScsiCommand command = _running[_random(_running.Count)];
        command.Nexus.Executor.Post(() => End(command));
        _running.Remove(command);
        _ending.Add(command);
    }

    public IReadOnlyList<ScsiCommand> Ending => _ending;

    private readonly List<ScsiCommand> _ending = [];

    private void Begin(ScsiCommand command)
    {
        Began?.Invoke(command);
        _running.Add(command);
    }

    private void End(ScsiCommand command)
    {
        _ending.Remove(command);
        switch (command.Cdb[0])
        {
            case Reserve:
                if (command.Unit.ReservationHolder is null)
                    command.Unit.Reserve(command.Nexus);
                break;
            case Release:
                if (ReferenceEquals(command.Unit.ReservationHolder, command.Nexus))
                    command.Unit.Reserve(null);
                break;
            case Change:
                command.Unit.EstablishUnitAttention(AdditionalSense.ModeParametersChanged, command.ItlNexus);
                break;
            case Move:
                if (!command.TryLeaseDataIn(DataBytes))
                    return;
                command.DataInLengthBytes = DataBytes;
                break;
        }
        command.Complete();
    }

    private static CommandRow Row(string name, byte code, DataDirection direction, CommandTraits traits) => new()
    {
        Name = name,
        OperationCode = code,
        Direction = direction,
        Traits = traits,
        Usage = [code, 0, 0, 0, 0, 0],
        TransferLength = direction == DataDirection.None ? null : static (_, _) => DataBytes,
    };
}
