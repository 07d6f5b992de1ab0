using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Benchmarks;

/// <summary>A device server whose READ and WRITE are done when they begin.</summary>
internal sealed class NullDevice : IBackend
{
    public PeripheralDeviceType DeviceType => PeripheralDeviceType.DirectAccessBlock;

    public LogicalUnitIdentity Identity { get; } = new()
    {
        Vendor = "SCSTD",
        Product = "NULL",
        Revision = "1",
        SerialNumber = "1",
        Naa = [0x30, 0, 0, 0, 0, 0, 0, 1],
    };

    public IReadOnlyList<CommandBinding> Commands { get; } =
    [
        new(Sbc.Read10, static command =>
        {
            if (!command.TryLeaseDataIn((int)command.RequestedBytes))
                return;
            command.DataInLengthBytes = (int)command.RequestedBytes;
            command.Complete();
        }),
        new(Sbc.Write10, static command => command.Complete()),
    ];

    public int BlockLengthBytes => 512;

    public int MaxTransferLengthBytes => 1 << 20;

    public bool IsReadOnly => false;

    public IReadOnlyList<ModePage> ModePages => [];

    public IReadOnlyList<VitalProductDataPage> VitalProductData => [];

    public byte ModeDeviceSpecificParameter => 0;

    public SenseData? NotReady => null;

    public int WriteModeBlockDescriptor(Span<byte> destination, bool longLba) => 0;

    public void ModePageChanged(ModePage page)
    {
    }

    public void Abort(ScsiCommand command)
    {
    }

    public void Reset()
    {
    }
}
