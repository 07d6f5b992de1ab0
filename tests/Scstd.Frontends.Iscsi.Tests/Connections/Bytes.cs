namespace Scstd.Frontends.Iscsi.Tests.Connections;

internal static class Bytes
{
    /// <summary>So many bytes that depend on nothing but the seed.</summary>
    public static byte[] Pattern(int lengthBytes, int seed = 1)
    {
        byte[] bytes = new byte[lengthBytes];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
