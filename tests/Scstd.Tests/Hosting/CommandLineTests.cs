using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace Scstd.Tests.Hosting;

/// <summary>The program itself, as a process of its own.</summary>
public sealed class CommandLineTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<Process> _started = [];

    /// <summary>A test that fails leaves no daemon behind.</summary>
    public void Dispose()
    {
        foreach (Process process in _started)
        {
            if (!process.HasExited)
                process.Kill();
            process.Dispose();
        }
        _folder.Dispose();
    }

    [Fact]
    public async Task Version_and_help_are_told()
    {
        Assert.Equal((0, "0.1.0\n", ""), await Run("--version"));
        (int status, string help, _) = await Run("--help");
        Assert.Equal(0, status);
        Assert.All((string[])["--config", "--check", "--data", "--listen", "--version"],
            option => Assert.Contains(option, help));
    }

    [Fact]
    public async Task A_configuration_that_is_right_is_checked_with_status_0()
    {
        (int status, string output, string error) =
            await Run("--check", Path.Combine(Repository.Root, "src/Scstd/Packaging/scstd.yaml"));
        Assert.Equal((0, ""), (status, error));
        Assert.Contains("right; 1 target(s), 1 device(s), 1 portal(s)", output);
    }

    [Fact]
    public async Task A_configuration_with_mistakes_is_checked_with_status_1_and_not_served()
    {
        string file = _folder.Write("wrong.yaml", "targets: {}\nlimts: {}\n");
        (int status, string output, _) = await Run("--check", file);
        Assert.Equal(1, status);
        Assert.StartsWith($"{file}:1:1: ", output);
        Assert.Contains($"{file}:2:1: unknown key 'limts'; did you mean 'limits'?", output);

        (int served, string nothing, string error) = await Run("--config", file);
        Assert.Equal((1, ""), (served, nothing));
        Assert.Contains($"{file}:2:1: unknown key 'limts'", error);
    }

    [Theory]
    [InlineData("--listen", "somewhere")]
    [InlineData("--listen", "1.2.3.4:99999")]
    [InlineData("--config", "a", "--data", "b")]
    [InlineData("--check", "a", "--config", "b")]
    [InlineData("--loud")]
    [InlineData("stray")]
    public async Task Options_that_make_no_sense_are_refused(params string[] arguments)
    {
        (int status, string _, string error) = await Run(arguments);
        Assert.Equal(1, status);
        Assert.NotEqual("", error);
        Assert.DoesNotContain("   at ", error);
    }

    [Fact]
    public async Task A_start_that_fails_is_one_sentence_and_status_1()
    {
        (int status, string output, string error) =
            await Run("--listen", "192.0.2.1:3260", "--data", _folder.File("data"));
        Assert.Equal((1, ""), (status, output));
        Assert.EndsWith("scstd: portal demonstration, 192.0.2.1:3260: this machine does not have the address\n", error);
        Assert.DoesNotContain("   at ", error);
    }

    [Fact]
    public async Task It_says_when_it_serves_tells_its_counters_and_ends_by_SIGTERM_with_status_0()
    {
        Process daemon = Start("--listen", "127.0.0.1:0", "--data", _folder.File("data"));
        Task<string> error = daemon.StandardError.ReadToEndAsync();
        string serving = (await daemon.StandardOutput.ReadLineAsync())!;
        Assert.Matches(@"^scstd 0\.1\.0 serving 1 target\(s\) on 127\.0\.0\.1:\d+$", serving);
        Signal(daemon, "USR1");
        Assert.StartsWith("counters {\"uptimeSeconds\":", await daemon.StandardOutput.ReadLineAsync());
        Signal(daemon, "TERM");
        await daemon.WaitForExitAsync();

        Assert.Equal(0, daemon.ExitCode);
        Assert.Contains("iscsiadm -m discovery -t sendtargets -p " + serving.Split(' ')[^1], await error);
    }

    /// <summary>Wherever the exception comes from: it ends the process at once, loudly, with the status of a bug.
    /// </summary>
    [Fact]
    public async Task A_broken_invariant_ends_it_with_status_70_and_a_last_word()
    {
        ProcessStartInfo start = Program("--listen", "127.0.0.1:0", "--data", _folder.File("data"));
        start.Environment["DOTNET_STARTUP_HOOKS"] = typeof(StartupHook).Assembly.Location;
        start.RedirectStandardInput = true;
        Process daemon = Start(start);
        Task<string> error = daemon.StandardError.ReadToEndAsync();
        Assert.StartsWith("scstd 0.1.0 serving", await daemon.StandardOutput.ReadLineAsync());
        await daemon.StandardInput.WriteLineAsync(StartupHook.Word);
        await daemon.StandardInput.FlushAsync();
        await daemon.WaitForExitAsync();

        Assert.Equal(70, daemon.ExitCode);
        Assert.Contains("FATL scstd is broken and stops: invariant broken: planted by a test", await error);
    }

    /// <summary>sd_notify(3): the unit is started when the sockets accept, and known to be stopping.</summary>
    [Fact]
    public async Task It_tells_systemd_that_it_serves_and_that_it_stops()
    {
        using var notices = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        notices.Bind(new UnixDomainSocketEndPoint(_folder.File("notify")));
        notices.ReceiveTimeout = 60_000;
        ProcessStartInfo start = Program("--listen", "127.0.0.1:0", "--data", _folder.File("data"));
        start.Environment["NOTIFY_SOCKET"] = _folder.File("notify");
        start.Environment["JOURNAL_STREAM"] = "8:1";
        Process daemon = Start(start);
        Task<string> error = daemon.StandardError.ReadToEndAsync(), output = daemon.StandardOutput.ReadToEndAsync();

        Assert.Contains("READY=1", Notice(notices));
        Signal(daemon, "TERM");
        Assert.Contains("STOPPING=1", Notice(notices));
        await daemon.WaitForExitAsync();
        Assert.Equal(0, daemon.ExitCode);
        Assert.StartsWith("scstd 0.1.0 serving", await output);
        Assert.StartsWith("<6>Reactor 0: ", await error);
    }

    /// <summary>systemctl reload is a SIGHUP: first with a mistake, then right.</summary>
    [Fact]
    public async Task SIGHUP_reloads_and_systemd_is_told_when_it_begins_and_ends()
    {
        const string Yaml = "portals: {a: '127.0.0.1:0'}\nstate_directory: none\ndevices: {m: {store: memory, "
            + "size: 1MiB}}\ncontrol: {socket: control.sock}\ntargets: {'iqn.2026-11.a:b': {luns: {0: m}}}\n";
        using var notices = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        notices.Bind(new UnixDomainSocketEndPoint(_folder.File("notify")));
        notices.ReceiveTimeout = 60_000;
        ProcessStartInfo start = Program("--config", _folder.Write("scstd.yaml", Yaml));
        start.Environment["NOTIFY_SOCKET"] = _folder.File("notify");
        Process daemon = Start(start);
        Task<string> error = daemon.StandardError.ReadToEndAsync(), output = daemon.StandardOutput.ReadToEndAsync();
        Assert.Contains("READY=1", Notice(notices));

        _folder.Write("scstd.yaml", Yaml + "lgo: {}\n");
        Signal(daemon, "HUP");
        Assert.Matches("^RELOADING=1\nMONOTONIC_USEC=[0-9]+$", Notice(notices));
        Assert.Contains("nothing was changed", Notice(notices));
        (int status, string told, string why) = await Control("reload");
        Assert.Equal((1, ""), (status, told));
        Assert.Contains("scstd.yaml:6:1: unknown key 'lgo'; did you mean 'log'?", why);
        Assert.Contains("RELOADING=1", Notice(notices));
        Assert.Contains("READY=1", Notice(notices));

        _folder.Write("scstd.yaml", Yaml.Replace("a:b", "a:c"));
        Signal(daemon, "HUP");
        Assert.Contains("RELOADING=1", Notice(notices));
        Assert.Contains("READY=1\nSTATUS=Last reload at", Notice(notices));
        (status, told, _) = await Control("units", "--json");
        Assert.Equal(0, status);
        Assert.Contains("\"target\":\"iqn.2026-11.a:c\"", told);
        Signal(daemon, "TERM");
        await daemon.WaitForExitAsync();
        Assert.Contains("scstd.yaml:6:1: unknown key", await error);
        Assert.StartsWith("scstd 0.1.0 serving", await output);
        Assert.Equal((3, ""), ((await Control("status")).Status, (await Control("status")).Output));
        Assert.Equal(2, (await Control("stauts")).Status);
    }

    private Task<(int Status, string Output, string Error)> Control(params string[] arguments) =>
        Run(Program("scstctl.dll", ["--socket", _folder.File("control.sock"), .. arguments]));

    private static string Notice(Socket notices)
    {
        byte[] bytes = new byte[4096];
        return Encoding.UTF8.GetString(bytes, 0, notices.Receive(bytes));
    }

    private static void Signal(Process process, string name)
    {
        using Process kill = Process.Start("/bin/kill", [$"-{name}", $"{process.Id}"]);
        kill.WaitForExit();
        Assert.Equal(0, kill.ExitCode);
    }

    private Task<(int Status, string Output, string Error)> Run(params string[] arguments) => Run(Program(arguments));

    private async Task<(int Status, string Output, string Error)> Run(ProcessStartInfo start)
    {
        Process process = Start(start);
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await error);
    }

    private Process Start(params string[] arguments) => Start(Program(arguments));

    private Process Start(ProcessStartInfo start)
    {
        Process process = Process.Start(start)!;
        _started.Add(process);
        return process;
    }

    private static ProcessStartInfo Program(params string[] arguments) => Program("scstd.dll", arguments);

    private static ProcessStartInfo Program(string program, string[] arguments) => new(
        "dotnet", [Path.Combine(AppContext.BaseDirectory, program), .. arguments])
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    };
}
