using System.Net;
using Scstd.Administration;
using Scstd.Composition;
using Scstd.Configuration;
using Scstd.Control;
using Scstd.Libraries;
using Scstd.Tests.Configuration;

namespace Scstd.Tests.Composition;

/// <summary>Tape libraries in the whole daemon, and what an administrator does with them.</summary>
public sealed class LibraryServerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Events _events = new();
    private Exception? _fault;

    public void Dispose()
    {
        Assert.Null(_fault);
        _folder.Dispose();
    }

    [Fact]
    public async Task The_demonstration_has_a_library_with_cartridges()
    {
        Server server = await Server.StartAsync(
            Demonstration.Describe(new IPEndPoint(IPAddress.Loopback, 0), _folder.Path), _folder.Path, _events.Log,
            Fail);
        LibraryRecord library = Assert.Single(Commands(server).Describe(new LibraryRequest()).Libraries);
        await server.StopAsync(TimeSpan.Zero);

        Assert.Equal(Demonstration.LibraryName, library.Name);
        Assert.Equal(6, library.Elements.Count(element => element.Barcode is not null));
        Assert.Equal(2, library.Elements.Count(element => element.Place.StartsWith("drive", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Cartridges_are_where_they_were_after_another_start_and_drives_are_loaded_again()
    {
        Server server = await Start();
        await Move(server, "A00002L6", "drive1");
        await Move(server, "A00001L6", "slot4");
        await server.StopAsync(TimeSpan.Zero);
        server = await Start();
        Assert.True(SpinWait.SpinUntil(() => Where(server, "A00002L6")?.State == "loaded", TimeSpan.FromSeconds(30)));

        Assert.Equal("drive1", Where(server, "A00002L6")!.Place);
        Assert.Equal("slot4", Where(server, "A00001L6")!.Place);
        await server.StopAsync(TimeSpan.Zero);
        Assert.DoesNotContain(_events.Lines, line => line.StartsWith("Error", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_an_administrator_does_is_done_and_told()
    {
        Server server = await Start();
        LibraryCommands commands = Commands(server);
        Assert.Equal(new CartridgeAnswer("l", "A00001L6", "drive2"), await Move(server, "slot1", "drive2"));
        Assert.Equal(new CartridgeAnswer("l", "A00001L6", "slot1"), await Move(server, "A00001L6", null));
        Assert.Equal(new CartridgeAnswer("l", "NEW001L6", "mail1"),
            await commands.CreateAsync(new CreateCartridgeRequest("l", "NEW001L6", Capacity: "64MiB")));
        Assert.Equal(new CartridgeAnswer("l", "NEW001L6", null),
            await commands.ExportAsync(new ExportCartridgeRequest("l", "NEW001L6")));
        Assert.Null(Where(server, "NEW001L6"));
        Assert.Equal(new CartridgeAnswer("l", "NEW001L6", "slot5"),
            await commands.ImportAsync(new ImportCartridgeRequest("l", "NEW001L6", "slot5")));
        Assert.True(File.Exists(Path.Combine(_folder.Path, "tapes", $"NEW001L6{DirectoryShelf.Extension}")));
        await server.StopAsync(TimeSpan.Zero);
    }

    [Theory]
    [InlineData("A00009L6", "drive1", "there is no cartridge or place 'A00009L6'")]
    [InlineData("A00001L6", "drive3", "there is no place 'drive3': expected slot1 to slot6")]
    [InlineData("A00001L6", "slot2", "slot 2")]
    [InlineData("slot6", "drive1", "slot 6")]
    [InlineData("A00001L6", null, "lies in no drive")]
    public async Task What_cannot_be_done_is_refused_with_the_reason(string from, string? to, string why)
    {
        Server server = await Start();
        ControlRefusal refusal = await Assert.ThrowsAsync<ControlRefusal>(() => Move(server, from, to));
        await server.StopAsync(TimeSpan.Zero);

        Assert.Contains(why, refusal.Message, StringComparison.Ordinal);
    }

    /// <summary>Nothing else of the library minds.</summary>
    [Fact]
    public async Task A_file_that_is_no_cartridge_is_told_where_it_lies()
    {
        Directory.CreateDirectory(Path.Combine(_folder.Path, "tapes"));
        await File.WriteAllBytesAsync(Path.Combine(_folder.Path, "tapes", "BAD001L6.cartridge"), new byte[7]);
        Server server = await Start();
        ElementRecord bad = Where(server, "BAD001L6")!;
        ControlRefusal refusal = await Assert.ThrowsAsync<ControlRefusal>(() => Move(server, "BAD001L6", "drive1"));
        await server.StopAsync(TimeSpan.Zero);

        Assert.Contains("BAD001L6.cartridge", bad.State, StringComparison.Ordinal);
        Assert.Contains("BAD001L6.cartridge", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_that_leads_out_of_the_directory_is_none()
    {
        Server server = await Start();
        ControlRefusal refusal = await Assert.ThrowsAsync<ControlRefusal>(
            () => Commands(server).ImportAsync(new ImportCartridgeRequest("l", "../x")));
        await server.StopAsync(TimeSpan.Zero);

        Assert.Contains("is not the name of a file", refusal.Message, StringComparison.Ordinal);
    }

    private void Fail(Exception fault) => _fault = fault;

    private async Task<Server> Start()
    {
        ConfigurationFile file = Reading.Text("""
            libraries:
              l:
                drives: {count: 2, generation: lto-6}
                slots: 6
                import_export: 1
                cartridges: {directory: tapes, create: 3, capacity: 64MiB}
            portals: {p: "127.0.0.1:0"}
            targets:
              iqn.2026-11.org.example:l: {luns: {0: l, 1: l.drive1, 2: l.drive2}}
            """, _folder);
        Reading.Right(file);
        file.Daemon.StateDirectory = new Word("state", default);
        return await Server.StartAsync(file.Daemon, _folder.Path, _events.Log, Fail);
    }

    private LibraryCommands Commands(Server server) => new(server, _events.Log);

    private Task<ControlAnswer> Move(Server server, string from, string? to) =>
        Commands(server).MoveAsync(new MoveCartridgeRequest("l", from, to));

    private ElementRecord? Where(Server server, string barcode) =>
        Commands(server).Describe(new LibraryRequest("l")).Libraries[0].Elements
            .FirstOrDefault(element => element.Barcode == barcode);
}
