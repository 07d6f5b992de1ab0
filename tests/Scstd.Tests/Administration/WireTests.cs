using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Scstd.Control;

namespace Scstd.Tests.Administration;

/// <summary>What programs of other people depend on: the lines themselves.</summary>
public sealed class WireTests
{
    private static readonly Dictionary<string, ControlRequest> Requests = new()
    {
        ["""{"command":"status"}"""] = new StatusRequest(),
        ["""{"command":"sessions","target":"iqn.t","initiator":"iqn.i"}"""] = new SessionsRequest("iqn.t", "iqn.i"),
        ["""{"command":"units","unit":"disk1"}"""] = new UnitsRequest("disk1"),
        ["""{"command":"reservations","unit":"a"}"""] = new ReservationsRequest("a"),
        ["""{"command":"commands","unit":"a"}"""] = new CommandsRequest("a"),
        ["""{"command":"histograms"}"""] = new HistogramsRequest(),
        ["""{"command":"histograms","session":"iqn.i"}"""] = new HistogramsRequest(Session: "iqn.i"),
        ["""{"command":"history","unit":"a"}"""] = new HistoryRequest("a"),
        ["""{"command":"history","session":"7","ended":true}"""] = new HistoryRequest(Session: "7", Ended: true),
        ["""{"command":"freeze","unit":"a","patienceSeconds":3}"""] = new FreezeRequest("a", 3),
        ["""{"command":"thaw","unit":"a"}"""] = new ThawRequest("a"),
        ["""{"command":"kick","session":"7","patienceSeconds":5}"""] = new KickRequest("7", 5),
        ["""{"command":"move","session":7,"reactor":1}"""] = new MoveRequest(7, 1),
        ["""{"command":"library","library":"l"}"""] = new LibraryRequest("l"),
        ["""{"command":"moveCartridge","library":"l","from":"A00001L8","to":"drive1"}"""] =
            new MoveCartridgeRequest("l", "A00001L8", "drive1"),
        ["""{"command":"importCartridge","library":"l","file":"f","to":"mail1"}"""] =
            new ImportCartridgeRequest("l", "f", "mail1"),
        ["""{"command":"exportCartridge","library":"l","from":"slot2"}"""] = new ExportCartridgeRequest("l", "slot2"),
        ["""{"command":"createCartridge","library":"l","barcode":"B","generation":"lto-8","capacity":"1GiB","""
            + "\"isWorm\":true,\"isCleaning\":false,\"to\":\"slot1\"}"] =
            new CreateCartridgeRequest("l", "B", "lto-8", "1GiB", true, false, "slot1"),
        ["""{"command":"resize","unit":"a","size":"1GiB","patienceSeconds":5,"force":true,"save":true}"""] =
            new ResizeRequest("a", "1GiB", 5, true, true),
        ["""{"command":"replace","target":"iqn.t","lun":3,"unit":"a","group":"g","patienceSeconds":5,"save":true}"""] =
            new ReplaceRequest("iqn.t", 3, "a", "g", 5, true),
        ["""{"command":"portGroups"}"""] = new PortGroupsRequest(),
        ["""{"command":"setPortGroup","name":"left","state":"standby","patienceSeconds":5,"save":true}"""] =
            new SetPortGroupRequest("left", "standby", 5, true),
        ["""{"command":"faults","unit":"a"}"""] = new FaultsRequest("a"),
        ["""{"command":"addFault","unit":"a","effect":"AnswerCommand","initiator":"i*","target":"t","group":"g","""
            + "\"dataOnly\":true,\"delayMs\":1,\"parallel\":2,\"status\":\"CheckCondition\",\"sense\":\"3/11/00\","
            + "\"count\":3,\"probability\":0.5,\"lun\":4,\"direction\":\"in\",\"firstLba\":5,\"lastLba\":6}"] =
            new AddFaultRequest("a", "AnswerCommand", "i*", "t", "g", true, 1, 2, "CheckCondition", "3/11/00", 3, 0.5,
                4, "in", 5, 6),
        ["""{"command":"clearFaults","unit":"a","id":1}"""] = new ClearFaultsRequest("a", 1),
        ["""{"command":"check"}"""] = new CheckRequest(),
        ["""{"command":"reload","patienceSeconds":5,"force":true}"""] = new ReloadRequest(5, true),
    };

