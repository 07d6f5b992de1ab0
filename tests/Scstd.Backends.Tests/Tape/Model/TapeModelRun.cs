using System.Buffers.Binary;
using System.Collections.Concurrent;
using Scstd.Backends.Tape;
using Scstd.Backends.Tape.Cartridges;
using Scstd.Core;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Backends.Tests.Tape.Model;

/// <summary>
/// A drive with a cartridge of a file, and the model beside it. Behind every command status, sense data, bytes and all
/// three forms of READ POSITION must be those of the model. Here: how a command is sent and what is compared.
/// </summary>
internal sealed partial class TapeModelRun : IDisposable
{
    private const ulong ManyBytes = 60_000_000;

    private readonly string _path;
    private readonly ConcurrentDictionary<string, int> _met;
    private readonly ulong _capacityBytes;
    private readonly TapeWorld _world;
    private readonly TapeModel _model;
    private readonly List<(int Initiator, byte[] Cdb, TestCommand Command)> _sent = [];
    private ulong _written;

    /// <summary>What the endings of commands are counted for; null: they are not.</summary>
    private TapeVerb? _verb;

    /// <param name="path">Of the cartridge: made here.</param>
    /// <param name="tinyKilobytes">Of a cartridge that is soon full; zero: one that is not.</param>
    /// <param name="isDivided">It has two partitions.</param>
    /// <param name="met">How often a command of a step has ended in which way, is counted here.</param>
    public TapeModelRun(string path, int tinyKilobytes, bool isDivided, ConcurrentDictionary<string, int> met)
    {
        (_path, _met) = (path, met);
        _capacityBytes = tinyKilobytes == 0 ? ManyBytes : (ulong)tinyKilobytes * 1000;
        ulong[] partitions = isDivided ? [_capacityBytes / 3, _capacityBytes / 2] : [_capacityBytes];
        _model = new TapeModel(partitions);
        var options = new CartridgeOptions
        {
            DensityCode = 0x58,
            CapacityBytes = _capacityBytes,
            Partitions = partitions,
        };
        _world = TapeWorld.Of(Cartridge.Create(path, options), TapePersonality.Lto5);
    }

    private bool IsTiny => _capacityBytes < ManyBytes;

    /// <summary>Plays them, then reads everything that must be there.</summary>
    public void Play(int blockLengthBytes, TapeStep[] steps)
    {
        try
        {
            SelectBlockLength(0, isLong: false, _model.BufferedMode, blockLengthBytes);
            foreach (TapeStep step in steps)
                Do(step);
            _verb = null;
            ReadAll();
        }
        catch (Exception exception)
        {
            // READ POSITION stands behind every command: of interest is the last one.
            IEnumerable<string> lines = _sent.Where((one, i) => one.Cdb[0] != 0x34 || i == _sent.Count - 1)
                .TakeLast(60).Select(one => $"  {one.Initiator}: {Hex.Of(one.Cdb)}: {TextOf(one.Command)}");
            throw new InvalidOperationException($"{exception.Message}\n{string.Join('\n', lines)}", exception);
        }
    }

    public void Dispose()
    {
        _world.Dispose();
        File.Delete(_path);
    }

    private static string TextOf(TestCommand command) =>
        (command.Status == ScsiStatus.CheckCondition ? TextOf(command.Sense) : $"{command.Status}") +
        $", {command.DataIn.Length} bytes";

    private static string TextOf(SenseData? told) => told is not { } sense ? "GOOD"
        : $"{NameOf(sense)} {sense.Additional}" + (sense.Information is { } left ? $" {(long)left}" : "") +
        (sense.FieldPointer is { } field ? $" at {field}.{sense.BitPointer}" : "");

    private static string NameOf(SenseData sense) => $"{sense.Key}" + (sense.Filemark ? " FILEMARK" : "") +
        (sense.EndOfMedium ? " EOM" : "") + (sense.IncorrectLengthIndicator ? " ILI" : "");

    private void Count(string what) => _met.AddOrUpdate(what, 1, static (_, times) => times + 1);

    private TestCommand Send(int initiator, byte[] cdb, byte[]? dataOut = null)
    {
        TestInitiator from = initiator == 0 ? _world.Initiator : _world.Other;
        TestCommand command = from.Send(Lun.FromNumber(0), cdb, dataOut, 1 << 24);
        _sent.Add((initiator, cdb, command));
        _world.Run();
        Assert.True(command.IsAnswered, "not answered");
        return command;
    }

    /// <summary>Of what another has changed an initiator is told before anything else, of each thing once.</summary>
    private void TakeAttentions(int initiator, byte[] cdb, byte[]? dataOut = null)
    {
        while (_model.HasAttention(initiator))
        {
            TestCommand told = Send(initiator, cdb, dataOut);
            Assert.True(
                told.Status == ScsiStatus.CheckCondition && told.Sense.Key == SenseKey.UnitAttention &&
                _model.TakeAttention(initiator, told.Sense.Additional), "an expected unit attention is not told");
            Count($"Unit attention {told.Sense.Additional}");
        }
    }

