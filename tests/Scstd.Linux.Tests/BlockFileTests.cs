using System.Diagnostics;

namespace Scstd.Linux.Tests;

public sealed class BlockFileTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_missing_file_is_created_sparse_with_its_size_for_its_owner_alone()
    {
        string path = _directory.File("disk");
        using var file = BlockFile.Open(path, new BlockFileOptions { CreateSizeBytes = 1L << 30 });

        Assert.Equal(1L << 30, file.SizeBytes);
        Assert.Equal(1L << 30, new FileInfo(path).Length);
        Assert.Null(file.NextData(0));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
    }

    [Fact]
    public void The_room_of_a_sparse_file_grows_with_what_is_written()
    {
        using var file = BlockFile.Open(_directory.File("disk"), new BlockFileOptions { CreateSizeBytes = 1L << 30 });
        FileSpace before = file.MeasureSpace();
        Assert.Equal(0ul, before.AllocatedBytes);
        Assert.InRange(before.AvailableBytes, 1ul, before.TotalBytes);
        file.Preallocate(0, 1 << 20);
        Assert.Equal(1ul << 20, file.MeasureSpace().AllocatedBytes);
    }

    [Fact]
    public void A_file_that_exists_keeps_its_size_and_its_bytes()
    {
        string path = _directory.File("disk");
        File.WriteAllBytes(path, [1, 2, 3]);
        using var file = BlockFile.Open(path, new BlockFileOptions { CreateSizeBytes = 4096 });

        Assert.Equal(3, file.SizeBytes);
        Assert.Equal([1, 2, 3], File.ReadAllBytes(path));
    }

    [Fact]
    public void A_file_that_cannot_have_its_size_is_not_left_behind()
    {
        string path = _directory.File("disk");
        LinuxException thrown = Assert.Throws<LinuxException>(
            () => BlockFile.Open(path, new BlockFileOptions { CreateSizeBytes = long.MaxValue }));

        Assert.Equal("ftruncate", thrown.Call);
        Assert.False(File.Exists(path));
    }

    [Fact]
    public void A_missing_file_is_named_with_the_systems_words()
    {
        string path = _directory.File("missing");
        LinuxException thrown = Assert.Throws<LinuxException>(() => BlockFile.Open(path, new BlockFileOptions()));

        Assert.Equal($"{path}: open: No such file or directory", thrown.Message);
        Assert.Equal(ErrorNumber.NoSuchFile, thrown.Error);
    }

    [Fact]
    public void A_writer_keeps_every_other_opener_away_and_readers_keep_writers_away()
    {
        string path = _directory.File("disk");
        File.WriteAllBytes(path, new byte[512]);
        var readOnly = new BlockFileOptions { ReadOnly = true };
        using (BlockFile.Open(path, new BlockFileOptions()))
        {
            LinuxException thrown = Assert.Throws<LinuxException>(() => BlockFile.Open(path, new BlockFileOptions()));
            Assert.StartsWith($"{path}: locked by another process (", thrown.Message, StringComparison.Ordinal);
            Assert.Throws<LinuxException>(() => BlockFile.Open(path, readOnly));
            BlockFile.Open(path, new BlockFileOptions { Lock = false }).Dispose();
            Assert.Throws<LinuxException>(() => BlockFile.Open(path, readOnly));
        }
        using BlockFile reader = BlockFile.Open(path, readOnly);
        BlockFile.Open(path, readOnly).Dispose();
        Assert.Throws<LinuxException>(() => BlockFile.Open(path, new BlockFileOptions()));
    }

    [Fact]
    public void What_is_neither_file_nor_disk_is_refused()
    {
        LinuxException thrown = Assert.Throws<LinuxException>(
            () => BlockFile.Open("/dev/null", new BlockFileOptions { Lock = false }));
        Assert.Contains("neither a regular file nor a disk", thrown.Message, StringComparison.Ordinal);
        Assert.Throws<LinuxException>(() => BlockFile.Open(_directory.Path, new BlockFileOptions()));
    }

    [Fact]
    public void Holes_and_data_are_found()
    {
        string path = _directory.File("disk");
        using var file = BlockFile.Open(path, new BlockFileOptions { CreateSizeBytes = 1 << 20 });
        using (FileStream writer = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            writer.Position = 65536;
            writer.Write(new byte[4096]);
        }
        Assert.Equal(65536, file.NextData(0));
        Assert.Equal(65536 + 4096, file.NextHole(65536));
        Assert.Equal(0, file.NextHole(0));
        Assert.Null(file.NextHole(1 << 20));
        file.Preallocate(0, 1 << 20);
        file.SetSize(2 << 20);
        Assert.Equal(2 << 20, file.MeasureSize());
        BlockFile.SyncDirectory(path);
    }

    [Fact]
    public void A_file_in_memory_is_reached_inline_and_one_on_disk_is_not()
    {
        using var memory = new TemporaryDirectory(inMemory: true);
        var create = new BlockFileOptions { CreateSizeBytes = 4096 };
        using BlockFile inMemory = BlockFile.Open(memory.File("disk"), create);
        using BlockFile onDisk = BlockFile.Open(_directory.File("disk"), create);

        Assert.True(inMemory.Handle.Inline);
        Assert.False(onDisk.Handle.Inline);
        Assert.True(onDisk.Handle.ReadsWithoutWaiting);
    }

    [Fact]
    public void Direct_access_tells_the_alignment_it_needs()
    {
        using BlockFile file = BlockFile.Open(
            _directory.File("disk"), new BlockFileOptions { CreateSizeBytes = 1 << 20, Direct = true });

        Assert.True(file.Handle.IsDirect);
        Assert.InRange(file.LogicalSectorSizeBytes, 512, 4096);
        Assert.InRange(file.MemoryAlignmentBytes, 1, 4096);
        Assert.False(file.Handle.ReadsWithoutWaiting);
    }

    [SkippableFact]
    public void A_disk_is_measured_and_one_in_use_is_refused()
    {
        Skip.IfNot(Environment.IsPrivilegedProcess, "needs the right to make a loop device");
        string path = _directory.File("image");
        File.WriteAllBytes(path, new byte[8 << 20]);
        string? loop = Run("losetup", "--find", "--show", path);
        Skip.If(loop is null, "this system has no loop devices");
        try
        {
            using (BlockFile disk = BlockFile.Open(loop!, new BlockFileOptions()))
            {
                Assert.True(disk.IsBlockDevice);
                Assert.Equal(8 << 20, disk.SizeBytes);
                Assert.Equal(512, disk.LogicalSectorSizeBytes);
                LinuxException thrown = Assert.Throws<LinuxException>(
                    () => BlockFile.Open(loop!, new BlockFileOptions()));
                Assert.Contains(loop!, thrown.Message, StringComparison.Ordinal);
            }
            BlockFile.Open(loop!, new BlockFileOptions { Direct = true }).Dispose();
        }
        finally
        {
            Run("losetup", "--detach", loop!);
        }
    }

    /// <summary>The mechanism of Linux that a store leans on: of two fsyncs of one open file the second is deaf, and
    /// who has the file open for itself still hears.</summary>
    [SkippableFact]
    public void A_write_error_is_told_to_every_open_file_once()
    {
        Skip.IfNot(Environment.IsPrivilegedProcess, "needs the right to mount and to make a loop device");
        string room = _directory.File("room");
        Directory.CreateDirectory(room);
        Skip.If(Run("mount", "-t", "tmpfs", "-o", "size=4m", "none", room) is null, "this system does not let mount");
        string image = Path.Combine(room, "image");
        using (FileStream sparse = File.Create(image))
            sparse.SetLength(32 << 20);
        string? loop = Run("losetup", "--find", "--show", image);
        try
        {
            Skip.If(loop is null, "this system has no loop devices");
            using BlockFile disk = BlockFile.Open(loop!, new BlockFileOptions());
            using FileHandle witness = disk.OpenAgain();
            using FileHandle another = disk.OpenAgain();
            using (var writer = new FileStream(loop!, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
                writer.Write(new byte[16 << 20].AsSpan());
            Assert.Equal(0, witness.TakeWriteError());
            Assert.Throws<LinuxException>(disk.Sync);
            disk.Sync();
            foreach (FileHandle file in (FileHandle[])[witness, another])
            {
                Assert.True(file.TakeWriteError() is ErrorNumber.InputOutput or ErrorNumber.NoSpace);
                Assert.Equal(0, file.TakeWriteError());
            }
            Assert.Equal(0, disk.Handle.TakeWriteError());
        }
        finally
        {
            if (loop is not null)
                Run("losetup", "--detach", loop);
            Run("umount", room);
        }
    }

    private static string? Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        string output = process.StandardOutput.ReadToEnd().Trim();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : null;
    }
}
