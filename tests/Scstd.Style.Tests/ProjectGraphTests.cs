namespace Scstd.Style.Tests;

public sealed class ProjectGraphTests
{
    private static readonly string[] ProjectFolders = ["src/", "tests/", "benchmarks/"];

    [Fact]
    public void References_point_only_to_a_lower_floor() =>
        RuleAssert.Holds(ProjectGraph.Check(Projects("src/")));

    [Fact]
    public void Every_project_is_in_the_solution() =>
        RuleAssert.Holds(ProjectGraph.CheckSolution(Repository.Files.Single(file => file.Path == "scstd.sln"),
            Projects(ProjectFolders)));

    [Fact]
    public void Package_versions_are_pinned_in_one_place_and_locked() =>
        RuleAssert.Holds(ProjectGraph.CheckPins(Projects(ProjectFolders),
            Repository.Files.Select(file => file.Path).ToHashSet()));

    [Fact]
    public void A_core_that_sees_linux_is_found() =>
        RuleAssert.Bites(ProjectGraph.Check([Project("Scstd.Core", "Scstd.Linux")]), 0,
            "may not reference Scstd.Linux");

    [Fact]
    public void A_frontend_that_sees_its_neighbour_is_found() =>
        RuleAssert.Bites(ProjectGraph.Check([Project("Scstd.Frontends.Iscsi", "Scstd.Backends")]), 0,
            "may not reference Scstd.Backends");

    [Fact]
    public void A_room_that_nobody_planned_is_found() =>
        RuleAssert.Bites(ProjectGraph.Check([Project("Scstd.Common", "Scstd.Scsi")]), 0, "no room");

    [Fact]
    public void A_project_outside_the_solution_is_found() =>
        RuleAssert.Bites(ProjectGraph.CheckSolution(new SourceFile("scstd.sln", "\"src\\Scstd\\Scstd.csproj\""),
            [Project("Scstd.Core", "Scstd.Scsi")]), 0, "Scstd.Core.csproj is not in the solution");

    [Fact]
    public void A_version_in_a_project_file_is_found()
    {
        var project = new SourceFile("src/A/A.csproj",
            "<Project><ItemGroup><PackageReference Include=\"P\" Version=\"1.0\" /></ItemGroup></Project>");
        RuleAssert.Bites(ProjectGraph.CheckPins([project], new HashSet<string> { "src/A/packages.lock.json" }), 0,
            "P is pinned here");
    }

    [Fact]
    public void A_project_without_a_lock_file_is_found() =>
        RuleAssert.Bites(ProjectGraph.CheckPins([new SourceFile("src/A/A.csproj", "<Project />")],
            new HashSet<string>()), 0, "packages.lock.json");

    private static List<SourceFile> Projects(params string[] folders)
    {
        var projects = Repository.Named(".csproj")
            .Where(file => folders.Any(folder => file.Path.StartsWith(folder, StringComparison.Ordinal))).ToList();
        Assert.NotEmpty(projects);
        return projects;
    }

    private static SourceFile Project(string name, string reference) =>
        new($"src/{name}/{name}.csproj", $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <ItemGroup><ProjectReference Include="..\{reference}\{reference}.csproj" /></ItemGroup>
            </Project>
            """);
}
