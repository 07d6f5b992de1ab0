using Scstd.Control;

namespace Scstctl;

/// <summary>What happened to sessions, for people.</summary>
internal static class SessionText
{
    public static void Print(KickAnswer kick, TextWriter output) =>
        output.WriteLine($"{kick.Sessions - kick.StillEnding} session(s) ended"
            + (kick.StillEnding == 0 ? ""
                : $", {kick.StillEnding} end when their stores let their commands go"));

    public static void Print(MoveAnswer move, TextWriter output) =>
        output.WriteLine(move.HasMoved ? $"session {move.Session} is at reactor {move.Reactor}"
            : $"session {move.Session} stays at reactor {move.Reactor}: its commands did not end in time");

    public static void Print(IReadOnlyList<SessionHistoryRecord> sessions, TextWriter output)
    {
        if (sessions.Any(one => one.Ended is not null) || sessions.Count == 0)
        {
            var ended = new Table("ENDED", "ID", "INITIATOR", "TARGET", "PEER", "LASTED", "COMMANDS", "WHY");
            foreach (SessionHistoryRecord one in sessions.Where(session => session.Ended is not null))
            {
                ended.Add(Duration(one.Ended!.AgoMs), one.Id, one.Initiator, one.Target, one.Peer,
                    Duration(one.Ended.AgeSeconds * 1000), one.Commands, one.Ended.Why);
            }
            ended.Print(output);
        }
        foreach (SessionHistoryRecord one in sessions)
        {
            output.WriteLine();
            output.WriteLine($"session {one.Id} of {one.Initiator}, {(one.Ended is null ? "open" : "ended")}: "
                + "the last that happened");
            var moves = new Table("AGO", "WHAT");
            foreach (HistoryRecord move in one.Moves)
                moves.Add(Duration(move.AgoMs), move.What);
            moves.Print(output);
        }
    }

    private static string Duration(double milliseconds) => CommandText.Duration(milliseconds);
}
