using Scstd.Scsi;

namespace Scstd.Core;

public sealed partial class LogicalUnit
{
    /// <summary>
    /// Logical unit reset, SAM-5 §6.3.3, once every command is gone: the SPC-2 reservation ends, mode parameters return
    /// to their saved values or else their defaults, and every nexus gets the unit attention.
    /// </summary>
    internal IReadOnlyList<Action<Turnstile>> CarryOutReset()
    {
        Reserve(null);
        foreach (ModePage page in ModePages)
        {
            page.Current = [.. page.Saved ?? page.Default];
            if (!ReferenceEquals(page, Control))
                Backend.ModePageChanged(page);
        }
        Faults.EndAll();
        AddConsequence(static turnstile => turnstile.ControlChanged());
        Backend.Reset();
        EstablishUnitAttention(AdditionalSense.PowerOnResetOrBusDeviceReset, except: null);
        return TakeConsequences();
    }
}