    private static readonly Dictionary<string, ControlAnswer> Answers = new()
    {
        ["""{"answer":"error","code":"not_found","message":"there is no unit 'x'"}"""] =
            new ErrorAnswer(ErrorCode.NotFound, "there is no unit 'x'"),
        ["""{"answer":"status","version":"1.2","processId":7,"uptimeSeconds":1.5,"configuration":"/a.yaml","""
            + "\"targets\":1,\"units\":2,\"sessions\":3,\"openFileDescriptors\":4,"
            + "\"bufferBytes\":{\"taken\":5,\"atMost\":6},"
            + "\"portals\":[{\"address\":\"[::]:3260\",\"tag\":1,\"connections\":2,\"accepted\":3,\"turnedAway\":4,"
            + "\"loginFailures\":5}],"
            + "\"reactors\":[{\"index\":0,\"io\":\"epoll\",\"connections\":1,\"commands\":2,\"dataInBytes\":3,"
            + "\"dataOutBytes\":4,\"passes\":5,\"sleeps\":6,\"systemCalls\":7,\"bufferBytesOut\":8,"
            + "\"loginFailures\":9,\"protocolFaults\":10,\"rejects\":11,\"digestErrors\":12}],"
            + "\"targetLimits\":[{\"target\":\"iqn.t\",\"limit\":{\"atMost\":8,\"inUse\":7,\"refused\":6}}],"
            + "\"silentReactors\":[1]}"] =
            new StatusAnswer("1.2", 7, 1.5, "/a.yaml", 1, 2, 3, 4, new BufferBytesRecord(5, 6),
                [new PortalRecord("[::]:3260", 1, 2, 3, 4, 5)],
                [new ReactorRecord(0, "epoll", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)],
                [new TargetLimitRecord("iqn.t", new CommandLimitRecord(8, 7, 6))])
            {
                SilentReactors = [1],
            },
        ["""{"answer":"sessions","sessions":[{"id":1,"target":"iqn.t","initiator":"iqn.i","isid":"80","""
            + "\"portalGroupTag\":1,\"peer\":\"1.2.3.4:5\",\"reactor\":0,\"headerDigest\":\"None\","
            + "\"dataDigest\":\"Crc32c\",\"maxBurstLength\":2,\"commands\":3,\"dataInBytes\":4,\"dataOutBytes\":5,"
            + "\"rejects\":6,\"now\":{\"state\":\"Open\",\"ageSeconds\":1.5,\"group\":\"g\",\"commandsInFlight\":2,"
            + "\"queueDepth\":128,\"luns\":[{\"lun\":0,\"unit\":\"a\",\"isReadOnly\":true,\"commandsInFlight\":1,"
            + "\"unitAttentions\":[\"29h/00h\"]}],\"enabledCounts\":[7,8]}}]}"] =
            new SessionsAnswer([new SessionRecord(
                1, "iqn.t", "iqn.i", null, "80", 1, "1.2.3.4:5", 0, "None", "Crc32c", 2, 3, 4, 5, 6,
                new SessionMomentRecord("Open", 1.5, "g", 2, 128,
                    [new SessionLunRecord(0, "a", true, 1, ["29h/00h"])], [7, 8]))]),
        ["""{"answer":"units","units":[{"name":"a","store":"memory","blocks":1,"blockBytes":512,"serial":"s","""
            + "\"naa\":\"3b\",\"state\":\"ready\",\"isWriteProtected\":false,\"homeReactor\":0,\"commandsInside\":0,"
            + "\"luns\":[{\"target\":\"iqn.t\",\"group\":\"g\",\"lun\":3}],"
            + "\"totals\":{\"commands\":4,\"dataInBytes\":5,\"dataOutBytes\":6,\"enabledCounts\":[7]},"
            + "\"limit\":{\"atMost\":8,\"inUse\":7,\"refused\":6},\"space\":{\"usedBytes\":1,"
            + "\"leftBytes\":2,\"totalBytes\":3,\"thresholdBytes\":4,\"isShort\":true},"
            + "\"speed\":{\"isThrottled\":true,\"window\":2,\"expectedMs\":3.5,\"perSecond\":4.5,\"waiting\":5,"
            + "\"turnedAway\":6},\"storeFailures\":7}]}"] =
            new UnitsAnswer([new UnitRecord(
                "a", "memory", 1, 512, "s", "3b", "ready", false, 0, 0, null, [new LunRecord("iqn.t", "g", 3)],
                new UnitTotalsRecord(4, 5, 6, [7]), new CommandLimitRecord(8, 7, 6),
                new UnitSpaceRecord(1, 2, 3, 4, true))
            {
                Speed = new UnitSpeedRecord(true, 2, 3.5, 4.5, 5, 6),
                StoreFailures = 7,
            }]),
        ["""{"answer":"reservations","units":[{"unit":"a","reservedBy":"i","type":"WriteExclusive","generation":1,"""
            + "\"persistsThroughPowerLoss\":true,\"registrants\":[{\"initiator\":\"i\",\"target\":\"t\","
            + "\"targetPort\":1,\"key\":\"00000000000000ff\",\"isHolder\":true,\"isForAllTargetPorts\":false}]}]}"] =
            new ReservationsAnswer([new UnitReservationRecord("a", "i", "WriteExclusive", 1, true,
                [new RegistrantRecord("i", "t", 1, "00000000000000ff", true, false)])]),
        ["""{"answer":"commands","commands":[{"unit":"a","initiator":"i","target":"t","lun":"0","tag":7,"""
            + "\"name\":\"READ (10)\",\"attribute\":\"Simple\",\"state\":\"Enabled\",\"ageMs\":1.5,\"inStateMs\":0.5,"
            + "\"lba\":9,\"lengthBytes\":512,\"isAborted\":false,\"waitsFor\":\"w\",\"reactor\":1,"
            + "\"cdb\":\"28\",\"stays\":[{\"state\":\"Enabled\",\"ms\":0.5}]}],\"isCut\":false}"] =
            new CommandsAnswer([new CommandRecord(
                "a", "i", "t", "0", 7, "READ (10)", "Simple", "Enabled", 1.5, 0.5, 9, 512, false, "w", 1,
                "28", [new StayRecord("Enabled", 0.5)])], false),
        ["""{"answer":"histograms","histograms":[{"unit":"a","state":"Enabled","direction":"In","maxBytes":4096,"""
            + "\"counts\":[1,2]}]}"] =
            new HistogramsAnswer([new HistogramRecord("a", "Enabled", "In", 4096, [1, 2])]),
        ["""{"answer":"histograms","histograms":[{"state":"Enabled","direction":"In","maxBytes":4096,"""
            + "\"counts\":[1,2],\"session\":3,\"initiator\":\"i\"}]}"] =
            new HistogramsAnswer([new HistogramRecord(null, "Enabled", "In", 4096, [1, 2], 3, "i")]),
        ["""{"answer":"history","units":[{"unit":"a","moves":[{"reactor":0,"agoMs":1.5,"tag":7,"operationCode":40,"""
            + "\"from\":\"Received\",\"to\":\"Enabled\"}],\"gate\":[{\"agoMs\":2,\"what\":\"shut\"}]}]}"] =
            new HistoryAnswer([new UnitHistoryRecord(
                "a", [new MoveRecord(0, 1.5, 7, 40, "Received", "Enabled")], [new HistoryRecord(2, "shut")])]),
        ["""{"answer":"history","units":[],"sessions":[{"id":7,"target":"t","initiator":"i","isid":"80","""
            + "\"peer\":\"1.2.3.4:5\",\"reactor\":1,\"commands\":2,\"dataInBytes\":3,\"dataOutBytes\":4,"
            + "\"moves\":[{\"agoMs\":2,\"what\":\"w\"}],"
            + "\"ended\":{\"agoMs\":1,\"ageSeconds\":1.5,\"why\":\"gone\"}}]}"] =
            new HistoryAnswer([], [new SessionHistoryRecord(7, "t", "i", "80", "1.2.3.4:5", 1, 2, 3, 4,
                [new HistoryRecord(2, "w")], new SessionEndRecord(1, 1.5, "gone"))]),
        ["""{"answer":"kick","sessions":2,"stillEnding":1}"""] = new KickAnswer(2, 1),
        ["""{"answer":"move","session":7,"reactor":1,"hasMoved":true}"""] = new MoveAnswer(7, 1, true),
        ["""{"answer":"libraries","libraries":[{"name":"l","personality":"p","isReady":true,"elements":["""
            + "{\"place\":\"drive1\",\"address\":256,\"barcode\":\"B\",\"file\":\"f\",\"sourceSlot\":3,"
            + "\"state\":\"loaded\"}]}]}"] =
            new LibrariesAnswer(
                [new LibraryRecord("l", "p", true, [new ElementRecord("drive1", 256, "B", "f", 3, "loaded")])]),
        ["""{"answer":"cartridge","library":"l","barcode":"B","place":"slot1"}"""] =
            new CartridgeAnswer("l", "B", "slot1"),
        ["""{"answer":"freeze","unit":"a","state":"Draining","reasons":["r"],"heldCommands":1,"waitsFor":["w"]}"""] =
            new FreezeAnswer("a", "Draining", ["r"], 1, ["w"]),
        ["""{"answer":"change","changes":["c"],"sessionsChanged":1,"sessionsEnded":0,"configuration":{"""
            + "\"file\":\"f\",\"agrees\":false,\"edit\":{\"line\":1,\"column\":2,\"old\":\"a\",\"new\":\"b\"}}}"] =
            new ChangeAnswer(["c"], 1, 0, new AgreementRecord("f", false, new EditRecord(1, 2, "a", "b"))),
        ["""{"answer":"portGroups","groups":[{"name":"left","id":10,"state":"standby","isPreferred":true,"""
            + "\"isExplicit\":false,\"ports\":[{\"target\":\"iqn.t\",\"tag\":1}],\"devices\":[\"a\"],"
            + "\"sessions\":2}]}"] =
            new PortGroupsAnswer([new PortGroupRecord(
                "left", 10, "standby", true, false, [new TargetPortRecord("iqn.t", 1)], ["a"], 2)]),
        ["""{"answer":"faults","faults":[{"id":1,"unit":"a","effect":"AnswerCommand","initiators":"i","""
            + "\"dataOnly\":false,\"delayMs\":2,\"status\":\"CheckCondition\",\"sense\":\"3/11/00\",\"probability\":1,"
            + "\"met\":3,\"holding\":4,\"remaining\":5,\"initiator\":\"i\",\"target\":\"t\",\"group\":\"g\","
            + "\"lun\":6,\"direction\":\"out\",\"firstLba\":7,\"lastLba\":8,\"parallel\":9}]}"] =
            new FaultsAnswer([new FaultRecord(
                1, "a", "AnswerCommand", "i", false, 2, "CheckCondition", "3/11/00", 1, 3, 4, 5)
            {
                Initiator = "i",
                Target = "t",
                Group = "g",
                Lun = 6,
                Direction = "out",
                FirstLba = 7,
                LastLba = 8,
                Parallel = 9,
            }]),
        ["""{"answer":"top","seconds":2,"units":[{"name":"a","commandsPerSecond":1,"readBytesPerSecond":2,"""
            + "\"writtenBytesPerSecond\":3,\"inside\":4}],\"sessions\":[{\"name\":\"i\",\"session\":7,"
            + "\"commandsPerSecond\":1,\"readBytesPerSecond\":2,\"writtenBytesPerSecond\":3,\"inside\":4,"
            + "\"halfUs\":5,\"p99Us\":6,\"mostUs\":7}]}"] =
            new TopAnswer(2, [new RateRecord("a", null, 1, 2, 3, 4, null, null, null)],
                [new RateRecord("i", 7, 1, 2, 3, 4, 5, 6, 7)]),
        ["""{"answer":"check","file":"a.yaml","isRight":false,"""
            + "\"problems\":[{\"line\":1,\"column\":2,\"message\":\"m\"}],\"warnings\":[],\"changes\":[\"c\"],"
            + "\"atNextStart\":[\"n\"],\"reasons\":[\"r\"],\"sessionsChanged\":[\"s\"],\"sessionsEnded\":[\"e\"]}"] =
            new CheckAnswer("a.yaml", false, [new ProblemRecord(1, 2, "m")], [])
            {
                Changes = ["c"],
                AtNextStart = ["n"],
                Reasons = ["r"],
                SessionsChanged = ["s"],
                SessionsEnded = ["e"],
            },
        ["""{"answer":"reload","file":"a.yaml","isApplied":true,"reasons":[],"problems":[],"changes":["c"],"""
            + "\"warnings\":[],\"atNextStart\":[\"memory\"],\"sessionsChanged\":1,\"sessionsEnded\":2,"
            + "\"unitsLeaving\":[\"a\"]}"] =
            new ReloadAnswer("a.yaml", true, [], [], ["c"], [], ["memory"], 1, 2, ["a"]),
    };