    /// <param name="initiator">Who sends it.</param>
    /// <param name="cdb">The command.</param>
    /// <param name="dataOut">Null: none.</param>
    /// <param name="expect">Has the model do it, who is told of how it ended.</param>
    /// <param name="isImmediate">IMMED: a failure is told with the next command.</param>
    private void Execute(
        int initiator, byte[] cdb, byte[]? dataOut, Func<SenseData?, ModelAnswer> expect, bool isImmediate = false)
    {
        TakeAttentions(initiator, cdb, dataOut);
        TestCommand command = Send(initiator, cdb, dataOut);
        SenseData? told = command.Status == ScsiStatus.CheckCondition ? command.Sense : null;
        if (told is null)
            Assert.Equal(ScsiStatus.Good, command.Status);
        ModelAnswer answer = expect(told);
        if (isImmediate && told is null && answer.Sense is { Key: SenseKey.BlankCheck })
            told = TakeDeferred(initiator);
        byte[] position = Send(initiator, TapeCdb.ReadPosition[0]).DataIn;
        bool isBehindWarning = position.Length > 0 && (position[0] & 0x40) != 0;
        SenseData? expected = answer.SenseWhere(isBehindWarning);
        Assert.True(expected == told, $"expected {TextOf(expected)}, got {TextOf(told)}");
        Assert.True(answer.Data.AsSpan().SequenceEqual(command.DataIn), $"expected {answer.Data.Length} other bytes");
        RequirePosition(initiator, position, isBehindWarning);
        _model.Learn(isBehindWarning);
        if (_verb is { } verb)
        {
            string ending = expected is { } sense ? NameOf(sense) : "GOOD";
            Count($"{verb} {ending}{(answer.DoneBlocks > 0 ? " behind some" : "")}");
        }
    }

    private SenseData TakeDeferred(int initiator)
    {
        TestCommand command = Send(initiator, TapeCdb.TestUnitReady);
        Assert.True(
            command.Status == ScsiStatus.CheckCondition && command.Sense.IsDeferred, "a deferred error is not told");
        return command.Sense with { IsDeferred = false };
    }

    /// <summary>The short form, the long form and the extended one.</summary>
    private void RequirePosition(int initiator, byte[] shortForm, bool isBehindWarning)
    {
        byte flags = (byte)((_model.At == 0 ? 0x80 : 0) | (isBehindWarning ? 0x40 : 0));
        byte[] expected = new byte[20];
        (expected[0], expected[1]) = (flags, (byte)_model.Partition);
        BinaryPrimitives.WriteInt32BigEndian(expected.AsSpan(4), _model.At);
        BinaryPrimitives.WriteInt32BigEndian(expected.AsSpan(8), _model.At);
        RequireSame(expected, shortForm);
        expected = new byte[32];
        (expected[0], expected[7]) = (flags, (byte)_model.Partition);
        BinaryPrimitives.WriteInt64BigEndian(expected.AsSpan(8), _model.At);
        BinaryPrimitives.WriteInt64BigEndian(expected.AsSpan(16), _model.Files);
        RequireSame(expected, Send(initiator, TapeCdb.ReadPosition[1]).DataIn);
        expected = new byte[32];
        (expected[0], expected[1], expected[3]) = (flags, (byte)_model.Partition, 0x1C);
        BinaryPrimitives.WriteInt64BigEndian(expected.AsSpan(8), _model.At);
        BinaryPrimitives.WriteInt64BigEndian(expected.AsSpan(16), _model.At);
        RequireSame(expected, Send(initiator, TapeCdb.ReadPosition[2]).DataIn);
    }

    private static void RequireSame(byte[] expected, byte[] position) => Assert.True(
        expected.AsSpan().SequenceEqual(position),
        $"expected {Hex.Of(expected)}, READ POSITION has {Hex.Of(position)}");

    /// <summary>Bytes that no other record has.</summary>
    private byte[] NewBytes(int lengthBytes)
    {
        byte[] bytes = new byte[lengthBytes];
        ulong state = ++_written * 0x9E3779B97F4A7C15;
        for (int i = 0; i < lengthBytes; i++)
        {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes[i] = (byte)(state >> 32);
        }
        return bytes;
    }

    /// <summary>Every partition from its beginning to the end of its data.</summary>
    private void ReadAll()
    {
        const int AtLeastBytes = 100_000;
        for (int partition = 0; partition < _model.PartitionCount; partition++)
        {
            int here = partition;
            Execute(0, TapeCdb.Locate16(0, here, 0), null, _ => _model.LocateObject(here, 0, 3));
            var all = new ModelTransfer(false, AtLeastBytes, SuppressesIncorrectLength: true);
            for (bool isEnd = false; !isEnd;)
            {
                Execute(0, TapeCdb.Transfer(0x08, 0x88, 0x02, AtLeastBytes, null), null, _ =>
                {
                    ModelAnswer answer = _model.Read(all);
                    isEnd = answer.Sense is { Key: SenseKey.BlankCheck };
                    return answer;
                });
            }
        }
    }
}
