using Scstd.Scsi;

namespace Scstd.Simulation;

/// <summary>
/// The unit attention conditions that one event makes known, and to whom. From the moment that the event takes effect
/// until it is answered each of them may come to its nexus at any time, once; from the answer on they are there.
/// </summary>
internal sealed class AttentionGroup(World world)
{
    private readonly List<AttentionWindow> _windows = [];

    public bool IsClosed { get; private set; }

    /// <summary>Which condition concerns a nexus that comes while the event is being told.</summary>
    public Func<NexusModel, AdditionalSense?>? OfNewcomer { get; init; }

    public void Open(NexusModel nexus, AdditionalSense condition, bool isCertain = true)
    {
        var window = new AttentionWindow(nexus, condition, world.Now) { IsCertain = isCertain };
        _windows.Add(window);
        nexus.Attentions.Open(window);
    }

    /// <summary>A nexus that comes while the event is being told may or may not hear of it.</summary>
    public void OpenForNewcomer(NexusModel nexus, AdditionalSense condition)
    {
        if (!IsClosed)
            Open(nexus, condition, isCertain: false);
    }

    public AttentionWindow? Find(NexusModel nexus)
    {
        foreach (AttentionWindow window in _windows)
        {
            if (ReferenceEquals(window.Nexus, nexus))
                return window;
        }
        return null;
    }

    /// <summary>The event is answered.</summary>
    public void Close()
    {
        if (IsClosed)
            return;
        IsClosed = true;
        foreach (AttentionWindow window in _windows)
            window.Nexus.Attentions.Close(window);
    }
}

/// <summary>One condition on its way to one nexus.</summary>
internal sealed class AttentionWindow(NexusModel nexus, AdditionalSense condition, long openedAt)
{
    public NexusModel Nexus => nexus;

    public AdditionalSense Condition => condition;

    public long OpenedAt => openedAt;

    /// <summary>It comes for sure; else it may or may not.</summary>
    public bool IsCertain { get; set; } = true;

    /// <summary>It does not come at all: whoever has reported it has made it up.</summary>
    public bool IsFalse { get; set; }

    /// <summary>Another event at the same time could make the same known.</summary>
    public bool IsAmbiguous { get; set; }

    /// <summary>The condition was reported while the event was under way: this one, or one from before.</summary>
    public bool WasReported { get; set; }
}
