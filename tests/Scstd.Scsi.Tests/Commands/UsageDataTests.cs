namespace Scstd.Scsi.Tests;

/// <summary>
/// The CDB usage data of every row, byte for byte: what REPORT SUPPORTED OPERATION CODES says, and what a CDB is held
/// against.
/// </summary>
public sealed class UsageDataTests
{
    public static TheoryData<CommandRow, string> Primary => new()
    {
        { Spc.TestUnitReady, "00 00 00 00 00 00" },
        { Spc.RequestSense, "03 01 00 00 FF 00" },
        { Spc.Inquiry, "12 01 FF FF FF 00" },
        { Spc.ModeSelect6, "15 11 00 00 FF 00" },
        { Spc.Reserve6, "16 00 00 00 00 00" },
        { Spc.Release6, "17 00 00 00 00 00" },
        { Spc.ModeSense6, "1A 08 FF FF FF 00" },
        { Spc.ReceiveDiagnosticResults, "1C 01 FF FF FF 00" },
        { Spc.SendDiagnostic, "1D 17 00 FF FF 00" },
        { Spc.WriteBuffer, "3B 1F FF FF FF FF FF FF FF 00" },
        { Spc.ReadBuffer, "3C 1F FF FF FF FF FF FF FF 00" },
        { Spc.LogSelect, "4C 02 FF FF 00 00 00 FF FF 00" },
        { Spc.LogSense, "4D 00 FF FF 00 FF FF FF FF 00" },
        { Spc.ReportTimestamp, "A3 0F 00 00 00 00 FF FF FF FF 00 00" },
        { Spc.SetTimestamp, "A4 0F 00 00 00 00 FF FF FF FF 00 00" },
        { Spc.ModeSelect10, "55 11 00 00 00 00 00 FF FF 00" },
        { Spc.Reserve10, "56 00 00 00 00 00 00 00 00 00" },
        { Spc.Release10, "57 00 00 00 00 00 00 00 00 00" },
        { Spc.ModeSense10, "5A 18 FF FF 00 00 00 FF FF 00" },
        { Spc.PersistentReserveInReadKeys, "5E 00 00 00 00 00 00 FF FF 00" },
        { Spc.PersistentReserveInReadReservation, "5E 01 00 00 00 00 00 FF FF 00" },
        { Spc.PersistentReserveInReportCapabilities, "5E 02 00 00 00 00 00 FF FF 00" },
        { Spc.PersistentReserveInReadFullStatus, "5E 03 00 00 00 00 00 FF FF 00" },
        { Spc.PersistentReserveOutRegister, "5F 00 FF 00 00 FF FF FF FF 00" },
        { Spc.PersistentReserveOutReserve, "5F 01 FF 00 00 FF FF FF FF 00" },
        { Spc.PersistentReserveOutRelease, "5F 02 FF 00 00 FF FF FF FF 00" },
        { Spc.PersistentReserveOutClear, "5F 03 FF 00 00 FF FF FF FF 00" },
        { Spc.PersistentReserveOutPreempt, "5F 04 FF 00 00 FF FF FF FF 00" },
        { Spc.PersistentReserveOutPreemptAndAbort, "5F 05 FF 00 00 FF FF FF FF 00" },
        { Spc.PersistentReserveOutRegisterAndIgnoreExistingKey, "5F 06 FF 00 00 FF FF FF FF 00" },
        { Spc.PersistentReserveOutRegisterAndMove, "5F 07 FF 00 00 FF FF FF FF 00" },
        { Spc.ReportLuns, "A0 00 FF 00 00 00 FF FF FF FF 00 00" },
        { Spc.ReportTargetPortGroups, "A3 EA 00 00 00 00 FF FF FF FF 00 00" },
        { Spc.SetTargetPortGroups, "A4 0A 00 00 00 00 FF FF FF FF 00 00" },
        { Spc.ReportSupportedOperationCodes, "A3 0C 87 FF FF FF FF FF FF FF 00 00" },
        { Spc.ReportSupportedTaskManagementFunctions, "A3 0D 80 00 00 00 FF FF FF FF 00 00" },
    };

    /// <summary>But for PREVENT ALLOW MEDIUM REMOVAL, which every device type shares.</summary>
    public static TheoryData<CommandRow, string> Changers => new()
    {
        { Smc.InitializeElementStatus, "07 00 00 00 00 00" },
        { Smc.OpenCloseImportExportElement, "1B 00 FF FF 1F 00" },
        { Smc.PositionToElement, "2B 00 FF FF FF FF 00 00 01 00" },
        { Smc.InitializeElementStatusWithRange, "37 03 FF FF 00 00 FF FF 00 00" },
        { Smc.MoveMedium, "A5 00 FF FF FF FF FF FF 00 00 01 00" },
        { Smc.ExchangeMedium, "A6 00 FF FF FF FF FF FF FF FF 03 00" },
        { Smc.RequestVolumeElementAddress, "B5 1F FF FF FF FF 00 FF FF FF 00 00" },
        { Smc.SendVolumeTag, "B6 0F FF FF 00 1F 00 00 FF FF 00 00" },
        { Smc.ReadElementStatus, "B8 1F FF FF FF FF 03 FF FF FF 00 00" },
    };

