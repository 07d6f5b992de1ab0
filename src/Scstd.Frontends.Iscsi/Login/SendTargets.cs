using System.Net;
using System.Net.Sockets;

namespace Scstd.Frontends.Iscsi.Login;

/// <summary>Where a target can be reached: TargetAddress, RFC 7143 §13.8.</summary>
public readonly record struct TargetPortal(string Host, int Port, ushort TargetPortalGroupTag)
{
    public TargetPortal(IPEndPoint endPoint, ushort targetPortalGroupTag)
        : this(HostOf(endPoint.Address), endPoint.Port, targetPortalGroupTag)
    {
    }

    /// <summary>"domainname[:port][,portal-group-tag]", an IPv6 address in square brackets.</summary>
    public override string ToString() =>
        $"{(Host.Contains(':') && Host[0] != '[' ? $"[{Host}]" : Host)}:{Port},{TargetPortalGroupTag}";

    // A scope identifier ("%eth0") means something on this machine only, and the syntax has no place for it; an IPv4
    // peer of a dual-stack socket wants to read an IPv4 address.
    private static string HostOf(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) return address.MapToIPv4().ToString();
        return address.AddressFamily == AddressFamily.InterNetworkV6
            ? new IPAddress(address.GetAddressBytes()).ToString()
            : address.ToString();
    }
}

/// <summary>One target of a SendTargets answer with all its addresses.</summary>
public sealed record TargetRecord(string TargetName, IReadOnlyList<TargetPortal> Portals);

/// <summary>Finds what a SendTargets question is about; answers only what that initiator may see.</summary>
/// <param name="targetName">Normalised; null asks for all.</param>
public delegate IReadOnlyList<TargetRecord> TargetLookup(string? targetName);

/// <summary>SendTargets (RFC 7143 §13.3 and Appendix C): discovery by text.</summary>
public static class SendTargets
{
    public const string Key = "SendTargets";
    private const string All = "All";

    /// <summary>
    /// Adds the answer to one SendTargets. In a discovery session "All" or a name; in a normal session nothing or a
    /// name, and only its own target is told. "All" in a normal session "MUST NOT be supported" (Appendix C): it
    /// finds nothing. What is neither a name nor a keyword is refused.
    /// </summary>
    public static void Answer(
        string value, SessionType sessionType, string? ownTargetName, TargetLookup lookup, List<TextPair> answers)
    {
        IReadOnlyList<TargetRecord> records;
        if (value == All)
            records = sessionType == SessionType.Discovery ? lookup(null) : [];
        else if (value.Length == 0 && sessionType == SessionType.Normal)
            records = lookup(ownTargetName);
        else if (IscsiName.TryNormalize(value, out var name))
            records = sessionType == SessionType.Discovery || name == ownTargetName ? lookup(name) : [];
        else
        {
            answers.Add(new TextPair(Key, Login.Answer.Reject));
            return;
        }
        foreach (var record in records) Add(record, answers);
    }

    private static void Add(TargetRecord record, List<TextPair> answers)
    {
        answers.Add(new TextPair("TargetName", record.TargetName));
        foreach (var portal in record.Portals) answers.Add(new TextPair("TargetAddress", portal.ToString()));
    }
}
