namespace Scstd.Simulation;

/// <summary>Sessions end by logout or loss, and others come in their place.</summary>
internal sealed class SessionMoves(World world)
{
    public void Lose() => Lose(world.Sessions[world.Dice(world.Sessions.Count)]);

    public void Lose(SimulatedSession session)
    {
        if (!session.TakesCommands)
            return;
        world.Trace?.Invoke($"loses {session.Name}");
        session.IsEnding = true;
        session.Nexus!.End(() => Ended(session));
    }

    private void Ended(SimulatedSession session)
    {
        world.Tick();
        session.HasEnded = true;
        world.Counts.SessionsLost++;
        foreach (NexusModel nexus in session.Nexuses)
        {
            world.Law(nexus.PendingCount == 0, "{0} ended before its commands", session.Name);
            nexus.Unit.Left(nexus);
        }
        world.Sessions.Remove(session);
        // What is on its way is given up with the connection.
        while (session.IsSending)
            session.FinishSending();
        world.Join(session.Name, afterLoss: world.Dice(2) == 0);
    }
}
