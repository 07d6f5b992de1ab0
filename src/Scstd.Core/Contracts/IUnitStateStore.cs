namespace Scstd.Core;

/// <summary>
/// What units must remember over the end of the daemon or a power loss: persistent reservations (SPC-4 §5.13.5, APTPL)
/// and saved mode parameters (SPC-4 §5.9, SP). What was saved is found again whole, or what was there before it; never
/// a mixture.
/// </summary>
public interface IUnitStateStore
{
    /// <summary>What was last saved of a part of a unit's state; null: nothing. When the unit is composed, before it
    /// serves; may block. Throws <see cref="UnitStateException"/>, for the administrator, if something is there that
    /// is not whole and no earlier state can stand in for it.</summary>
    byte[]? Load(string unitName, string part);

    /// <summary>Replaces it by <paramref name="content"/>; null: takes it away. Does not block;
    /// <paramref name="saved"/> is posted to <paramref name="executor"/> once the content is on stable storage, with
    /// true, or with false if it could not be brought there: then the state before it is still what a load finds.
    /// Saves of one part take effect in the order of the calls.</summary>
    void Save(string unitName, string part, byte[]? content, IExecutor executor, Action<bool> saved);
}

/// <summary>Names of parts that mean something outside of the unit.</summary>
public static class UnitStateParts
{
    public const string Reservations = PersistentReserveOut.StatePart;
}

/// <summary>A unit's saved state cannot be trusted. The message is for the administrator.</summary>
public sealed class UnitStateException(string message, Exception? inner = null) : Exception(message, inner);
