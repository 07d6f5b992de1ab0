namespace Scstd.Frontends.Iscsi.Login;

/// <summary>LoginOperationalNegotiation: see <see cref="Login.Negotiator"/>.</summary>
public sealed partial class LoginExchange
{
    private Negotiator? _negotiator;
    private bool _aliasTold;

    /// <summary>The text being sent offers keys: the stage goes on at least until they can be answered.</summary>
    private bool _offered;

    private Negotiator Negotiator => _negotiator ?? throw new InvalidOperationException("nobody is identified yet");

    private LoginFault? ReceiveOperational(List<TextPair> pairs, bool wantsTransit)
    {
        _offered = false;
        if (Negotiator.Receive(pairs, _answers) is { } fault) return fault;
        Negotiator.Declare(_answers);
        if (!_aliasTold && _admission!.TargetAlias is { } alias)
            _answers.Add(new TextPair("TargetAlias", alias));
        _aliasTold = true;

        // The initiator has said all it wants: what it left out and we need is now ours to offer.
        if (wantsTransit && !Negotiator.AwaitsAnswers) _offered = Negotiator.Offer(_answers);
        return null;
    }

    private bool OperationalPending(out LoginFault? fault)
    {
        fault = null;
        if (_offered) return true;
        fault = Negotiator.Verify();
        return fault is not null;
    }
}
