using System.Numerics;
using Scstd.Backends;
using Scstd.Backends.Changer;
using Scstd.Backends.Disk;
using Scstd.Backends.Tape;
using Scstd.Configuration;
using Scstd.Core;
using Scstd.Frontends.Iscsi;
using Scstd.Frontends.Iscsi.Login;
using Scstd.Linux;

namespace Scstd.Composition;

/// <summary>From the words of the configuration to the options of each room, for a configuration without problems.
/// </summary>
internal sealed class Plan(DaemonSection daemon, string folder)
{
    /// <summary>Those that share a limit, once there are any.</summary>
    public Func<IReadOnlyList<IExecutor>> Executors { get; init; } = static () => [];

    /// <summary>Null: none.</summary>
    public RateLimit? Limit(RateLimitSection? section) =>
        section is null ? null : new RateLimit(Executors(), section.Iops, section.BandwidthBytes);

    /// <summary>One per reactor, in order.</summary>
    public IReadOnlyList<ReactorOptions> Reactors(ProcessorSet processors, Action<Exception> faulted)
    {
        IReadOnlyList<int> cpus = daemon.Reactors.Cpus.Count > 0 ? daemon.Reactors.Cpus : processors.Cpus;
        int count = daemon.Reactors.Count
            ?? (daemon.Reactors.Cpus.Count > 0 ? cpus.Count : Math.Max(1, processors.Count));
        // Several reactors on one CPU, or fewer CPU's worth of time than CPUs: the scheduler knows better where.
        bool isPinned = count <= cpus.Count && (daemon.Reactors.Cpus.Count > 0 || processors.Count >= cpus.Count);
        return
        [
            .. Enumerable.Range(0, count).Select(index => new ReactorOptions
            {
                Index = index,
                Kind = daemon.Reactors.Io switch
                {
                    ReactorIo.IoUring => ReactorKind.IoUring,
                    ReactorIo.Epoll => ReactorKind.Epoll,
                    _ => ReactorKind.Auto,
                },
                Cpu = isPinned ? cpus[index] : null,
                // Who looks for work takes the CPU from those it shares it with.
                Latency = count > Math.Max(1, Math.Min(cpus.Count, processors.Count))
                    ? ReactorLatency.Power : daemon.Reactors.Latency,
                ZeroCopy = daemon.Reactors.ZeroCopy,
                Name = $"reactor {index}",
                Faulted = faulted,
            }),
        ];
    }

    public DiskOptions Disk(DeviceSection device)
    {
        int physical = device.PhysicalBlockBytes ?? device.BlockBytes;
        var options = new DiskOptions
        {
            Name = device.Name.Text,
            Store = device.Store switch
            {
                StoreKind.File => DiskStoreKind.File,
                StoreKind.Block => DiskStoreKind.BlockDevice,
                StoreKind.Memory => DiskStoreKind.Memory,
                _ => DiskStoreKind.Null,
            },
            Path = device.Path is { } path ? Path.GetFullPath(path.Text, folder) : null,
            SizeBytes = (ulong?)device.SizeBytes,
            SizeBlocks = device.Blocks,
            BlockLengthBytes = device.BlockBytes,
            PhysicalBlockExponent = BitOperations.Log2((uint)(physical / device.BlockBytes)),
            WriteBack = device.HasWriteCache,
            Direct = (device.Io ?? (device.Store == StoreKind.Block ? StoreIo.Direct : StoreIo.Buffered))
                == StoreIo.Direct,
            ReadOnly = device.IsReadOnly,
            Thin = device.IsThin,
            ThinThreshold = Threshold(device),
            Removable = device.IsRemovable,
            RotationRate = device.RotationRate,
            SerialNumber = device.Serial?.Text,
        };
        return options with
        {
            Vendor = device.Vendor?.Text ?? options.Vendor,
            Product = device.Product?.Text ?? options.Product,
            Revision = device.Revision?.Text ?? options.Revision,
        };
    }

    public static ChangerOptions Changer(LibrarySection library) => new()
    {
        Name = library.Name.Text,
        Slots = library.Slots,
        ImportExports = library.ImportExport,
        Personality = library.Personality,
        SerialNumber = library.Serial?.Text ?? DerivedIdentity.SerialNumber(library.Name.Text),
    };

    public static TapeOptions Drive(LibrarySection library, DrivesSection kind, int number)
    {
        string name = library.DriveName(number);
        return new TapeOptions
        {
            Name = name,
            Personality = kind.Personality,
            Vendor = kind.Vendor?.Text,
            Product = kind.Product?.Text,
            Revision = kind.Revision?.Text,
            SerialNumber = library.Serial is { } serial ? $"{serial}D{number}" : DerivedIdentity.SerialNumber(name),
            Compresses = kind.HasCompression,
        };
    }

