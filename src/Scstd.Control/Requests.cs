using System.Text.Json.Serialization;

namespace Scstd.Control;

/// <summary>One line to the daemon: the key "command" says which.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "command")]
[JsonDerivedType(typeof(StatusRequest), "status")]
[JsonDerivedType(typeof(SessionsRequest), "sessions")]
[JsonDerivedType(typeof(UnitsRequest), "units")]
[JsonDerivedType(typeof(CheckRequest), "check")]
[JsonDerivedType(typeof(ReloadRequest), "reload")]
public abstract record ControlRequest;

/// <summary>How the daemon is.</summary>
public sealed record StatusRequest : ControlRequest;

/// <summary>Who is logged in; of one target or initiator, if named.</summary>
public sealed record SessionsRequest(string? Target = null, string? Initiator = null) : ControlRequest;

/// <summary>What is served; one unit, if named.</summary>
public sealed record UnitsRequest(string? Unit = null) : ControlRequest;

/// <summary>What is wrong with the daemon's configuration file as it is now.</summary>
public sealed record CheckRequest : ControlRequest;

/// <summary>Put the configuration file as it is now in force.</summary>
public sealed record ReloadRequest : ControlRequest;
