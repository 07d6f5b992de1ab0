using Scstd.Backends.Changer;
using Scstd.Configuration;

namespace Scstd.Tests.Configuration;

/// <summary>Tape libraries: what is written of them, and what LUNs can name.</summary>
public sealed class LibraryTests
{
    private const string Vtl = "libraries: {vtl: {cartridges: /var/lib}}\n";

    [Fact]
    public void A_directory_is_all_that_a_library_needs()
    {
        ConfigurationFile file = Reading.After(Vtl);
        Reading.Right(file);
        LibrarySection library = Assert.Single(file.Daemon.Libraries);
        Assert.Equal("/var/lib", library.Cartridges.Directory.Text);
        Assert.Same(LibraryPersonality.Generic, library.Personality);
        Assert.Equal((24, 4, 0), (library.Slots, library.ImportExport, library.Cartridges.Create));
        Assert.Equal([TapeGeneration.Lto8, TapeGeneration.Lto8], library.EachDrive.Select(drive => drive.Generation));
        Assert.Equal(["vtl", "vtl.drive1", "vtl.drive2"], library.UnitNames);
        Assert.Empty(library.Cartridges.NewBarcodes(TapeGeneration.Lto8));
    }

    [Fact]
    public void Everything_can_be_said()
    {
        ConfigurationFile file = Reading.After("""
            libraries:
              vtl:
                personality: ibm-3573
                drives:
                  - {count: 2, generation: lto-7, compression: no, vendor: IBM, product: ULT3580-TD7, revision: E4J0}
                  - 1
                slots: 22
                import_export: 0
                serial: L0001
                cartridges: {directory: /var/lib, create: 3, generation: lto-6, capacity: 1GiB, barcodes: ZZZ098}
            """);
        Reading.Right(file);
        LibrarySection library = Assert.Single(file.Daemon.Libraries);
        Assert.Same(LibraryPersonality.Ibm3573, library.Personality);
        Assert.Equal((22, 0, "L0001"), (library.Slots, library.ImportExport, library.Serial?.Text));
        Assert.Equal([TapeGeneration.Lto7, TapeGeneration.Lto7, TapeGeneration.Lto8],
            library.EachDrive.Select(drive => drive.Generation));
        DrivesSection kind = library.Drives[0];
        Assert.Equal(("IBM", "ULT3580-TD7", "E4J0", false),
            (kind.Vendor?.Text, kind.Product?.Text, kind.Revision?.Text, kind.HasCompression));
        Assert.Equal(1L << 30, library.Cartridges.CapacityBytes);
        Assert.Equal(["ZZZ098L6", "ZZZ099L6", "ZZZ100L6"], library.Cartridges.NewBarcodes(TapeGeneration.Lto7));
        Assert.Equal("vtl.drive3", library.UnitNames.Last());
    }

    [Fact]
    public void Made_cartridges_are_of_the_first_drives_generation_unless_another_is_wanted()
    {
        var cartridges = new CartridgesSection { Create = 2 };
        Assert.Equal(["A00001L9", "A00002L9"], cartridges.NewBarcodes(TapeGeneration.Lto9));
    }

    [Fact]
    public void Luns_and_port_groups_name_the_changer_and_the_drives()
    {
        Reading.Right(Reading.After(Vtl + """
            port_groups: {left: {id: 1, targets: iqn.2026-11.org.example:two, devices: [vtl, vtl.drive2]}}
            """.ReplaceLineEndings("\n") + "\n", targets: "{0: vtl, 1: vtl.drive1, 2: vtl.drive2}"));
        Reading.OneProblem(Reading.After(Vtl, targets: "{0: vtl, 1: vtl.drive3}"), "9:23",
            "there is no device 'vtl.drive3'; did you mean 'vtl.drive");
    }

