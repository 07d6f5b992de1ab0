using Scstd.Backends.Disk;
using Scstd.Configuration;
using Scstd.Core;

namespace Scstd.Composition;

/// <summary>A logical unit that is served, whatever device it is.</summary>
internal record ServedUnit(string Name, IBackend Backend, LogicalUnit Unit);

/// <summary>A device of the configuration, open.</summary>
internal sealed record ServedDevice(DeviceSection Section, DiskBackend Disk, LogicalUnit Unit)
    : ServedUnit(Section.Name.Text, Disk, Unit)
{
    /// <summary>Held by who changes what the device itself is, or takes it away.</summary>
    public SemaphoreSlim Turn { get; } = new(1);
}
