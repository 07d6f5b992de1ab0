using Scstd.Backends.Disk;
using Scstd.Core;
using Scstd.Linux;

namespace Scstd.Backends.Tests.Disk;

/// <summary>A request as a test makes it.</summary>
internal sealed class StoreRequest : BlockRequest
{
    public int TimesDone { get; private set; }

    public static StoreRequest Submit(
        IBlockStore store, Reactor reactor, BlockRequestKind kind, ulong lba, ulong blocks, DataBuffer? data = null)
    {
        var request = new StoreRequest { Reactor = reactor, Kind = kind, Lba = lba, Blocks = blocks, Data = data };
        store.Submit(request);
        return request;
    }

    public override void Completed() => TimesDone++;
}
