namespace Scstd.Control;

/// <summary>
/// The conversation on the control socket: the daemon greets with one line, then each line is a request as a JSON
/// object and gets exactly one line with its answer, in order.
/// </summary>
public static class ControlProtocol
{
    /// <summary>Where an installed daemon listens.</summary>
    public const string InstalledSocketPath = "/run/scstd/control.sock";

    /// <summary>Raised when an old client could misread a new daemon; what is only added does not raise it.</summary>
    public const int Version = 1;

    /// <summary>Our choice: requests are names and numbers; a longer line is no request.</summary>
    public const int MostRequestBytes = 64 << 10;

    /// <summary>Our choice: thousands of sessions with all that is known of them fit.</summary>
    public const int MostAnswerBytes = 256 << 20;
}

/// <summary>The first line that the daemon says.</summary>
/// <param name="Scstd">The daemon's version.</param>
/// <param name="Protocol"><see cref="ControlProtocol.Version"/>.</param>
public sealed record Greeting(string Scstd, int Protocol);
