using System.Net;
using Scstd.Core;
using Scstd.Frontends.Iscsi.Login;
using Scstd.Frontends.Iscsi.Tests.Connections;

namespace Scstd.Frontends.Iscsi.Tests.Changes;

/// <summary>A world with three units, two reactors and a configuration that a test changes.</summary>
internal sealed class ChangingWorld : IDisposable
{
    public const string Red = "iqn.2026-11.test:red";
    public const string Blue = "iqn.2026-11.test:blue";

    private readonly TestDisk[] _disks = [new(), new()];

    public ChangingWorld(Func<TargetOptions, TargetOptions>? target = null)
    {
        World = new IscsiWorld(
            options => target is null
                ? options with { AsynchronousEvents = false }
                : target(options with { AsynchronousEvents = false }),
            reactors: 2);
        IExecutor[] executors = [.. World.Homes.Select(home => home.Executor)];
        Second = new LogicalUnit("second", _disks[0].Backend, executors, homeIndex: 1);
        Third = new LogicalUnit("third", _disks[1].Backend, executors);
    }

    public IscsiWorld World { get; }

    public LogicalUnit First => World.Unit;

    public LogicalUnit Second { get; }

    public LogicalUnit Third { get; }

    public TargetOptions Target => World.Registry.Configuration.Targets.Single();

    public PortalOptions Portal => World.Registry.Configuration.Portals.First();

    public static LunMap Map(params LogicalUnit[] units) =>
        new(units.Select((unit, number) => new LunMapEntry(number, unit)));

    public static AccessGroup Group(string initiator, params LogicalUnit[] units) =>
        new() { Name = initiator[^3..], Initiators = [initiator], Luns = Map(units) };

    public ConfigurationOutcome Apply(params TargetOptions[] targets) =>
        Apply(World.Registry.Configuration with { Targets = targets });

    public ConfigurationOutcome Apply(IscsiConfiguration next)
    {
        Task<ConfigurationOutcome> applying = World.Registry.ApplyAsync(next);
        World.Run();
        Assert.True(applying.IsCompleted);
        return applying.GetAwaiter().GetResult();
    }

    /// <summary>Why it was refused.</summary>
    public Exception Refuse(IscsiConfiguration next)
    {
        Task<ConfigurationOutcome> applying = World.Registry.ApplyAsync(next);
        World.Run();
        return Assert.Single(applying.Exception!.InnerExceptions);
    }

    public T Result<T>(Task<T> task)
    {
        World.Run();
        return task.GetAwaiter().GetResult();
    }

    public static PortalOptions At(int port, ushort tag = 1) =>
        new() { EndPoint = new IPEndPoint(IPAddress.Loopback, port), Tag = tag };

    public void Dispose()
    {
        World.Dispose();
        foreach (TestDisk disk in _disks)
            disk.Dispose();
    }
}
