using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Backends.Disk;

/// <summary>Another size while the disk serves.</summary>
public sealed partial class DiskBackend
{
    private readonly SemaphoreSlim _resizing = new(1, 1);

    /// <summary>
    /// Gives the disk another size. The store is made ready first, beside the reactors; the new capacity then holds for
    /// all at one moment, alone on the unit, with CAPACITY DATA HAS CHANGED for every nexus (SBC-4 §4.10) if it is
    /// another. What waits is judged again, so no command reaches beyond a smaller end. From any thread.
    /// </summary>
    /// <param name="unit">The unit of this disk.</param>
    /// <param name="sizeBytes">Null: the size that the file or device has by now. A file that is smaller grows; nothing
    /// is ever cut off a file.</param>
    /// <returns>The number of blocks. Throws <see cref="StoreUnavailableException"/>, and then nothing has changed.
    /// </returns>
    public async Task<ulong> ResizeAsync(LogicalUnit unit, ulong? sizeBytes)
    {
        Invariant.That(ReferenceEquals(unit.Backend, this), "a disk is resized through its own unit");
        await _resizing.WaitAsync();
        try
        {
            ulong blocks = await Task.Run(() => Store.PrepareSize(sizeBytes));
            var adopted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            unit.ChangeAlone(() => Adopt(unit, blocks), adopted.SetResult);
            await adopted.Task;
            return blocks;
        }
        finally
        {
            _resizing.Release();
        }
    }

    internal void Adopt(LogicalUnit unit, ulong blocks)
    {
        if (blocks == BlockCount)
            return;
        Store.Adopt(blocks);
        BlockCount = blocks;
        unit.EstablishUnitAttention(AdditionalSense.CapacityDataHasChanged, except: null);
    }
}
