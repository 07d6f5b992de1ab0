using System.Text.Json.Serialization;

namespace Scstd.Control;

/// <summary>One line to the daemon: the key "command" says which.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "command")]
[JsonDerivedType(typeof(StatusRequest), "status")]
[JsonDerivedType(typeof(SessionsRequest), "sessions")]
[JsonDerivedType(typeof(UnitsRequest), "units")]
[JsonDerivedType(typeof(ReservationsRequest), "reservations")]
[JsonDerivedType(typeof(CommandsRequest), "commands")]
[JsonDerivedType(typeof(HistogramsRequest), "histograms")]
[JsonDerivedType(typeof(HistoryRequest), "history")]
[JsonDerivedType(typeof(KickRequest), "kick")]
[JsonDerivedType(typeof(MoveRequest), "move")]
[JsonDerivedType(typeof(LibraryRequest), "library")]
[JsonDerivedType(typeof(MoveCartridgeRequest), "moveCartridge")]
[JsonDerivedType(typeof(ImportCartridgeRequest), "importCartridge")]
[JsonDerivedType(typeof(ExportCartridgeRequest), "exportCartridge")]
[JsonDerivedType(typeof(CreateCartridgeRequest), "createCartridge")]
[JsonDerivedType(typeof(ReplaceRequest), "replace")]
[JsonDerivedType(typeof(FreezeRequest), "freeze")]
[JsonDerivedType(typeof(ThawRequest), "thaw")]
[JsonDerivedType(typeof(ResizeRequest), "resize")]
[JsonDerivedType(typeof(PortGroupsRequest), "portGroups")]
[JsonDerivedType(typeof(SetPortGroupRequest), "setPortGroup")]
[JsonDerivedType(typeof(FaultsRequest), "faults")]
[JsonDerivedType(typeof(AddFaultRequest), "addFault")]
[JsonDerivedType(typeof(ClearFaultsRequest), "clearFaults")]
[JsonDerivedType(typeof(CheckRequest), "check")]
[JsonDerivedType(typeof(ReloadRequest), "reload")]
public abstract record ControlRequest;

/// <summary>How the daemon is.</summary>
public sealed record StatusRequest : ControlRequest;

/// <summary>Who is logged in; of one target or initiator, if named.</summary>
public sealed record SessionsRequest(string? Target = null, string? Initiator = null) : ControlRequest;

/// <summary>What is served; one unit, if named.</summary>
public sealed record UnitsRequest(string? Unit = null) : ControlRequest;

/// <summary>Who has which unit reserved; of one unit, if named.</summary>
public sealed record ReservationsRequest(string? Unit = null) : ControlRequest;

/// <summary>What is wrong with the daemon's configuration file as it is now.</summary>
public sealed record CheckRequest : ControlRequest;

/// <summary>Put the configuration file as it is now in force.</summary>
/// <param name="PatienceSeconds">How long a unit's store may be waited for; then nothing is changed.</param>
/// <param name="Force">Units that have sessions or registrations may become smaller.</param>
public sealed record ReloadRequest(int PatienceSeconds = 10, bool Force = false) : ControlRequest;

/// <summary>Where every command is; of one unit, if named.</summary>
public sealed record CommandsRequest(string? Unit = null) : ControlRequest;

/// <summary>How long commands stayed in each state: at units, or of sessions.</summary>
/// <param name="Unit">At one unit.</param>
/// <param name="Session">Of a session by its number, or of all of an initiator by its name, at all units.</param>
public sealed record HistogramsRequest(string? Unit = null, string? Session = null) : ControlRequest;

/// <summary>The last moves of the state machines: of units, or of sessions.</summary>
/// <param name="Unit">Of one unit.</param>
/// <param name="Session">Of a session by its number, or of all of an initiator by its name, and of no unit.</param>
/// <param name="Ended">Of the last sessions that have ended, and of no unit.</param>
public sealed record HistoryRequest(string? Unit = null, string? Session = null, bool? Ended = null) : ControlRequest;

/// <summary>End a session, or all of an initiator.</summary>
/// <param name="Session">Its number, or the initiator's name.</param>
/// <param name="PatienceSeconds">How long the initiator may take to log out by itself.</param>
public sealed record KickRequest(string Session, int PatienceSeconds = 0) : ControlRequest;

/// <summary>Send a session to another reactor.</summary>
/// <param name="Session">Its number.</param>
/// <param name="Reactor">Which, from 0 on.</param>
public sealed record MoveRequest(int Session, int Reactor) : ControlRequest;

/// <summary>What lies where in tape libraries; in one, if named.</summary>
public sealed record LibraryRequest(string? Library = null) : ControlRequest;

/// <summary>Have the robot of a library move a cartridge.</summary>
/// <param name="Library">Which.</param>
/// <param name="From">A barcode, or a place: slot1, mail1, drive1 …</param>
/// <param name="To">A place; null: from a drive back to where it came from.</param>
public sealed record MoveCartridgeRequest(string Library, string From, string? To = null) : ControlRequest;

/// <summary>Bring a cartridge into a library.</summary>
/// <param name="Library">Which.</param>
/// <param name="File">Its name in the directory of the library's cartridges.</param>
/// <param name="To">A place; null: the first import/export slot that is free, or else the first slot.</param>
public sealed record ImportCartridgeRequest(string Library, string File, string? To = null) : ControlRequest;

