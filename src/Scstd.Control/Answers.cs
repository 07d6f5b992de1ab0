using System.Text.Json.Serialization;

namespace Scstd.Control;

/// <summary>One line from the daemon: the key "answer" says which.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "answer")]
[JsonDerivedType(typeof(ErrorAnswer), "error")]
[JsonDerivedType(typeof(StatusAnswer), "status")]
[JsonDerivedType(typeof(SessionsAnswer), "sessions")]
[JsonDerivedType(typeof(UnitsAnswer), "units")]
[JsonDerivedType(typeof(ReservationsAnswer), "reservations")]
[JsonDerivedType(typeof(CommandsAnswer), "commands")]
[JsonDerivedType(typeof(HistogramsAnswer), "histograms")]
[JsonDerivedType(typeof(HistoryAnswer), "history")]
[JsonDerivedType(typeof(KickAnswer), "kick")]
[JsonDerivedType(typeof(MoveAnswer), "move")]
[JsonDerivedType(typeof(LibrariesAnswer), "libraries")]
[JsonDerivedType(typeof(CartridgeAnswer), "cartridge")]
[JsonDerivedType(typeof(ChangeAnswer), "change")]
[JsonDerivedType(typeof(FreezeAnswer), "freeze")]
[JsonDerivedType(typeof(PortGroupsAnswer), "portGroups")]
[JsonDerivedType(typeof(FaultsAnswer), "faults")]
[JsonDerivedType(typeof(CheckAnswer), "check")]
[JsonDerivedType(typeof(ReloadAnswer), "reload")]
[JsonDerivedType(typeof(TopAnswer), "top")]
public abstract record ControlAnswer
{
    /// <summary>Reactors that did not answer in time: what they would have told is missing.</summary>
    [JsonPropertyOrder(100)]
    public IReadOnlyList<int>? SilentReactors { get; init; }
}

/// <summary>Why a request was not done. Nothing was changed, unless the message says so.</summary>
/// <param name="Code">One of <see cref="ErrorCode"/>, for programs.</param>
/// <param name="Message">For people.</param>
public sealed record ErrorAnswer(string Code, string Message) : ControlAnswer;

public static class ErrorCode
{
    /// <summary>The line is no request.</summary>
    public const string Malformed = "malformed";

    /// <summary>What is named is not there.</summary>
    public const string NotFound = "not_found";

    /// <summary>It cannot be done as things are.</summary>
    public const string Refused = "refused";

    /// <summary>It was not done in time.</summary>
    public const string TimedOut = "timed_out";

    /// <summary>The peer is neither root nor in the group.</summary>
    public const string Forbidden = "forbidden";

    /// <summary>Told by scstctl itself: its command line makes no sense.</summary>
    public const string Misused = "misused";

    /// <summary>Told by scstctl itself: no daemon could be asked.</summary>
    public const string Unreachable = "unreachable";

    /// <summary>A fault of the daemon's own.</summary>
    public const string Internal = "internal";
}

// ---- Status ------------------------------------------------------------------------------------------------------

/// <param name="Version">Of the daemon.</param>
/// <param name="ProcessId">Of the daemon.</param>
/// <param name="UptimeSeconds">Since the process began.</param>
/// <param name="Configuration">The file that it serves; null for the demonstration.</param>
/// <param name="Targets">How many.</param>
/// <param name="Units">How many.</param>
/// <param name="Sessions">How many, discovery included.</param>
/// <param name="OpenFileDescriptors">Of the process.</param>
/// <param name="BufferBytes">Memory that data on its way has now, and may have.</param>
/// <param name="Portals">Where it listens.</param>
/// <param name="Reactors">One for each thread that works.</param>
/// <param name="TargetLimits">Of the targets that have a limit of commands.</param>
public sealed record StatusAnswer(
    string Version, int ProcessId, double UptimeSeconds, string? Configuration, int Targets, int Units, int Sessions,
    int OpenFileDescriptors, BufferBytesRecord BufferBytes, IReadOnlyList<PortalRecord> Portals,
    IReadOnlyList<ReactorRecord> Reactors, IReadOnlyList<TargetLimitRecord>? TargetLimits = null) : ControlAnswer;