    /// <summary>'|' stands in front of what the mistake is told of.</summary>
    [Theory]
    [InlineData("{cartridges: /var/lib, slots: |0}", "a whole number from 1 to 60000")]
    [InlineData("{cartridges: /var/lib, drives: |0}", "a whole number from 1 to 256")]
    [InlineData("{cartridges: /var/lib, drives: |[]}", "without items")]
    [InlineData("{cartridges: /var/lib, drives: |[200, 57]}", "257 drives are more")]
    [InlineData("{cartridges: /var/lib, import_export: |241}", "from 0 to 240")]
    [InlineData("{cartridges: /var/lib, drives: {generation: |lto8}}", "did you mean 'lto-8'?")]
    [InlineData("{cartridges: /var/lib, personality: |imb-3573}", "did you mean 'ibm-3573'?")]
    [InlineData("{cartridges: /var/lib, |slot: 3}", "unknown key 'slot'; did you mean 'slots'?")]
    [InlineData("|{slots: 3}", "library lacks the key 'cartridges'")]
    [InlineData("{cartridges: |{create: 3}}", "cartridges lacks the key 'directory'")]
    [InlineData("{cartridges: {directory: /var/lib, create: |25}}", "25 cartridges do not fit into 24 slots")]
    [InlineData("{cartridges: {directory: /var/lib, barcodes: |A9998}}", "six capital letters and digits")]
    [InlineData("{cartridges: {directory: /var/lib, barcodes: |a00001}}", "six capital letters and digits")]
    [InlineData("{cartridges: {directory: /var/lib, barcodes: |AAAAAA}}", "six capital letters and digits")]
    [InlineData("{cartridges: {directory: /var/lib, create: 3, barcodes: |AAAA98}}", "there are 2 barcodes")]
    [InlineData("{cartridges: {directory: /var/lib, capacity: |1KiB}}", "a size from 1MiB")]
    [InlineData("{cartridges: |/etc/passwd}", "expected a directory, found the regular file /etc/passwd")]
    [InlineData("{cartridges: |/nowhere/at/all}", "there is no directory to make the directory /nowhere/at/all in")]
    public void A_mistake_is_told_with_its_place_and_what_was_expected(string library, string words)
    {
        string line = $"libraries: {{vtl: {library}}}";
        Reading.OneProblem(
            Reading.After(line.Replace("|", "", StringComparison.Ordinal) + "\n"),
            $"8:{line.IndexOf('|', StringComparison.Ordinal) + 1}", words);
    }

    /// <summary>Whatever the bounds of the keys let through, every personality has addresses for.</summary>
    [Fact]
    public void Every_personality_has_addresses_for_the_largest_library_that_can_be_described()
    {
        foreach (LibraryPersonality personality in LibraryPersonality.All)
        {
            Reading.Right(Reading.After($"libraries: {{vtl: {{cartridges: /var/lib, personality: {personality.Name}, "
                + "slots: 60000, import_export: 240, drives: 256}}\n"));
        }
    }

    [Fact]
    public void No_device_and_no_other_library_has_a_name_that_a_library_takes()
    {
        Reading.OneProblem(Reading.After("libraries: {disk: {cartridges: /var/lib}}\n"), "8:13",
            "library 'disk' makes a device 'disk', and there is one already, on line 4");
        Reading.OneProblem(
            Reading.After("libraries: {vtl: {cartridges: /var/lib}, vtl.drive2: {cartridges: /var}}\n"), "8:42",
            "library 'vtl.drive2' makes a device 'vtl.drive2', and there is one already, on line 8");
        Reading.OneProblem(
            Reading.After("libraries: {vtl: {cartridges: /var/lib}, vtl: {cartridges: /var}}\n"), "8:42",
            "'vtl' stands here twice");
    }

    [Fact]
    public void A_name_is_short_enough_for_that_of_the_last_drive()
    {
        string longest = new('a', 48);
        Reading.Right(Reading.After($"libraries: {{{longest}: {{cartridges: /var/lib, drives: 256}}}}\n",
            targets: $"{{0: {longest}.drive256}}"));
        Reading.OneProblem(Reading.After($"libraries: {{{longest}b: {{cartridges: /var/lib}}}}\n"), "8:13",
            "at most 48 characters");
    }

    [Fact]
    public void Each_library_has_a_directory_and_a_serial_number_of_its_own()
    {
        Reading.OneProblem(
            Reading.After("libraries: {a: {cartridges: /var/lib}, b: {cartridges: /var/lib/}}\n"), "8:56",
            "directory '/var/lib' is used twice");
        Reading.OneProblem(
            Reading.After("libraries: {a: {cartridges: /var, serial: X}, b: {cartridges: /var/lib, serial: X}}\n"),
            "8:81", "serial number 'X' is used twice");
    }

    [Fact]
    public void What_is_allowed_and_worth_a_word_is_a_warning()
    {
        Assert.Contains(Reading.After(Vtl).Warnings, problem => problem.Message == "library 'vtl' has no LUN");
        Assert.DoesNotContain(Reading.After(Vtl, targets: "{0: vtl.drive2}").Warnings,
            problem => problem.Message.Contains("has no LUN", StringComparison.Ordinal));
        ConfigurationFile file = Reading.After(
            "libraries: {vtl: {drives: {generation: lto-9}, cartridges: {directory: /var/lib, generation: lto-7}}}\n");
        Assert.Contains(file.Warnings,
            problem => problem.Message == "no drive of library 'vtl' writes cartridges of lto-7");
    }
}