/// <summary>Take a cartridge out of a library; its file stays.</summary>
/// <param name="Library">Which.</param>
/// <param name="From">A barcode, or a place.</param>
public sealed record ExportCartridgeRequest(string Library, string From) : ControlRequest;

/// <summary>Make a cartridge, label it and bring it into a library.</summary>
/// <param name="Library">Which.</param>
/// <param name="Barcode">Its label.</param>
/// <param name="Generation">lto-5 and so on; null: that of the first drive.</param>
/// <param name="Capacity">As the configuration writes sizes; null: what the generation has.</param>
/// <param name="IsWorm">It can be written once.</param>
/// <param name="IsCleaning">It cleans drives, and holds nothing.</param>
/// <param name="To">As for one that is imported.</param>
public sealed record CreateCartridgeRequest(
    string Library, string Barcode, string? Generation = null, string? Capacity = null, bool IsWorm = false,
    bool IsCleaning = false, string? To = null) : ControlRequest;

/// <summary>Let a LUN lead to another unit.</summary>
/// <param name="Target">Whose LUN it is.</param>
/// <param name="Lun">Its number.</param>
/// <param name="Unit">A device of the configuration.</param>
/// <param name="Group">Of which group; null: of those who belong to none.</param>
/// <param name="PatienceSeconds">How long other changes may be waited for; then nothing is changed.</param>
/// <param name="Save">Whoever asks will write it into the file: where that cannot be done, nothing is changed.</param>
public sealed record ReplaceRequest(
    string Target, int Lun, string Unit, string? Group = null, int PatienceSeconds = 10, bool Save = false)
    : ControlRequest;

/// <summary>Let a unit stand still: what its store has is waited for, what comes is held.</summary>
/// <param name="Unit">A device of the configuration.</param>
/// <param name="PatienceSeconds">How long the answer may wait for the store; the unit freezes all the same.</param>
public sealed record FreezeRequest(string Unit, int PatienceSeconds = 10) : ControlRequest;

/// <summary>Let a unit that was frozen so go on.</summary>
public sealed record ThawRequest(string Unit) : ControlRequest;

/// <summary>Give a unit another size.</summary>
/// <param name="Unit">A device of the configuration.</param>
/// <param name="Size">As the configuration writes sizes, such as 10GiB.</param>
/// <param name="PatienceSeconds">How long the store may be waited for; then nothing is changed.</param>
/// <param name="Force">It may become smaller although it has sessions or registrations.</param>
/// <param name="Save">Whoever asks will write it into the file: where that cannot be done, nothing is changed.</param>
public sealed record ResizeRequest(
    string Unit, string Size, int PatienceSeconds = 10, bool Force = false, bool Save = false) : ControlRequest;

/// <summary>In which state which paths are.</summary>
public sealed record PortGroupsRequest : ControlRequest;

/// <summary>Put a target port group into another state.</summary>
/// <param name="Name">A port group of the configuration.</param>
/// <param name="State">active-optimized, active-non-optimized, standby, unavailable, offline or transitioning.</param>
/// <param name="PatienceSeconds">How long stores may be waited for; then nothing is changed.</param>
/// <param name="Save">Whoever asks will write it into the file: where that cannot be done, nothing is changed.</param>
public sealed record SetPortGroupRequest(string Name, string State, int PatienceSeconds = 10, bool Save = false)
    : ControlRequest;

/// <summary>Which faults are injected; of one unit, if named.</summary>
public sealed record FaultsRequest(string? Unit = null) : ControlRequest;

/// <summary>Inject a fault, to see what hosts make of it.</summary>
/// <param name="Unit">Into which unit; "*": into each that is served now.</param>
/// <param name="Effect">DropCommand, DelayCommand, AnswerCommand, SlowStore, DropFunction or DelayFunction.</param>
/// <param name="Initiator">Only for initiators whose names match; '*' stands for anything, '?' for one
/// character.</param>
/// <param name="Target">Only through this target.</param>
/// <param name="Group">Only for this group of the target.</param>
/// <param name="DataOnly">Only commands that move data to or from the medium.</param>
/// <param name="DelayMs">For the effects that take time.</param>
/// <param name="Parallel">For a slow store: commands that it works on at a time, on each reactor; 0: any
/// number.</param>
/// <param name="Status">For an answer: Busy, TaskSetFull, ReservationConflict or CheckCondition.</param>
/// <param name="Sense">For a CheckCondition: sense key, additional code and qualifier, as in 3/11/00
/// (hexadecimal).</param>
/// <param name="Count">It is spent after so many; null: never.</param>
/// <param name="Probability">Of what it could meet it meets this part.</param>
/// <param name="Lun">Only commands that came by this LUN.</param>
/// <param name="Direction">Only commands that transfer data in (to the initiator) or out.</param>
/// <param name="FirstLba">Only commands that name a block from this one on.</param>
/// <param name="LastLba">Only commands that name a block up to this one.</param>
public sealed record AddFaultRequest(
    string Unit, string Effect, string? Initiator = null, string? Target = null, string? Group = null,
    bool DataOnly = false, int DelayMs = 0, int Parallel = 0, string? Status = null, string? Sense = null,
    int? Count = null, double Probability = 1, int? Lun = null, string? Direction = null, ulong? FirstLba = null,
    ulong? LastLba = null) : ControlRequest;

/// <summary>Take injected faults away: one, those of a unit, or all.</summary>
public sealed record ClearFaultsRequest(string? Unit = null, int? Id = null) : ControlRequest;
