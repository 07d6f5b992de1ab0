using Scstd.Configuration;

namespace Scstd.Tests.Configuration;

public sealed class ReaderTests
{
    [Fact]
    public void The_smallest_configuration_is_right_and_has_the_defaults()
    {
        ConfigurationFile file = Reading.Text(Reading.Minimal);

        Reading.Right(file);
        Assert.Equal(LogLevel.Information, file.Daemon.Log.Level);
        Assert.Null(file.Daemon.Reactors.Count);
        Assert.Equal(4096, file.Daemon.Limits.Connections);
        Assert.Equal(new MemoryBound(null, 25), file.Daemon.Memory);
        DeviceSection disk = Assert.Single(file.Daemon.Devices);
        Assert.Equal((StoreKind.Memory, 1L << 20, 512), (disk.Store, disk.SizeBytes, disk.BlockBytes));
        TargetSection target = Assert.Single(file.Daemon.Targets);
        Assert.Null(target.Authentication);
        Assert.Equal("disk", Assert.Single(target.Luns).Device.Text);
    }

    [Fact]
    public void Short_and_full_form_say_the_same()
    {
        ConfigurationFile file = Reading.Text("""
            portals:
              a: "[::1]:3261"
              b: {address: 192.0.2.7, tag: 2, advertise: san.example.com}
            devices:
              d: {store: "null", blocks: 18446744073709551615}
              e: {store: null, size: 1PiB}
            targets:
              iqn.2026-11.org.example:one:
                portals: a
                luns: {0: d, 1: {device: e, read_only: yes}}
              eui.0123456789abcdef:
                redirect: 192.0.2.9
            """);

        Reading.Right(file);
        Assert.Equal(["[::1]:3261", "192.0.2.7:3260"], file.Daemon.Portals.Select(p => p.Address!.ToString()));
        Assert.Equal("san.example.com:3260", file.Daemon.Portals[1].Advertise);
        Assert.Equal([(0, "d", false), (1, "e", true)],
            file.Daemon.Targets[0].Luns.Select(lun => (lun.Number, lun.Device.Text, lun.IsReadOnly)));
        Assert.Equal(ulong.MaxValue, file.Daemon.Devices[0].Blocks);
        Assert.Equal(StoreKind.Null, file.Daemon.Devices[1].Store);
        Assert.Equal("192.0.2.9:3260", file.Daemon.Targets[1].Redirect!.To!.ToString());
    }

    [Fact]
    public void A_part_that_is_used_twice_may_be_written_once()
    {
        ConfigurationFile file = Reading.Text("""
            portals: {a: 127.0.0.1}
            devices:
              one: {store: memory, size: &size 4MiB}
              two: {store: memory, size: *size}
            targets:
              iqn.2026-11.org.example:one: {luns: {0: one, 1: two}}
            """);

        Reading.Right(file);
        Assert.All(file.Daemon.Devices, device => Assert.Equal(4L << 20, device.SizeBytes));
    }

