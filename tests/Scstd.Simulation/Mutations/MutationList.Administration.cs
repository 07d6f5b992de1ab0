namespace Scstd.Simulation;

internal static partial class MutationList
{
    private static readonly Mutation[] OfAdministration =
    [
        new("a unit is called frozen while commands are inside", LogicalUnits + "Freezing.cs",
            "turnstile.Executor.Post(() => turnstile.DrainExecution(shut: true, () => unit.Home.Post(idle.Count)));",
            "turnstile.Executor.Post(() => { turnstile.ShutExecution(); unit.Home.Post(idle.Count); });"),
        new("a change passes the freezing", LogicalUnits + "Gate.cs",
            "if (_sweeps > 0 || unit.Freezing.IsOn || _isGranted || !_isDrained || _exclusion is not { } request)",
            "if (_sweeps > 0 || _isGranted || !_isDrained || _exclusion is not { } request)"),
        new("a thawed unit holds on to what waited", LogicalUnits + "Freezing.cs",
            "        unit.Gate.Thawed();",
            ""),
        new("the size changes beside commands", LogicalUnits + "LogicalUnit.Administration.cs",
            """
                public void ChangeAlone(Action change, Action done) => Home.Post(() => Gate.Sweep(
            """,
            """
                public void ChangeAlone(Action change, Action done) => Home.Post(() =>
                {
                    change();
                    Gate.Tell(TakeConsequences(), openExclusion: false, done);
                });

                internal void ChangeBehind(Action change, Action done) => Home.Post(() => Gate.Sweep(
            """),
        new("another size is not told", LogicalUnits + "ItlNexus.cs",
            "        UnitAttentions.Establish(condition);",
            """
                    if (condition != AdditionalSense.CapacityDataHasChanged)
                        UnitAttentions.Establish(condition);
            """),
    ];
}
