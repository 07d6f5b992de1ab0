namespace Scstd.Simulation;

/// <summary>The model's side of an I_T_L nexus.</summary>
internal sealed class NexusModel(World world, SimulatedSession session, UnitModel unit, int lun)
{
    public SimulatedSession Session => session;

    public UnitModel Unit => unit;

    public int Lun => lun;

    /// <summary>The I_T nexus as a persistent reservation knows it.</summary>
    public string Name { get; } = NameOf(session.Name, session.Port);

    public string NameAt(int port) => NameOf(session.Name, port);

    private static string NameOf(string initiator, int port) => $"{initiator}|{port}";

    public AttentionModel Attentions { get; } = new(world);

    /// <summary>Commands that have not ended.</summary>
    public int PendingCount { get; set; }

    /// <summary>It has left the unit.</summary>
    public bool IsGone { get; set; }
}
