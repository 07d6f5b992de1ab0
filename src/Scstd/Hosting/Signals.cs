using System.Runtime.InteropServices;

namespace Scstd.Hosting;

/// <summary>
/// SIGHUP and SIGUSR1 end a process that has no handler for them. So they are taken from the first line of the program
/// on, and one that comes before there is a server is kept until there is.
/// </summary>
internal sealed class Signals : IDisposable
{
    private const PosixSignal User1 = (PosixSignal)10; // SIGUSR1 on every Linux that .NET runs on.

    private readonly Lock _lock = new();
    private readonly PosixSignalRegistration _hangUp, _user1;
    private Action? _reload, _report;
    private bool _wantsReload, _wantsReport;

    public Signals()
    {
        _hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, HungUp);
        _user1 = PosixSignalRegistration.Create(User1, AskedForReport);
    }

    /// <summary>There is nothing to read anew: a terminal that is closed ends the program, as everywhere.</summary>
    public bool EndsByHangUp { get; set; }

    /// <summary>From now on the signals have these effects; what came before has its effect now.</summary>
    public void Attach(Action reload, Action report)
    {
        lock (_lock)
        {
            (_reload, _report) = (reload, report);
            if (_wantsReload)
                reload();
            if (_wantsReport)
                report();
            _wantsReload = _wantsReport = false;
        }
    }

    /// <summary>The server stops: nobody does anything any more.</summary>
    public void Detach()
    {
        lock (_lock)
            _reload = _report = null;
    }

    public void Dispose()
    {
        _hangUp.Dispose();
        _user1.Dispose();
    }

    private void HungUp(PosixSignalContext context)
    {
        context.Cancel = !EndsByHangUp;
        lock (_lock)
        {
            _wantsReload = _reload is null;
            _reload?.Invoke();
        }
    }

    private void AskedForReport(PosixSignalContext context)
    {
        context.Cancel = true;
        lock (_lock)
        {
            _wantsReport = _report is null;
            _report?.Invoke();
        }
    }
}
