namespace Scstd.Style.Tests;

public sealed class TextRulesTests
{
    [Fact]
    public void Nothing_speaks_of_one_machine() =>
        RuleAssert.Holds(Repository.Files.SelectMany(TextRules.NoMachinePaths));

    [Fact]
    public void No_script_or_page_is_left_undone() =>
        RuleAssert.Holds(Repository.Files.Where(file => !file.Path.EndsWith(".cs", StringComparison.Ordinal)
            && !file.Path.EndsWith(".lock.json", StringComparison.Ordinal)).SelectMany(TextRules.NothingLeftUndone));

    [Fact]
    public void Scripts_fit_the_screen() =>
        RuleAssert.Holds(Repository.Files.Where(IsScript).SelectMany(CodeRules.LineLength));

    [Fact]
    public void Every_package_has_its_reason() =>
        RuleAssert.Holds(TextRules.PackagesHaveReasons(Named("Directory.Packages.props"),
            Named("docs/ARCHITECTURE.md")));

    [Theory]
    [InlineData("/wo", "rk/main")]
    [InlineData("/ro", "ot/.nuget")]
    [InlineData("../sha", "red/vm")]
    public void A_machine_path_is_found(string start, string end) =>
        RuleAssert.Bites(TextRules.NoMachinePaths(new SourceFile("a.sh", $"#!/bin/sh\ncd {start}{end}\n")), 2,
            "speaks of");

    [Fact]
    public void A_note_of_undone_work_in_a_script_is_found() =>
        RuleAssert.Bites(TextRules.NothingLeftUndone(new SourceFile("a.sh", "\n# TOD" + "O: later\n")), 2, "TOD");

    [Fact]
    public void A_package_without_a_row_is_found() =>
        RuleAssert.Bites(PackagesHaveReasons("# A\n## Dependencies\n- Other.Package: because it is needed here\n"), 0,
            "Some.Package is not among");

    [Fact]
    public void A_package_named_outside_the_section_is_found() =>
        RuleAssert.Bites(
            PackagesHaveReasons("## Dependencies\nnone\n## Rooms\nSome.Package is the reason we give\n"), 0,
            "Some.Package is not among");

    [Fact]
    public void A_longer_name_is_no_row_for_a_shorter_one() =>
        RuleAssert.Bites(PackagesHaveReasons("## Dependencies\n- Some.Package.More: the reason that we give\n"), 0,
            "Some.Package is not among");

    [Fact]
    public void A_package_without_a_reason_is_found() =>
        RuleAssert.Bites(PackagesHaveReasons("## Dependencies\n| Some.Package | 1.0 |\n"), 0, "without a reason");

    [Fact]
    public void A_page_without_the_section_is_found() =>
        Assert.Contains(PackagesHaveReasons("# A\n"), violation => violation.What.Contains("no section"));

    [Fact]
    public void A_package_with_a_reason_is_good() =>
        Assert.Empty(PackagesHaveReasons("## Dependencies\n\n| `Some.Package` | reads what people write |\n"));

    private static bool IsScript(SourceFile file) =>
        file.Path.EndsWith(".sh", StringComparison.Ordinal) || file.Path.EndsWith(".py", StringComparison.Ordinal);

    private static SourceFile Named(string path) => Repository.Files.Single(file => file.Path == path);

    private static IEnumerable<Violation> PackagesHaveReasons(string page) => TextRules.PackagesHaveReasons(
        new SourceFile("p", "<Project><PackageVersion Include=\"Some.Package\" Version=\"1.0\" /></Project>"),
        new SourceFile("docs/ARCHITECTURE.md", page));
}
