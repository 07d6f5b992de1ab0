using System.Net;
using Scstd.Core;
using Scstd.Frontends.Iscsi.Connections;
using Scstd.Frontends.Iscsi.Login;
using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Linux;
using Scstd.Scsi;

namespace Scstd.Frontends.Iscsi;

/// <summary>What this frontend keeps on one reactor; for that reactor's thread alone.</summary>
public sealed class IscsiReactor : IDisposable
{
    private int _placed;
    private int _arrived;
    private long _awaitingSinceMs;
    private int _left;

    public IscsiReactor(Reactor reactor, IExecutor executor, IscsiEvents? events = null)
    {
        Reactor = reactor;
        Executor = executor;
        Events = events ?? new IscsiEvents();
    }

    public Reactor Reactor { get; }

    public IExecutor Executor { get; }

    public IscsiEvents Events { get; }

    public IscsiCounters Counters { get; } = new();

    /// <summary>Connections that are not closed yet.</summary>
    public int ConnectionCount => Connections.Count;

    /// <summary>Header slots that wait to be sent; 0 when all connections are gone.</summary>
    public int HeaderSlotsOut => Headers.SlotsOut;

    /// <summary>Sessions that live here or are about to; from any thread.</summary>
    public int SessionCount => Volatile.Read(ref _placed) - Volatile.Read(ref _left);

    /// <summary>Sessions that were ever to live here; from any thread.</summary>
    internal int PlacedCount => Volatile.Read(ref _placed);

    internal HeaderPool Headers { get; } = new();

    internal HashSet<IscsiConnection> Connections { get; } = [];

    public void Dispose() => Headers.Dispose();

    /// <summary>From the reactor that decides.</summary>
    internal void SessionComes(long nowMs)
    {
        if (Interlocked.Increment(ref _placed) - Volatile.Read(ref _arrived) == 1)
            Volatile.Write(ref _awaitingSinceMs, nowMs);
    }

    /// <summary>One that was placed here is here, or will not come.</summary>
    internal void SessionArrived(long nowMs)
    {
        Volatile.Write(ref _awaitingSinceMs, nowMs);
        Interlocked.Increment(ref _arrived);
    }

    /// <summary>Somebody was sent here this long ago, and nobody has arrived since.</summary>
    internal bool IsDeafSince(long timeMs) =>
        Volatile.Read(ref _placed) != Volatile.Read(ref _arrived) && Volatile.Read(ref _awaitingSinceMs) < timeMs;

    internal void SessionLeft() => Interlocked.Increment(ref _left);
}

/// <summary>Plain counts of one reactor; read by others as they are at some moment.</summary>
public sealed class IscsiCounters
{
    public ulong ConnectionsAccepted;
    public ulong LoginFailures;
    public ulong LoginTimeouts;
    public ulong SessionsOpened;
    public ulong SessionsEnded;
    public ulong ProtocolFaults;
    public ulong PdusReceived;
    public ulong BytesReceived;
    public ulong BytesSent;
    public ulong Commands;
    public ulong DataInBytes;
    public ulong DataOutBytes;

    /// <summary>Data-In and Data-Out that was copied from one place in memory to another, each copy counted.</summary>
    public ulong PayloadCopiedBytes;

    public ulong TaskManagementFunctions;
    public ulong Rejects;
    public ulong DigestErrors;

    /// <summary>Requests outside of the command window, or twice.</summary>
    public ulong RequestsIgnored;

    /// <summary>Data-Out for commands that were gone.</summary>
    public ulong LateDataOuts;

    /// <summary>Data-Out PDUs that break their sequence.</summary>
    public ulong DataOutFaults;
}

/// <summary>Plain counts of one session.</summary>
public sealed class SessionCounters
{
    public ulong Commands;
    public ulong DataInBytes;
    public ulong DataOutBytes;
    public ulong Rejects;
}

/// <summary>A session as an administrator sees it; the counters go on counting.</summary>
/// <param name="TargetName">Null in a discovery session.</param>
/// <param name="InitiatorName">Normalised.</param>
/// <param name="InitiatorAlias">As declared, if it was.</param>
/// <param name="Isid">Twelve hexadecimal digits.</param>
/// <param name="Tsih">Target session identifying handle.</param>
/// <param name="PortalGroupTag">Of the portal that it came in at.</param>
/// <param name="Peer">Where its connection comes from.</param>
/// <param name="ReactorIndex">Where it lives.</param>
/// <param name="Parameters">What was agreed.</param>
/// <param name="Counters">Since it was opened.</param>
public sealed record SessionInfo(
    string? TargetName, string InitiatorName, string? InitiatorAlias, string Isid, ushort Tsih, ushort PortalGroupTag,
    IPEndPoint Peer, int ReactorIndex, NegotiatedParameters Parameters, SessionCounters Counters);

/// <summary>What an administrator may want to read of; the daemon's log derives from it. Called on the
/// reactors.</summary>
public class IscsiEvents
{
    public virtual void SessionOpened(IPEndPoint peer, string session)
    {
    }

    public virtual void LoginRefused(
        IPEndPoint peer, string? initiatorName, string? targetName, LoginStatus status, string why)
    {
    }

    /// <summary>The peer broke the protocol, or went silent.</summary>
    public virtual void ConnectionFailed(IPEndPoint peer, string session, string why)
    {
    }

    /// <summary>A connection without a session, or with one whose commands are still under way.</summary>
    public virtual void ConnectionClosed(IPEndPoint peer, string session, string why)
    {
    }

    /// <summary>Nothing of a session can act any more.</summary>
    public virtual void SessionEnded(
        IPEndPoint peer, string session, string why, long ageMs, SessionCounters counters)
    {
    }

    /// <summary>A task management function is not answered yet, because what it covers can still act.</summary>
    public virtual void TaskManagementDelayed(
        IPEndPoint peer, string session, TaskManagementFunction function, string waitsFor, long waitedMs)
    {
    }

    /// <summary>A portal has its most connections, or the socket could not be taken over.</summary>
    public virtual void ConnectionTurnedAway(IPEndPoint portal, string why)
    {
    }
}
