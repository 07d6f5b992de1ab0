namespace Scstd.Core;

/*
    executor A (source)          home of the unit            executor B (destination)

    MoveTo ── a message ──────►  one moment:
                                   1. to B: Welcome ───────► a successor joins B's turnstile, under all that the
                                   2. to A: SeeOff              home has told B before this moment
    the old one leaves A's  ◄──────┘
    turnstile, having heard all
    that the home told A before
    this moment ── Inherit ────────────────────────────────► what was pending there goes before what came here since
                                                             with the last unit: arrived

    The home tells every turnstile everything in one order. Whatever it tells, it tells before this moment to both, and
    then the old one hears it, or after it to both, and then the successor does: each is heard by exactly one.
*/

/// <summary>A nexus goes on on another executor.</summary>
public sealed partial class ItNexus
{
    private bool _isMoving;

    /// <summary>Nothing here keeps it where it is. What the frontend has asked for beside commands (task management) it
    /// must know itself.</summary>
    public bool CanMove => !IsEnding && !_isMoving && _commandsOut == 0 && _departing.Count == 0 &&
        _unsettledDepartures == 0;

    /// <summary>Asks all who have a part in a move for a sign, so that a nexus does not set out to one that hangs, nor
    /// wait for one on the way.</summary>
    /// <param name="executor">Where it would go.</param>
    /// <param name="clear">Called here when all have given it.</param>
    public void SoundWay(IExecutor executor, Action clear)
    {
        IExecutor here = Executor;
        HashSet<IExecutor> all = [executor, .. ItlNexuses.Select(itl => itl.Unit.Home)];
        int left = all.Count;
        foreach (IExecutor one in all)
            one.Post(() => here.Post(GiveSign));

        void GiveSign()
        {
            if (--left == 0)
                clear();
        }
    }

    /// <summary>
    /// Goes to another executor with all that it is: reservations, registrations, unit attention and ACA conditions.
    /// No other nexus waits for it and the units go on meanwhile. Until <paramref name="arrived"/> the frontend asks
    /// nothing of it; the port may be told of asynchronous events here until then, and not of slowness there.
    /// </summary>
    /// <param name="executor">Another one of those that all its units know.</param>
    /// <param name="arrived">Called there. Limits of rates and commands are to be set anew then.</param>
    public void MoveTo(IExecutor executor, Action arrived)
    {
        Invariant.That(CanMove, "a nexus moves without commands");
        Invariant.That(!ReferenceEquals(executor, Executor), "a nexus moves to another executor");
        _isMoving = true;
        var successors = new ItlNexus?[_byNumber.Length];
        int left = ItlNexuses.Count() + 1;
        for (int i = 0; i < successors.Length; i++)
        {
            if (_byNumber[i] is not { } itl)
                continue;
            var successor = new ItlNexus(this, itl.Lun, itl.Unit, itl.Unit.TurnstileOf(executor), itl.IsReadOnly);
            successor.BeginArriving();
            successors[i] = successor;
            itl.Unit.Exchange(itl, successor, Settled);
        }
        executor.Post(Settled);

        void Settled()
        {
            if (--left == 0)
                Arrive(executor, successors, arrived);
        }
    }

    /// <summary>Nothing on the other executor knows it any more.</summary>
    private void Arrive(IExecutor executor, ItlNexus?[] successors, Action arrived)
    {
        _isMoving = false;
        Executor = executor;
        _byNumber = successors;
        ForgetSlowness();
        // A copy: the map may change from inside.
        ItlNexus[] all = [.. ItlNexuses];
        arrived();
        foreach (ItlNexus itl in all)
            itl.EndArriving();
    }
}
