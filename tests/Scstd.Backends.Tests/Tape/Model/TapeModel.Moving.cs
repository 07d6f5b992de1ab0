using Scstd.Scsi;

namespace Scstd.Backends.Tests.Tape.Model;

/// <summary>SPACE, LOCATE and REWIND.</summary>
internal sealed partial class TapeModel
{
    public ModelAnswer Rewind()
    {
        At = 0;
        return ModelAnswer.Good;
    }

    /// <summary>CODE 0h over logical blocks, 1h filemarks, 2h sequential filemarks, 3h to the end of data.</summary>
    public ModelAnswer Space(int code, long count)
    {
        if (code == 3)
        {
            At = Now.Count;
            return ModelAnswer.Good;
        }
        bool forwards = count > 0;
        ulong left = forwards ? (ulong)count : (ulong)-count;
        int run = 0;
        int asked = (int)Math.Min(left, int.MaxValue);
        while (left > 0)
        {
            if (At == (forwards ? Now.Count : 0))
                return forwards ? AtEndOfData(left) : AtBeginning(left);
            bool isMark = Pass(forwards);
            run = isMark ? run + 1 : 0;
            switch (code)
            {
                case 0 when isMark:
                    return AtFilemark(left);
                case 0:
                case 1 when isMark:
                    left--;
                    break;
                case 2 when run == asked:
                    left = 0;
                    break;
            }
        }
        return ModelAnswer.Good;
    }

    /// <summary>LOCATE to an object: what is not there ends at the end of data, of the partition that was named.
    /// </summary>
    public ModelAnswer LocateObject(int? partition, long number, int partitionOffset)
    {
        if (partition >= PartitionCount)
            return Invalid(partitionOffset);
        Partition = partition ?? Partition;
        At = (int)Math.Min(number, Now.Count);
        return number <= Now.Count ? ModelAnswer.Good : AtEndOfData(null);
    }

    /// <summary>LOCATE (16) to a file: behind the filemark that ends the one before.</summary>
    public ModelAnswer LocateFile(int? partition, long number)
    {
        if (partition >= PartitionCount)
            return Invalid(3);
        Partition = partition ?? Partition;
        for (At = 0; number > 0; number--)
        {
            while (At < Now.Count && !Now.IsMark(At))
                At++;
            if (At == Now.Count)
                return AtEndOfData(null);
            At++;
        }
        return ModelAnswer.Good;
    }

    /// <summary>LOCATE (16) to the end of data.</summary>
    public ModelAnswer LocateEnd(int? partition)
    {
        if (partition >= PartitionCount)
            return Invalid(3);
        Partition = partition ?? Partition;
        At = Now.Count;
        return ModelAnswer.Good;
    }

    /// <summary>Over one object; true: it was a filemark.</summary>
    private bool Pass(bool forwards) => Now.IsMark(forwards ? At++ : --At);

    private static ModelAnswer AtBeginning(ulong left) => ModelAnswer.Refused(
        new SenseData(SenseKey.NoSense, AdditionalSense.BeginningOfPartitionDetected)
        {
            EndOfMedium = true,
            Information = left,
        });
}