/// <param name="AtMost">Commands at a time.</param>
/// <param name="InUse">Commands that are in.</param>
/// <param name="Refused">Answered TASK SET FULL or BUSY since the limit is what it is.</param>
public sealed record CommandLimitRecord(int AtMost, int InUse, ulong Refused);

/// <param name="Target">Whose limit it is.</param>
/// <param name="Limit">For all its sessions together.</param>
public sealed record TargetLimitRecord(string Target, CommandLimitRecord Limit);

public sealed record BufferBytesRecord(long Taken, long AtMost);

public sealed record PortalRecord(
    string Address, int Tag, int Connections, long Accepted, long TurnedAway, long LoginFailures);

public sealed record ReactorRecord(
    int Index, string Io, int Connections, ulong Commands, ulong DataInBytes, ulong DataOutBytes, ulong Passes,
    ulong Sleeps, ulong SystemCalls, long BufferBytesOut, ulong LoginFailures, ulong ProtocolFaults, ulong Rejects,
    ulong DigestErrors);

// ---- Sessions ----------------------------------------------------------------------------------------------------

public sealed record SessionsAnswer(IReadOnlyList<SessionRecord> Sessions) : ControlAnswer;

/// <param name="Id">The target session identifying handle, different for each session at one time.</param>
/// <param name="Target">Null for a discovery session.</param>
/// <param name="Initiator">Its name.</param>
/// <param name="InitiatorAlias">As it declared.</param>
/// <param name="Isid">Twelve hexadecimal digits.</param>
/// <param name="PortalGroupTag">Of the portal that it came in at.</param>
/// <param name="Peer">Where its connection comes from.</param>
/// <param name="Reactor">Where it lives.</param>
/// <param name="HeaderDigest">As agreed.</param>
/// <param name="DataDigest">As agreed.</param>
/// <param name="MaxBurstLength">As agreed.</param>
/// <param name="Commands">Since it was opened.</param>
/// <param name="DataInBytes">Since it was opened.</param>
/// <param name="DataOutBytes">Since it was opened.</param>
/// <param name="Rejects">Since it was opened.</param>
/// <param name="Now">As it is at this moment; null if its reactor did not answer in time.</param>
public sealed record SessionRecord(
    int Id, string? Target, string Initiator, string? InitiatorAlias, string Isid, int PortalGroupTag, string Peer,
    int Reactor, string HeaderDigest, string DataDigest, int MaxBurstLength, ulong Commands, ulong DataInBytes,
    ulong DataOutBytes, ulong Rejects, SessionMomentRecord? Now = null);

/// <param name="State">Admitting, Open, Ending or Ended.</param>
/// <param name="AgeSeconds">Since it was opened.</param>
/// <param name="Group">Which group of the target decides what it sees; null: none.</param>
/// <param name="CommandsInFlight">Received, and still needed.</param>
/// <param name="QueueDepth">Its command window.</param>
/// <param name="Luns">What it sees.</param>
/// <param name="EnabledCounts">How long its commands were with stores, all together; as the counts of a
/// <see cref="HistogramRecord"/>.</param>
public sealed record SessionMomentRecord(
    string State, double AgeSeconds, string? Group, int CommandsInFlight, int QueueDepth,
    IReadOnlyList<SessionLunRecord> Luns, IReadOnlyList<ulong>? EnabledCounts = null);

/// <param name="Lun">Its number.</param>
/// <param name="Unit">Where it leads.</param>
/// <param name="IsReadOnly">By the map.</param>
/// <param name="CommandsInFlight">In the unit's task set, from this session.</param>
/// <param name="UnitAttentions">Pending, the first to be told first.</param>
public sealed record SessionLunRecord(
    int Lun, string Unit, bool IsReadOnly, int CommandsInFlight, IReadOnlyList<string> UnitAttentions);

