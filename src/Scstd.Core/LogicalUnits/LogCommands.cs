using System.Buffers.Binary;
using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>
/// LOG SENSE and LOG SELECT, SPC-4 §6.8, §6.7 and §7.3: the pages that every unit can fill truthfully. Temperature
/// (0Dh) is not among them: nobody measures one.
/// </summary>
internal static class LogCommands
{
    private const byte SupportedPages = 0x00;
    private const byte WriteErrors = 0x02;
    private const byte ReadErrors = 0x03;
    private const byte NonMediumErrors = 0x06;
    private const byte InformationalExceptions = 0x2F;
    private const byte AllSubpages = 0xFF;
    private const byte SubpageFormat = 0x40;

    /// <summary>§7.3.7: TOTAL UNCORRECTED ERRORS of the error counter pages.</summary>
    private const ushort TotalUncorrectedErrors = 0x0006;

    private const byte ParameterCodeReset = 0x02;

    private static readonly byte[] OwnPages =
        [SupportedPages, WriteErrors, ReadErrors, NonMediumErrors, InformationalExceptions];

    public static IReadOnlyList<CommandBinding> Bindings { get; } =
    [
        new(Spc.LogSense, LogSense),
        new(Spc.LogSelect, LogSelect, JudgeLogSelect),
    ];

    private static void LogSense(ScsiCommand command)
    {
        ReadOnlySpan<byte> cdb = command.Cdb;
        byte page = (byte)(cdb[2] & 0x3F);
        int subpage = cdb[3];
        byte[] pages = PagesOf(command.Unit);
        if (!pages.Contains(page))
        {
            command.CheckCondition(SenseData.InvalidFieldInCdb(2, 5));
            return;
        }
        if (subpage != 0 && !(page == SupportedPages && subpage == AllSubpages))
        {
            command.CheckCondition(SenseData.InvalidFieldInCdb(3));
            return;
        }
        if (FindBackendPage(command.Unit, page) is { } ofBackend)
        {
            if (ofBackend.ReadFor is { } readFor)
            {
                (IReadOnlyList<LogParameter> parameters, Action told) = readFor(command.Nexus);
                CompleteWithParameters(command, page, parameters, told);
            }
            else
            {
                CompleteWithParameters(command, page, ofBackend.Read());
            }
            return;
        }
        // §6.8: a pointer behind the last parameter of the page.
        if (BinaryPrimitives.ReadUInt16BigEndian(cdb[5..]) > LastParameterOf(page))
        {
            command.CheckCondition(SenseData.InvalidFieldInCdb(5));
            return;
        }
        switch (page)
        {
            case SupportedPages:
                command.CompleteWithData(subpage == AllSubpages
                    ? [SubpageFormat | SupportedPages, AllSubpages, 0, (byte)((pages.Length + 1) * 2),
                        SupportedPages, 0, SupportedPages, AllSubpages,
                        .. pages.Skip(1).SelectMany(p => (byte[])[p, 0])]
                    : [SupportedPages, 0, 0, (byte)pages.Length, .. pages]);
                break;
            case InformationalExceptions:
                command.CompleteWithData(InformationalExceptionsPage);
                break;
            default:
                CompleteWithCounter(command, page);
                break;
        }
    }

    private static byte[] PagesOf(LogicalUnit unit) => unit.Backend.LogPages.Count == 0
        ? OwnPages : [.. OwnPages.Union(unit.Backend.LogPages.Select(page => page.PageCode)).Order()];

    private static LogPage? FindBackendPage(LogicalUnit unit, byte page) =>
        unit.Backend.LogPages.FirstOrDefault(one => one.PageCode == page);

