using System.Globalization;
using System.Text;
using Scstd.Core;
using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Linux;
using Scstd.Scsi;

namespace Scstd.Frontends.Iscsi.Sessions;

/// <summary>What can happen to a connection and its session besides commands.</summary>
internal enum SessionMove : byte
{
    Connected,
    Moved,
    LoginPhase,
    LoginAccepted,
    LoginRefused,
    FullFeaturePhase,
    FunctionReceived,
    FunctionDelayed,
    FunctionAnswered,
    Rejected,
    LogoutReceived,
    LogoutAnswered,
    LogoutRequested,
    WindowLimited,
    LunsChanged,
    QueueDepthChanged,
    Ending,
    NexusEnded,
    Closing,
    ConnectionClosed,
    Ended,
}

/// <summary>
/// The last moves of one connection and its session, whose ways are one: a session has one connection and ends with it
/// (MaxConnections 1, ErrorRecoveryLevel 0). Plain stores on their reactor, nothing is allocated; words are made for
/// who asks. When the session has ended nobody writes any more, and anybody may read.
/// </summary>
internal sealed class SessionHistory(Reactor reactor)
{
    private Reactor _reactor = reactor;

    /// <summary>Our choice: a whole login and what came in the last minute before an end. 32 entries of 40 bytes take
    /// 1.3 KiB for each connection.</summary>
    public const int Length = 32;

    private readonly Entry[] _entries = new Entry[Length];
    private uint _count;

    /// <param name="move">What happened.</param>
    /// <param name="first">Depends on it: a stage, a function, a reason.</param>
    /// <param name="second">Depends on it: the next stage, a response, an operation code.</param>
    /// <param name="tag">The initiator task tag of what was asked.</param>
    /// <param name="number">Depends on it: a LUN, a time waited in microseconds, a size.</param>
    /// <param name="text">Why, in words that are there already.</param>
    public void Add(
        SessionMove move, int first = 0, int second = 0, uint tag = 0, ulong number = 0, string? text = null) =>
        _entries[_count++ % Length] =
            new Entry(_reactor.NowUs, number, text, tag, (ushort)first, (byte)second, move);

    /// <summary>It lives on another reactor now.</summary>
    public void Follow(Reactor reactor) => _reactor = reactor;

    public IReadOnlyList<HistoryEntry> Newest()
    {
        var newest = new List<HistoryEntry>(Length);
        for (uint i = 1; i <= Math.Min(_count, Length); i++)
        {
            Entry entry = _entries[(_count - i) % Length];
            newest.Add(new HistoryEntry(entry.AtUs, InWords(entry)));
        }
        return newest;
    }

    private static string InWords(in Entry one) => one.Move switch
    {
        SessionMove.Connected => "connected",
        SessionMove.Moved => $"goes to reactor {one.First}, {one.Text}",
        SessionMove.LoginPhase => $"login: {Stage(one.First)} to {Stage(one.Second)}",
        SessionMove.LoginAccepted => one.Text is { } why ? $"login accepted: {why}" : "login accepted",
        SessionMove.LoginRefused => $"login refused: {(LoginStatus)one.First}: {one.Text}",
        SessionMove.FullFeaturePhase => $"full feature phase, session {one.Number}",
        SessionMove.FunctionReceived => string.Create(CultureInfo.InvariantCulture,
            $"{Function(one.First)} received, tag {one.Tag:X}h, LUN {new Lun(one.Number)}"),
        SessionMove.FunctionDelayed => string.Create(CultureInfo.InvariantCulture,
            $"{Function(one.First)}, tag {one.Tag:X}h, waits since {one.Number / 1000} ms for {one.Text}"),
        SessionMove.FunctionAnswered => string.Create(CultureInfo.InvariantCulture,
            $"{Function(one.First)} answered, tag {one.Tag:X}h: "
            + $"{Spaced(((TaskManagementResponseCode)one.Second).ToString())} after {one.Number / 1000.0} ms"),
        SessionMove.Rejected => string.Create(CultureInfo.InvariantCulture,
            $"Reject sent: {Spaced(((RejectReason)one.First).ToString())}; {(Opcode)one.Second}, tag {one.Tag:X}h"),
        SessionMove.LogoutReceived => $"logout: {Spaced(((LogoutReason)one.First).ToString())}",
        SessionMove.LogoutAnswered => $"logout answered: {Spaced(((LogoutResponseCode)one.First).ToString())}",
        SessionMove.LogoutRequested => $"asked to log out within {one.Number} s",
        SessionMove.WindowLimited when one.Number == 0 => "command window: whole again",
        SessionMove.WindowLimited => $"command window: no more than {one.Number}, a unit is slow",
        SessionMove.LunsChanged => "sees other LUNs",
        SessionMove.QueueDepthChanged => $"command window: may be {one.Number}",
        SessionMove.Ending => "session ends: nothing new begins",
        SessionMove.NexusEnded => "nexus ended: nothing of it can act",
        SessionMove.Closing => $"connection ends: {one.Text}",
        SessionMove.ConnectionClosed => $"connection closed: {one.Text}",
        _ => "session ended",
    };

    private static string Stage(int stage) => Spaced(((LoginStage)stage).ToString());

    private static string Function(int code) =>
        Spaced(((TaskManagementFunctionCode)code).ToString()).ToUpperInvariant();

    /// <summary>"LogicalUnitReset" is "logical unit reset".</summary>
    private static string Spaced(string name)
    {
        var words = new StringBuilder();
        foreach (char letter in name)
        {
            if (char.IsUpper(letter) && words.Length > 0)
                words.Append(' ');
            words.Append(char.ToLowerInvariant(letter));
        }
        return words.ToString();
    }

    private readonly record struct Entry(
        long AtUs, ulong Number, string? Text, uint Tag, ushort First, byte Second, SessionMove Move);
}