// ---- Units -------------------------------------------------------------------------------------------------------

public sealed record UnitsAnswer(IReadOnlyList<UnitRecord> Units) : ControlAnswer;

/// <param name="Name">The device's name in the configuration.</param>
/// <param name="Store">What and where it is.</param>
/// <param name="Blocks">Its capacity.</param>
/// <param name="BlockBytes">Its logical block.</param>
/// <param name="Serial">As INQUIRY tells it.</param>
/// <param name="Naa">The designator of the device identification page, in hexadecimal digits.</param>
/// <param name="State">"ready", "draining", "frozen", "removed, draining", or why commands that need the medium are not
/// done.</param>
/// <param name="IsWriteProtected">By the configuration, the store or the initiators.</param>
/// <param name="HomeReactor">Where its gate is kept.</param>
/// <param name="CommandsInside">In its task set now.</param>
/// <param name="GateHolder">What has the unit for itself now.</param>
/// <param name="Luns">Which LUNs of the configuration lead to it.</param>
/// <param name="Totals">What it did since it is served.</param>
/// <param name="Limit">For the commands of all initiators together; null: there is none.</param>
/// <param name="Space">Of a thin unit; null: it is not thin, or there is nothing to measure.</param>
public sealed record UnitRecord(
    string Name, string Store, ulong Blocks, int BlockBytes, string Serial, string Naa, string State,
    bool IsWriteProtected, int HomeReactor, int CommandsInside, string? GateHolder,
    IReadOnlyList<LunRecord> Luns, UnitTotalsRecord? Totals = null, CommandLimitRecord? Limit = null,
    UnitSpaceRecord? Space = null)
{
    /// <summary>What is known of its store's speed.</summary>
    public UnitSpeedRecord? Speed { get; init; }

    /// <summary>What its store could not do since it was opened.</summary>
    public ulong StoreFailures { get; init; }
}

/// <param name="Commands">Those that its store has ended.</param>
/// <param name="DataInBytes">Of those that ended well.</param>
/// <param name="DataOutBytes">Of those that ended well.</param>
/// <param name="EnabledCounts">How long they were with the store; as the counts of a <see cref="HistogramRecord"/>.
/// </param>
public sealed record UnitTotalsRecord(
    ulong Commands, ulong DataInBytes, ulong DataOutBytes, IReadOnlyList<ulong> EnabledCounts);

/// <summary>The room of a thin unit, as it was measured last.</summary>
/// <param name="UsedBytes">Taken by it.</param>
/// <param name="LeftBytes">That it could still take.</param>
/// <param name="TotalBytes">Of what it takes from, with what others have taken of it.</param>
/// <param name="ThresholdBytes">What is left when initiators are told; null: nobody asked for it.</param>
/// <param name="IsShort">The threshold has been reached.</param>
public sealed record UnitSpaceRecord(
    ulong UsedBytes, ulong LeftBytes, ulong TotalBytes, ulong? ThresholdBytes, bool IsShort);

/// <param name="IsThrottled">The store is slow, and gets no more than it can do in time.</param>
/// <param name="Window">While it is throttled: commands that it gets at a time, of all reactors together.</param>
/// <param name="ExpectedMs">While it is throttled: what the next command will take there, at the slowest.</param>
/// <param name="PerSecond">While it is throttled: what comes out.</param>
/// <param name="Waiting">Commands that are kept until it may have them.</param>
/// <param name="TurnedAway">Commands that could not have been done in time, since it was opened.</param>
public sealed record UnitSpeedRecord(
    bool IsThrottled, int? Window, double? ExpectedMs, double? PerSecond, int Waiting, ulong TurnedAway);

/// <param name="Target">Whose LUN it is.</param>
/// <param name="Group">Of which group; null: of those who belong to none.</param>
/// <param name="Lun">Its number.</param>
public sealed record LunRecord(string Target, string? Group, int Lun);

