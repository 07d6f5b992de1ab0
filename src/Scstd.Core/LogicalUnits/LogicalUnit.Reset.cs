using Scstd.Scsi;

namespace Scstd.Core;

public sealed partial class LogicalUnit
{
    /// <summary>
    /// Logical unit reset, SAM-5 §6.3.3, once every command is gone: the SPC-2 reservation and ACA conditions end, mode
    /// parameters return to their saved values or else their defaults, and every nexus gets the unit attention. Calls
    /// back on the home executor.
    /// </summary>
    internal void CarryOutReset(AdditionalSense condition, Action<IReadOnlyList<Action<Turnstile>>> carriedOut)
    {
        (ModePage, byte[])[] modes = [.. ModePages.Select(page => (page, SavedOrDefault(page)))];
        ApplyModes(modes, Home, mustHold: true, change =>
        {
            change.Hold();
            foreach (ModePage page in ModePages)
                page.ForgetNexuses();
            Reserve(null);
            Faults.EndAll();
            Backend.Reset();
            EstablishUnitAttention(condition, except: null);
            carriedOut(TakeConsequences());
        });
    }
}
