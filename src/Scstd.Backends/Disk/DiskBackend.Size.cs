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
    /// <param name="cancellation">Gives up waiting for the store: the disk is as it was, or was changed just before.
    /// A file that has grown for it stays so, behind the end of the disk.</param>
    /// <returns>The number of blocks. Throws <see cref="StoreUnavailableException"/>, or that it was cancelled, and
    /// then nothing has changed.</returns>
    public async Task<ulong> ResizeAsync(
        LogicalUnit unit, ulong? sizeBytes, CancellationToken cancellation = default)
    {
        Invariant.That(ReferenceEquals(unit.Backend, this), "a disk is resized through its own unit");
        await _resizing.WaitAsync(cancellation);
        Task<ulong> preparing = Task.Run(() => Store.PrepareSize(sizeBytes), CancellationToken.None);
        try
        {
            ulong blocks = await preparing.WaitAsync(cancellation);
            var ended = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            PendingChange change = unit.ChangeAlone(() => Adopt(unit, blocks), ended.SetResult);
            using CancellationTokenRegistration giveUp = cancellation.Register(change.GiveUp);
            return await ended.Task ? blocks : throw new OperationCanceledException(cancellation);
        }
        finally
        {
            // A call that hangs in the kernel cannot be called back: nobody else prepares beside it.
            _ = preparing.ContinueWith(
                _ => _resizing.Release(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
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