// ---- Reservations ------------------------------------------------------------------------------------------------

public sealed record ReservationsAnswer(IReadOnlyList<UnitReservationRecord> Units) : ControlAnswer;

/// <param name="Unit">Which.</param>
/// <param name="ReservedBy">Who holds an SPC-2 reservation.</param>
/// <param name="Type">Of the persistent reservation; null: there is none.</param>
/// <param name="Generation">PRGENERATION.</param>
/// <param name="PersistsThroughPowerLoss">APTPL.</param>
/// <param name="Registrants">In the order in which they came.</param>
public sealed record UnitReservationRecord(
    string Unit, string? ReservedBy, string? Type, uint Generation, bool PersistsThroughPowerLoss,
    IReadOnlyList<RegistrantRecord> Registrants);

/// <param name="Initiator">The initiator port.</param>
/// <param name="Target">The target.</param>
/// <param name="TargetPort">Relative identifier of its port.</param>
/// <param name="Key">The reservation key: 16 hexadecimal digits.</param>
/// <param name="IsHolder">It holds the persistent reservation.</param>
/// <param name="IsForAllTargetPorts">It was made for all ports of its target at once.</param>
public sealed record RegistrantRecord(
    string Initiator, string Target, int TargetPort, string Key, bool IsHolder, bool IsForAllTargetPorts);

// ---- What commands do --------------------------------------------------------------------------------------------

/// <param name="Commands">Of all reactors; at most some thousands of each.</param>
/// <param name="IsCut">There are more.</param>
public sealed record CommandsAnswer(IReadOnlyList<CommandRecord> Commands, bool IsCut) : ControlAnswer;

/// <param name="Unit">In whose task set it is.</param>
/// <param name="Initiator">The initiator port.</param>
/// <param name="Target">The target port.</param>
/// <param name="Lun">As the initiator named it.</param>
/// <param name="Tag">The transport's.</param>
/// <param name="Name">As the standard calls it.</param>
/// <param name="Attribute">SIMPLE, ORDERED and so on.</param>
/// <param name="State">How far it has come.</param>
/// <param name="AgeMs">Since it was received.</param>
/// <param name="InStateMs">Since it took its state.</param>
/// <param name="Lba">Null for commands without a block address.</param>
/// <param name="LengthBytes">What it moves.</param>
/// <param name="IsAborted">It ends without a status of its own.</param>
/// <param name="WaitsFor">What it waits for.</param>
/// <param name="Reactor">Where it lives.</param>
/// <param name="Cdb">In hexadecimal digits.</param>
/// <param name="Stays">How long it was in each of its states so far, the present one last.</param>
public sealed record CommandRecord(
    string Unit, string Initiator, string Target, string Lun, ulong Tag, string Name, string Attribute, string State,
    double AgeMs, double InStateMs, ulong? Lba, long LengthBytes, bool IsAborted, string? WaitsFor, int Reactor,
    string? Cdb = null, IReadOnlyList<StayRecord>? Stays = null);

public sealed record StayRecord(string State, double Ms);

public sealed record HistogramsAnswer(IReadOnlyList<HistogramRecord> Histograms) : ControlAnswer;

/// <param name="Unit">Of which unit; null: of a session, at all units.</param>
/// <param name="State">In which state.</param>
/// <param name="Direction">Which way the data goes: None, In, Out or Both.</param>
/// <param name="MaxBytes">Commands that move so much or less, and more than half of it.</param>
/// <param name="Counts">Entry 0: no measurable time; entry n: at least 2^(n−1) microseconds and less than 2^n.</param>
/// <param name="Session">Of which session, if sessions were asked for.</param>
/// <param name="Initiator">Whose it is.</param>
public sealed record HistogramRecord(
    string? Unit, string State, string Direction, long MaxBytes, IReadOnlyList<ulong> Counts, int? Session = null,
    string? Initiator = null);

