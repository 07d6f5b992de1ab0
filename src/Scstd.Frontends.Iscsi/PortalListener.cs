using System.Net;
using Scstd.Linux;

namespace Scstd.Frontends.Iscsi;

/// <summary>
/// What is bound to an address: a listener of each reactor, so that none takes connections in for the others; the
/// portal behind them may be exchanged. One reactor, which opened it, opens and closes the others' listeners by
/// message.
/// </summary>
internal sealed class PortalListener
{
    private readonly IscsiReactor _opener;
    private readonly IReadOnlyList<IscsiReactor> _reactors;
    private readonly ReservedPort _port;
    private readonly StreamListener?[] _listeners;
    private volatile IscsiPortal _portal;
    private bool _isOpen;
    private bool _isClosed;

    /// <summary>On the thread of <paramref name="opener"/>; throws SocketException. Nobody comes in before what it does
    /// now is done, so all portals of one change are there for the first.</summary>
    public PortalListener(
        IscsiPortal portal,
        IscsiReactor opener,
        IReadOnlyList<IscsiReactor> reactors,
        IReadOnlyList<PortalListener> inPlaceOf)
    {
        (_portal, _opener, _reactors) = (portal, opener, reactors);
        _listeners = new StreamListener?[reactors.Count];
        _port = opener.Reactor.Reserve(
            portal.Options.EndPoint, reactors.Count, [.. inPlaceOf.Select(other => other._port)]);
        opener.Reactor.Post(Open);
    }

    /// <summary>Read on all reactors.</summary>
    public IscsiPortal Portal
    {
        get => _portal;
        set => _portal = value;
    }

    public IPEndPoint EndPoint => _port.LocalEndPoint;

    /// <summary>On the opener's thread.</summary>
    /// <param name="closed">Called there when the address is free.</param>
    public void Close(Action? closed = null)
    {
        bool isFirst = !_isClosed;
        _isClosed = true;
        if (!isFirst || !_isOpen)
        {
            _port.Close();
            closed?.Invoke();
            return;
        }
        int left = _reactors.Count;
        OnEach(index =>
        {
            _listeners[index]!.Close();
            _opener.Reactor.Post(Closed);
        });

        void Closed()
        {
            if (--left > 0)
                return;
            _port.Close();
            closed?.Invoke();
        }
    }

    /// <summary>When no reactor runs any more.</summary>
    public void GiveUpAddress() => _port.Close();

    private void Open()
    {
        if (_isClosed)
            return;
        _isOpen = true;
        OnEach(Listen);
    }

    private void Listen(int index)
    {
        IscsiReactor home = _reactors[index];
        _listeners[index] = home.Reactor.Listen(_port, index, socket => Portal.Accepted(home, socket));
    }

    /// <summary>Each finds the messages in the order in which they were sent.</summary>
    private void OnEach(Action<int> work)
    {
        for (int i = 0; i < _reactors.Count; i++)
        {
            int index = i;
            if (ReferenceEquals(_reactors[index], _opener))
                work(index);
            else
                _reactors[index].Reactor.Post(() => work(index));
        }
    }
}
