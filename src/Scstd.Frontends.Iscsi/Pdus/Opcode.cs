namespace Scstd.Frontends.Iscsi.Pdus;

/// <summary>Opcodes, RFC 7143 §11.2.1.2. Bit 5 (20h) is set in every PDU that a target sends.</summary>
public enum Opcode : byte
{
    NopOut = 0x00,
    ScsiCommand = 0x01,
    TaskManagementFunctionRequest = 0x02,
    LoginRequest = 0x03,
    TextRequest = 0x04,
    DataOut = 0x05,
    LogoutRequest = 0x06,
    SnackRequest = 0x10,

    NopIn = 0x20,
    ScsiResponse = 0x21,
    TaskManagementFunctionResponse = 0x22,
    LoginResponse = 0x23,
    TextResponse = 0x24,
    DataIn = 0x25,
    LogoutResponse = 0x26,
    ReadyToTransfer = 0x31,
    AsyncMessage = 0x32,
    Reject = 0x3F,
}

/// <summary>Bits of byte 1 that several PDUs share, and the I bit of byte 0.</summary>
public static class HeaderBits
{
    /// <summary>I — immediate delivery, §11.2.1.1 (byte 0).</summary>
    public const byte Immediate = 0x40;

    /// <summary>F — final, §11.2.1.3 (byte 1).</summary>
    public const byte Final = 0x80;

    /// <summary>C — continue: the text goes on in the next PDU, §11.10.2 and §11.12.3.</summary>
    public const byte Continue = 0x40;

    /// <summary>T — transit to the next stage, §11.12.2 (Login only; F elsewhere).</summary>
    public const byte Transit = 0x80;
}
