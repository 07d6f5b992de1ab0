namespace Scstd.Simulation;

internal static partial class MutationList
{
    private static readonly Mutation[] OfAttentions =
    [
        new("a unit attention condition does not reach the others", LogicalUnits + "Turnstile.Attention.cs",
            "if (!ReferenceEquals(itl, except))",
            "if (ReferenceEquals(itl, except))"),
        new("the requester gets a unit attention condition of its own doing", LogicalUnits + "Turnstile.Attention.cs",
            "if (!ReferenceEquals(itl, except))",
            "if (except is null || itl is not null)"),
        new("a unit attention condition is told twice", LogicalUnits + "UnitAttentions.cs",
            """
                    if (Pending.Contains(condition))
                        return;
                    if (condition.Code == ResetCode)
            """,
            """
                    if (condition.Code == ResetCode)
            """),
        new("a reset is told behind other conditions", LogicalUnits + "UnitAttentions.cs",
            "if (condition.Code == ResetCode)",
            "if (condition.Code == 0x28)"),
        new("the latest condition is told first", LogicalUnits + "UnitAttentions.cs",
            """
                    condition = _pending[0];
                    RemoveAt(0);
            """,
            """
                    condition = _pending[Count - 1];
                    RemoveAt(Count - 1);
            """),
        new("only every second nexus of an executor is told", LogicalUnits + "Turnstile.Attention.cs",
            "if (!ReferenceEquals(itl, except))",
            "if (!ReferenceEquals(itl, except) && _nexuses.IndexOf(itl) % 2 == 0)"),
        new("commands cleared by another initiator are not told", LogicalUnits + "TaskManager.cs",
            "if (clears && covered > 0 && !own && !tas)",
            "if (clears && covered > 1 && !own && !tas)"),
        new("commands cleared is told to those who lost none", LogicalUnits + "TaskManager.cs",
            "if (clears && covered > 0 && !own && !tas)",
            "if (clears && !own && !tas)"),
        new("REQUEST SENSE keeps what it has told", LogicalUnits + "SenseCommands.cs",
            "bool tells = command.ExpectedDataInBytes > 0 && command.ItlNexus!.UnitAttentions.TryTake(out attention);",
            "attention = command.ItlNexus!.UnitAttentions.Pending is [var first, ..] ? first : default;" +
            "bool tells = attention != default;"),
        new("commands begin although a unit attention condition is pending", LogicalUnits + "Turnstile.Judgement.cs",
            "bool attends = (itl.Conditions & NexusConditions.UnitAttention) != 0 &&",
            "bool attends = (itl.Conditions & NexusConditions.UnitAttention) != 0 && " +
            "command.Attribute != TaskAttribute.HeadOfQueue &&"),
        new("MODE SELECT tells others though nothing changed", LogicalUnits + "ModeSelect.cs",
            "if (!change.IsEmpty || isHeaderChanged)",
            "if (!change.IsEmpty || !isHeaderChanged)"),
        new("a loss of the nexus is not told to the one that replaces it", Targets + "ItNexus.cs",
            "condition = afterLoss ? AdditionalSense.ItNexusLossOccurred",
            "condition = false ? AdditionalSense.ItNexusLossOccurred"),
    ];
}
