using System.CommandLine;
using System.CommandLine.Parsing;
using Scstd.Backends.Tape;
using Scstd.Backends.Tape.Cartridges;
using Scstd.Configuration;
using Scstd.Scsi;

namespace Scstd.Hosting;

/// <summary>"scstd cartridge …": makes, checks, repairs and lists files of cartridges that no drive has.</summary>
internal static class CartridgeCommands
{
    /// <summary>What was asked for could not be done.</summary>
    private const int MistakeStatus = 1;

    /// <summary>It was done, and the cartridge is damaged.</summary>
    private const int DamagedStatus = 2;

    /// <summary>LTO-5 to LTO-9 written once, by the last letter of the barcode.</summary>
    private const string WormLetters = "VWXYZ";

    private const int OldestGeneration = 5;

    private static readonly Option<string?> BarcodeOption = new("--barcode")
    {
        HelpName = "TEXT",
        Description = "Volume identifier. Default: the name of the file, without what follows a dot.",
    };

    private static readonly Option<int?> GenerationOption = new("--generation")
    {
        HelpName = "N",
        Description = "5 to 9 for LTO-5 to LTO-9. Default: as the barcode ends (L5 to L9; LV to LZ if written once).",
    };

    private static readonly Option<long?> CapacityOption = new("--capacity")
    {
        HelpName = "SIZE",
        Description = "Native capacity, as 100GB or 1.5TB. Default: that of its generation.",
        CustomParser = ParseCapacity,
    };

    private static readonly Option<bool> WormOption = new("--worm")
    {
        Description = "Written once: records may only be appended.",
    };

    private static readonly Option<bool> CleaningOption = new("--cleaning") { Description = "A cleaning cartridge." };

    private static readonly Option<bool> ProtectedOption = new("--write-protected")
    {
        Description = "With its tab set.",
    };

    public static Command Build()
    {
        var create = new Command("create", "Make the file of an empty cartridge. It takes the room of what is written.")
        {
            BarcodeOption, GenerationOption, CapacityOption, WormOption, CleaningOption, ProtectedOption,
        };
        return new Command("cartridge", "Make, check, repair or list the file of a cartridge that no drive has.")
        {
            With(create, Create),
            With(
                new Command("check", "Read all of it and tell what is damaged. Status 0: nothing, 2: something."),
                Check),
            With(
                new Command("repair", "Write index, checkpoints and label anew where they are damaged. Records that "
                    + "are damaged stay so. Status 0: it is whole now, 2: something is left."),
                Repair),
            With(new Command("list", "Tell what is on it, file by file."), List),
        };
    }

    private static Command With(Command command, Func<ParseResult, string, int> action)
    {
        var file = new Argument<string>("FILE") { Description = "The cartridge." };
        command.Add(file);
        command.SetAction(parsed =>
        {
            try
            {
                return action(parsed, parsed.GetValue(file)!);
            }
            catch (MediumFaultException exception)
            {
                Error(parsed).WriteLine($"scstd: {exception.Message}");
                return exception.Fault.Kind is MediumFaultKind.DamagedFormat ? DamagedStatus : MistakeStatus;
            }
        });
        return command;
    }

    private static int Create(ParseResult parsed, string path)
    {
        string barcode = parsed.GetValue(BarcodeOption) ?? Path.GetFileNameWithoutExtension(path);
        int? generation = parsed.GetValue(GenerationOption) ?? GenerationOf(barcode);
        if (generation is not >= OldestGeneration || TapeDensity.OfGeneration(generation.Value) is not { } density)
        {
            Error(parsed).WriteLine(generation is null
                ? $"scstd: '{barcode}' does not end as a barcode of LTO does; say which it is with --generation."
                : $"scstd: there is no generation {generation}; 5 to 9 are known.");
            return MistakeStatus;
        }
        var options = new CartridgeOptions
        {
            Barcode = barcode,
            DensityCode = density.Code,
            CapacityBytes = (ulong?)parsed.GetValue(CapacityOption) ?? density.NativeCapacityBytes,
            ShrinksToFileSystem = parsed.GetValue(CapacityOption) is null,
            IsWorm = parsed.GetValue(WormOption),
            IsCleaning = parsed.GetValue(CleaningOption),
            IsWriteProtected = parsed.GetValue(ProtectedOption),
        };
        using Cartridge made = Cartridge.Create(path, options);
        Out(parsed).WriteLine($"{path}: {Describe(made.Description)}");
        if (made.Description.CapacityBytes < options.CapacityBytes)
        {
            Out(parsed).WriteLine($"{path}: shorter than {density} has it, {options.CapacityBytes} bytes: "
                + "its file system holds no larger file");
        }
        return 0;
    }

