using System.Globalization;
using System.Text.Json;
using Scstd.Scsi;

namespace Scstd.Core;

/*  {
      "version": 1,
      "type": "WriteExclusiveRegistrantsOnly",                 left out: the unit is not reserved
      "registrations": [
        {
          "initiator": "iqn.2026-11.com.example:host1,i,0x00023d000001",
          "target": "iqn.2026-11.com.example:disks",
          "port": 1,
          "key": "0x00000000000000ab",
          "allTargetPorts": false,
          "holds": true                                        of the one that holds it; never with all registrants
        }
      ]
    }                                                                                                                */

/// <summary>What of a persistent reservation outlives a loss of power (APTPL), readable to people. PRGENERATION does
/// not: it begins at zero (SPC-4 §6.15.2).</summary>
internal static class PersistentReservationText
{
    private const int Version = 1;

    public static byte[] Write(PersistentReservation state)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            writer.WriteStartObject();
            writer.WriteNumber("version", Version);
            if (state.Type is { } type)
                writer.WriteString("type", type.ToString());
            writer.WriteStartArray("registrations");
            foreach (Registration registration in state.Registrations.Values)
                Write(writer, registration, state.Holder == registration.Name);
            writer.WriteEndArray();
            writer.WriteEndObject();
        }
        return stream.ToArray();
    }

    /// <summary>Throws <see cref="UnitStateException"/>: it is whole, and still no state that we could have saved.
    /// </summary>
    public static PersistentReservation Read(string unitName, byte[] content)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(content);
            return Read(document.RootElement);
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or FormatException
            or InvalidOperationException or ArgumentException)
        {
            throw new UnitStateException(
                $"device {unitName}: its saved persistent reservations cannot be understood: {exception.Message}",
                exception);
        }
    }

    private static void Write(Utf8JsonWriter writer, Registration registration, bool holds)
    {
        writer.WriteStartObject();
        writer.WriteString("initiator", registration.Name.Initiator.ToString());
        writer.WriteString("target", registration.Name.TargetName);
        writer.WriteNumber("port", registration.Name.TargetPort);
        writer.WriteString("key", $"0x{registration.Key:x16}");
        writer.WriteBoolean("allTargetPorts", registration.IsForAllTargetPorts);
        if (holds)
            writer.WriteBoolean("holds", true);
        writer.WriteEndObject();
    }

    private static PersistentReservation Read(JsonElement root)
    {
        if (root.GetProperty("version").GetInt32() != Version)
            throw new FormatException("it was written by a later version");
        var all = new List<(RegistrantName Name, ulong Key, bool AllPorts)>();
        RegistrantName? holder = null;
        foreach (JsonElement element in root.GetProperty("registrations").EnumerateArray())
        {
            RegistrantName name = ReadName(element);
            ulong key = ReadKey(element.GetProperty("key").GetString()!);
            all.Add((name, key, element.GetProperty("allTargetPorts").GetBoolean()));
            if (element.TryGetProperty("holds", out JsonElement holds) && holds.GetBoolean())
                holder = holder is null ? name : throw new FormatException("two registrations hold the reservation");
        }
        PersistentReservation state = PersistentReservation.None.With(all, []);
        if (state.Count != all.Count || state.Count == 0)
            throw new FormatException("a registration stands there twice, or none does");
        PersistentReservationType? type = root.TryGetProperty("type", out JsonElement text)
            ? Enum.Parse<PersistentReservationType>(text.GetString()!) : null;
        bool needsHolder = type is { } held && !held.IsAllRegistrants();
        if (needsHolder != holder is not null)
            throw new FormatException("the reservation and its holder do not fit together");
        return state with { Type = type, Holder = holder, PersistsThroughPowerLoss = true };
    }

    private static RegistrantName ReadName(JsonElement element)
    {
        string initiator = element.GetProperty("initiator").GetString()!;
        TransportId id = TransportId.OfPortName(initiator)
            ?? throw new FormatException($"'{initiator}' is no initiator port");
        return new RegistrantName(
            id, element.GetProperty("target").GetString()!, element.GetProperty("port").GetUInt16());
    }

    private static ulong ReadKey(string text)
    {
        ulong key = text.StartsWith("0x", StringComparison.Ordinal)
            ? ulong.Parse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture) : 0;
        return key != 0 ? key : throw new FormatException($"'{text}' is no reservation key");
    }
}
