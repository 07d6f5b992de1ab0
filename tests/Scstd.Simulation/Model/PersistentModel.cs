using System.Buffers.Binary;
using Scstd.Scsi;

namespace Scstd.Simulation;

/// <summary>The persistent reservation of a unit as it is, and as those may still see it who have not been told.
/// </summary>
internal sealed class PersistentModel(World world)
{
    private readonly List<Past> _past = [];
    private long _toldAt = -1;

    public PersistentState State { get; private set; } = PersistentState.None;

    public void Take(PersistentState state, object by)
    {
        if (ReferenceEquals(State, state))
            return;
        _past.Add(new Past(State, by));
        State = state;
        _toldAt = long.MaxValue;
    }

    /// <summary>SPC-4 §5.13.5: what the last APTPL asked for is there after a loss of power, its generation begins at
    /// zero.</summary>
    public void BeginsWith(PersistentState saved) =>
        State = saved.Persists ? saved with { Generation = 0 } : PersistentState.None;

    /// <summary>The change has been answered.</summary>
    public void Told(object by)
    {
        foreach (Past past in _past)
        {
            if (!ReferenceEquals(past.ReplacedBy, by) || past.Until != long.MaxValue)
                continue;
            past.Until = world.Now;
            _toldAt = world.Now;
        }
    }

    /// <summary>A command that begins.</summary>
    public void Begins(SimulatedCommand command) => world.Law(!State.Forbids(command.To.Name, command.Kind),
        "{0} passed a persistent reservation of type {1}", command, State.Type);

    /// <summary>A command acts on the medium.</summary>
    public void Lands(SimulatedCommand command) => world.Law(!State.Forbids(command.To.Name, command.Kind),
        "{0} touched the medium behind a persistent reservation", command);

    public bool MayConflict(SimulatedCommand command)
    {
        // What is refused anyway may be refused for this.
        CommandKind kind = command.Kind == CommandKind.Faulty ? CommandKind.Write : command.Kind;
        if (State.Forbids(command.To.Name, kind))
            return true;
        foreach (Past past in _past)
        {
            if (past.Until >= command.ReceivedAt && past.State.Forbids(command.To.Name, kind))
                return true;
        }
        return false;
    }

    public bool MustConflict(SimulatedCommand command) =>
        _toldAt < command.ReceivedAt && State.Forbids(command.To.Name, command.Kind);

    /// <summary>What READ KEYS and READ RESERVATION answer.</summary>
    public byte[] Describe(byte action)
    {
        byte[] body = action == 0 ? DescribeKeys() : DescribeReservation();
        byte[] answer = new byte[8 + body.Length];
        BinaryPrimitives.WriteUInt32BigEndian(answer, State.Generation);
        BinaryPrimitives.WriteInt32BigEndian(answer.AsSpan(4), body.Length);
        body.CopyTo(answer, 8);
        return answer;
    }

    /// <summary>The order of the keys is left to the device server.</summary>
    public static byte[] InOrder(byte action, byte[] answer)
    {
        if (action != 0 || answer.Length <= 8)
            return answer;
        var keys = new List<ulong>();
        for (int i = 8; i < answer.Length; i += 8)
            keys.Add(BinaryPrimitives.ReadUInt64BigEndian(answer.AsSpan(i)));
        keys.Sort();
        byte[] sorted = [.. answer];
        for (int i = 0; i < keys.Count; i++)
            BinaryPrimitives.WriteUInt64BigEndian(sorted.AsSpan(8 + (i * 8)), keys[i]);
        return sorted;
    }

    private byte[] DescribeKeys()
    {
        byte[] body = new byte[State.Keys.Count * 8];
        int at = 0;
        foreach (ulong key in State.Keys.Values.Order())
        {
            BinaryPrimitives.WriteUInt64BigEndian(body.AsSpan(at), key);
            at += 8;
        }
        return body;
    }

    private byte[] DescribeReservation()
    {
        if (State.Type == 0)
            return [];
        byte[] body = new byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(body, State.Holder is { } holder ? State.Keys[holder] : 0);
        body[13] = State.Type;
        return body;
    }

    private sealed class Past(PersistentState state, object replacedBy)
    {
        public PersistentState State => state;

        public object ReplacedBy => replacedBy;

        public long Until { get; set; } = long.MaxValue;
    }
}
