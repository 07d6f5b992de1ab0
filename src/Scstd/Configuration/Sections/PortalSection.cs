using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Scstd.Configuration;

/// <summary>RFC 7143 §3.1: a network portal, where the daemon listens.</summary>
public sealed class PortalSection : Section
{
    /// <summary>IANA's port for iSCSI.</summary>
    public const int IscsiPort = 3260;

    internal static readonly Rule<IPEndPoint> AddressRule = new ParsedRule<IPEndPoint>(
        "an address such as 192.0.2.10, 192.0.2.10:3260, 0.0.0.0, [2001:db8::10]:3260 or [::]", TryParseAddress);

    internal static readonly SectionRule<PortalSection> Rule = new("portal", "Where scstd listens.",
        new Row<PortalSection, IPEndPoint>("address", AddressRule, (s, v) => s.Address = v,
            "The IPv4 or IPv6 address and port to listen on; 0.0.0.0 and [::] mean all of the machine. Port: 3260.",
            isRequired: true),
        new Row<PortalSection, int>("tag", new IntegerRule(1, 65535), (s, v) => s.Tag = v,
            "The target portal group tag. Portals with the same tag are one SCSI target port, and a "
                + "target is seen through all of them or none. Default: 1."),
        new Row<PortalSection, string>("advertise",
            new ParsedRule<string>("a host name or address, with or without port (san.example.com:3260)",
                TryParseAdvertised),
            (s, v) => s.Advertise = v, "What initiators are told in discovery instead of the address, "
                + "when they reach the portal through a translation of addresses."));

    internal static readonly Rule<PortalSection> ShortOrFull = new ShortRule<IPEndPoint, PortalSection>(
        AddressRule, (address, position) => new PortalSection { Address = address, Position = position }, Rule);

    public Word Name { get; private set; }

    public IPEndPoint? Address { get; internal set; }

    public int Tag { get; internal set; } = 1;

    /// <summary>HOST:PORT, or null: the address by which the initiator came.</summary>
    public string? Advertise { get; internal set; }

    internal PortalSection Called(Word name)
    {
        Name = name;
        return this;
    }

    /// <summary>An address, and the port 3260 unless another is written. Port 0 lets the kernel choose.</summary>
    internal static bool TryParseAddress(string text, out IPEndPoint endPoint)
    {
        endPoint = new IPEndPoint(IPAddress.Any, IscsiPort);
        string host = text;
        int port = IscsiPort;
        // A colon alone is part of an IPv6 address; a port after one needs brackets.
        int colon = text.LastIndexOf(':');
        bool hasPort = colon >= 0 && (text.IndexOf(':') == colon || text[..colon].EndsWith(']'));
        if (hasPort)
        {
            host = text[..colon];
            if (!TryParsePort(text[(colon + 1)..], out port))
                return false;
        }
        bool isBracketed = host.StartsWith('[') && host.EndsWith(']');
        if (isBracketed)
            host = host[1..^1];
        // IPAddress takes "1" and "0x7f.1" too, which nobody writes on purpose.
        if (!IPAddress.TryParse(host, out IPAddress? address)
            || (address.AddressFamily == AddressFamily.InterNetwork && (isBracketed || host.Count(c => c == '.') != 3))
            || (address.AddressFamily == AddressFamily.InterNetworkV6 && hasPort && !isBracketed))
        {
            return false;
        }
        endPoint = new IPEndPoint(address, port);
        return true;
    }

    private static bool TryParseAdvertised(string text, out string advertised)
    {
        advertised = text;
        if (TryParseAddress(text, out IPEndPoint endPoint))
        {
            advertised = endPoint.ToString();
            return endPoint.Port != 0 && !endPoint.Address.Equals(IPAddress.Any)
                && !endPoint.Address.Equals(IPAddress.IPv6Any);
        }
        int colon = text.LastIndexOf(':');
        string host = colon < 0 ? text : text[..colon];
        int port = IscsiPort;
        if (colon >= 0 && (!TryParsePort(text[(colon + 1)..], out port) || port == 0))
            return false;
        advertised = $"{host}:{port}";
        return Uri.CheckHostName(host) == UriHostNameType.Dns;
    }

    private static bool TryParsePort(string text, out int port) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is >= 0 and <= 65535;
}
