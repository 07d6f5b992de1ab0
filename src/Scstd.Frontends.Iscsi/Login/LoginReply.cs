using Scstd.Frontends.Iscsi.Pdus;

namespace Scstd.Frontends.Iscsi.Login;

public enum LoginOutcome
{
    /// <summary>Send the reply and wait for the next Login Request.</summary>
    Continue,

    /// <summary>
    /// The login has succeeded: make or join the session, give its TSIH to the reply, send it, enter full feature
    /// phase. If the session cannot be made, send what <see cref="LoginExchange.Refuse"/> gives instead.
    /// </summary>
    Complete,

    /// <summary>Send the reply and close the connection.</summary>
    Failed,
}

/// <summary>
/// One Login Response, complete but for TSIH, StatSN, ExpCmdSN and MaxCmdSN, which only the caller knows.
/// </summary>
public sealed record LoginReply
{
    public required LoginOutcome Outcome { get; init; }

    public LoginStatus Status { get; init; }

    /// <summary>For the log, when the login failed.</summary>
    public string Why { get; init; } = "";

    public bool Transit { get; init; }

    public bool Continue { get; init; }

    public LoginStage CurrentStage { get; init; }

    public LoginStage NextStage { get; init; }

    public Isid Isid { get; init; }

    public uint InitiatorTaskTag { get; init; }

    /// <summary>TSIH of the request: what the response carries until the session exists (§11.13.3).</summary>
    public ushort Tsih { get; init; }

    /// <summary>CmdSN of the request; login requests are immediate, so it is also the next ExpCmdSN.</summary>
    public uint CmdSn { get; init; }

    /// <summary>The data segment, without padding.</summary>
    public ReadOnlyMemory<byte> Data { get; init; }

    /// <summary>Writes the header with the TSIH of the request.</summary>
    public void WriteHeader(Span<byte> header) => WriteHeader(header, Tsih);

    /// <summary>Writes the header with the TSIH of the session that has come to be.</summary>
    public void WriteHeader(Span<byte> header, ushort tsih) => LoginResponsePdu.WriteTo(
        header, Isid, tsih, InitiatorTaskTag, Status, CurrentStage, Transit ? NextStage : default, Transit, Continue,
        Data.Length);
}
