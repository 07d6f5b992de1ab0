using System.Buffers;
using System.IO.Pipelines;

namespace Scstd.Control;

/// <summary>Lines of bytes over a stream, each ended by a line feed and no longer than a bound.</summary>
public sealed class LineChannel(Stream stream, int mostLineBytes) : IAsyncDisposable
{
    private const byte LineFeed = (byte)'\n';

    private readonly PipeReader _reader = PipeReader.Create(stream, new StreamPipeReaderOptions(leaveOpen: true));
    private readonly PipeWriter _writer = PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true));

    /// <summary>The next line without its end; null when the peer says no more. What comes after the last line feed is
    /// no line. Throws <see cref="InvalidDataException"/> for a line that is longer than the bound.</summary>
    public async ValueTask<byte[]?> ReadAsync(CancellationToken cancellation)
    {
        while (true)
        {
            ReadResult read = await _reader.ReadAsync(cancellation);
            ReadOnlySequence<byte> bytes = read.Buffer;
            SequencePosition? end = bytes.PositionOf(LineFeed);
            long length = end is { } at ? bytes.Slice(0, at).Length : bytes.Length;
            if (length > mostLineBytes)
                throw new InvalidDataException($"a line is longer than {mostLineBytes} bytes");
            if (end is { } lineEnd)
            {
                byte[] line = bytes.Slice(0, lineEnd).ToArray();
                _reader.AdvanceTo(bytes.GetPosition(1, lineEnd));
                return line;
            }
            _reader.AdvanceTo(bytes.Start, bytes.End);
            if (read.IsCompleted)
                return null;
        }
    }

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> line, CancellationToken cancellation)
    {
        _writer.Write(line.Span);
        _writer.Write([LineFeed]);
        await _writer.FlushAsync(cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await _reader.CompleteAsync();
        // What could not be sent is not sent by the end either.
        await _writer.CompleteAsync(new OperationCanceledException());
    }
}
