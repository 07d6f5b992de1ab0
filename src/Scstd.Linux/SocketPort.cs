using System.Net;

namespace Scstd.Linux;

/// <summary>
/// One listening socket for each reactor (SO_REUSEPORT), over which the kernel spreads connections by their addresses.
/// Beside them stands a guard, which is bound first, alone, and does not listen: it shares its port only while others
/// of this process are bound, so that another program, or a second daemon, is refused the address, as it would be by a
/// single listener, which is its own guard.
/// </summary>
internal sealed class SocketPort : ReservedPort
{
    private readonly SocketHandle _guard;
    private readonly SocketHandle?[] _untaken;

    /// <inheritdoc cref="Reactor.Reserve"/>
    public SocketPort(IPEndPoint endPoint, int shares, IReadOnlyList<ReservedPort> inPlaceOf)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(shares);
        foreach (ReservedPort other in inPlaceOf)
            ((SocketPort)other).Share(true);
        SocketHandle? guard = null;
        _untaken = new SocketHandle?[shares];
        try
        {
            _guard = guard = SocketCalls.Bind(endPoint, sharesPort: inPlaceOf.Count > 0);
            LocalEndPoint = SocketCalls.LocalEndPoint(guard.Descriptor);
            if (shares == 1)
                ListenAlone();
            else
                ListenTogether();
            if (shares > 1 || inPlaceOf.Count > 0)
                SocketCalls.ForgetSharing(LocalEndPoint.Port);
        }
        catch
        {
            guard?.Dispose();
            foreach (SocketHandle? socket in _untaken)
                socket?.Dispose();
            throw;
        }
        finally
        {
            // It is asked for only when a socket is bound.
            foreach (ReservedPort other in inPlaceOf)
                ((SocketPort)other).Share(false);
        }
    }

    public override IPEndPoint LocalEndPoint { get; }

    private bool IsAlone => _untaken.Length == 1;

    public override void Close()
    {
        if (!IsAlone)
            _guard.Dispose();
        for (int i = 0; i < _untaken.Length; i++)
            Interlocked.Exchange(ref _untaken[i], null)?.Dispose();
    }

    /// <summary>From the thread of the listener.</summary>
    internal SocketHandle Take(int share) => Interlocked.Exchange(ref _untaken[share], null)
        ?? throw new InvalidOperationException($"share {share} of {LocalEndPoint} is taken or given up");

    /// <summary>Lets another socket of this user that asks for it, too, be bound to an overlapping address.</summary>
    private void Share(bool on)
    {
        if (!_guard.IsClosed)
            SocketCalls.SharePort(_guard.Descriptor, on);
    }

    private void ListenAlone()
    {
        SocketCalls.Listen(_guard, LocalEndPoint);
        Share(false);
        _untaken[0] = _guard;
    }

    private void ListenTogether()
    {
        // One that does not listen and has SO_REUSEADDR would be passed over.
        SocketCalls.ReuseAddress(_guard.Descriptor, false);
        Share(true);
        for (int i = 0; i < _untaken.Length; i++)
            _untaken[i] = SocketCalls.Bind(LocalEndPoint, sharesPort: true);
        foreach (SocketHandle? socket in _untaken)
            SocketCalls.Listen(socket!, LocalEndPoint);
        Share(false);
    }
}