    [Theory]
    [InlineData("memory: 8MiB", "8:9", "expected a size of at least 16MiB such as 512MiB, or a part such as 25%")]
    [InlineData("memory: 0%", "8:9", "or a part such as 25%")]
    [InlineData("memory: [1GiB]", "8:9", "found a list")]
    [InlineData("memory:", "8:8", "found nothing")]
    [InlineData("log: loud", "8:6", "expected a section with keys (level), found 'loud'")]
    [InlineData("log: {level: loud}", "8:14", "expected verbose, debug, information, warning or error")]
    [InlineData("log: {level: warn}", "8:14", "did you mean 'warning'?")]
    [InlineData("log: {level: debug, level: error}", "8:21", "key 'level' stands here twice; first on line 8")]
    [InlineData("reactors: {count: 0}", "8:19", "expected 'auto' or a whole number from 1 to 256")]
    [InlineData("reactors: {io: uring}", "8:16", "expected auto, io_uring or epoll, found 'uring'")]
    [InlineData("reactors: {latency: lowest}", "8:21", "expected power, balanced or low, found 'lowest'")]
    [InlineData("reactors: {cpus: '3-1'}", "8:18", "expected a list of CPUs such as 0-3,8")]
    [InlineData("reactors: {cpus: '2-9'}", "8:18", "this machine has no CPU 4, 5, 6, 7, 8, 9 (it has 0-3)")]
    [InlineData("limits: {connections: many}", "8:23", "expected a whole number from 1 to 65536, found 'many'")]
    [InlineData("limits: {stop_timeout: 1}", "8:24", "(write it as 500ms, 5s, 2min or 1h)")]
    [InlineData("targts: {}", "8:1", "unknown key 'targts'; did you mean 'targets'?")]
    [InlineData("completely: 1", "8:1", "(configuration has: log, reactors, memory, limits,")]
    [InlineData("discovery: {authentication: {users: []}}", "8:37", "a list without items")]
    [InlineData("discovery: {authentication: all}", "8:29", "expected 'none', found 'all'")]
    [InlineData("discovery: {authentication: {}}", "8:29", "authentication lacks the key 'users'")]
    [InlineData("<<: {}", "8:1", "unknown key '<<'")]
    public void A_mistake_is_told_with_its_place(string line, string position, string words) =>
        Reading.OneProblem(Reading.After(line), position, words);

    [Theory]
    [InlineData("{}", "lacks the key 'address'")]
    [InlineData("localhost", "expected an address such as 192.0.2.10")]
    [InlineData("127.0.0.1:65536", "expected an address")]
    [InlineData("'127.0.0.1:'", "expected an address")]
    [InlineData("127.1", "expected an address")]
    [InlineData("'[127.0.0.1]:3260'", "expected an address")]
    [InlineData("'::1:3260:'", "expected an address")]
    [InlineData("{address: 127.0.0.2, tag: 0}", "expected a whole number from 1 to 65535")]
    [InlineData("{address: 127.0.0.2, advertise: 0.0.0.0}", "expected a host name or address")]
    [InlineData("{address: 127.0.0.2, advertise: 'a b'}", "expected a host name or address")]
    [InlineData("0.0.0.0", "portal 'here' (127.0.0.1:3260, line 2)")]
    public void A_portal_that_cannot_be_is_told(string portal, string words)
    {
        ConfigurationFile file = Reading.Text(Reading.Minimal.Replace("devices:", $"  there: {portal}\ndevices:"));
        Reading.OneProblem(file, file.Problems[0].Position.ToString(), words);
        Assert.Equal(3, file.Problems[0].Position.Line);
    }

    [Theory]
    [InlineData("{size: 1MiB}", "device lacks the key 'store'")]
    [InlineData("{store: memory}", "lacks the key 'size', which memory needs")]
    [InlineData("{store: file}", "lacks the key 'path', which a file needs")]
    [InlineData("{store: memory, size: 1MiB, path: /x}", "'path' means nothing to a device whose store is memory")]
    [InlineData("{store: memory, size: 1000}", "a multiple of 512 bytes")]
    [InlineData("{store: memory, size: 1536, block_size: 1024}", "1536 bytes are not a whole number of blocks of 1024")]
    [InlineData("{store: memory, size: 1MiB, block_size: 1000}", "a size that is a power of two from 512 to 4KiB")]
    [InlineData("{store: memory, size: 1MiB, block_size: 4096, physical_block_size: 512}", "cannot hold a logical one")]
    [InlineData("{store: memory, size: 1MiB, blocks: 5}", "'size' and 'blocks' exclude each other")]
    [InlineData("{store: memory, size: 1MiB, vendor: NINECHARS}", "1 to 8 printable ASCII characters")]
    [InlineData("{store: memory, size: 1MiB, vendor: Bär}", "1 to 8 printable ASCII characters")]
    [InlineData("{store: block, path: /dev/scstd-none}", "there is no block device /dev/scstd-none")]
    [InlineData("{store: file, path: /dev}", "expected a file, found the directory /dev")]
    [InlineData("{store: file, path: /nowhere/a.img}", "there is no file /nowhere/a.img; with a 'size' it would be")]
    [InlineData("{store: file, path: /nowhere/a.img, size: 1MiB}", "there is no directory to create the file")]
    public void A_device_that_cannot_be_is_told(string device, string words)
    {
        ConfigurationFile file = Reading.Text(Reading.Minimal.Replace("{store: memory, size: 1MiB}", device));
        Reading.OneProblem(file, file.Problems[0].Position.ToString(), words);
    }

