using System.Net;
using System.Runtime.InteropServices;

namespace Scstd.Linux;

/// <summary>The kernel's struct iovec.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct IoVector
{
    public nint Address;
    public nuint LengthBytes;

    public IoVector(nint address, int lengthBytes)
    {
        Address = address;
        LengthBytes = (nuint)lengthBytes;
    }
}

/// <summary>An address that reactors listen at, each with a share of the connections that come. For the thread that
/// reserved it.</summary>
public abstract class ReservedPort
{
    /// <summary>The bound address, with the port that the kernel chose if 0 was asked for.</summary>
    public abstract IPEndPoint LocalEndPoint { get; }

    /// <summary>Gives up what no listener has taken; the address is free when the listeners are closed, too.</summary>
    public abstract void Close();
}

/// <summary>A listening socket of one reactor.</summary>
public abstract class StreamListener
{
    /// <summary>The bound address, with the port that the kernel chose if 0 was asked for.</summary>
    public abstract IPEndPoint LocalEndPoint { get; }

    /// <summary>Stops accepting; sockets accepted already are not touched.</summary>
    public abstract void Close();
}

/// <summary>
/// A byte stream on a reactor. What is queued during a pass leaves with one system call at the end of the pass.
/// All members are for the reactor's own thread.
/// </summary>
public abstract class StreamConnection
{
    /// <summary>Our choice: how many vectors <see cref="IStreamHandler.DirectVectors"/> may give at once; with
    /// segments of 1 MiB far more than a connection receives in one step.</summary>
    public const int MaxDirectVectors = 64;

    public abstract Reactor Reactor { get; }

    public abstract IPEndPoint LocalEndPoint { get; }

    public abstract IPEndPoint RemoteEndPoint { get; }

    /// <summary>Bytes queued and not yet reported by <see cref="IStreamHandler.Sent"/>.</summary>
    public abstract long UnsentBytes { get; }

    /// <summary>Begins to receive.</summary>
    public abstract void Start();

    /// <summary>Takes no more bytes from the peer until <see cref="ResumeReceive"/>. Bytes that the kernel has handed
    /// over already may still be reported once.</summary>
    public abstract void PauseReceive();

    public abstract void ResumeReceive();

    /// <summary>Appends memory to what is sent at the end of this pass. It must stay valid and unchanged until
    /// <see cref="IStreamHandler.Sent"/> has counted it or <see cref="IStreamHandler.Closed"/> was called.</summary>
    public abstract void Queue(nint address, int lengthBytes);

    /// <summary>Gives the socket away, for another reactor to attach: no more bytes are taken, what is queued leaves,
    /// and then <paramref name="detached"/> is called instead of anything of the handler. Bytes that the kernel has
    /// handed over already may still be reported once, before that. If the connection ends first,
    /// <see cref="IStreamHandler.Closed"/> follows as ever, and <paramref name="detached"/> is not called.</summary>
    /// <param name="detached">It is nobody's now.</param>
    /// <param name="mayLeave">Asked at the end of passes until it leaves; on false it stays, as if nobody had asked.
    /// Null: it may.</param>
    public abstract void Detach(Action<SocketHandle> detached, Func<bool>? mayLeave = null);

    /// <summary>Ends the connection: with <paramref name="afterSending"/> what is queued is sent first (bounded by
    /// <paramref name="timeoutMs"/>), else at once. <see cref="IStreamHandler.Closed"/> follows, exactly once, and
    /// never from inside this call.</summary>
    public abstract void Close(bool afterSending = false, int timeoutMs = 2000);
}

/// <summary>Why a connection ended.</summary>
public enum StreamCloseReason
{
    ClosedHere,
    ClosedByPeer,
    Failed,
}

/// <summary>Who owns a stream: a protocol's connection. Called on the reactor's thread only.</summary>
public interface IStreamHandler
{
    /// <summary>Bytes arrived in memory that is borrowed for the duration of this call. All are consumed: what is not
    /// yet a whole header is kept by the handler.</summary>
    void Received(nint data, int lengthBytes);

    /// <summary>Asked before each receive: where the next bytes of the stream shall be placed. 0: nowhere in
    /// particular. The memory stays lent until <see cref="ReceivedDirect"/> or <see cref="Closed"/>, or until this is
    /// asked again: then it was not used.</summary>
    unsafe int DirectVectors(IoVector* vectors, int capacity);

    /// <summary>So many bytes were placed at the start of the vectors last given. Bytes behind them come by
    /// <see cref="Received"/>. The vectors are no longer in use.</summary>
    void ReceivedDirect(int lengthBytes);

    /// <summary>So many more of the queued bytes, in order, have left: their memory is free again.</summary>
    void Sent(long lengthBytes);

    /// <summary>The stream is gone and no memory given to it is touched any more. Exactly once.</summary>
    void Closed(StreamCloseReason reason, string detail);
}
