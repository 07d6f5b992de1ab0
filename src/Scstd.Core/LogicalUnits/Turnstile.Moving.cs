namespace Scstd.Core;

/// <summary>A nexus without commands leaves for another executor, or comes from one; see
/// <see cref="ItNexus.MoveTo"/>.</summary>
internal sealed partial class Turnstile
{
    /// <summary>Told by the unit's home: from this message on what is told concerns the one that comes.</summary>
    public void Welcome(ItlNexus itl, bool isFaulted)
    {
        itl.IsFaulted = isFaulted;
        Add(itl);
    }

    /// <summary>Told by the unit's home: from this message on nothing concerns the one that leaves.</summary>
    /// <param name="itl">The one that leaves.</param>
    /// <param name="successor">It has been welcomed where it belongs, or is about to be.</param>
    /// <param name="settled">Called there, when it has all that the other had.</param>
    public void SeeOff(ItlNexus itl, ItlNexus successor, Action settled)
    {
        RemoveNexus(itl);
        Regulator.ForgetTold(itl);
        successor.Turnstile.Executor.Post(() =>
        {
            successor.Inherit(itl);
            settled();
        });
    }
}