    [Theory]
    [InlineData("portals: [here, there]", "there is no portal 'there'")]
    [InlineData("portals: [here, here]", "portal 'here' stands in this list twice")]
    [InlineData("portals: []", "a list of such, found a list without items")]
    [InlineData("groups: [{initiators: '*'}]", "group lacks the key 'name'")]
    [InlineData("groups: [{name: a, initiators: '*'}, {name: a, initiators: '*'}]", "group name 'a' is used twice")]
    [InlineData("groups: [{name: a, initiators: 'a b'}]", "expected an iSCSI name or a pattern")]
    [InlineData("groups: [{name: a, initiators: '*', luns: {0: disc}}]", "no device 'disc'; did you mean 'disk'?")]
    [InlineData("groups: [{name: a, initiators: ['!x', '!y']}]", "nobody belongs to the group")]
    [InlineData("groups: {name: a}", "expected a list of a section with keys (name,")]
    [InlineData("redirect: 127.0.0.1:3260", "is our own portal")]
    [InlineData("limits: {commands: 0}", "expected a whole number from 1 to 1000000")]
    [InlineData("limits: {queue_depth: 0}", "expected a whole number from 1 to 4096")]
    [InlineData("negotiation: {FirstBurstLength: 2MiB}", "FirstBurstLength (2MiB) is more than MaxBurstLength (1MiB)")]
    [InlineData("negotiation: {MaxBurstLength: 16MiB}", "expected a size from 512 to 16777215")]
    [InlineData("negotiation: {firstburstlength: 1}", "did you mean 'FirstBurstLength'?")]
    [InlineData("negotiation: {HeaderDigest: [crc]}", "expected CRC32C or None")]
    public void A_target_that_cannot_be_is_told(string key, string words)
    {
        ConfigurationFile file = Reading.After("    " + key);
        Reading.OneProblem(file, file.Problems[0].Position.ToString(), words);
        Assert.Equal(8, file.Problems[0].Position.Line);
    }

    [Fact]
    public void A_device_may_have_one_LUN_only_in_one_set()
    {
        ConfigurationFile file = Reading.Text(Reading.Minimal.Replace("{0: disk}", "{0: disk, 1: disk}"));
        Reading.OneProblem(file, "7:24", "LUN 1 shows device 'disk', which is LUN 0 here already");
    }

    [Fact]
    public void A_portal_group_is_not_cut_by_a_targets_list()
    {
        string yaml = Reading.Minimal.Replace("devices:", "  there: {address: 127.0.0.2, tag: 1}\ndevices:")
            + "    portals: [here]\n";
        Reading.OneProblem(Reading.Text(yaml), "9:15", "has the tag 1, as has portal 'there'");
        Reading.Right(Reading.Text(yaml.Replace("tag: 1", "tag: 2")));
    }

    [Fact]
    public void A_mistake_inside_a_device_does_not_make_its_name_unknown()
    {
        ConfigurationFile file = Reading.Text(Reading.Minimal.Replace("1MiB}", "1MiB, blok_size: 512}"));
        Reading.OneProblem(file, "4:37", "unknown key 'blok_size'");
    }

    [Fact]
    public void Nothing_to_serve_is_a_mistake()
    {
        ConfigurationFile file = Reading.Text("");
        Assert.Equal(2, file.Problems.Count);
        Assert.Contains(file.Problems, problem => problem.Message.Contains("nothing to serve"));
        Assert.Contains(file.Problems, problem => problem.Message.Contains("listen nowhere"));
    }

