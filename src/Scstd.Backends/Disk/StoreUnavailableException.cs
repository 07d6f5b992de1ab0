namespace Scstd.Backends.Disk;

/// <summary>A store cannot be opened; the message tells the administrator which, why and what to do.</summary>
public sealed class StoreUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
