namespace Scstd.Simulation;

internal static partial class MutationList
{
    private static readonly Mutation[] OfMoving =
    [
        new("what is told between leaving and arriving is lost", LogicalUnits + "LogicalUnit.cs",
            """
                    after.Turnstile.Executor.Post(() => after.Turnstile.Welcome(after, isFaulted));
                    before.Turnstile.Executor.Post(() => before.Turnstile.SeeOff(before, after, settled));
            """,
            """
                    before.Turnstile.Executor.Post(() => before.Turnstile.SeeOff(before, after, () =>
                    {
                        after.Turnstile.Welcome(after, isFaulted);
                        settled();
                    }));
            """),
        new("a nexus that moves loses its unit attention conditions", LogicalUnits + "Turnstile.Moving.cs",
            "successor.Inherit(itl);",
            ""),
        new("what came meanwhile goes before what was pending", LogicalUnits + "UnitAttentions.cs",
            """
                    AdditionalSense[] younger = Pending.ToArray();
                    older.CopyTo(_pending);
                    Count = older.Length;
            """,
            """
                    AdditionalSense[] younger = older.ToArray();
            """),
        new("what came meanwhile is lost", LogicalUnits + "UnitAttentions.cs",
            "AdditionalSense[] younger = Pending.ToArray();",
            "AdditionalSense[] younger = [];"),
        new("a nexus that moves forgets another's reservation", LogicalUnits + "Turnstile.Moving.cs",
            "Add(itl);",
            "Add(itl); itl.Set(NexusConditions.ReservedByOther, false);"),
        new("a nexus that moves forgets another's persistent reservation", LogicalUnits + "Turnstile.Moving.cs",
            "Add(itl);",
            "Add(itl); itl.Set(PersistentConditions, false);"),
        new("a nexus that moves leaves its ACA condition behind", LogicalUnits + "Turnstile.Moving.cs",
            "itl.IsFaulted = isFaulted;",
            ""),
        new("an ACA condition stays with the nexus that left", LogicalUnits + "Faults.cs",
            "_inEffect[index] = _inEffect[index] with { ItlNexus = after };",
            "_inEffect[index] = _inEffect[index] with { ItlNexus = before };"),
        new("a nexus moves with commands under way", Targets + "ItNexus.Moving.cs",
            "!_isMoving && _commandsOut == 0 &&",
            "!_isMoving && _commandsOut < 2 &&"),
    ];
}
