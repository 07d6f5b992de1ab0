using System.Buffers.Binary;
using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>
/// PERSISTENT RESERVE IN, SPC-4 §6.15. ADDITIONAL LENGTH is always that of the whole answer, whatever part of it the
/// allocation length has room for.
/// </summary>
internal static class PersistentReserveIn
{
    private const int HeaderBytes = 8;
    private const int KeyBytes = 8;
    private const int FullStatusBytes = 24;

    public static IReadOnlyList<CommandBinding> Bindings { get; } =
    [
        new(Spc.PersistentReserveInReadKeys, command => Answer(command, ReadKeys)),
        new(Spc.PersistentReserveInReadReservation, command => Answer(command, ReadReservation)),
        new(Spc.PersistentReserveInReportCapabilities, command => Answer(command, ReportCapabilities)),
        new(Spc.PersistentReserveInReadFullStatus, command => Answer(command, ReadFullStatus)),
    ];

    /// <summary>SPC-2 §5.5.1: an SPC-2 reservation conflicts with it, whoever holds it.</summary>
    private static void Answer(ScsiCommand command, Func<ScsiCommand, PersistentReservation, byte[]> write)
    {
        Turnstile turnstile = command.ItlNexus!.Turnstile;
        if (turnstile.ReservationHolder is not null)
            command.Complete(ScsiStatus.ReservationConflict);
        else
            command.CompleteWithData(write(command, turnstile.PersistentReservation));
    }

    private static byte[] ReadKeys(ScsiCommand command, PersistentReservation state)
    {
        byte[] answer = new byte[HeaderBytes + Math.Min((long)state.Count * KeyBytes, command.RequestedBytes)];
        WriteHeader(answer, state, (uint)(state.Count * KeyBytes));
        Span<byte> to = answer.AsSpan(HeaderBytes);
        foreach (Registration registration in state.Registrations.Values)
        {
            if (to.Length < KeyBytes)
                break;
            BinaryPrimitives.WriteUInt64BigEndian(to, registration.Key);
            to = to[KeyBytes..];
        }
        return answer;
    }

    /// <summary>§6.15.3. The key of a reservation that all registrants hold is zero.</summary>
    private static byte[] ReadReservation(ScsiCommand command, PersistentReservation state)
    {
        const int ReservationBytes = 16;
        byte[] answer = new byte[HeaderBytes + (state.Type is null ? 0 : ReservationBytes)];
        WriteHeader(answer, state, (uint)(answer.Length - HeaderBytes));
        if (state.Type is { } type)
        {
            BinaryPrimitives.WriteUInt64BigEndian(answer.AsSpan(HeaderBytes), state.HolderKey);
            answer[HeaderBytes + 13] = (byte)type;
        }
        return answer;
    }

    private static byte[] ReportCapabilities(ScsiCommand command, PersistentReservation state)
    {
        bool canPersist = command.Unit.StateStore is not null;
        return
        [
            0, HeaderBytes,
            // CRH, SIP_C, ATP_C; PTPL_C
            (byte)(0x1C | (canPersist ? 1 : 0)),
            // TMV; ALLOW COMMANDS 011b: TEST UNIT READY passes every reservation, MODE SENSE and its like pass Write
            // Exclusive; PTPL_A
            (byte)(0x80 | 0x30 | (state.PersistsThroughPowerLoss ? 1 : 0)),
            // All six types.
            0xEA, 0x01,
            0, 0,
        ];
    }

    private static byte[] ReadFullStatus(ScsiCommand command, PersistentReservation state)
    {
        var ports = new Dictionary<string, IReadOnlyCollection<ushort>>();
        var described = new List<(Registration Registration, bool IsForAll)>();
        long length = 0;
        long written = 0;
        foreach (Registration registration in state.Registrations.Values)
        {
            bool isForAll = IsTheSameAtAllPorts(command.Unit, ports, state, registration, out bool isFirst);
            if (isForAll && !isFirst)
                continue;
            // Of what is not asked for only the length is told.
            bool isAskedFor = HeaderBytes + length < command.RequestedBytes;
            length += FullStatusBytes + registration.Name.Initiator.LengthBytes;
            if (!isAskedFor)
                continue;
            described.Add((registration, isForAll));
            written = length;
        }
        byte[] answer = new byte[HeaderBytes + written];
        WriteHeader(answer, state, (uint)length);
        Span<byte> to = answer.AsSpan(HeaderBytes);
        foreach ((Registration registration, bool isForAll) in described)
        {
            WriteFullStatus(to, state, registration, isForAll);
            to = to[(FullStatusBytes + registration.Name.Initiator.LengthBytes)..];
        }
        return answer;
    }

    /// <summary>
    /// §6.15.5: one descriptor may stand for all target ports (ALL_TG_PT) if it is true of each: registered together,
    /// with the same key, and all of them holders or none. The first in order stands for the others.
    /// </summary>
    private static bool IsTheSameAtAllPorts(
        LogicalUnit unit,
        Dictionary<string, IReadOnlyCollection<ushort>> portsByTarget,
        PersistentReservation state,
        Registration registration,
        out bool isFirst)
    {
        isFirst = true;
        if (!registration.IsForAllTargetPorts)
            return false;
        string target = registration.Name.TargetName;
        if (!portsByTarget.TryGetValue(target, out IReadOnlyCollection<ushort>? ports))
            portsByTarget[target] = ports = unit.PortsOf(target);
        bool holds = state.IsHolder(registration.Name);
        foreach (ushort port in ports)
        {
            RegistrantName name = registration.Name with { TargetPort = port };
            if (state.Find(name) is not { IsForAllTargetPorts: true } other || other.Key != registration.Key ||
                state.IsHolder(name) != holds)
                return false;
            isFirst &= other.Number >= registration.Number;
        }
        return true;
    }

    private static void WriteFullStatus(
        Span<byte> to, PersistentReservation state, Registration registration, bool isForAll)
    {
        bool holds = state.IsHolder(registration.Name);
        BinaryPrimitives.WriteUInt64BigEndian(to, registration.Key);
        to[12] = (byte)((isForAll ? 2 : 0) | (holds ? 1 : 0));
        to[13] = holds ? (byte)state.Type!.Value : (byte)0;
        BinaryPrimitives.WriteUInt16BigEndian(to[18..], registration.Name.TargetPort);
        BinaryPrimitives.WriteUInt32BigEndian(to[20..], (uint)registration.Name.Initiator.LengthBytes);
        registration.Name.Initiator.Write(to[FullStatusBytes..]);
    }

    private static void WriteHeader(Span<byte> answer, PersistentReservation state, uint additionalLength)
    {
        BinaryPrimitives.WriteUInt32BigEndian(answer, state.Generation);
        BinaryPrimitives.WriteUInt32BigEndian(answer[4..], additionalLength);
    }
}
