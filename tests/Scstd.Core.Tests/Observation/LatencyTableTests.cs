using Scstd.Scsi;

namespace Scstd.Core.Tests.Observation;

/// <summary>What the times of commands cost in memory, and what is told of them.</summary>
public sealed class LatencyTableTests
{
    [Fact]
    public void A_nexus_of_reads_and_writes_takes_some_KiB_and_none_takes_more_than_its_bound()
    {
        Assert.InRange(BytesOf(usual: true), 1_000, 3_500);
        Assert.InRange(BytesOf(usual: false), 30_000, 56_320);
    }

    [Fact]
    public void A_histogram_that_is_there_costs_nothing_more()
    {
        var table = new LatencyTable();
        Fill(table, usual: false);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Fill(table, usual: false);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void The_counts_of_a_state_are_those_of_all_its_directions_and_sizes()
    {
        var table = new LatencyTable();
        table.Count(LatencyHistogram.RowOf(CommandState.Enabled, DataDirection.In), 1, 5);
        table.Count(LatencyHistogram.RowOf(CommandState.Enabled, DataDirection.Out), 3, 5);
        table.Count(LatencyHistogram.RowOf(CommandState.Enabled, DataDirection.Both), 3, 31);
        table.Count(LatencyHistogram.RowOf(CommandState.Dormant, DataDirection.Both), 3, 5);
        table.Count(LatencyHistogram.RowOf(CommandState.Publishing, DataDirection.None), 0, 5);
        ulong[] counts = table.CountsOf(CommandState.Enabled);
        Assert.Equal((2ul, 1ul, 3ul), (counts[5], counts[31], counts.Aggregate((a, b) => a + b)));
        Assert.Equal(5, table.Histograms().Count);
    }

    private static long BytesOf(bool usual)
    {
        Fill(new LatencyTable(), usual);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Fill(new LatencyTable(), usual);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static void Fill(LatencyTable table, bool usual)
    {
        for (int row = 0; row < LatencyHistogram.Rows; row++)
        {
            // Reads and writes of three sizes: with the store, and until the answer was taken.
            bool isUsual = (CommandState)(row >> 2) is CommandState.Enabled or CommandState.Ended
                && (DataDirection)(row & 3) is DataDirection.In or DataDirection.Out;
            for (int size = 0; size < (usual ? 3 : LatencyHistogram.SizeClasses); size++)
            {
                if (isUsual || !usual)
                    table.Count(row, size, size);
            }
        }
    }
}
