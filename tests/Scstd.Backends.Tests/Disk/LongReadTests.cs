using Scstd.Core;
using Scstd.Linux;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Backends.Tests.Disk;

/// <summary>A long READ is read in pieces of 256 KiB, and what is there may be sent ahead.</summary>
public sealed class LongReadTests
{
    private const int Piece = 256 * 1024;

    private static readonly byte[] Contents = Blocks.Of(2048);

    [Fact]
    public void All_pieces_are_asked_for_at_once_and_sent_in_their_order()
    {
        using var world = new World();
        TestCommand read = world.Send(0, 2048);
        Assert.Equal(4, world.UnderWay);

        world.Finish(2 * Piece);
        Assert.Empty(world.Ready);
        world.Finish(0);
        Assert.Equal([Piece], world.Ready);
        world.Finish(Piece);
        Assert.Equal([Piece, 3 * Piece], world.Ready);
        Assert.False(read.IsAnswered);
        world.Finish(3 * Piece);

        Blocks.AssertGood(read);
        Assert.Equal([Piece, 3 * Piece], world.Ready);
        Assert.Equal(Contents, read.DataIn);
    }

    [Theory]
    [InlineData(0, 512, 1)]
    [InlineData(100, 513, 2)]
    [InlineData(7, 1000, 2)]
    public void A_read_of_a_piece_or_less_is_one_operation_and_others_begin_anywhere(
        ulong lba, uint blocks, int operations)
    {
        using var world = new World();
        TestCommand read = world.Send(lba, blocks);
        Assert.Equal(operations, world.UnderWay);

        world.FinishAll();

        Blocks.AssertGood(read);
        Assert.Equal(Contents.AsSpan((int)lba * 512, (int)blocks * 512).ToArray(), read.DataIn);
    }

    [Fact]
    public void The_piece_that_completes_a_read_is_not_sent_ahead_whichever_it_is()
    {
        using var world = new World();
        TestCommand read = world.Send(0, 1024);
        world.Finish(Piece);
        world.Finish(0);

        Blocks.AssertGood(read);
        Assert.Empty(world.Ready);
    }

    [Fact]
    public void Of_a_piece_that_the_kernel_reads_in_parts_nothing_is_sent_before_it_is_whole()
    {
        using var world = new World();
        TestCommand read = world.Send(0, 1024);
        world.ReadAtMost(0, Piece / 2);
        Assert.Empty(world.Ready);
        world.Finish(Piece / 2);
        Assert.Equal([Piece], world.Ready);

        world.FinishAll();
        Assert.Equal(Contents[..(1024 * 512)], read.DataIn);
    }

    [Fact]
    public void What_was_sent_ahead_of_a_bad_block_was_transferred_and_nothing_behind_it()
    {
        using var world = new World();
        TestCommand read = world.Send(0, 2048);
        world.Finish(0);
        world.Fail(Piece);
        world.Finish(2 * Piece);
        world.Finish(3 * Piece);

        Blocks.AssertSense(SenseKey.MediumError, AdditionalSense.UnrecoveredReadError, read);
        Assert.Equal([Piece], world.Ready);
        Assert.Equal((512UL, Piece), (read.Sense.Information, read.DataInLengthBytes));
    }

    [Fact]
    public void The_next_read_of_the_pooled_operation_begins_anew()
    {
        using var world = new World();
        world.Send(0, 2048);
        world.FinishAll();
        world.Ready.Clear();

        world.Send(0, 2048);
        world.Finish(Piece);

        Assert.Empty(world.Ready);
        world.FinishAll();
    }

    [Fact]
    public void Nothing_of_an_aborted_read_is_sent_ahead()
    {
        using var world = new World();
        TestCommand read = world.Send(0, 2048);
        world.Abort(read);
        world.FinishAll();

        Assert.True(read.WasAborted);
        Assert.Empty(world.Ready);
    }

    /// <summary>A disk whose reads end one by one.</summary>
    private sealed class World : IDisposable
    {
        private readonly DiskWorld _world = DiskWorld.InFile();
        private Func<FileOperation, long?> _medium;

        public World()
        {
            _medium = static _ => null;
            _world.Write(0, Contents);
            _world.FileCall = operation => _medium(operation);
        }

        public List<int> Ready => _world.Initiator.Port.DataInReadyBytes;

        public int UnderWay => _world.Reactor.FilesUnderWay;

        public TestCommand Send(ulong lba, uint blocks) => _world.Send(Cdbs.For(Sbc.Read10, lba, blocks));

        public void Finish(long offsetBytes) => At(offsetBytes, static operation => RealFile.Run(operation));

        public void ReadAtMost(long offsetBytes, int lengthBytes) =>
            At(offsetBytes, operation => RealFile.RunAtMost(operation, lengthBytes));

        public void Fail(long offsetBytes) => At(offsetBytes, static _ => -ErrorNumber.InputOutput);

        public void FinishAll()
        {
            _medium = static operation => RealFile.Run(operation);
            _world.Run();
            _medium = static _ => null;
        }

        public void Abort(TestCommand command)
        {
            _world.Initiator.Nexus.TaskManagementRequested(new TaskManagementRequest
            {
                Function = TaskManagementFunction.AbortTask,
                Lun = command.Lun,
                Referenced = command,
            });
            _world.Run();
        }

        public void Dispose() => _world.Dispose();

        private void At(long offsetBytes, Func<FileOperation, long?> does)
        {
            bool isDone = false;
            _medium = operation =>
            {
                if (isDone || operation.OffsetBytes != offsetBytes)
                    return null;
                isDone = true;
                return does(operation);
            };
            _world.Reactor.RunUntilIdle();
            Assert.True(isDone);
            _medium = static _ => null;
        }
    }
}
