using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>REGISTER, REGISTER AND IGNORE EXISTING KEY, REGISTER AND MOVE.</summary>
internal static partial class PersistentReserveOutActions
{
    private const int FlagsOffset = 20;
    private const int ServiceActionOffset = 1;
    private const int ServiceActionBit = 4;

    /// <summary>
    /// SPC-4 §5.13.7, tables of the register behaviours. What the nexus itself may do its own row says. Its other
    /// ports (ALL_TG_PT) follow: one that has a key which is neither the old nor the new one is a conflict. So is a
    /// nexus of the list (SPEC_I_PT) that is registered with another key. All of them are registered or none.
    /// </summary>
    private static PersistentReserveOutOutcome Register(PersistentReserveOutRequest request)
    {
        PersistentReserveOutParameters parameters = request.Parameters;
        bool ignoresKey = request.Action == PersistentReserveOutAction.RegisterAndIgnoreExistingKey;
        Registration? own = request.State.Find(request.Requester);
        if (!ignoresKey && parameters.Key != (own?.Key ?? 0))
            return Conflict(request);
        if (parameters.Fault is { } fault)
            return Refuse(request, fault);
        if (own is not null && parameters.SpecifiesInitiatorPorts)
            return Refuse(request, SenseData.InvalidFieldInParameterList(FlagsOffset, 3));
        if (parameters.Persists && !request.CanPersist)
            return Refuse(request, SenseData.InvalidFieldInParameterList(parameters.PersistsOffset, 0));
        if (NexusesOf(request) is not { } nexuses)
            return Refuse(request, SenseData.IllegalRequest(AdditionalSense.InsufficientRegistrationResources));
        if (!ignoresKey && nexuses.Skip(1).Any(name => IsInTheWay(request, name)))
            return Conflict(request);
        return parameters.ServiceActionKey == 0 ? Unregister(request, nexuses) : SetKeys(request, nexuses);
    }

    /// <summary>The requester first, and each once. Null: they are more than may ever be registered.</summary>
    private static List<RegistrantName>? NexusesOf(PersistentReserveOutRequest request)
    {
        PersistentReserveOutParameters parameters = request.Parameters;
        RegistrantName requester = request.Requester;
        var initiators = new List<TransportId> { requester.Initiator };
        initiators.AddRange(parameters.TransportIds);
        var seen = new HashSet<RegistrantName>();
        var all = new List<RegistrantName>();
        foreach (TransportId initiator in initiators)
        {
            Add(requester with { Initiator = initiator });
            foreach (ushort port in parameters.IsForAllTargetPorts ? request.TargetPorts : [])
                Add(requester with { Initiator = initiator, TargetPort = port });
            if (all.Count > request.MaxRegistrations)
                return null;
        }
        return all;

        void Add(RegistrantName name)
        {
            if (seen.Add(name))
                all.Add(name);
        }
    }

    private static bool IsInTheWay(PersistentReserveOutRequest request, in RegistrantName name)
    {
        if (request.State.Find(name) is not { } there || there.Key == request.Parameters.ServiceActionKey)
            return false;
        bool isOwnPort = name.Initiator.Equals(request.Requester.Initiator);
        return !isOwnPort || there.Key != request.Parameters.Key;
    }

    private static PersistentReserveOutOutcome SetKeys(
        PersistentReserveOutRequest request, List<RegistrantName> nexuses)
    {
        PersistentReservation state = request.State;
        int added = nexuses.Count(name => state.Find(name) is null);
        if (added > 0 && state.Count + added > request.MaxRegistrations)
            return Refuse(request, SenseData.IllegalRequest(AdditionalSense.InsufficientRegistrationResources));
        PersistentReserveOutParameters parameters = request.Parameters;
        return new PersistentReserveOutOutcome(Generated(state.With(
            nexuses.Select(name => (name, parameters.ServiceActionKey, parameters.IsForAllTargetPorts)), [])) with
        {
            PersistsThroughPowerLoss = parameters.Persists,
        });
    }

    /// <summary>SPC-4 §5.13.11.2.3: with the holder's registration goes its reservation; one of all registrants goes
    /// with the last. Who is not registered does nothing by it.</summary>
    private static PersistentReserveOutOutcome Unregister(
        PersistentReserveOutRequest request, List<RegistrantName> nexuses)
    {
        PersistentReservation state = request.State;
        List<RegistrantName> going = [.. nexuses.Where(name => state.Find(name) is not null)];
        if (going.Count == 0)
            return new PersistentReserveOutOutcome(state);
        PersistentReservation after = Generated(state.With([], going));
        after = after with { PersistsThroughPowerLoss = request.Parameters.Persists && after.Count > 0 };
        if (state.Type is not { } type)
            return new PersistentReserveOutOutcome(after);
        bool ends = type.IsAllRegistrants() ? after.Count == 0 : going.Contains(state.Holder!.Value);
        if (!ends)
            return new PersistentReserveOutOutcome(after);
        return new PersistentReserveOutOutcome(Released(after))
        {
            RemainingCondition = type.IsRegistrantsOnly() ? AdditionalSense.ReservationsReleased : null,
        };
    }

    /// <summary>SPC-4 §5.13.8: the reservation goes to another nexus, which is registered with it. Where there is no
    /// reservation the service action is the invalid field; and it moves to another initiator port, not to another
    /// target port of the same.</summary>
    private static PersistentReserveOutOutcome Move(PersistentReserveOutRequest request)
    {
        PersistentReservation state = request.State;
        PersistentReserveOutParameters parameters = request.Parameters;
        if (state.Type is not { } type)
            return Refuse(request, SenseData.InvalidFieldInCdb(ServiceActionOffset, ServiceActionBit));
        if (type.IsAllRegistrants() || !state.IsHolder(request.Requester))
            return Conflict(request);
        if (parameters.ServiceActionKey == 0)
            return Refuse(request, SenseData.InvalidFieldInParameterList(8));
        if (parameters.Fault is { } fault)
            return Refuse(request, fault);
        if (parameters.Persists && !request.CanPersist)
            return Refuse(request, SenseData.InvalidFieldInParameterList(parameters.PersistsOffset, 0));
        ushort port = parameters.MovesToTargetPort;
        if (port != request.Requester.TargetPort && !request.TargetPorts.Contains(port))
            return Refuse(request, SenseData.InvalidFieldInParameterList(18));
        RegistrantName target = request.Requester with { Initiator = parameters.TransportIds[0], TargetPort = port };
        if (target.Initiator.Equals(request.Requester.Initiator))
            return Refuse(request, SenseData.InvalidFieldInParameterList(PersistentReserveOutParameters.LengthBytes));
        int added = state.Find(target) is null ? 1 : 0;
        int left = parameters.Unregisters ? 1 : 0;
        if (state.Count + added - left > request.MaxRegistrations)
            return Refuse(request, SenseData.IllegalRequest(AdditionalSense.InsufficientRegistrationResources));
        PersistentReservation after = state.With(
            [(target, parameters.ServiceActionKey, false)], parameters.Unregisters ? [request.Requester] : []);
        return new PersistentReserveOutOutcome(Generated(after) with
        {
            Holder = target,
            PersistsThroughPowerLoss = parameters.Persists,
        });
    }
}
