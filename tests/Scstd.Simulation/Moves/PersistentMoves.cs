using System.Buffers.Binary;
using Scstd.Scsi;

namespace Scstd.Simulation;

/// <summary>PERSISTENT RESERVE OUT as initiators would send it: mostly with the key that they have.</summary>
internal static class PersistentMoves
{
    private const int Keys = 5;
    private static readonly byte[] Types = [1, 3, 5, 6, 7, 8];

    /// <summary>What a nexus asks of a unit next.</summary>
    public static PersistentRequest Choose(World world, NexusModel nexus)
    {
        PersistentState state = nexus.Unit.Persistent.State;
        bool isRegistered = state.Keys.TryGetValue(nexus.Name, out ulong own);
        byte action = isRegistered ? ActionOfRegistrant(world) : (byte)(world.Dice(4) == 0 ? 6 : 0);
        if (world.Dice(20) == 0)
            action = (byte)world.Dice(8);
        NexusModel? faulted = nexus.Unit.Nexuses.Find(other => !ReferenceEquals(other, nexus) &&
            state.IsRegistered(other.Name) && nexus.Unit.Aca.MayBeFaulted(other));
        bool fences = isRegistered && faulted is not null && world.Dice(2) == 0;
        if (fences)
            action = PersistentActions.PreemptAndAbort;
        bool allPorts = action == PersistentActions.RegisterAndIgnore && world.Dice(3) == 0;
        return new PersistentRequest
        {
            Action = action,
            Requester = nexus.Name,
            Type = state.Type != 0 && world.Dice(2) == 0 ? state.Type : Types[world.Dice(Types.Length)],
            Key = world.Dice(12) == 0 ? (ulong)world.Dice(Keys) : own,
            ActionKey = fences ? state.Keys[faulted!.Name] : ActionKey(world, state, action),
            Persists = action is 0 or 6 or 7 && world.Dice(3) == 0,
            Names = allPorts ? [nexus.Name, nexus.NameAt(3 - nexus.Session.Port)] : [nexus.Name],
            Target = action == PersistentActions.RegisterAndMove ? AnyNexus(world, nexus) : null,
            Unregisters = world.Dice(2) == 0,
        };
    }

    public static byte[] ParameterList(PersistentRequest request)
    {
        byte[] id = request.Target is { } target ? TransportIdOf(target) : [];
        byte[] list = new byte[24 + id.Length];
        BinaryPrimitives.WriteUInt64BigEndian(list, request.Key);
        BinaryPrimitives.WriteUInt64BigEndian(list.AsSpan(8), request.ActionKey);
        if (request.Target is null)
        {
            list[20] = (byte)((request.Names.Count > 1 ? 0x04 : 0) | (request.Persists ? 0x01 : 0));
            return list;
        }
        list[17] = (byte)((request.Unregisters ? 0x02 : 0) | (request.Persists ? 0x01 : 0));
        list[19] = (byte)(request.Target[^1] - '0');
        BinaryPrimitives.WriteInt32BigEndian(list.AsSpan(20), id.Length);
        id.CopyTo(list, 24);
        return list;
    }

    private static byte ActionOfRegistrant(World world) => world.Dice(16) switch
    {
        < 10 when world.Mix == CommandMix.Preempts => PersistentActions.PreemptAndAbort,
        < 2 => PersistentActions.Register,
        < 6 => PersistentActions.Reserve,
        < 9 => PersistentActions.Release,
        9 => PersistentActions.Clear,
        < 12 => PersistentActions.Preempt,
        < 15 => PersistentActions.PreemptAndAbort,
        _ => PersistentActions.RegisterAndMove,
    };

    private static ulong ActionKey(World world, PersistentState state, byte action)
    {
        if (action is not (PersistentActions.Preempt or PersistentActions.PreemptAndAbort))
            return (ulong)world.Dice(Keys);
        if (state.IsAllRegistrants && world.Dice(3) == 0)
            return 0;
        int chosen = world.Dice(state.Keys.Count + 1);
        foreach (ulong key in state.Keys.Values)
        {
            if (chosen-- == 0)
                return key;
        }
        return (ulong)world.Dice(Keys);
    }

    private static string AnyNexus(World world, NexusModel nexus)
    {
        List<NexusModel> all = nexus.Unit.Nexuses;
        return all[world.Dice(all.Count)].Name;
    }

    /// <summary>Without the target port at its end.</summary>
    private static byte[] TransportIdOf(string nexus)
    {
        TransportId id = TransportId.OfPortName(nexus[..nexus.LastIndexOf('|')])!;
        byte[] bytes = new byte[id.LengthBytes];
        id.Write(bytes);
        return bytes;
    }
}