/// <param name="Units">Those that were asked for.</param>
/// <param name="Sessions">If sessions were asked for: those that are open, and behind them those that have ended, the
/// last first.</param>
public sealed record HistoryAnswer(
    IReadOnlyList<UnitHistoryRecord> Units, IReadOnlyList<SessionHistoryRecord>? Sessions = null) : ControlAnswer;

/// <param name="Id">The target session identifying handle; of one that has ended, another may have it by now.</param>
/// <param name="Target">Null for a discovery session.</param>
/// <param name="Initiator">Its name.</param>
/// <param name="Isid">Twelve hexadecimal digits.</param>
/// <param name="Peer">Where its connection comes from.</param>
/// <param name="Reactor">Where it lives.</param>
/// <param name="Commands">Since it was opened.</param>
/// <param name="DataInBytes">Since it was opened.</param>
/// <param name="DataOutBytes">Since it was opened.</param>
/// <param name="Moves">The last, the newest first.</param>
/// <param name="Ended">Null: it is open.</param>
public sealed record SessionHistoryRecord(
    int Id, string? Target, string Initiator, string Isid, string Peer, int Reactor, ulong Commands,
    ulong DataInBytes, ulong DataOutBytes, IReadOnlyList<HistoryRecord> Moves, SessionEndRecord? Ended = null);

/// <param name="AgoMs">When it ended.</param>
/// <param name="AgeSeconds">How long it had been open.</param>
/// <param name="Why">Why it ended.</param>
public sealed record SessionEndRecord(double AgoMs, double AgeSeconds, string Why);

/// <param name="Unit">Of which unit.</param>
/// <param name="Moves">The last moves of commands, for each reactor the newest first.</param>
/// <param name="Gate">The last that happened at its gate, the newest first.</param>
public sealed record UnitHistoryRecord(
    string Unit, IReadOnlyList<MoveRecord> Moves, IReadOnlyList<HistoryRecord> Gate);

public sealed record MoveRecord(int Reactor, double AgoMs, ulong Tag, int OperationCode, string From, string To);

public sealed record HistoryRecord(double AgoMs, string What);

// ---- Tape libraries ----------------------------------------------------------------------------------------------

public sealed record LibrariesAnswer(IReadOnlyList<LibraryRecord> Libraries) : ControlAnswer;

/// <param name="Name">Of the configuration.</param>
/// <param name="Personality">What it is taken for.</param>
/// <param name="IsReady">False: what lay in drives when the daemon ended is being put in again.</param>
/// <param name="Elements">Its places, in the order of their addresses.</param>
public sealed record LibraryRecord(
    string Name, string Personality, bool IsReady, IReadOnlyList<ElementRecord> Elements);

/// <param name="Place">slot1, mail1, drive1 …</param>
/// <param name="Address">As initiators know it.</param>
/// <param name="Barcode">Of the cartridge there; null: it is empty.</param>
/// <param name="File">Of that cartridge.</param>
/// <param name="SourceSlot">The slot that it came from.</param>
/// <param name="State">Of a cartridge in a drive: loaded or ejected; or what is wrong with it.</param>
public sealed record ElementRecord(
    string Place, int Address, string? Barcode, string? File, int? SourceSlot, string? State);

/// <param name="Library">Which.</param>
/// <param name="Barcode">Of the cartridge.</param>
/// <param name="Place">Where it is now; null: outside.</param>
public sealed record CartridgeAnswer(string Library, string? Barcode, string? Place) : ControlAnswer;

// ---- Changes at run time -----------------------------------------------------------------------------------------

/// <param name="Sessions">How many were told to end.</param>
/// <param name="StillEnding">How many of them have commands that their stores do not let go.</param>
public sealed record KickAnswer(int Sessions, int StillEnding = 0) : ControlAnswer;

/// <param name="Session">Its number.</param>
/// <param name="Reactor">Where it is now.</param>
/// <param name="HasMoved">False: its commands did not come to an end in time, and it goes on where it was.</param>
public sealed record MoveAnswer(int Session, int Reactor, bool HasMoved) : ControlAnswer;

