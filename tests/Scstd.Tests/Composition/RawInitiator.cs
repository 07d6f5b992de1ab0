using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Scstd.Tests.Composition;

/// <summary>As much of an initiator as it takes to log in, ask for the targets, and log out, byte by byte.</summary>
internal sealed class RawInitiator : IDisposable
{
    private const int HeaderBytes = 48;
    private readonly Socket _socket;
    private uint _itt;
    private uint _cmdSn;

    private RawInitiator(Socket socket) => _socket = socket;

    public static async Task<RawInitiator> ConnectAsync(IPEndPoint target)
    {
        var socket = new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 10_000 };
        await socket.ConnectAsync(target);
        return new RawInitiator(socket);
    }

    /// <summary>RFC 7143 §11.12: straight from operational negotiation to full feature phase. Returns status class and
    /// detail.</summary>
    public int LogIn(params string[] keys)
    {
        byte[] header = new byte[HeaderBytes];
        header[0] = 0x43; // Login Request, immediate.
        header[1] = 0x87; // Transit from LoginOperationalNegotiation (1) to FullFeaturePhase (3).
        header[8] = 0x80; // ISID of a random qualifier.
        (byte[] answer, _) = Exchange(header, keys);
        Assert.Equal(0x23, answer[0]);
        return BinaryPrimitives.ReadUInt16BigEndian(answer.AsSpan(36));
    }

    /// <summary>RFC 7143 §11.10: a text request of one PDU and the keys of the answer.</summary>
    public string[] Ask(params string[] keys)
    {
        byte[] header = new byte[HeaderBytes];
        header[0] = 0x44; // Text Request, immediate.
        header[1] = 0x80; // Final.
        header.AsSpan(20, 4).Fill(0xFF);
        (byte[] answer, byte[] data) = Exchange(header, keys);
        Assert.Equal(0x24, answer[0]);
        return Encoding.ASCII.GetString(data).TrimEnd('\0').Split('\0');
    }

    /// <summary>RFC 7143 §11.3: a command of at most 16 bytes that reads, and the status with the data or the sense
    /// data. Its data fits one Data-In PDU.</summary>
    public (int Status, byte[] Data) Read(int lun, ReadOnlySpan<byte> cdb, int lengthBytes)
    {
        Send(lun, cdb, lengthBytes);
        (byte[] answer, byte[] data) = Receive();
        // A SCSI asynchronous event (§11.9.1) says nothing that the unit attention condition does not say.
        while (answer[0] == 0x32 && answer[36] == 0)
            (answer, data) = Receive();
        // Status comes with the data (§11.7.1, the S bit), or alone.
        while (answer[0] == 0x25 && (answer[1] & 0x01) == 0)
            (answer, _) = Receive();
        Assert.True(answer[0] is 0x21 or 0x25, $"opcode {answer[0]:X2}h");
        return (answer[3], data);
    }

    /// <summary>The same without waiting for the answer.</summary>
    public void Send(int lun, ReadOnlySpan<byte> cdb, int lengthBytes)
    {
        byte[] header = new byte[HeaderBytes];
        header[0] = 0x01;
        header[1] = lengthBytes > 0 ? (byte)0xC1 : (byte)0x81; // Final, Read, SIMPLE.
        header[9] = (byte)lun;
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(20), (uint)lengthBytes);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(24), _cmdSn++);
        cdb.CopyTo(header.AsSpan(32));
        Post(header, []);
    }

    /// <summary>Takes the unit attention condition that every new nexus has.</summary>
    public void BecomeReady(int lun) => Assert.Equal((2, 0), (Read(lun, new byte[6], 0).Status,
        Read(lun, new byte[6], 0).Status));

    /// <summary>RFC 7143 §11.14. Returns the response code.</summary>
    public int LogOut()
    {
        byte[] header = new byte[HeaderBytes];
        header[0] = 0x46; // Logout Request, immediate.
        header[1] = 0x80; // Close the session.
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(24), _cmdSn);
        (byte[] answer, _) = Exchange(header, []);
        Assert.Equal(0x26, answer[0]);
        return answer[2];
    }

    /// <summary>The target closes, with nothing more to say.</summary>
    public bool IsClosedByPeer()
    {
        try
        {
            byte[] rest = new byte[4096];
            int got;
            do
            {
                got = _socket.Receive(rest);
            }
            while (got > 0);
            return true;
        }
        catch (SocketException exception)
        {
            return exception.SocketErrorCode == SocketError.ConnectionReset;
        }
    }

    public void Dispose() => _socket.Dispose();

    private (byte[] Header, byte[] Data) Exchange(byte[] header, string[] keys)
    {
        Post(header, keys);
        return Receive();
    }

    private void Post(byte[] header, string[] keys)
    {
        byte[] text = Encoding.ASCII.GetBytes(string.Concat(keys.Select(key => key + "\0")));
        header[7] = (byte)text.Length;
        header[6] = (byte)(text.Length >> 8);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(16), ++_itt);
        _socket.Send([.. header, .. text, .. new byte[Padding(text.Length)]]);
    }

    private (byte[] Header, byte[] Data) Receive()
    {
        byte[] answer = Receive(HeaderBytes);
        int length = (answer[5] << 16) | (answer[6] << 8) | answer[7];
        return (answer, Receive(length + Padding(length))[..length]);
    }

    private static int Padding(int length) => -length & 3;

    private byte[] Receive(int count)
    {
        byte[] bytes = new byte[count];
        for (int got = 0; got < count;)
        {
            int more = _socket.Receive(bytes.AsSpan(got));
            Assert.True(more > 0, "the target closed the connection");
            got += more;
        }
        return bytes;
    }
}
