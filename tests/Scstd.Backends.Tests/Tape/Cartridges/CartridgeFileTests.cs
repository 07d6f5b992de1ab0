using System.Buffers.Binary;
using System.Diagnostics;
using Scstd.Backends.Tape;
using Scstd.Backends.Tape.Cartridges;
using Scstd.Backends.Tests.Disk;
using Scstd.Linux;

namespace Scstd.Backends.Tests.Tape.Cartridges;

/// <summary>Files that cannot be opened: a clear message, the right kind of fault, and nothing left open.</summary>
public sealed class CartridgeFileTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();
    private readonly string _path;

    public CartridgeFileTests() => _path = _folder.File("TST001L6");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void One_process_has_a_cartridge_at_a_time()
    {
        using (Cartridge first = Cartridge.Create(_path, TapeMoves.Options()))
        {
            Refused(MediumFaultKind.Store, "another process has this cartridge", () => Cartridge.Open(_path));
            Refused(MediumFaultKind.Store, "another process", () => CartridgeCheck.Run(_path));
            Refused(MediumFaultKind.Store, "another process", () => CartridgeRepair.Run(_path));
        }
        Cartridge.Open(_path).Dispose();
        using var other = new SecondProcess(_path);
        Refused(MediumFaultKind.Store, "another process has this cartridge", () => Cartridge.Open(_path));
    }

    [Fact]
    public void A_file_that_is_there_is_not_made_anew()
    {
        File.WriteAllText(_path, "precious");
        Refused(MediumFaultKind.Store, "such a file already", () => Cartridge.Create(_path, TapeMoves.Options()));
        Assert.Equal("precious", File.ReadAllText(_path));
    }

    [Fact]
    public void What_cannot_be_made_leaves_no_file()
    {
        Refused(
            MediumFaultKind.Store, "barcode",
            () => Cartridge.Create(_path, TapeMoves.Options() with { Barcode = new string('A', 70) }));
        Refused(
            MediumFaultKind.Store, "larger than the cartridge",
            () => Cartridge.Create(_path, TapeMoves.Options(TapeMoves.CapacityBytes, 1)));
        Refused(
            MediumFaultKind.Store, "No such file",
            () => Cartridge.Create(_folder.File("missing/TST001L6"), TapeMoves.Options()));
        Assert.False(File.Exists(_path));
    }

    [Fact]
    public void A_missing_file_a_folder_and_a_pipe_are_no_cartridges()
    {
        Refused(MediumFaultKind.Store, "no such file", () => Cartridge.Open(_path));
        Refused(MediumFaultKind.UnknownFormat, "regular file", () => Cartridge.Open(_folder.Path));
        using (Process made = Process.Start("mkfifo", _path))
            made.WaitForExit();
        Refused(MediumFaultKind.UnknownFormat, "regular file", () => Cartridge.Open(_path));
        Refused(MediumFaultKind.UnknownFormat, "regular file", () => CartridgeCheck.Run(_path));
    }

    [Theory]
    [InlineData(0, "empty")]
    [InlineData(10, "no cartridge")]
    [InlineData(1_000_000, "no cartridge")]
    public void Other_files_are_no_cartridges(int lengthBytes, string why)
    {
        byte[] bytes = new byte[lengthBytes];
        new Random(1).NextBytes(bytes);
        File.WriteAllBytes(_path, bytes);
        Refused(MediumFaultKind.UnknownFormat, why, () => Cartridge.Open(_path));
        Refused(MediumFaultKind.UnknownFormat, why, () => CartridgeCheck.Run(_path));
        Refused(MediumFaultKind.UnknownFormat, why, () => CartridgeRepair.Run(_path));
        Assert.Equal(bytes, File.ReadAllBytes(_path));
    }

    [Fact]
    public void A_cartridge_of_a_newer_version_is_left_alone()
    {
        Cartridge.Create(_path, TapeMoves.Options()).Dispose();
        byte[] bytes = File.ReadAllBytes(_path);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(16), 2);
        File.WriteAllBytes(_path, bytes);
        Refused(MediumFaultKind.UnknownFormat, "version 2", () => Cartridge.Open(_path));
        Refused(MediumFaultKind.UnknownFormat, "version 2", () => CartridgeRepair.Run(_path));
        Assert.Equal(bytes, File.ReadAllBytes(_path));
    }

    [Theory]
    [InlineData(ErrorNumber.AccessDenied)]
    [InlineData(ErrorNumber.TooLarge)]
    [InlineData(ErrorNumber.InputOutput)]
    public void What_the_system_refuses_is_told_with_its_error(int error)
    {
        MediumFaultException fault = CartridgeFiles.Fault(_path, new LinuxException(error, "open", _path));
        Assert.Equal(new MediumFault(MediumFaultKind.Store, error), fault.Fault);
        Assert.StartsWith($"{_path}: ", fault.Message);
    }

    /// <summary>16 TB with two partitions: places far behind what any file here has on its disk.</summary>
    [Fact]
    public void A_large_cartridge_takes_the_room_of_what_is_on_it()
    {
        const ulong Large = 16_000_000_000_000;
        CartridgeOptions options = TapeMoves.Options() with
        {
            CapacityBytes = Large,
            Partitions = [Large / 2, Large / 2],
        };
        using var memory = new RecordMemory(new byte[100_000]);
        using (Cartridge cartridge = Cartridge.Create(_path, options))
        {
            cartridge.Locate(1, 0);
            Assert.True(cartridge.Write(memory.Data, 0, 100_000, default));
        }
        using (Cartridge cartridge = Cartridge.Open(_path))
        {
            cartridge.Locate(1, 0);
            Assert.Equal(100_000, cartridge.Read(memory.Data, 0, 100_000));
        }
        using BlockFile file = BlockFile.Open(_path, new BlockFileOptions());
        Assert.True(file.SizeBytes > 8_000_000_000_000);
        Assert.True(file.MeasureSpace().AllocatedBytes < 1_000_000);
    }

    private static void Refused(MediumFaultKind kind, string why, Action action)
    {
        MediumFaultException thrown = Assert.Throws<MediumFaultException>(action);
        Assert.Equal(kind, thrown.Fault.Kind);
        Assert.Contains(why, thrown.Message);
    }
}
