using System.Net;

namespace Scstd.Testing;

/// <summary>How an in-memory stream cuts the bytes; without a seed they go through whole.</summary>
public sealed record InMemoryStreamOptions
{
    /// <summary>With a seed each step moves a random number of bytes, 1 up to the limits below.</summary>
    public int? Seed { get; init; }

    public int MaxReceiveBytes { get; init; } = 256 * 1024;

    public int MaxSendBytes { get; init; } = int.MaxValue;

    public IPEndPoint LocalEndPoint { get; init; } = new(IPAddress.Loopback, 3260);

    public IPEndPoint RemoteEndPoint { get; init; } = new(IPAddress.Loopback, 49152);
}