    private static int Check(ParseResult parsed, string path)
    {
        CartridgeReport report = CartridgeCheck.Run(path);
        return Tell(parsed, path, report);
    }

    private static int Repair(ParseResult parsed, string path)
    {
        RepairReport report = CartridgeRepair.Run(path);
        foreach (string done in report.Done)
            Out(parsed).WriteLine($"{path}: {done}");
        if (report.Done.Count == 0)
            Out(parsed).WriteLine($"{path}: nothing was to be repaired");
        return Tell(parsed, path, report.Left);
    }

    private static int List(ParseResult parsed, string path)
    {
        CartridgeListing.Run(
            path,
            report =>
            {
                Out(parsed).WriteLine($"{path}: {Describe(report.Description!)}");
                for (int i = 0; i < report.Partitions.Count; i++)
                {
                    PartitionDescription partition = report.Partitions[i];
                    Out(parsed).WriteLine($"partition {i}: {partition.ObjectCount} objects, "
                        + $"{partition.UsedBytes} of {partition.CapacityBytes} bytes used");
                }
            },
            file => Out(parsed).WriteLine(
                $"  {file.Partition}/{file.Number}: from object {file.FirstObject}, {file.Records} records, "
                + $"{file.LengthBytes} bytes, {file.StoredBytes} stored{Damage(file)}{Ending(file.EndedBy)}"));
        return 0;
    }

    private static int Tell(ParseResult parsed, string path, CartridgeReport report)
    {
        foreach (string finding in report.Findings)
            Out(parsed).WriteLine($"{path}: {finding}");
        if (report.FindingCount > report.Findings.Count)
            Out(parsed).WriteLine($"{path}: and {report.FindingCount - report.Findings.Count} more");
        ulong objects = (ulong)report.Partitions.Sum(partition => (long)partition.ObjectCount);
        Out(parsed).WriteLine(report.IsWhole
            ? $"{path}: whole; {report.Partitions.Count} partition(s), {objects} object(s)"
            : $"{path}: damaged in {report.FindingCount} place(s)");
        return report.IsWhole ? 0 : DamagedStatus;
    }

    private static TextWriter Out(ParseResult parsed) => parsed.InvocationConfiguration.Output;

    private static TextWriter Error(ParseResult parsed) => parsed.InvocationConfiguration.Error;

    private static string Describe(MediumDescription medium)
    {
        string density = TapeDensity.Find(medium.DensityCode)?.ToString() ?? $"density {medium.DensityCode:X2}h";
        string more = (medium.IsWorm ? ", written once" : "") + (medium.IsCleaning ? ", cleaning" : "")
            + (medium.IsWriteProtected ? ", write protected" : "");
        return $"{medium.Barcode}, {density}, {medium.CapacityBytes} bytes, serial number {medium.SerialNumber}{more}";
    }

    private static string Damage(in TapeFile file) => file.Damaged == 0 ? "" : $", {file.Damaged} damaged";

    private static string Ending(TapeObjectKind mark) => mark switch
    {
        TapeObjectKind.FileMark => ", filemark",
        TapeObjectKind.SetMark => ", setmark",
        _ => ", end of data",
    };

    /// <summary>LTO's own rule: the last two characters say which it is.</summary>
    private static int? GenerationOf(string barcode)
    {
        if (barcode.Length < 3 || barcode[^2] != 'L')
            return null;
        int worm = WormLetters.IndexOf(barcode[^1], StringComparison.Ordinal);
        return worm >= 0 ? OldestGeneration + worm : char.IsAsciiDigit(barcode[^1]) ? barcode[^1] - '0' : null;
    }

    private static long? ParseCapacity(ArgumentResult result)
    {
        string text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
        if (Units.TryParseSize(text, out long bytes) && bytes > 0)
            return bytes;
        result.AddError($"--capacity: expected a size as 100GB, found '{text}'.");
        return null;
    }
}
