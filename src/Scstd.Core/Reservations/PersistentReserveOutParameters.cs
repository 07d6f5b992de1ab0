using System.Buffers.Binary;
using Scstd.Scsi;

namespace Scstd.Core;

/*  SPC-4 §6.16.3                                   REGISTER AND MOVE, SPC-4 §6.16.4
    0-7    RESERVATION KEY                          0-7    RESERVATION KEY
    8-15   SERVICE ACTION RESERVATION KEY           8-15   SERVICE ACTION RESERVATION KEY
    16-19  obsolete                                 16     reserved
    20     SPEC_I_PT 3 | ALL_TG_PT 2 | APTPL 0      17     UNREG 1 | APTPL 0
    21     reserved                                 18-19  RELATIVE TARGET PORT IDENTIFIER
    22-23  obsolete                                 20-23  TRANSPORTID LENGTH
    24-27  TRANSPORTID PARAMETER DATA LENGTH,       24-…   TransportID
           with SPEC_I_PT alone
    28-…   TransportIDs                                                                    */

/// <summary>The parameter list of PERSISTENT RESERVE OUT.</summary>
internal sealed record PersistentReserveOutParameters
{
    public const int LengthBytes = 24;

    private const int FlagsOffset = 20;
    private const int ListOffset = 28;
    private const int MoveFlagsOffset = 17;
    private const byte SpecifyInitiatorPortsBit = 0x08;
    private const byte AllTargetPortsBit = 0x04;
    private const byte UnregisterBit = 0x02;
    private const byte PersistBit = 0x01;

    public ulong Key { get; init; }

    public ulong ServiceActionKey { get; init; }

    public bool Persists { get; init; }

    /// <summary>Where APTPL stands.</summary>
    public int PersistsOffset { get; init; } = FlagsOffset;

    public bool IsForAllTargetPorts { get; init; }

    public bool SpecifiesInitiatorPorts { get; init; }

    /// <summary>With SPEC_I_PT, or the one of REGISTER AND MOVE.</summary>
    public IReadOnlyList<TransportId> TransportIds { get; init; } = [];

    public ushort MovesToTargetPort { get; init; }

    public bool Unregisters { get; init; }

    /// <summary>A field is wrong. Told after the keys were judged: a RESERVATION CONFLICT goes first (SAM-5 §5.3.3).
    /// </summary>
    public SenseData? Fault { get; init; }

    /// <summary>False if the length is wrong: then nothing in the list means anything.</summary>
    /// <param name="action">Which decides the form of the list.</param>
    /// <param name="list">All of it.</param>
    /// <param name="protocol">PROTOCOL IDENTIFIER of the port that it came by: no initiator port of another one can
    /// ever log in there.</param>
    /// <param name="mostTransportIds">More of them are not read: there is no room for so many registrations.</param>
    /// <param name="parameters">What it says.</param>
    public static bool TryRead(
        PersistentReserveOutAction action,
        ReadOnlySpan<byte> list,
        byte protocol,
        int mostTransportIds,
        out PersistentReserveOutParameters parameters)
    {
        parameters = new PersistentReserveOutParameters();
        if (list.Length < LengthBytes)
            return false;
        parameters = parameters with
        {
            Key = BinaryPrimitives.ReadUInt64BigEndian(list),
            ServiceActionKey = BinaryPrimitives.ReadUInt64BigEndian(list[8..]),
        };
        return action == PersistentReserveOutAction.RegisterAndMove
            ? TryReadMove(list, protocol, ref parameters)
            : TryReadOthers(action, list, protocol, mostTransportIds, ref parameters);
    }

