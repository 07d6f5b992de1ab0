using Scstd.Backends.Disk;
using Scstd.Core;
using Scstd.Linux;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Backends.Tests.Disk;

/// <summary>In steady state a command allocates nothing on the managed heap.</summary>
public sealed class AllocationTests
{
    private const int Commands = 2000;

    [Theory]
    [InlineData(DiskStoreKind.Memory)]
    [InlineData(DiskStoreKind.File)]
    public void Reads_and_writes_allocate_nothing(DiskStoreKind kind)
    {
        using DiskWorld world = DiskWorld.Of(kind);
        world.Reactor.ExecuteFile = static operation => RealFile.Run(operation);
        var port = new SilentPort();
        var nexus = new ItNexus(
            world.Target.Executor, port, TestInitiator.Target, "initiator", new LunMap([new(0, world.Target.Unit)]));
        nexus.ItlNexuses.Single().UnitAttentions.TryTake(out _);
        var command = new ScsiCommand { Lun = Lun.FromNumber(0) };
        byte[][] cdbs =
        [
            Cdbs.For(Sbc.Write10, 8, 8), Cdbs.For(Sbc.Read10, 8, 8), Cdbs.For(Sbc.Write16, 16, 8, Cdbs.Fua),
            Cdbs.For(Sbc.Read16, 0, 512), Cdbs.For(Sbc.SynchronizeCache10, 0, 0), Cdbs.For(Sbc.Verify10, 0, 64),
        ];

        Run(200);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Run(Commands);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal(200 + Commands, port.Answers);
        Assert.Equal(0, allocated);
        nexus.End(static () => { });
        world.Run();

        void Run(int count)
        {
            for (int i = 0; i < count; i++)
            {
                command.SetCdb(cdbs[i % cdbs.Length]);
                command.ExpectedDataOutBytes = command.ExpectedDataInBytes = 1 << 20;
                int answers = port.Answers;
                nexus.CommandReceived(command);
                while (port.Answers == answers)
                    world.Reactor.RunPass();
            }
        }
    }

    /// <summary>A frontend that gives whatever is in its buffer and looks at no answer.</summary>
    private sealed class SilentPort : ITargetPort
    {
        public int Answers { get; private set; }

        public void ReceiveDataOut(ScsiCommand command) => command.DataOutReceived();

        public void SendCommandComplete(ScsiCommand command)
        {
            if (command.Status != ScsiStatus.Good)
                throw new InvalidOperationException($"{command.Binding.Row} ended with {command.Sense}");
            Answers++;
            command.Release();
        }

        public void TerminateDataTransfer(ScsiCommand command) => command.DataTransferTerminated();

        public void CommandAborted(ScsiCommand command) => command.Release();

        public void TaskManagementFunctionExecuted(TaskManagementRequest request)
        {
        }
    }
}
