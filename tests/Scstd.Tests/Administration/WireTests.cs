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
        ["""{"command":"check"}"""] = new CheckRequest(),
        ["""{"command":"reload"}"""] = new ReloadRequest(),
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
            + "\"silentReactors\":[1]}"] =
            new StatusAnswer("1.2", 7, 1.5, "/a.yaml", 1, 2, 3, 4, new BufferBytesRecord(5, 6),
                [new PortalRecord("[::]:3260", 1, 2, 3, 4, 5)],
                [new ReactorRecord(0, "epoll", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)])
            {
                SilentReactors = [1],
            },
        ["""{"answer":"sessions","sessions":[{"id":1,"target":"iqn.t","initiator":"iqn.i","isid":"80","""
            + "\"portalGroupTag\":1,\"peer\":\"1.2.3.4:5\",\"reactor\":0,\"headerDigest\":\"None\","
            + "\"dataDigest\":\"Crc32c\",\"maxBurstLength\":2,\"commands\":3,\"dataInBytes\":4,\"dataOutBytes\":5,"
            + "\"rejects\":6}]}"] =
            new SessionsAnswer([new SessionRecord(
                1, "iqn.t", "iqn.i", null, "80", 1, "1.2.3.4:5", 0, "None", "Crc32c", 2, 3, 4, 5, 6)]),
        ["""{"answer":"units","units":[{"name":"a","store":"memory","blocks":1,"blockBytes":512,"serial":"s","""
            + "\"naa\":\"3b\",\"state\":\"ready\",\"isWriteProtected\":false,\"homeReactor\":0,\"commandsInside\":0,"
            + "\"luns\":[{\"target\":\"iqn.t\",\"group\":\"g\",\"lun\":3}]}]}"] =
            new UnitsAnswer([new UnitRecord(
                "a", "memory", 1, 512, "s", "3b", "ready", false, 0, 0, null, [new LunRecord("iqn.t", "g", 3)])]),
        ["""{"answer":"check","file":"a.yaml","isRight":false,"""
            + "\"problems\":[{\"line\":1,\"column\":2,\"message\":\"m\"}],\"warnings\":[]}"] =
            new CheckAnswer("a.yaml", false, [new ProblemRecord(1, 2, "m")], []),
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
