using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Testing;

/// <summary>One I_T nexus of a <see cref="TestTarget"/>.</summary>
public sealed class TestInitiator
{
    public static readonly TargetPortIdentity Target = new(
        "iqn.2026-11.test:target", "iqn.2026-11.test:target,t,0x0001", RelativePortId: 1, PortGroupTag: 1)
    {
        NameOfPort = static (device, port) => $"{device} {port}",
    };

    private readonly TestExecutor _executor;
    private ulong _sequence;

    public TestInitiator(
        TestExecutor executor, string name, LunMap map, bool afterLoss = false, bool isStranger = false,
        TargetPortIdentity? target = null, bool hasNewMicrocode = false)
    {
        _executor = executor;
        Nexus = new ItNexus(executor, Port, target ?? Target, name, map, afterLoss, isStranger, hasNewMicrocode);
    }

    public TestPort Port { get; } = new();

    public ItNexus Nexus { get; }

    public ItlNexus ItlNexus => Nexus.ItlNexuses.First();

    /// <summary>Sends a command that expects exactly what it gives, and room for any answer, to LUN 0.</summary>
    public TestCommand Execute(ReadOnlySpan<byte> cdb, byte[]? dataOut = null, uint dataInBytes = 1 << 20) =>
        ExecuteOn(Lun.FromNumber(0), cdb, dataOut, dataInBytes);

    public TestCommand ExecuteOn(Lun lun, ReadOnlySpan<byte> cdb, byte[]? dataOut = null, uint dataInBytes = 1 << 20)
    {
        TestCommand command = Send(lun, cdb, dataOut, dataInBytes);
        _executor.Run();
        Invariant.That(command.IsAnswered, $"{command.Cdb[0]:X2}h is not answered");
        return command;
    }

    /// <summary>Sends without waiting for anything that was posted.</summary>
    public TestCommand Send(
        Lun lun,
        ReadOnlySpan<byte> cdb,
        byte[]? dataOut = null,
        uint dataInBytes = 1 << 20,
        TaskAttribute attribute = TaskAttribute.Simple)
    {
        var command = new TestCommand
        {
            Lun = lun,
            Tag = _sequence,
            Sequence = _sequence++,
            Attribute = attribute,
            DataOut = dataOut ?? [],
            ExpectedDataOutBytes = (uint)(dataOut?.Length ?? 0),
            ExpectedDataInBytes = dataOut is null ? dataInBytes : 0,
        };
        command.SetCdb(cdb);
        Nexus.CommandReceived(command);
        return command;
    }

    public TaskManagementResponse Request(TaskManagementFunction function, Lun lun = default)
    {
        TaskManagementRequest request = Begin(function, lun);
        _executor.Run();
        Invariant.That(Port.FunctionsExecuted.Contains(request), $"{function} is not answered");
        return request.Response;
    }

    /// <summary>Asks for a function that is not answered at once.</summary>
    public TaskManagementRequest Begin(TaskManagementFunction function, Lun lun = default)
    {
        var request = new TaskManagementRequest { Function = function, Lun = lun };
        Nexus.TaskManagementRequested(request);
        return request;
    }

    /// <summary>As if every unit attention had been reported.</summary>
    public void TakeUnitAttentions()
    {
        foreach (ItlNexus itl in Nexus.ItlNexuses)
        {
            while (itl.UnitAttentions.TryTake(out _))
            {
            }
        }
    }

    public void Logout()
    {
        if (Nexus.IsEnding)
            return;
        bool ended = false;
        Nexus.End(() => ended = true);
        _executor.Run();
        Invariant.That(ended, "the nexus did not end");
    }
}