/// <param name="Unit">Which.</param>
/// <param name="State">Open, Draining or Frozen.</param>
/// <param name="Reasons">Who wants it frozen.</param>
/// <param name="HeldCommands">Commands that wait.</param>
/// <param name="WaitsFor">While it drains: what its store still has.</param>
public sealed record FreezeAnswer(
    string Unit, string State, IReadOnlyList<string> Reasons, int HeldCommands, IReadOnlyList<string> WaitsFor)
    : ControlAnswer;

/// <param name="Changes">What was changed, in words; empty: it was so already.</param>
/// <param name="SessionsChanged">Sessions that see other LUNs now.</param>
/// <param name="SessionsEnded">Sessions that see none any more.</param>
/// <param name="Configuration">Whether the configuration file says the same; null: there is no file.</param>
public sealed record ChangeAnswer(
    IReadOnlyList<string> Changes, int SessionsChanged, int SessionsEnded, AgreementRecord? Configuration)
    : ControlAnswer;

/// <param name="File">Which.</param>
/// <param name="Agrees">A reload or a start brings nothing else.</param>
/// <param name="Edit">What would make it agree; null: it agrees, or must be changed by hand.</param>
public sealed record AgreementRecord(string File, bool Agrees, EditRecord? Edit)
{
    /// <summary>Why it must be changed by hand.</summary>
    public string? Why { get; init; }
}

/// <summary>One value of the file, on one line.</summary>
public sealed record EditRecord(int Line, int Column, string Old, string New);

// ---- Target port groups ------------------------------------------------------------------------------------------

/// <param name="Groups">In the order of the configuration.</param>
public sealed record PortGroupsAnswer(IReadOnlyList<PortGroupRecord> Groups) : ControlAnswer;

/// <param name="Name">In the configuration.</param>
/// <param name="Id">By which initiators know it.</param>
/// <param name="State">As the configuration writes it.</param>
/// <param name="IsPreferred">Initiators shall prefer it among those of the same state.</param>
/// <param name="IsExplicit">Initiators may change the state.</param>
/// <param name="Ports">What belongs to it.</param>
/// <param name="Devices">What it concerns.</param>
/// <param name="Sessions">That came in at its ports.</param>
public sealed record PortGroupRecord(
    string Name, int Id, string State, bool IsPreferred, bool IsExplicit, IReadOnlyList<TargetPortRecord> Ports,
    IReadOnlyList<string> Devices, int Sessions);

/// <param name="Target">Its name.</param>
/// <param name="Tag">The target portal group tag.</param>
public sealed record TargetPortRecord(string Target, int Tag);

// ---- Injected faults ---------------------------------------------------------------------------------------------

/// <param name="Faults">Those that are there now.</param>
public sealed record FaultsAnswer(IReadOnlyList<FaultRecord> Faults) : ControlAnswer;

/// <param name="Id">By which it is cleared.</param>
/// <param name="Unit">Where it is.</param>
/// <param name="Effect">What it does.</param>
/// <param name="Initiators">For whom; null: for all.</param>
/// <param name="DataOnly">Only commands that move data to or from the medium.</param>
/// <param name="DelayMs">For the effects that take time.</param>
/// <param name="Status">For an answer.</param>
/// <param name="Sense">For an answer with CHECK CONDITION.</param>
/// <param name="Probability">Of what it could meet it meets this part.</param>
/// <param name="Met">How often it has struck.</param>
/// <param name="Holding">Commands that it keeps now.</param>
/// <param name="Remaining">How often it will strike yet; null: without end.</param>
public sealed record FaultRecord(
    int Id, string Unit, string Effect, string? Initiators, bool DataOnly, long DelayMs, string? Status,
    string? Sense, double Probability, ulong Met, int Holding, int? Remaining)
{
    /// <summary>The pattern of initiators' names; null: all.</summary>
    public string? Initiator { get; init; }

    public string? Target { get; init; }

    public string? Group { get; init; }

    public int? Lun { get; init; }

    /// <summary>"in" or "out"; null: any, or none.</summary>
    public string? Direction { get; init; }

    public ulong? FirstLba { get; init; }

    public ulong? LastLba { get; init; }

    /// <summary>For a slow store: at a time on each reactor; 0: any number.</summary>
    public int Parallel { get; init; }
}

