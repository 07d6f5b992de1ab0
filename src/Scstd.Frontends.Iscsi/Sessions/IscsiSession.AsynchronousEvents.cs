using System.Buffers.Binary;
using Scstd.Core;
using Scstd.Frontends.Iscsi.Connections;
using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Linux;
using Scstd.Scsi;

namespace Scstd.Frontends.Iscsi.Sessions;

/// <summary>
/// SCSI asynchronous events (§11.9.1, event 0): an initiator hears at once that it should look again, instead of with
/// its next command. The unit attention condition stays pending all the same, so an event that is lost, or left out,
/// loses nothing. Of each kind there is at most one in a second for each LUN, and the last change is always told.
/// </summary>
internal sealed partial class IscsiSession
{
    private readonly Dictionary<(AdditionalSense Condition, ItlNexus? Itl), long> _eventsSentMs = [];
    private readonly List<(AdditionalSense Condition, ItlNexus Itl)> _eventsDue = [];
    private ReactorTimer? _eventTimer;

    public void AsynchronousEventOccurred(ItlNexus itl, AdditionalSense condition)
    {
        if (!IsOpen || _access is not { Target.Options.AsynchronousEvents: true })
            return;
        foreach ((AdditionalSense due, ItlNexus where) in _eventsDue)
        {
            if (KindOf(due, where) == KindOf(condition, itl))
                return;
        }
        // Whoever has so many to hear of learns the rest by the unit attention conditions.
        if (_eventsDue.Count < IscsiLimits.AsynchronousEventsDueMax)
            _eventsDue.Add((condition, itl));
        SendDueEvents();
    }

    private void SendDueEvents()
    {
        if (!IsOpen || _isMoving)
            return;
        long now = _home.Reactor.NowMs;
        long next = long.MaxValue;
        foreach (((AdditionalSense, ItlNexus?) kind, long sentMs) in _eventsSentMs.ToArray())
        {
            if (sentMs + IscsiLimits.AsynchronousEventPeriodMs <= now)
                _eventsSentMs.Remove(kind);
        }
        for (int i = 0; i < _eventsDue.Count;)
        {
            (AdditionalSense condition, ItlNexus itl) = _eventsDue[i];
            if (_eventsSentMs.TryGetValue(KindOf(condition, itl), out long lastMs))
            {
                next = Math.Min(next, lastMs + IscsiLimits.AsynchronousEventPeriodMs);
                i++;
                continue;
            }
            _eventsSentMs.Add(KindOf(condition, itl), now);
            _eventsDue.RemoveAt(i);
            SendEvent(condition, itl);
        }
        if (next == long.MaxValue)
            return;
        _eventTimer ??= _home.Reactor.CreateTimer(SendDueEvents);
        _eventTimer.Arm(next - now);
    }

    /// <summary>That the map has changed is told of the target as a whole.</summary>
    private static (AdditionalSense Condition, ItlNexus? Itl) KindOf(AdditionalSense condition, ItlNexus itl) =>
        (condition, condition == AdditionalSense.ReportedLunsDataHasChanged ? null : itl);

    private void SendEvent(AdditionalSense condition, ItlNexus itl)
    {
        // A LUN that was taken away meanwhile has nothing to tell; a peer that does not read is not sent more.
        if (_nexus is not { } nexus || !itl.Lun.TryGetNumber(out int number)
            || !ReferenceEquals(nexus.Find(itl.Lun), itl) || _sender.IsBehind)
            return;
        nint slot = _sender.TakeSlot(large: true);
        Span<byte> data = PduSender.InlineDataOf(slot);
        bool descriptors = ControlModePage.UsesDescriptorSense(itl.Unit.Control);
        int senseBytes = SenseWriter.Write(SenseData.UnitAttention(condition), descriptors, data[sizeof(ushort)..]);
        BinaryPrimitives.WriteUInt16BigEndian(data, (ushort)senseBytes);
        AsyncMessagePdu.WriteTo(
            PduSender.HeaderOf(slot), AsyncEvent.ScsiAsynchronousEvent,
            Lun.FromNumber(number, nexus.Map.Addressing).Value, dataSegmentLength: sizeof(ushort) + senseBytes);
        _sender.SendHeader(slot, large: true);
    }

    private void ForgetEvents()
    {
        _eventsDue.Clear();
        _eventsSentMs.Clear();
        _eventTimer?.Cancel();
    }
}
