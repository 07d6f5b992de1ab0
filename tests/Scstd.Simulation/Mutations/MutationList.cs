namespace Scstd.Simulation;

/// <summary>The planted bugs. Each is one that somebody could make.</summary>
internal static partial class MutationList
{
    private const string LogicalUnits = "src/Scstd.Core/LogicalUnits/";
    private const string Targets = "src/Scstd.Core/Targets/";

    public static IReadOnlyList<Mutation> All =>
        [.. OfGate, .. OfFunctions, .. OfAttentions, .. OfReservations, .. OfPersistent,
            .. OfAdministration, .. OfFaults, .. OfRestart, .. OfMoving];
}