    /// <summary>§7.3.2: DS set (the page is not saved); parameters that are not saved either, from PARAMETER POINTER
    /// on.</summary>
    private static void CompleteWithParameters(
        ScsiCommand command, byte page, IReadOnlyList<LogParameter> parameters, Action? told = null)
    {
        const byte BinaryListNotSaved = 0x23;
        const byte CounterNotSaved = 0x20;
        ushort pointer = BinaryPrimitives.ReadUInt16BigEndian(command.Cdb[5..]);
        if (pointer > parameters[^1].Code)
        {
            command.CheckCondition(SenseData.InvalidFieldInCdb(5));
            return;
        }
        var answer = new List<byte> { (byte)(0x80 | page), 0, 0, 0 };
        foreach ((ushort code, byte[] value, bool isCounter) in parameters)
        {
            if (code < pointer)
                continue;
            byte control = isCounter ? CounterNotSaved : BinaryListNotSaved;
            answer.AddRange([(byte)(code >> 8), (byte)code, control, (byte)value.Length, .. value]);
        }
        byte[] bytes = [.. answer];
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2), (ushort)(bytes.Length - 4));
        // Many ask for the header first, to learn how long the page is; they have not been told of what it holds.
        uint takenBytes = Math.Min(BinaryPrimitives.ReadUInt16BigEndian(command.Cdb[7..]), command.ExpectedDataInBytes);
        if (pointer <= parameters[0].Code && takenBytes >= bytes.Length)
            told?.Invoke();
        command.CompleteWithData(bytes);
    }

    private static ushort LastParameterOf(byte page) =>
        page is WriteErrors or ReadErrors ? TotalUncorrectedErrors : (ushort)0;

    /// <summary>§7.3.7, §7.3.14: DS set (the page is not saved), one parameter, a counter of eight bytes in binary
    /// format that is not saved either. LOG SENSE's threshold values are all there is to compare with: none, all ones.
    /// </summary>
    private static void CompleteWithCounter(ScsiCommand command, byte page)
    {
        const int Bytes = 16;
        bool cumulative = (command.Cdb[2] & 0x40) != 0;
        bool isDefault = (command.Cdb[2] & 0x80) != 0;
        Span<byte> answer = stackalloc byte[Bytes];
        answer.Clear();
        answer[0] = (byte)(0x80 | page);
        answer[3] = Bytes - 4;
        BinaryPrimitives.WriteUInt16BigEndian(answer[4..], LastParameterOf(page));
        answer[6] = 0x20; // TSD: not saved
        answer[7] = 8;
        long value = !cumulative ? -1 : isDefault ? 0 : Sum(command.Unit, page);
        BinaryPrimitives.WriteInt64BigEndian(answer[8..], value);
        command.CompleteWithData(answer);
    }

    private static long Sum(LogicalUnit unit, byte page) => unit.Turnstiles.Sum(turnstile => page switch
    {
        WriteErrors => turnstile.Errors.Writes,
        ReadErrors => turnstile.Errors.Reads,
        _ => turnstile.Errors.Others,
    });

    /// <summary>No parameter can be set to a value of the initiator's choice: there is nothing to send.</summary>
    private static SenseData? JudgeLogSelect(ScsiCommand command)
    {
        ReadOnlySpan<byte> cdb = command.Cdb;
        if (command.RequestedBytes != 0)
            return SenseData.InvalidFieldInCdb(7);
        if (!PagesOf(command.Unit).Contains((byte)(cdb[2] & 0x3F)))
            return SenseData.InvalidFieldInCdb(2, 5);
        return cdb[3] != 0 ? SenseData.InvalidFieldInCdb(3) : null;
    }

    /// <summary>PCR: the counters of the page, or with page 00h of all, begin anew (§6.7). The other nexuses are told
    /// if one had counted anything.</summary>
    private static void LogSelect(ScsiCommand command)
    {
        byte page = (byte)(command.Cdb[2] & 0x3F);
        bool resets = (command.Cdb[1] & ParameterCodeReset) != 0;
        LogicalUnit unit = command.Unit;
        bool changed = false;
        foreach (byte counter in (byte[])[WriteErrors, ReadErrors, NonMediumErrors])
        {
            if (!resets || (page != SupportedPages && page != counter) || Sum(unit, counter) == 0)
                continue;
            changed = true;
            unit.AddConsequence(turnstile => Clear(turnstile.Errors, counter));
        }
        if (resets)
        {
            foreach (LogPage own in unit.Backend.LogPages)
                changed |= (page == SupportedPages || page == own.PageCode) && own.Reset?.Invoke() == true;
        }
        if (changed)
            unit.EstablishUnitAttention(AdditionalSense.LogParametersChanged, command.ItlNexus);
        command.Complete();
    }

    private static void Clear(ErrorCounts errors, byte page)
    {
        if (page == WriteErrors)
            errors.ClearWrites();
        else if (page == ReadErrors)
            errors.ClearReads();
        else
            errors.ClearOthers();
    }

    /// <summary>
    /// §7.3.9: DS set (the page is not saved); parameter 0000h, a binary list that is not saved: no exception is
    /// pending (00h/00h), and no temperature reading (FFh).
    /// </summary>
    private static ReadOnlySpan<byte> InformationalExceptionsPage =>
        [0x80 | InformationalExceptions, 0, 0, 8, 0, 0, 0x23, 4, 0x00, 0x00, 0xFF, 0x00];
}