    [Fact]
    public void Two_devices_do_not_share_a_file_or_a_serial_number()
    {
        using var folder = new TemporaryFolder();
        folder.Write("a.img", new string('x', 4096));
        ConfigurationFile file = Reading.Text("""
            portals: {here: 127.0.0.1}
            devices:
              a: {store: file, path: a.img, serial: "1"}
              b: {store: file, path: ./a.img, serial: "1"}
            targets: {iqn.2026-11.org.example:one: {luns: {0: a, 1: b}}}
            """, folder);

        Assert.Equal(["4:26", "4:43"], file.Problems.Select(problem => problem.Position.ToString()));
        Assert.All(file.Problems, problem => Assert.Contains("is used twice; first on line 3", problem.Message));
    }

    [Fact]
    public void A_file_that_is_smaller_than_its_size_is_worth_a_word()
    {
        using var folder = new TemporaryFolder();
        folder.Write("a.img", new string('x', 4096));
        string yaml = Reading.Minimal.Replace("{store: memory,", "{store: file, path: a.img,");
        ConfigurationFile file = Reading.Text(yaml, folder);
        Reading.Right(file);
        Problem warning =
            Assert.Single(file.Warnings, one => one.Message.Contains("has 4096 bytes, fewer than 1048576"));
        Assert.Equal("4:42", warning.Position.ToString());
    }

    [Fact]
    public void A_file_behind_a_symbolic_link_is_as_long_as_it_is_itself()
    {
        using var folder = new TemporaryFolder();
        folder.Write("a.img", new string('x', 1 << 20));
        File.CreateSymbolicLink(folder.File("link.img"), folder.File("a.img"));
        ConfigurationFile file =
            Reading.Text(Reading.Minimal.Replace("{store: memory,", "{store: file, path: link.img,"), folder);
        Reading.Right(file);
        Assert.DoesNotContain(file.Warnings, one => one.Message.Contains("link.img"));
    }

    [Fact]
    public void A_file_without_a_size_has_whole_blocks()
    {
        using var folder = new TemporaryFolder();
        folder.Write("a.img", new string('x', 1000));
        string yaml = Reading.Minimal.Replace("{store: memory, size: 1MiB}", "{store: file, path: a.img}");
        Reading.OneProblem(Reading.Text(yaml, folder), "4:29", "has 1000 bytes, which is not a whole number of blocks");
    }

    [Theory]
    [InlineData("{store: block, path: a.img}", "4:30", "expected a block device, found the regular file ")]
    [InlineData("{store: file, path: /dev/null, size: 1MiB}", "4:29", "expected a regular file, found something else")]
    public void A_medium_is_what_its_store_says(string device, string place, string words)
    {
        using var folder = new TemporaryFolder();
        folder.Write("a.img", new string('x', 1 << 20));
        Reading.OneProblem(
            Reading.Text(Reading.Minimal.Replace("{store: memory, size: 1MiB}", device), folder), place, words);
    }

    [Fact]
    public void Places_that_the_daemon_could_not_use_are_mistakes()
    {
        using var folder = new TemporaryFolder();
        folder.Write("file", "");
        Reading.OneProblem(
            Reading.After("state_directory: file", folder), "8:18", "expected a folder, found the regular");
        Reading.OneProblem(
            Reading.After("control: {group: no-such-group}", folder), "8:18", "there is no group 'no-such-group'");
        Reading.Right(Reading.After("control: {group: root}", folder));
    }

    [Fact]
    public void A_file_that_cannot_be_read_is_one_problem()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal([$"{folder.File("none.yaml")}:1:1: there is no such file"],
            ConfigurationFile.Read(folder.File("none.yaml")).Report());
        Assert.Equal([$"{folder.Path}:1:1: this is a directory"], ConfigurationFile.Read(folder.Path).Report());
    }
}
