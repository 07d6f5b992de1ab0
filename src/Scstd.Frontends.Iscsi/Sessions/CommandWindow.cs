using System.Numerics;
using Scstd.Core;

namespace Scstd.Frontends.Iscsi.Sessions;

/// <summary>What CmdSN says about a request that is not immediate.</summary>
internal enum CommandArrival : byte
{
    /// <summary>It is the one that is expected.</summary>
    Next,

    /// <summary>It is in the window, but others before it are missing: it is held until they have come.</summary>
    Early,

    /// <summary>Outside the window or there already: "The target MUST silently ignore" it (§4.2.2.1).</summary>
    Ignored,
}

/// <summary>
/// The command window of a session, RFC 7143 §4.2.2.1: ExpCmdSN and MaxCmdSN in serial number arithmetic (RFC 1982).
/// MaxCmdSN advances by one as each numbered request ends, so an initiator never has more than the depth under way and
/// nothing that was promised is taken back: a window that is to become smaller does not advance for a while.
/// </summary>
internal sealed class CommandWindow
{
    /// <summary>Stands for a request that will not come any more (§11.5.1: "consider the CmdSN received").</summary>
    private static readonly object Plugged = new();

    private object?[] _held;
    private uint _mask;
    private ulong _expected;
    private int _wanted = int.MaxValue;
    private bool _isClosing;

    /// <summary>What the initiator has of the window: requests under way and those that it may send.</summary>
    private int _granted;

    public CommandWindow(uint initialCmdSn, int depth)
    {
        Depth = Allowed = _granted = depth;
        _held = SlotsFor(depth);
        _mask = (uint)_held.Length - 1;
        ExpCmdSn = initialCmdSn;
        MaxCmdSn = initialCmdSn + (uint)depth - 1;
        _expected = (1UL << 32) | initialCmdSn;
    }

    /// <summary>What it may be at most.</summary>
    public int Depth { get; private set; }

    /// <summary>Of the depth, what the initiator is to get now; at least 1, unless the window closes.</summary>
    public int Allowed { get; private set; }

    public uint ExpCmdSn { get; private set; }

    public uint MaxCmdSn { get; private set; }

    /// <summary>MaxCmdSN = ExpCmdSN − 1: the initiator may not send a numbered request.</summary>
    public bool IsShut => MaxCmdSn == ExpCmdSn - 1;

    /// <summary>Requests that wait for others before them.</summary>
    public int HeldCount { get; private set; }

    public CommandArrival Judge(uint cmdSn)
    {
        int ahead = (int)(cmdSn - ExpCmdSn);
        if (ahead < 0 || (int)(MaxCmdSn - cmdSn) < 0)
            return CommandArrival.Ignored;
        if (ahead == 0)
            return CommandArrival.Next;
        return _held[cmdSn & _mask] is null ? CommandArrival.Early : CommandArrival.Ignored;
    }

    /// <summary>The expected request has come.</summary>
    public void Advance()
    {
        ExpCmdSn++;
        _expected++;
    }

    /// <summary>A numbered request is done: the initiator may send one more, if it is not to have fewer.</summary>
    public void RequestEnded()
    {
        if (_granted > Allowed)
            _granted--;
        else
            MaxCmdSn++;
    }

    /// <summary>From now on the initiator is to have at most this many under way. True if it may send more than it
    /// knows.</summary>
    public bool Allow(int most)
    {
        _wanted = most;
        if (_isClosing)
            return false;
        Allowed = Math.Clamp(most, 1, Depth);
        int more = Math.Max(0, Allowed - _granted);
        _granted += more;
        MaxCmdSn += (uint)more;
        return more > 0;
    }

    /// <summary>As requests end the initiator gets nothing in their place: when it has used up what it has, it may not
    /// send any more, until <see cref="Reopen"/>.</summary>
    public void Close()
    {
        _isClosing = true;
        Allowed = 0;
    }

    /// <summary>As before, with at most this many under way. True if the initiator may send more than it knows.
    /// </summary>
    public bool Reopen(int most)
    {
        _isClosing = false;
        return Allow(most);
    }

    /// <summary>Another depth from now on: a larger one at once, a smaller one as requests end. True if the initiator
    /// may send more than it knows.</summary>
    public bool SetDepth(int depth)
    {
        Depth = depth;
        if (depth > _held.Length)
            MoveHeldTo(SlotsFor(depth));
        return Allow(_wanted);
    }

    private void MoveHeldTo(object?[] slots)
    {
        uint mask = (uint)slots.Length - 1;
        for (uint i = 0; i < _held.Length; i++)
            slots[(ExpCmdSn + i) & mask] = _held[(ExpCmdSn + i) & _mask];
        _held = slots;
        _mask = mask;
    }

    /// <summary>A power of two, so that they stay distinct when CmdSN wraps around.</summary>
    private static object?[] SlotsFor(int depth) => new object?[BitOperations.RoundUpToPowerOf2((uint)depth)];

    public void Hold(uint cmdSn, object request)
    {
        Invariant.That(_held[cmdSn & _mask] is null, "a CmdSN is held once");
        _held[cmdSn & _mask] = request;
        HeldCount++;
    }

    /// <summary>Takes a held request out; its number counts as received.</summary>
    public void Plug(uint cmdSn)
    {
        if (_held[cmdSn & _mask] is null)
            HeldCount++;
        _held[cmdSn & _mask] = Plugged;
    }

    /// <summary>The next request, if it was held; it counts as received. Numbers that were plugged are
    /// passed.</summary>
    public object? TakeHeld()
    {
        while (HeldCount > 0)
        {
            ref object? slot = ref _held[ExpCmdSn & _mask];
            object? request = slot;
            if (request is null)
                return null;
            slot = null;
            HeldCount--;
            Advance();
            if (!ReferenceEquals(request, Plugged))
                return request;
            RequestEnded();
        }
        return null;
    }

    /// <summary>Everything held, for the end of a session.</summary>
    public IEnumerable<object> TakeAllHeld()
    {
        for (int i = 0; i < _held.Length; i++)
        {
            object? request = _held[i];
            _held[i] = null;
            if (request is not null && !ReferenceEquals(request, Plugged))
                yield return request;
        }
        HeldCount = 0;
    }

    /// <summary>CmdSN without wrap-around. Immediate requests may carry one outside of the window.</summary>
    public ulong Extend(uint cmdSn) => _expected + (ulong)(long)(int)(cmdSn - ExpCmdSn);
}
