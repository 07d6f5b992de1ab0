using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;
using Scstd.Composition;
using Scstd.Configuration;

namespace Scstd.Hosting;

/// <summary>The options of the daemon.</summary>
internal static class CommandLine
{
    private const int MistakeStatus = 1;

    private static readonly Option<string> ConfigOption = new("--config")
    {
        HelpName = "FILE",
        Description = $"Serve what FILE describes. Default: {ConfigurationFile.InstalledPath}, if it exists.",
    };

    private static readonly Option<string> CheckOption = new("--check")
    {
        HelpName = "FILE",
        Description = "Print everything that is wrong with FILE and serve nothing.",
    };

    private static readonly Option<string> DataOption = new("--data")
    {
        HelpName = "DIR",
        Description = $"Serve the demonstration, with its disk in DIR. Default: ./{Demonstration.DataFolder}",
    };

    private static readonly Option<IPEndPoint?> ListenOption = new("--listen")
    {
        HelpName = "ADDRESS:PORT",
        Description = "Serve the demonstration, on this address. Default: 127.0.0.1:3260",
        CustomParser = ParseAddress,
    };

    public static Task<int> RunAsync(string[] arguments, Signals signals)
    {
        var root = new RootCommand("scstd: a SCSI target in user space. Without options it serves what "
            + $"{ConfigurationFile.InstalledPath} describes or, if there is no such file, a demonstration.")
        {
            ConfigOption, CheckOption, DataOption, ListenOption, CartridgeCommands.Build(),
        };
        root.Validators.Add(Exclusions);
        root.SetAction((parsed, _) => RunAsync(parsed, signals));
        // The host has the signals: the library would end a drain after two seconds.
        return root.Parse(arguments).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
    }

    private static Task<int> RunAsync(ParseResult parsed, Signals signals)
    {
        if (parsed.GetValue(CheckOption) is { } checkedFile)
            return Task.FromResult(Check(checkedFile));
        string? data = parsed.GetValue(DataOption);
        IPEndPoint? listen = parsed.GetValue(ListenOption);
        string? file = parsed.GetValue(ConfigOption)
            ?? (data is null && listen is null && File.Exists(ConfigurationFile.InstalledPath)
                ? ConfigurationFile.InstalledPath
                : null);
        return file is null ? ServeDemonstrationAsync(data, listen, signals) : ServeAsync(file, signals);
    }

    private static int Check(string path)
    {
        ConfigurationFile file = ConfigurationFile.Read(path);
        foreach (string line in file.Report().Concat(file.ReportWarnings()))
            Console.Out.WriteLine(line);
        Console.Out.WriteLine(file.IsRight ? Summary(file) : $"{file.Problems.Count} problem(s)");
        return file.IsRight ? 0 : MistakeStatus;
    }

    private static string Summary(ConfigurationFile file)
    {
        DaemonSection daemon = file.Daemon;
        return $"{file.Path}: right; {daemon.Targets.Count} target(s), {daemon.Devices.Count} device(s), "
            + $"{daemon.Portals.Count} portal(s)";
    }

    private static async Task<int> ServeAsync(string path, Signals signals)
    {
        ConfigurationFile file = ConfigurationFile.Read(path);
        foreach (string line in file.Report().Concat(file.ReportWarnings()))
            Console.Error.WriteLine(line);
        if (!file.IsRight)
        {
            Console.Error.WriteLine($"scstd: {file.Problems.Count} problem(s) in {path}, nothing is served");
            return MistakeStatus;
        }
        return await DaemonHost.RunAsync(
            new Assignment(file.Daemon, file.Folder, ConfigurationPath: Path.GetFullPath(path)), signals);
    }

    private static async Task<int> ServeDemonstrationAsync(string? data, IPEndPoint? listen, Signals signals)
    {
        string folder = Path.GetFullPath(data ?? Demonstration.DataFolder);
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"scstd: {exception.Message}");
            return MistakeStatus;
        }
        listen ??= new IPEndPoint(IPAddress.Loopback, PortalSection.IscsiPort);
        signals.EndsByHangUp = true;
        return await DaemonHost.RunAsync(
            new Assignment(Demonstration.Describe(listen, folder), folder, ConfigurationPath: null), signals);
    }

    private static void Exclusions(CommandResult result)
    {
        bool Has(Option option) => result.GetResult(option) is { Implicit: false };
        bool isDemonstration = Has(DataOption) || Has(ListenOption);
        if ((Has(ConfigOption) || Has(CheckOption)) && isDemonstration)
            result.AddError("--data and --listen belong to the demonstration, --config and --check to a file.");
        if (Has(ConfigOption) && Has(CheckOption))
            result.AddError("--check only looks at a file, --config serves it: give one of them.");
    }

    private static IPEndPoint? ParseAddress(ArgumentResult result)
    {
        string text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
        if (PortalSection.TryParseAddress(text, out IPEndPoint endPoint))
            return endPoint;
        result.AddError($"--listen: expected {PortalSection.AddressRule.Expected}, found '{text}'.");
        return null;
    }
}
