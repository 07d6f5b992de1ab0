using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Scstd.Control;

/// <summary>How requests and answers are written. A request is read strictly: a key that is not known is a mistake of
/// who wrote it, and shall not be ignored when it asks for a change.</summary>
public static class ControlJson
{
    private static readonly JsonSerializerOptions Strict =
        Readable(RequestContext.Default.Options, RequestContext.Default);

    private static readonly JsonSerializerOptions Open = Readable(AnswerContext.Default.Options, AnswerContext.Default);

    public static byte[] Write(ControlRequest request) => JsonSerializer.SerializeToUtf8Bytes(request, Requests);

    public static byte[] Write(ControlAnswer answer) => JsonSerializer.SerializeToUtf8Bytes(answer, Answers);

    public static byte[] Write(Greeting greeting) => JsonSerializer.SerializeToUtf8Bytes(greeting, Greetings);

    /// <summary>Throws <see cref="JsonException"/>.</summary>
    public static ControlRequest ReadRequest(ReadOnlySpan<byte> line) =>
        Read(line, Requests) ?? throw new JsonException("expected an object");

    /// <summary>Throws <see cref="JsonException"/>.</summary>
    public static ControlAnswer ReadAnswer(ReadOnlySpan<byte> line) =>
        Read(line, Answers) ?? throw new JsonException("expected an object");

    /// <summary>Throws <see cref="JsonException"/>.</summary>
    public static Greeting ReadGreeting(ReadOnlySpan<byte> line) =>
        Read(line, Greetings) ?? throw new JsonException("expected an object");

    /// <summary>The names of all commands.</summary>
    public static IReadOnlyList<string> CommandNames { get; } =
        [.. Requests.PolymorphismOptions!.DerivedTypes.Select(derived => (string)derived.TypeDiscriminator!)];

    private static JsonTypeInfo<ControlRequest> Requests =>
        (JsonTypeInfo<ControlRequest>)Strict.GetTypeInfo(typeof(ControlRequest));

    private static JsonTypeInfo<ControlAnswer> Answers =>
        (JsonTypeInfo<ControlAnswer>)Open.GetTypeInfo(typeof(ControlAnswer));

    private static JsonTypeInfo<Greeting> Greetings => (JsonTypeInfo<Greeting>)Open.GetTypeInfo(typeof(Greeting));

    /// <summary>An object without its discriminator is told apart from a broken one only by another exception.
    /// </summary>
    private static T? Read<T>(ReadOnlySpan<byte> line, JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(line, type);
        }
        catch (NotSupportedException exception)
        {
            throw new JsonException("it does not say which it is", exception);
        }
    }

    /// <summary>People read the lines too: only what JSON itself demands is escaped.</summary>
    private static JsonSerializerOptions Readable(JsonSerializerOptions options, IJsonTypeInfoResolver resolver)
    {
        var readable = new JsonSerializerOptions(options)
        {
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            TypeInfoResolver = resolver,
        };
        readable.MakeReadOnly();
        return readable;
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, AllowOutOfOrderMetadataProperties = true,
    RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true, AllowDuplicateProperties = false,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(ControlRequest))]
internal sealed partial class RequestContext : JsonSerializerContext;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, AllowOutOfOrderMetadataProperties = true)]
[JsonSerializable(typeof(ControlAnswer))]
[JsonSerializable(typeof(Greeting))]
internal sealed partial class AnswerContext : JsonSerializerContext;
