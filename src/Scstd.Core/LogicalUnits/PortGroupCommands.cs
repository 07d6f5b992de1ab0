using System.Buffers.Binary;
using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>
/// REPORT TARGET PORT GROUPS and SET TARGET PORT GROUPS, SPC-4 §6.37 and §6.45. An initiator sees the ports of the
/// target device that it came in at: another target device has relative port identifiers of its own.
/// </summary>
internal static class PortGroupCommands
{
    private const int LengthHeaderBytes = 4;
    private const int ExtendedHeaderBytes = 8;
    private const int DescriptorBytes = 8;
    private const int PortBytes = 4;
    private const int SetDescriptorBytes = 4;

    /// <summary>T_SUP, O_SUP, U_SUP, S_SUP, AN_SUP, AO_SUP.</summary>
    private const byte SupportedStates = 0xCF;

    public static CommandBinding Report { get; } = new(Spc.ReportTargetPortGroups, ReportGroups, JudgeReport);

    public static CommandBinding Set { get; } = new(Spc.SetTargetPortGroups, SetGroups, JudgeSet);

    /// <summary>PARAMETER DATA FORMAT: 000b and 001b.</summary>
    private static SenseData? JudgeReport(ScsiCommand command) => command.Unit.PortGroups is null
        ? SenseData.InvalidFieldInCdb(1, 4)
        : command.Cdb[1] >> 5 > 1 ? SenseData.InvalidFieldInCdb(1, 7) : null;

    /// <summary>It may have been taken away while the command waited.</summary>
    private static SenseData? JudgeSet(ScsiCommand command) =>
        command.Unit.PortGroups is { AllowsExplicit: true } ? null : SenseData.InvalidFieldInCdb(1, 4);

    private static void ReportGroups(ScsiCommand command)
    {
        PortGroups groups = command.Unit.PortGroups!;
        bool isExtended = command.Cdb[1] >> 5 == 1;
        (TargetPortGroup Group, ushort[] Ports)[] all = [.. GroupsOf(command, groups)];
        int header = isExtended ? ExtendedHeaderBytes : LengthHeaderBytes;
        var to = new ParameterDataWriter(
            new byte[header + all.Sum(one => DescriptorBytes + (PortBytes * one.Ports.Length))]);
        to.Four(0);
        if (isExtended)
        {
            // IMPLICIT TRANSITION TIME 0: how long an administrator takes is not known.
            to.Byte(0x10);
            to.Zeros(3);
        }
        foreach ((TargetPortGroup group, ushort[] ports) in all)
            Write(ref to, group, ports);
        to.CloseFour(0);
        command.CompleteWithData(to.Written);
    }

    private static void Write(ref ParameterDataWriter to, TargetPortGroup group, ushort[] ports)
    {
        to.Byte((group.IsPreferred ? 0x80 : 0) | (int)group.State);
        to.Byte(SupportedStates);
        to.Two(group.Id);
        to.Byte(0);
        to.Byte((int)group.Cause);
        to.Byte(0);
        to.Byte(ports.Length);
        foreach (ushort port in ports)
        {
            to.Two(0);
            to.Two(port);
        }
    }

    /// <summary>With the relative identifiers of their ports, of which TARGET PORT COUNT can tell 255.</summary>
    private static IEnumerable<(TargetPortGroup Group, ushort[] Ports)> GroupsOf(ScsiCommand command, PortGroups groups)
    {
        TargetPortIdentity own = command.Nexus.Target;
        return command.Unit.PortsOf(own.DeviceName).Append(own.RelativePortId).Distinct().Order()
            .GroupBy(port => groups.Of(new TargetPortName(own.DeviceName, port)))
            .OrderBy(group => group.Key.Id)
            .Select(group => (group.Key, group.Take(byte.MaxValue).ToArray()));
    }

    /// <summary>Runs alone on the unit. The whole list is judged before any of it is done.</summary>
    private static void SetGroups(ScsiCommand command)
    {
        // §6.45: an empty list is no error and changes nothing.
        if (command.RequestedBytes == 0)
        {
            command.Complete();
            return;
        }
        var states = new Dictionary<ushort, AsymmetricAccessState>();
        if (Judge(command, command.Data.ToArray((int)command.RequestedBytes), states) is { } refused)
        {
            command.CheckCondition(refused);
            return;
        }
        LogicalUnit unit = command.Unit;
        unit.Take(unit.PortGroups!.With(states, AsymmetricAccessCause.Explicit), except: command.Nexus);
        unit.PortGroupStatesSet?.Invoke(states);
        command.Complete();
    }

    /// <summary>Offline and transitioning are not an initiator's to set (§6.45, table 333).</summary>
    private static SenseData? Judge(
        ScsiCommand command, ReadOnlySpan<byte> list, Dictionary<ushort, AsymmetricAccessState> states)
    {
        if (list.Length < LengthHeaderBytes || (list.Length - LengthHeaderBytes) % SetDescriptorBytes != 0)
            return SenseData.IllegalRequest(AdditionalSense.ParameterListLengthError);
        HashSet<ushort> allowed = [.. GroupsOf(command, command.Unit.PortGroups!)
            .Where(one => one.Group.IsExplicit).Select(one => one.Group.Id)];
        for (int at = LengthHeaderBytes; at < list.Length; at += SetDescriptorBytes)
        {
            var state = (AsymmetricAccessState)(list[at] & 0x0F);
            if (state > AsymmetricAccessState.Unavailable)
                return SenseData.InvalidFieldInParameterList(at, 3);
            ushort id = BinaryPrimitives.ReadUInt16BigEndian(list[(at + 2)..]);
            if (!allowed.Contains(id) || !states.TryAdd(id, state))
                return SenseData.InvalidFieldInParameterList(at + 2);
        }
        return null;
    }
}
