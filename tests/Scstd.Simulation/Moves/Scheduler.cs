namespace Scstd.Simulation;

/// <summary>Chooses by the seed's dice what happens next.</summary>
internal sealed class Scheduler(World world, SimulatedExecutor[] executors)
{
    private const int Kinds = 4;

    private readonly CommandMoves _commands = new(world);
    private readonly FunctionMoves _functions = new(world);
    private readonly SessionMoves _sessions = new(world, executors);
    private readonly AdministratorMoves _administrator = new(world);

    /// <summary>One thing happens. False if nothing can.</summary>
    public bool Step(bool mayBegin)
    {
        _sessions.SetOut();
        int dice = world.Dice(100);
        if (mayBegin && dice < 20)
        {
            Begin();
            return true;
        }
        int kind = dice switch
        {
            < 60 => 0,
            < 78 => 1,
            < 90 => 2,
            _ => 3,
        };
        // The dice may miss the only thing left to do.
        for (int i = 0; i < Kinds; i++)
        {
            if (TryGoOn((kind + i) % Kinds))
                return true;
        }
        return false;
    }

    /// <summary>Nothing is left blocked. False if nobody has an ACA condition to clear.</summary>
    public bool ClearAca() => _functions.ClearAca();

    /// <summary>Nothing stays frozen, and nobody waits to move.</summary>
    public void ThawAll()
    {
        _sessions.StayAll();
        foreach (SimulatedUnit unit in world.All)
            _administrator.Thaw(unit);
    }

    /// <summary>One that has an ACA condition in effect, if there is such.</summary>
    public void LoseFaulted()
    {
        if (world.Sessions.Find(static session =>
            session.Nexuses.Exists(static nexus => nexus.Unit.Aca.MayBeFaulted(nexus))) is { } faulted)
            _sessions.Lose(faulted);
    }

    private void Begin()
    {
        if (world.IsRestless && world.Dice(5) == 0)
        {
            if (world.Dice(2) == 0)
                _sessions.SendWithAttention();
            else
                _administrator.Act();
            return;
        }
        int dice = world.Dice(1000);
        if (dice < 2)
            world.Restart();
        else if (dice < 12)
            _sessions.Lose();
        else if (dice < 24)
            _administrator.Act();
        else if (dice < 36)
            _sessions.Send();
        else if (dice < 36 + world.Options.FunctionsPerMille)
            _functions.Request();
        else if (dice < 900 || !_functions.ClearAca())
            _commands.Send();
    }

    private bool TryGoOn(int kind) => kind switch
    {
        0 => RunExecutor(),
        1 => StepStore(),
        2 => GiveData(),
        _ => FinishSending(),
    };

    private bool RunExecutor()
    {
        int first = world.Dice(executors.Length);
        for (int i = 0; i < executors.Length; i++)
        {
            SimulatedExecutor executor = executors[(first + i) % executors.Length];
            if (!executor.HasWork)
                continue;
            // Mostly one message at a time, now and then a burst, so that executors get far apart.
            for (int burst = world.Dice(4) == 0 ? 8 : 1; burst > 0 && executor.HasWork; burst--)
            {
                world.Tick();
                executor.RunOne();
            }
            return true;
        }
        return false;
    }

    private bool StepStore()
    {
        int first = world.Dice(world.All.Length);
        for (int i = 0; i < world.All.Length; i++)
        {
            SimulatedUnit unit = world.All[(first + i) % world.All.Length];
            SimulatedStore store = unit.Disk.Store;
            if (world.Dice(2) == 0 && unit.States.Step())
                return true;
            // An operation whose end is posted already cannot go on: another one may.
            for (int tries = 0; tries < 4 && store.Count > 0; tries++)
            {
                if (store.Step())
                    return true;
            }
            if (unit.States.Step())
                return true;
        }
        return false;
    }

    private bool GiveData()
    {
        SimulatedSession? session = Pick(static s => s.OwesData);
        session?.GiveData();
        return session is not null;
    }

    private bool FinishSending()
    {
        SimulatedSession? session = Pick(static s => s.IsSending);
        session?.FinishSending();
        return session is not null;
    }

    private SimulatedSession? Pick(Func<SimulatedSession, bool> can)
    {
        int count = world.Sessions.Count;
        int first = world.Dice(count);
        for (int i = 0; i < count; i++)
        {
            SimulatedSession session = world.Sessions[(first + i) % count];
            if (can(session))
                return session;
        }
        return null;
    }
}