    public static TheoryData<CommandRow, string> Blocks => new()
    {
        { Sbc.FormatUnit, "04 3F 00 00 00 00" },
        { Sbc.StartStopUnit, "1B 01 00 0F F7 00" },
        { Sbc.PreventAllowMediumRemoval, "1E 00 00 00 03 00" },
        { Sbc.ReadCapacity10, "25 00 00 00 00 00 00 00 00 00" },
        { Sbc.ReadCapacity16, "9E 10 00 00 00 00 00 00 00 00 FF FF FF FF 00 00" },
        { Sbc.GetLbaStatus, "9E 12 FF FF FF FF FF FF FF FF FF FF FF FF 00 00" },
        { Sbc.SynchronizeCache10, "35 06 FF FF FF FF 3F FF FF 00" },
        { Sbc.SynchronizeCache16, "91 06 FF FF FF FF FF FF FF FF FF FF FF FF 3F 00" },
        { Sbc.Prefetch10, "34 02 FF FF FF FF 3F FF FF 00" },
        { Sbc.Prefetch16, "90 02 FF FF FF FF FF FF FF FF FF FF FF FF 3F 00" },
        { Sbc.ReadDefectData10, "37 00 1F 00 00 00 00 FF FF 00" },
        { Sbc.ReadDefectData12, "B7 1F FF FF FF FF FF FF FF FF 00 00" },
        { Sbc.Unmap, "42 00 00 00 00 00 3F FF FF 00" },
        { Sbc.Read6, "08 1F FF FF FF 00" },
        { Sbc.Read10, "28 18 FF FF FF FF 3F FF FF 00" },
        { Sbc.Read12, "A8 18 FF FF FF FF FF FF FF FF 3F 00" },
        { Sbc.Read16, "88 18 FF FF FF FF FF FF FF FF FF FF FF FF 3F 00" },
        {
            Sbc.Read32,
            "7F 00 00 00 00 00 3F 18 00 09 18 00 FF FF FF FF " +
            "FF FF FF FF 00 00 00 00 00 00 00 00 FF FF FF FF"
        },
        { Sbc.Write6, "0A 1F FF FF FF 00" },
        { Sbc.Write10, "2A 18 FF FF FF FF 3F FF FF 00" },
        { Sbc.Write12, "AA 18 FF FF FF FF FF FF FF FF 3F 00" },
        { Sbc.Write16, "8A 18 FF FF FF FF FF FF FF FF FF FF FF FF 3F 00" },
        {
            Sbc.Write32,
            "7F 00 00 00 00 00 3F 18 00 0B 18 00 FF FF FF FF " +
            "FF FF FF FF 00 00 00 00 00 00 00 00 FF FF FF FF"
        },
        { Sbc.WriteAndVerify10, "2E 16 FF FF FF FF 3F FF FF 00" },
        { Sbc.WriteAndVerify12, "AE 16 FF FF FF FF FF FF FF FF 3F 00" },
        { Sbc.WriteAndVerify16, "8E 16 FF FF FF FF FF FF FF FF FF FF FF FF 3F 00" },
        {
            Sbc.WriteAndVerify32,
            "7F 00 00 00 00 00 3F 18 00 0C 16 00 FF FF FF FF " +
            "FF FF FF FF 00 00 00 00 00 00 00 00 FF FF FF FF"
        },
        { Sbc.Verify10, "2F 16 FF FF FF FF 3F FF FF 00" },
        { Sbc.Verify12, "AF 16 FF FF FF FF FF FF FF FF 3F 00" },
        { Sbc.Verify16, "8F 16 FF FF FF FF FF FF FF FF FF FF FF FF 3F 00" },
        {
            Sbc.Verify32,
            "7F 00 00 00 00 00 3F 18 00 0A 16 00 FF FF FF FF " +
            "FF FF FF FF 00 00 00 00 00 00 00 00 FF FF FF FF"
        },
        { Sbc.WriteSame10, "41 08 FF FF FF FF 3F FF FF 00" },
        { Sbc.WriteSame16, "93 09 FF FF FF FF FF FF FF FF FF FF FF FF 3F 00" },
        {
            Sbc.WriteSame32,
            "7F 00 00 00 00 00 3F 18 00 0D 09 00 FF FF FF FF " +
            "FF FF FF FF 00 00 00 00 00 00 00 00 FF FF FF FF"
        },
        { Sbc.CompareAndWrite, "89 18 FF FF FF FF FF FF FF FF 00 00 00 FF 3F 00" },
        { Sbc.WriteAtomic16, "9C 18 FF FF FF FF FF FF FF FF 00 00 FF FF 3F 00" },
        { Sbc.OrWrite16, "8B 18 FF FF FF FF FF FF FF FF FF FF FF FF 3F 00" },
    };

    [Theory]
    [MemberData(nameof(Primary))]
    [MemberData(nameof(Blocks))]
    [MemberData(nameof(Changers))]
    public void Usage_data_is_as_the_standard_draws_the_cdb(CommandRow row, string usage)
    {
        // NACA is in every row (CommandRowTests) and left out of the table.
        byte[] own = [.. row.Usage];
        own[ControlByte.OffsetIn(own)] &= unchecked((byte)~ControlByte.Naca);
        Assert.Equal(usage, string.Join(' ', own.Select(b => b.ToString("X2"))));
    }

    [Fact]
    public void No_row_is_missing_here() =>
        Assert.Equal(CommandRowTests.All.Count, Primary.Count + Blocks.Count + Changers.Count);
}
