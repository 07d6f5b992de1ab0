namespace Scstd.Simulation;

/// <summary>What happened is not among what the standards allow.</summary>
internal sealed class LawBrokenException(string law) : Exception(law);
