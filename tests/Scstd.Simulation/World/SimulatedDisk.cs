using System.Buffers.Binary;
using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Simulation;

/// <summary>A small disk whose store takes as long as the scheduler likes. Each block holds one number, at its begin
/// and at its end.</summary>
internal sealed class SimulatedDisk : IBackend
{
    public const int BlockBytes = 512;
    private const int LastValueOffset = BlockBytes - sizeof(ulong);

    private static readonly CommandBinding[] Own =
    [
        new(Sbc.Read10, Begin, Validate),
        new(Sbc.Write10, Begin, Validate),
        new(Sbc.CompareAndWrite, Begin, Validate),
        new(Sbc.ReadCapacity10, ReadCapacity),
    ];

    private static readonly IReadOnlyList<CommandBinding> Observed = Observe();

    public SimulatedDisk(World world, int blockCount)
    {
        BlockCount = blockCount;
        Store = new SimulatedStore(world, this);
        Commands = Observed;
    }

    /// <summary>The same medium after the target has ended and begun again.</summary>
    public SimulatedDisk(World world, SimulatedDisk before)
        : this(world, before.BlockCount) => Store = new SimulatedStore(world, this, before.Store);

    /// <summary>Only there to ask the mid-layer for its commands.</summary>
    private SimulatedDisk()
    {
        Store = null!;
        Commands = Own;
    }

    public int BlockCount { get; set; }

    public SimulatedStore Store { get; }

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

    public int BlockLengthBytes => BlockBytes;

    public int MaxTransferLengthBytes => 1 << 20;

    public bool IsReadOnly => false;

    public IReadOnlyList<ModePage> ModePages => [];

    public IReadOnlyList<VitalProductDataPage> VitalProductData => [];

    public byte ModeDeviceSpecificParameter => 0;

    public SenseData? NotReady => null;

    /// <summary>So that the model hears when a holder's loss takes effect.</summary>
    public ReservationModel? Reservation { get; set; }

    /// <summary>The unit's reset runs.</summary>
    public Action? WasReset { get; set; }

    public int WriteModeBlockDescriptor(Span<byte> destination, bool longLba) => 0;

    public void ModePageChanged(ModePage page)
    {
    }

    public void Abort(ScsiCommand command) => Store.Abort((SimulatedCommand)command);

    public void Reset() => WasReset?.Invoke();

    public bool HoldsStateOf(ItNexus nexus) => ReferenceEquals(Reservation?.Holder?.Nexus, nexus);

    public void NexusEnded(ItNexus nexus) => Reservation!.NexusEnded((SimulatedSession)nexus.Port);

    public static ulong ValueIn(DataBuffer data, int index, out bool isWhole)
    {
        Span<byte> value = stackalloc byte[sizeof(ulong)];
        data.CopyTo(value, index * BlockBytes);
        ulong first = BinaryPrimitives.ReadUInt64BigEndian(value);
        data.CopyTo(value, (index * BlockBytes) + LastValueOffset);
        isWhole = first == BinaryPrimitives.ReadUInt64BigEndian(value);
        return first;
    }

    public static void SetValue(DataBuffer data, int index, ulong value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        data.CopyFrom(bytes, index * BlockBytes);
        data.CopyFrom(bytes, (index * BlockBytes) + LastValueOffset);
    }

    private static void Begin(ScsiCommand scsi)
    {
        var command = (SimulatedCommand)scsi;
        if (command.Kind == CommandKind.Read && !command.TryLeaseDataIn(command.Blocks * BlockBytes))
            return;
        ((SimulatedDisk)command.Unit.Backend).Store.Begin(command);
    }

    private static SenseData? Validate(ScsiCommand command)
    {
        var cdb = new BlockCdb(command.Cdb);
        ulong blocks = (ulong)((SimulatedDisk)command.Unit.Backend).BlockCount;
        return cdb.LogicalBlockAddress + cdb.TransferLengthBlocks <= blocks
            ? null : SenseData.IllegalRequest(AdditionalSense.LogicalBlockAddressOutOfRange);
    }

    private static void ReadCapacity(ScsiCommand command)
    {
        Span<byte> answer = stackalloc byte[8];
        BinaryPrimitives.WriteInt32BigEndian(answer, ((SimulatedDisk)command.Unit.Backend).BlockCount - 1);
        BinaryPrimitives.WriteInt32BigEndian(answer[4..], BlockBytes);
        command.CompleteWithData(answer);
    }

    /// <summary>Every command of the unit, the mid-layer's too, tells the model when it begins.</summary>
    private static IReadOnlyList<CommandBinding> Observe()
    {
        var probe = new LogicalUnit("probe", new SimulatedDisk(), [new SimulatedExecutor(null, 0, null!)]);
        return [.. probe.Commands.All.Select(binding => binding with
        {
            Execute = command =>
            {
                var simulated = (SimulatedCommand)command;
                simulated.Model.Begins(simulated);
                binding.Execute(command);
            },
        })];
    }
}
