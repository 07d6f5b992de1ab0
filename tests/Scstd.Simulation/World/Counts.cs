using Scstd.Scsi;

namespace Scstd.Simulation;

/// <summary>What happened in a world, to see that the laws were tried at all.</summary>
internal sealed class Counts
{
    private readonly int[] _byStatus = new int[256];

    public int Aborted { get; set; }

    public int FunctionsAnswered { get; set; }

    public int SessionsLost { get; set; }

    public int SessionsMoved { get; set; }

    /// <summary>Of <see cref="FunctionsAnswered"/>, those that abort or reset.</summary>
    public int FunctionsThatAbort { get; set; }

    public int ReservesGranted { get; set; }

    /// <summary>PREEMPT AND ABORT that deprived somebody.</summary>
    public int PreemptsAnswered { get; set; }

    public long WritesLanded { get; set; }

    public int Of(ScsiStatus status) => _byStatus[(int)status];

    public void Answered(ScsiStatus status) => _byStatus[(int)status]++;

    public void Add(Counts other)
    {
        for (int i = 0; i < _byStatus.Length; i++)
            _byStatus[i] += other._byStatus[i];
        Aborted += other.Aborted;
        FunctionsAnswered += other.FunctionsAnswered;
        SessionsLost += other.SessionsLost;
        SessionsMoved += other.SessionsMoved;
        FunctionsThatAbort += other.FunctionsThatAbort;
        ReservesGranted += other.ReservesGranted;
        PreemptsAnswered += other.PreemptsAnswered;
        WritesLanded += other.WritesLanded;
    }

    public override string ToString() =>
        $"{Of(ScsiStatus.Good)} good, {Of(ScsiStatus.CheckCondition)} check condition, " +
        $"{Of(ScsiStatus.ReservationConflict)} reservation conflict, {Of(ScsiStatus.Busy)} busy, " +
        $"{Of(ScsiStatus.TaskSetFull)} task set full, {Of(ScsiStatus.TaskAborted)} task aborted, {Aborted} aborted, " +
        $"{FunctionsAnswered} functions, {SessionsLost} sessions lost, {SessionsMoved} moved";
}