    [Fact]
    public void Every_request_is_written_and_read_as_agreed() => Assert.All(Requests, row =>
    {
        Assert.Equal(row.Key, Text(ControlJson.Write(row.Value)));
        Assert.Equal(row.Value, ControlJson.ReadRequest(Encoding.UTF8.GetBytes(row.Key)));
    });

    [Fact]
    public void Every_answer_is_written_and_read_as_agreed() => Assert.All(Answers, row =>
    {
        Assert.Equal(row.Key, Text(ControlJson.Write(row.Value)));
        ControlAnswer read = ControlJson.ReadAnswer(Encoding.UTF8.GetBytes(row.Key));
        Assert.Equal(row.Value.GetType(), read.GetType());
        Assert.Equal(row.Key, Text(ControlJson.Write(read)));
    });

    [Fact]
    public void No_request_and_no_answer_is_left_out_here()
    {
        Assert.Equal(Known(typeof(ControlRequest)), Requests.Values.Select(one => one.GetType()).ToHashSet());
        Assert.Equal(Known(typeof(ControlAnswer)), Answers.Values.Select(one => one.GetType()).ToHashSet());
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"command":"unknown"}""")]
    [InlineData("""{"command":7}""")]
    [InlineData("""{"command":"units","unit":7}""")]
    [InlineData("""{"command":"units","unti":"a"}""")]
    [InlineData("""{"command":"units","unit":"a","unit":"b"}""")]
    [InlineData("""{"command":"status"} {"command":"status"}""")]
    public void What_is_no_request_is_not_read(string line) =>
        Assert.Throws<JsonException>(() => ControlJson.ReadRequest(Encoding.UTF8.GetBytes(line)));

    /// <summary>An old client reads what a newer daemon adds without stumbling.</summary>
    [Fact]
    public void An_answer_may_know_more_than_the_client() => Assert.IsType<ErrorAnswer>(ControlJson.ReadAnswer(
        """{"new":[1],"answer":"error","code":"refused","message":"m","newer":{}}"""u8));

    private static HashSet<Type> Known(Type wire) =>
        [.. wire.GetCustomAttributes(typeof(JsonDerivedTypeAttribute), false)
            .Select(attribute => ((JsonDerivedTypeAttribute)attribute).DerivedType)];

    private static string Text(byte[] line) => Encoding.UTF8.GetString(line);
}
