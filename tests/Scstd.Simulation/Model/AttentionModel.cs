using Scstd.Scsi;

namespace Scstd.Simulation;

/// <summary>
/// Which unit attention conditions a nexus may have pending, and which it must (SAM-5 §5.14). Equal ones are merged;
/// each is reported once; resets (29h) go first, the others in the order of their coming.
/// </summary>
internal sealed class AttentionModel(World world)
{
    private const byte ResetCode = 0x29;

    private readonly List<Condition> _conditions = [];

    /// <summary>A condition that must be reported before anything is executed, or null.</summary>
    public AdditionalSense? Certain
    {
        get
        {
            foreach (Condition condition in _conditions)
            {
                if (condition.IsCertain)
                    return condition.Code;
            }
            return null;
        }
    }

    /// <summary>Like <see cref="Certain"/>, among those that have been pending since then.</summary>
    public AdditionalSense? CertainSince(long moment, bool resetsOnly)
    {
        foreach (Condition condition in _conditions)
        {
            if (condition.IsCertain && condition.CertainAt < moment && (!resetsOnly || condition.IsReset))
                return condition.Code;
        }
        return null;
    }

    public void Open(AttentionWindow window)
    {
        Condition condition = Of(window.Condition);
        if (!condition.MayBePresent && condition.Windows.Count == 0)
            condition.OpenedAt = window.OpenedAt;
        condition.Windows.Add(window);
    }

    public void Close(AttentionWindow window)
    {
        Condition condition = Of(window.Condition);
        condition.Windows.Remove(window);
        if (window.IsFalse)
        {
            world.Law(!window.WasReported || window.IsAmbiguous || condition.WasExplained,
                "{0} was told to a nexus that it does not concern", window.Condition);
            return;
        }
        if (window.IsCertain && !window.WasReported)
        {
            if (!condition.IsCertain)
                condition.CertainAt = world.Now;
            condition.MayBeAbsent = false;
        }
        condition.MayBePresent = true;
        condition.EstablishedAt = world.Now;
    }

    /// <summary>It is there, now (a new nexus; a report that could not be sent).</summary>
    public void Establish(AdditionalSense code, bool isCertain = true)
    {
        Condition condition = Of(code);
        if (!condition.MayBePresent && condition.Windows.Count == 0)
            condition.OpenedAt = world.Now;
        if (isCertain && !condition.IsCertain)
            condition.CertainAt = world.Now;
        condition.MayBePresent = true;
        condition.EstablishedAt = world.Now;
        if (isCertain)
            condition.MayBeAbsent = false;
    }

    /// <summary>Reported by a command that was judged at <paramref name="judgedFrom"/> or later.</summary>
    /// <param name="code">Which.</param>
    /// <param name="judgedFrom">Since when the reporter may have been judged.</param>
    /// <param name="stays">With an interlock (UA_INTLCK_CTRL) only REQUEST SENSE ends it; null: unknown.</param>
    /// <param name="takenFrom">Since when it may have been taken for the report: one that came later is another.
    /// </param>
    public void Reported(
        AdditionalSense code, long judgedFrom, bool? stays = false, long takenFrom = long.MaxValue)
    {
        Condition reported = Of(code);
        world.Law(reported.MayBePresent || reported.Windows.Count > 0,
            "the unit attention condition {0} was reported but not established, or twice", code);
        foreach (Condition other in _conditions)
        {
            if (ReferenceEquals(other, reported) || !other.IsCertain || other.CertainAt >= judgedFrom)
                continue;
            world.Law(reported.IsReset || !other.IsReset, "{0} was reported before a reset", code);
            world.Law(reported.IsReset || other.CertainAt >= reported.OpenedAt,
                "{0} was reported before an older condition", code);
        }
        reported.WasExplained = reported.MayBePresent;
        reported.ReportedAt = world.Now;
        if (stays != false)
        {
            Kept(reported, isCertain: stays == true);
            return;
        }
        reported.MayBePresent = reported.EstablishedAt > takenFrom;
        reported.MayBeAbsent = true;
        reported.OpenedAt = reported.MayBePresent ? reported.OpenedAt : long.MaxValue;
        foreach (AttentionWindow window in reported.Windows)
        {
            window.WasReported = true;
            reported.OpenedAt = Math.Min(reported.OpenedAt, window.OpenedAt);
        }
    }

    private void Kept(Condition condition, bool isCertain)
    {
        condition.MayBePresent = true;
        if (isCertain && condition.MayBeAbsent)
            condition.CertainAt = world.Now;
        condition.MayBeAbsent = !isCertain;
        foreach (AttentionWindow window in condition.Windows)
            window.WasReported = true;
    }

    /// <summary>It may be there.</summary>
    public bool MayReport(AdditionalSense code)
    {
        Condition condition = Of(code);
        return condition.MayBePresent || condition.Windows.Count > 0;
    }

    /// <summary>It has been there for some time, and may have been reported in that time.</summary>
    public void EstablishUnlessReported(AdditionalSense code, long since) =>
        Establish(code, isCertain: Of(code).ReportedAt < since);

    /// <summary>It has ended without a report (REPORT LUNS and 3Fh/0Eh).</summary>
    public void Ended(AdditionalSense code)
    {
        Condition condition = Of(code);
        condition.MayBePresent = false;
        condition.MayBeAbsent = true;
        foreach (AttentionWindow window in condition.Windows)
            window.WasReported = true;
    }

    private Condition Of(AdditionalSense code)
    {
        foreach (Condition condition in _conditions)
        {
            if (condition.Code == code)
                return condition;
        }
        var added = new Condition(code);
        _conditions.Add(added);
        return added;
    }

    private sealed class Condition(AdditionalSense code)
    {
        public AdditionalSense Code => code;

        public bool IsReset => code.Code == ResetCode;

        public bool MayBePresent { get; set; }

        public bool MayBeAbsent { get; set; } = true;

        public bool IsCertain => MayBePresent && !MayBeAbsent;

        /// <summary>The last report was of one that could be there without any of the events under way.</summary>
        public bool WasExplained { get; set; }

        public long CertainAt { get; set; }

        public long ReportedAt { get; set; } = -1;

        /// <summary>When the latest event that establishes it was answered.</summary>
        public long EstablishedAt { get; set; } = -1;

        /// <summary>When the one that is pending came at the earliest.</summary>
        public long OpenedAt { get; set; }

        public List<AttentionWindow> Windows { get; } = [];
    }
}
