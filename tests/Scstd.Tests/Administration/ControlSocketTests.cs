using System.Net.Sockets;
using Scstd.Administration;

namespace Scstd.Tests.Administration;

/// <summary>The socket in the file system: whose it is, and who may use it.</summary>
public sealed class ControlSocketTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Where => _folder.File("control.sock");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void It_is_for_its_owner_and_group_and_gone_with_the_daemon()
    {
        using (ControlSocket.Open(Where, null))
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead
                | UnixFileMode.GroupWrite, File.GetUnixFileMode(Where));
        }
        Assert.False(File.Exists(Where));
    }

    [Fact]
    public void A_second_daemon_is_refused_and_the_first_keeps_its_socket()
    {
        using ControlSocket first = ControlSocket.Open(Where, null);
        IOException refusal = Assert.Throws<IOException>(() => ControlSocket.Open(Where, null));
        Assert.Equal($"control socket {Where}: another daemon has it", refusal.Message);
        using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        client.Connect(new UnixDomainSocketEndPoint(Where));
        Assert.True(client.Connected);
    }

    [Fact]
    public void What_a_killed_daemon_left_is_taken_away()
    {
        var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        dead.Bind(new UnixDomainSocketEndPoint(Where));
        dead.SafeHandle.Dispose(); // Without the runtime's own tidying, as after kill -9.
        if (!File.Exists(Where))
            dead.Bind(new UnixDomainSocketEndPoint(Where));
        File.WriteAllText(Where + ".lock", "");

        using ControlSocket socket = ControlSocket.Open(Where, null);
        using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        client.Connect(new UnixDomainSocketEndPoint(Where));
        Assert.True(client.Connected);
    }

    [Fact]
    public void What_is_no_socket_is_left_alone()
    {
        _folder.Write("control.sock", "");
        IOException refusal = Assert.Throws<IOException>(() => ControlSocket.Open(Where, null));
        Assert.Contains("something else is there", refusal.Message);
        Assert.True(File.Exists(Where));
    }

    [Fact]
    public void A_group_that_is_not_there_is_told()
    {
        IOException refusal = Assert.Throws<IOException>(() => ControlSocket.Open(Where, "no-such-group"));
        Assert.Equal("control: there is no group 'no-such-group' on this system", refusal.Message);
    }

    [Fact]
    public void A_path_that_no_socket_can_have_is_told() => Assert.Contains("control socket",
        Assert.Throws<IOException>(() => ControlSocket.Open(_folder.File(new string('a', 200)), null)).Message);

    [Theory]
    [InlineData(0u, 5u, true)]
    [InlineData(1234u, 77u, true)]
    [InlineData(1234u, 5u, false)]
    public void Root_and_the_group_may_talk(uint user, uint group, bool admitted)
    {
        using ControlSocket socket = ControlSocket.Open(Where, Scstd.Linux.LocalSocketCalls.EffectiveUser == 0 ? "77"
            : "0");
        bool admits = socket.Admits(new Linux.PeerIdentity(1, user, group, []));
        Assert.Equal(admitted, admits);
    }
}
