using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Testing;

/// <summary>A device server that is whatever a test wants it to be.</summary>
public sealed class TestBackend : IBackend
{
    public PeripheralDeviceType DeviceType { get; set; } = PeripheralDeviceType.DirectAccessBlock;

    public LogicalUnitIdentity Identity { get; set; } = new()
    {
        Vendor = "SCSTD",
        Product = "TEST DISK",
        Revision = "0001",
        SerialNumber = "0123456789",
        Naa = [0x60, 0x01, 0x40, 0x5A, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0C],
        VersionDescriptors = [0x04C0],
    };

    public IReadOnlyList<CommandBinding> Commands { get; set; } = [];

    public int BlockLengthBytes { get; set; } = 512;

    public int MaxTransferLengthBytes { get; set; } = 1 << 20;

    public bool IsReadOnly { get; set; }

    public IReadOnlyList<ModePage> ModePages { get; set; } = [];

    public IReadOnlyList<VitalProductDataPage> VitalProductData { get; set; } = [];

    public byte ModeDeviceSpecificParameter { get; set; } = 0x10;

    public byte ModeMediumType { get; set; }

    public IModeHeader? ModeHeader { get; set; }

    public IReadOnlyList<LogPage> LogPages { get; set; } = [];

    /// <summary>The 8 byte form; the 16 byte form has the same numbers in wider fields. Empty: none.</summary>
    public byte[] BlockDescriptor { get; set; } = [0x00, 0x08, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00];

    public SenseData? NotReady { get; set; }

    /// <summary>The pages that MODE SELECT changed, in order.</summary>
    public List<ModePage> ChangedPages { get; } = [];

    public List<ScsiCommand> Aborted { get; } = [];

    public int ResetCount { get; private set; }

    public int WriteModeBlockDescriptor(Span<byte> destination, bool longLba)
    {
        if (!longLba || BlockDescriptor.Length == 0)
        {
            BlockDescriptor.CopyTo(destination);
            return BlockDescriptor.Length;
        }
        destination[..16].Clear();
        BlockDescriptor.AsSpan(0, 4).CopyTo(destination[4..]);
        BlockDescriptor.AsSpan(4, 4).CopyTo(destination[12..]);
        return 16;
    }

    public void ModePageChanged(ModePage page) => ChangedPages.Add(page);

    /// <summary>Why it cannot do what a page asks of it; null: it can.</summary>
    public Func<ModePage, SenseData?> RefuseModePage { get; set; } = static _ => null;

    public void ModePageChanged(ModePage page, IExecutor executor, Action<SenseData?> done)
    {
        ModePageChanged(page);
        done(RefuseModePage(page));
    }

    public void Abort(ScsiCommand command) => Aborted.Add(command);

    public void Reset() => ResetCount++;
}
