using System.Net;
using Scstd.Configuration;

namespace Scstd.Composition;

/// <summary>What is served without a configuration, so that one command shows the whole.</summary>
internal static class Demonstration
{
    public const string TargetName = "iqn.2026-11.io.scstd:demo";
    public const string DataFolder = "scstd-data";
    public const string DiskFile = "disk1.img";
    public const string ControlSocket = "control.sock";
    public const string LibraryName = "library";
    public const string CartridgeFolder = "cartridges";

    private const int Cartridges = 6;
    private const int Slots = 10;

    private const long MemoryBytes = 256L << 20;
    private const long DiskBytes = 1L << 30;

    /// <summary>LUN 0 is a memory disk, LUN 1 a sparse file, LUN 2 the robot of a tape library, LUN 3 and 4 its drives.
    /// </summary>
    public static DaemonSection Describe(IPEndPoint listen, string folder) => new()
    {
        StateDirectory = new Word(UnitStates.None, default),
        Control = new ControlSection { Socket = new Word(Path.Combine(folder, ControlSocket), default) },
        Devices =
        [
            new DeviceSection { Store = StoreKind.Memory, SizeBytes = MemoryBytes }.Called(new Word("memory", default)),
            new DeviceSection
            {
                Store = StoreKind.File,
                Path = new Word(Path.Combine(folder, DiskFile), default),
                SizeBytes = DiskBytes,
            }.Called(new Word("disk1", default)),
        ],
        Libraries =
        [
            new LibrarySection
            {
                Slots = Slots,
                Cartridges = new CartridgesSection
                {
                    Directory = new Word(Path.Combine(folder, CartridgeFolder), default),
                    Create = Cartridges,
                },
            }.Called(new Word(LibraryName, default)),
        ],
        Portals = [new PortalSection { Address = listen }.Called(new Word("demonstration", default))],
        Targets =
        [
            new TargetSection
            {
                Alias = new Word("scstd demonstration", default),
                Luns =
                [
                    new LunSection { Device = new Word("memory", default) }.Numbered(0, default),
                    new LunSection { Device = new Word("disk1", default) }.Numbered(1, default),
                    new LunSection { Device = new Word(LibraryName, default) }.Numbered(2, default),
                    new LunSection { Device = new Word($"{LibraryName}.drive1", default) }.Numbered(3, default),
                    new LunSection { Device = new Word($"{LibraryName}.drive2", default) }.Numbered(4, default),
                ],
            }.Called(new Word(TargetName, default)),
        ],
    };

    /// <summary>What to type to reach it.</summary>
    public static string Invitation(IPEndPoint served, string? socket)
    {
        IPEndPoint near = served.Address.Equals(IPAddress.Any) ? new(IPAddress.Loopback, served.Port)
            : served.Address.Equals(IPAddress.IPv6Any) ? new(IPAddress.IPv6Loopback, served.Port)
            : served;
        string url = $"iscsi://{near}";
        string open = IPAddress.IsLoopback(served.Address) ? "" :
            "\n  Whoever reaches this address may read and write all of it: there is no authentication.\n";
        // Beside the program, where it was built or installed; from the sources anybody can run it.
        string control = Path.Combine(AppContext.BaseDirectory, "scstctl");
        string ask = File.Exists(control) ? control : "dotnet run -c Release --project src/Scstctl --";
        string look = socket is null ? "" : $"  Look inside: {ask} --socket {socket} status\n"
            + $"  The library:  {ask} --socket {socket} library list\n";
        return $"""

              LUN 0 is a memory disk (256 MiB), LUN 1 the file {DiskFile} (1 GiB, sparse), LUN 2 a tape library with
              {Cartridges} LTO-8 cartridges, LUN 3 and LUN 4 its drives.
            {open}
              libiscsi     iscsi-ls -s {url}
                           iscsi-inq {url}/{TargetName}/0
              QEMU         qemu-img info {url}/{TargetName}/1
                           qemu-system-x86_64 -m 1G -drive file={url}/{TargetName}/1,format=raw
              open-iscsi   iscsiadm -m discovery -t sendtargets -p {near}
                           iscsiadm -m node -T {TargetName} -p {near} --login
                           iscsiadm -m node -T {TargetName} -p {near} --logout

            {look}
              Serve your own: scstd --config FILE (docs/configuration.md). Stop: Ctrl+C.

            """;
    }
}