    /// <summary>Null: none.</summary>
    public static ThinThreshold? Threshold(DeviceSection device) => device.ThinThreshold is { } bound
        ? new ThinThreshold((ulong?)bound.LeftBytes, bound.UsedPercent) : null;

    public PortalOptions Portal(PortalSection portal) => new()
    {
        EndPoint = portal.Address!,
        Tag = (ushort)portal.Tag,
        AdvertisedAddress = portal.Advertise,
        MaxConnections = daemon.Limits.Connections,
        LoginTimeoutMs = (int)daemon.Limits.LoginTimeout.TotalMilliseconds,
    };

    public DiscoveryOptions Discovery() => new()
    {
        IsEnabled = daemon.Discovery.IsEnabled,
        Authentication = Chap(daemon.Discovery.Authentication),
    };

    public TargetOptions Target(TargetSection target, IReadOnlyDictionary<string, LogicalUnit> units) => new()
    {
        Name = target.Name.Text,
        Alias = target.Alias?.Text,
        PortalGroupTags = [.. target.Portals.Select(TagOf).Distinct()],
        Groups =
        [
            .. target.Groups.Select(group => new AccessGroup
            {
                Name = group.Name.Text,
                Initiators = group.Initiators,
                Luns = Luns(group.Luns, group.LunAddressing ?? target.LunAddressing, units),
                Authentication = group.Authentication is { } own ? Chap(own) : null,
                Limit = Limit(group.Limits),
            }),
        ],
        Luns = Luns(target.Luns, target.LunAddressing, units),
        Authentication = Chap(target.Authentication),
        Negotiation = Negotiation(target.Negotiation),
        Timers = new TimerOptions
        {
            NopIntervalMs = (int)target.Limits.NopInterval.TotalMilliseconds,
            NopTimeoutMs = (int)target.Limits.NopTimeout.TotalMilliseconds,
            StallTimeoutMs = (int)target.Limits.StallTimeout.TotalMilliseconds,
            DataOutTimeoutMs = (int)target.Limits.DataTimeout.TotalMilliseconds,
        },
        MaxSessions = target.Limits.Sessions,
        QueueDepth = target.Limits.QueueDepth,
        MaxCommands = target.Limits.Commands,
        AsynchronousEvents = target.AsynchronousEvents,
        Redirect = target.Redirect is { } redirect
            ? new RedirectOptions(redirect.To!.ToString(), redirect.IsPermanent)
            : null,
    };

    /// <summary>Null: all paths to the device are alike.</summary>
    public PortGroups? PortGroups(string device)
    {
        PortGroupSection[] groups = [.. daemon.PortGroups.Where(group => group.Concerns(device))];
        return groups.Length == 0 ? null : new PortGroups(groups.Select(group =>
            new TargetPortGroup((ushort)group.Id, group.State, group.IsPreferred, group.IsExplicit)
            {
                Ports = [.. group.PortsIn(daemon).Select(port => new TargetPortName(port.Target, port.Tag))],
            }));
    }

    private static LunMap Luns(
        IReadOnlyList<LunSection> luns,
        LunAddressingChoice addressing,
        IReadOnlyDictionary<string, LogicalUnit> units) => new(
        luns.Select(lun => new LunMapEntry(lun.Number, units[lun.Device.Text], lun.IsReadOnly)),
        addressing switch
        {
            LunAddressingChoice.Flat => Scsi.LunAddressing.Flat,
            LunAddressingChoice.Extended => Scsi.LunAddressing.Extended,
            _ => Scsi.LunAddressing.Peripheral,
        });

    private static ParameterLimits Negotiation(NegotiationSection section) => new()
    {
        HeaderDigests = [.. section.HeaderDigest.Select(Digest)],
        DataDigests = [.. section.DataDigest.Select(Digest)],
        MaxRecvDataSegmentLength = section.MaxRecvDataSegmentLength,
        MaxBurstLength = section.MaxBurstLength,
        FirstBurstLength = Math.Min(section.FirstBurstLength, section.MaxBurstLength),
        InitialR2T = section.InitialR2T,
        ImmediateData = section.ImmediateData,
        MaxOutstandingR2T = section.MaxOutstandingR2T,
    };

    private static Digest Digest(DigestChoice choice) => choice == DigestChoice.Crc32c
        ? Frontends.Iscsi.Login.Digest.Crc32c
        : Frontends.Iscsi.Login.Digest.None;

    private static ChapSettings Chap(AuthenticationSection? section) =>
        section is null || section.IsNone
            ? ChapSettings.None
            : new ChapSettings([.. section.Users.Select(Account)], section.Mutual is { } own ? Account(own) : null);

    private static ChapAccount Account(CredentialSection credential) =>
        new(credential.Name.Text, credential.Secret!.Bytes.Span);

    private ushort TagOf(Word name) => (ushort)daemon.Portals.First(portal => portal.Name.Text == name.Text).Tag;
}