// ---- Configuration -----------------------------------------------------------------------------------------------

/// <param name="File">Which.</param>
/// <param name="IsRight">No problem was found.</param>
/// <param name="Problems">In the order of the file.</param>
/// <param name="Warnings">What is allowed and yet worth a word.</param>
public sealed record CheckAnswer(
    string File, bool IsRight, IReadOnlyList<ProblemRecord> Problems, IReadOnlyList<ProblemRecord> Warnings)
    : ControlAnswer
{
    /// <summary>What a reload would change, in words; null: there are problems.</summary>
    public IReadOnlyList<string>? Changes { get; init; }

    /// <summary>What would wait for a start.</summary>
    public IReadOnlyList<string> AtNextStart { get; init; } = [];

    /// <summary>Why a reload would change nothing, as far as it is known before it is tried.</summary>
    public IReadOnlyList<string> Reasons { get; init; } = [];

    /// <summary>Sessions that would see other LUNs, in words.</summary>
    public IReadOnlyList<string> SessionsChanged { get; init; } = [];

    /// <summary>Sessions that would end, in words.</summary>
    public IReadOnlyList<string> SessionsEnded { get; init; } = [];
}

public sealed record ProblemRecord(int Line, int Column, string Message);

/// <param name="File">Which was read.</param>
/// <param name="IsApplied">All of it is in force, but for what waits for a start; else nothing was changed.</param>
/// <param name="Reasons">Why nothing was changed.</param>
/// <param name="Problems">What is wrong with the file.</param>
/// <param name="Changes">What was changed, in words.</param>
/// <param name="Warnings">What is allowed and yet worth a word.</param>
/// <param name="AtNextStart">What waits for a start.</param>
/// <param name="SessionsChanged">Sessions that see other LUNs now.</param>
/// <param name="SessionsEnded">Sessions whose target or portal group is gone.</param>
/// <param name="UnitsLeaving">Devices that are closed when the commands on them have ended.</param>
public sealed record ReloadAnswer(
    string File, bool IsApplied, IReadOnlyList<string> Reasons, IReadOnlyList<ProblemRecord> Problems,
    IReadOnlyList<string> Changes, IReadOnlyList<ProblemRecord> Warnings, IReadOnlyList<string> AtNextStart,
    int SessionsChanged, int SessionsEnded, IReadOnlyList<string> UnitsLeaving) : ControlAnswer;

// ---- Made by scstctl of two answers ------------------------------------------------------------------------------

/// <summary>What units and sessions did between two looks.</summary>
/// <param name="Seconds">How long it was.</param>
/// <param name="Units">In the order of the configuration.</param>
/// <param name="Sessions">Those that are open.</param>
public sealed record TopAnswer(
    double Seconds, IReadOnlyList<RateRecord> Units, IReadOnlyList<RateRecord> Sessions) : ControlAnswer;

/// <param name="Name">A unit's name, or an initiator's.</param>
/// <param name="Session">The session's number.</param>
/// <param name="CommandsPerSecond">That ended (of sessions: that came).</param>
/// <param name="ReadBytesPerSecond">To initiators.</param>
/// <param name="WrittenBytesPerSecond">From initiators.</param>
/// <param name="Inside">Commands under way at the second look.</param>
/// <param name="HalfUs">Half of them were with the store for less than this; null: there were none.</param>
/// <param name="P99Us">99 % of them were.</param>
/// <param name="MostUs">All of them were.</param>
public sealed record RateRecord(
    string Name, int? Session, double CommandsPerSecond, double ReadBytesPerSecond, double WrittenBytesPerSecond,
    int Inside, double? HalfUs, double? P99Us, double? MostUs);