    private static bool TryReadMove(
        ReadOnlySpan<byte> list, byte protocol, ref PersistentReserveOutParameters parameters)
    {
        uint length = BinaryPrimitives.ReadUInt32BigEndian(list[20..]);
        if (length != list.Length - LengthBytes || length < TransportId.MinLengthBytes)
            return false;
        byte flags = list[MoveFlagsOffset];
        SenseData? fault = list[16] != 0 ? SenseData.InvalidFieldInParameterList(16)
            : (flags & ~(UnregisterBit | PersistBit)) != 0 ? Reserved(MoveFlagsOffset, flags & 0xFC)
            : null;
        TransportId? id = null;
        if (!TransportId.TryRead(list[LengthBytes..], out id, out int wrong))
            fault ??= SenseData.InvalidFieldInParameterList(LengthBytes + wrong);
        else if (!id!.IsPort || id.ProtocolIdentifier != protocol)
            fault ??= SenseData.InvalidFieldInParameterList(LengthBytes);
        else if (id.ReadLengthBytes(list[LengthBytes..]) != length)
            fault ??= SenseData.InvalidFieldInParameterList(20);
        parameters = parameters with
        {
            Persists = (flags & PersistBit) != 0,
            PersistsOffset = MoveFlagsOffset,
            Unregisters = (flags & UnregisterBit) != 0,
            MovesToTargetPort = BinaryPrimitives.ReadUInt16BigEndian(list[18..]),
            TransportIds = id is null ? [] : [id],
            Fault = fault,
        };
        return true;
    }

    private static bool TryReadOthers(
        PersistentReserveOutAction action,
        ReadOnlySpan<byte> list,
        byte protocol,
        int mostTransportIds,
        ref PersistentReserveOutParameters parameters)
    {
        byte flags = list[FlagsOffset];
        bool registers = action is PersistentReserveOutAction.Register or
            PersistentReserveOutAction.RegisterAndIgnoreExistingKey;
        bool specifies = (flags & SpecifyInitiatorPortsBit) != 0;
        parameters = parameters with
        {
            // Without a meaning for the others (§6.16.3).
            Persists = registers && (flags & PersistBit) != 0,
            IsForAllTargetPorts = registers && (flags & AllTargetPortsBit) != 0,
            SpecifiesInitiatorPorts = specifies,
        };
        const byte Known = SpecifyInitiatorPortsBit | AllTargetPortsBit | PersistBit;
        if ((flags & ~Known) != 0)
            parameters = parameters with { Fault = Reserved(FlagsOffset, flags & ~Known) };
        else if (list[21] != 0)
            parameters = parameters with { Fault = SenseData.InvalidFieldInParameterList(21) };
        else if (specifies && action != PersistentReserveOutAction.Register)
            parameters = parameters with { Fault = SenseData.InvalidFieldInParameterList(FlagsOffset, 3) };
        if (!specifies)
            return list.Length == LengthBytes;
        if (list.Length < ListOffset ||
            BinaryPrimitives.ReadUInt32BigEndian(list[LengthBytes..]) != list.Length - ListOffset)
            return false;
        parameters = parameters with { TransportIds = ReadAll(list, protocol, mostTransportIds, out SenseData? fault) };
        if (fault is not null && parameters.Fault is null)
            parameters = parameters with { Fault = fault };
        return true;
    }

    /// <summary>Every one must name a port: §7.6.4.6 lets format 00b, an initiator device with all its ports, be
    /// refused, and which ports would be meant is nothing that the device server can know.</summary>
    private static List<TransportId> ReadAll(
        ReadOnlySpan<byte> list, byte protocol, int most, out SenseData? fault)
    {
        var ids = new List<TransportId>();
        fault = null;
        for (int at = ListOffset; at < list.Length;)
        {
            if (ids.Count == most)
            {
                fault = SenseData.IllegalRequest(AdditionalSense.InsufficientRegistrationResources);
                return ids;
            }
            if (!TransportId.TryRead(list[at..], out TransportId? id, out int wrong) || !id!.IsPort ||
                id.ProtocolIdentifier != protocol)
            {
                fault = SenseData.InvalidFieldInParameterList(at + (id is null ? wrong : 0));
                return ids;
            }
            ids.Add(id);
            at += id.ReadLengthBytes(list[at..]);
        }
        return ids;
    }

    private static SenseData Reserved(int offset, int bits) =>
        SenseData.InvalidFieldInParameterList(offset, System.Numerics.BitOperations.Log2((uint)bits));
}
