namespace Scstd.Simulation;

/// <summary>Sessions end by logout or loss, and others come in their place; or they move to another executor.</summary>
internal sealed class SessionMoves(World world, IReadOnlyList<SimulatedExecutor> executors)
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

    /// <summary>One is to move: it asks nothing new until nothing of it is under way. Or one that waits for that does
    /// so no more.</summary>
    public void Send()
    {
        SimulatedSession session = world.Sessions[world.Dice(world.Sessions.Count)];
        if (session.Goal is not null)
            Stay(session);
        else
            Send(session);
    }

    /// <summary>One with something to tell sets out, if there is such: what happens now comes to it on its way.
    /// </summary>
    public void SendWithAttention()
    {
        SimulatedSession? session = world.Sessions.Find(static session => session.IsAtRest &&
            session.Nexuses.Exists(static nexus => nexus.Attentions.Certain is not null));
        if (session is null)
            return;
        Send(session);
        SetOut();
    }

    /// <summary>Who has not set out stays.</summary>
    public void StayAll()
    {
        foreach (SimulatedSession session in world.Sessions)
            Stay(session);
    }

    /// <summary>Who is to move and can does so.</summary>
    public void SetOut()
    {
        foreach (SimulatedSession session in world.Sessions)
        {
            if (session.CanMove)
                SetOut(session);
        }
    }

    private void Send(SimulatedSession session)
    {
        if (session.TakesCommands)
            session.Goal = executors[(session.Executor.Index + 1 + world.Dice(executors.Count - 1)) % executors.Count];
    }

    private void SetOut(SimulatedSession session)
    {
        SimulatedExecutor goal = session.Goal!;
        world.Trace?.Invoke($"moves {session.Name} to E{goal.Index}");
        session.IsMoving = true;
        session.Nexus!.MoveTo(goal, () =>
        {
            world.Tick();
            world.Trace?.Invoke($"    {session.Name} is at E{goal.Index}");
            world.Law(ReferenceEquals(session.Nexus.Executor, goal), "{0} arrived elsewhere", session.Name);
            (session.Executor, session.Goal, session.IsMoving) = (goal, null, false);
            session.Nexus.SetCommandLimit(world.TargetLimit);
            world.Counts.SessionsMoved++;
        });
    }

    private static void Stay(SimulatedSession session)
    {
        if (!session.IsMoving)
            session.Goal = null;
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
