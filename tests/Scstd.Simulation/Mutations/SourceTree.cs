using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Scstd.Simulation;

/// <summary>The sources of the mid-layer and of the simulation, compiled in memory as one assembly, so that a bug can
/// be planted without a trace in the program.</summary>
internal sealed class SourceTree
{
    private static readonly string[] Folders =
    [
        "src/Scstd.Scsi", "src/Scstd.Core", "tests/Scstd.Simulation/Model", "tests/Scstd.Simulation/Moves",
        "tests/Scstd.Simulation/Running", "tests/Scstd.Simulation/World",
    ];

    /// <summary>What ImplicitUsings gives.</summary>
    private const string Usings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Threading;
        global using System.Threading.Tasks;
        """;

    private static readonly CSharpParseOptions Language = new(LanguageVersion.Latest);

    private static readonly CSharpCompilationOptions Options = new(
        OutputKind.DynamicallyLinkedLibrary, optimizationLevel: OptimizationLevel.Release, allowUnsafe: true,
        nullableContextOptions: NullableContextOptions.Enable);

    private readonly Dictionary<string, SyntaxTree> _trees = [];
    private readonly CSharpCompilation _compilation;

    public SourceTree()
    {
        Top = FindTop();
        foreach (string folder in Folders)
        {
            foreach (string path in Directory.EnumerateFiles(Path.Combine(Top, folder), "*.cs",
                SearchOption.AllDirectories))
            {
                string name = Path.GetRelativePath(Top, path).Replace('\\', '/');
                if (!name.Contains("/obj/") && !name.Contains("/bin/"))
                    _trees.Add(name, CSharpSyntaxTree.ParseText(File.ReadAllText(path), Language, name));
            }
        }
        string platform = (string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!;
        IEnumerable<MetadataReference> references = platform.Split(Path.PathSeparator)
            .Where(path => !Path.GetFileName(path).StartsWith("Scstd.", StringComparison.Ordinal))
            .Select(path => MetadataReference.CreateFromFile(path));
        _compilation = CSharpCompilation.Create("Scstd.Simulation.Planted",
            [CSharpSyntaxTree.ParseText(Usings, Language), .. _trees.Values], references, Options);
    }

    public string Top { get; }

    /// <summary>The assembly with the mutation, or without any.</summary>
    public MemoryStream Compile(Mutation? mutation)
    {
        CSharpCompilation compilation = _compilation;
        if (mutation is not null)
        {
            if (!_trees.TryGetValue(mutation.File, out SyntaxTree? tree))
                throw new InvalidOperationException($"\"{mutation.Name}\": there is no {mutation.File}");
            string planted = mutation.Apply(tree.ToString());
            compilation = compilation.ReplaceSyntaxTree(tree,
                CSharpSyntaxTree.ParseText(planted, Language, mutation.File));
        }
        var image = new MemoryStream();
        var result = compilation.Emit(image);
        if (!result.Success)
        {
            throw new InvalidOperationException($"\"{mutation?.Name}\" does not compile: " + string.Join("; ",
                result.Diagnostics.Where(d => d.Severity == DiagnosticSeverity.Error).Take(3)));
        }
        image.Position = 0;
        return image;
    }

    private static string FindTop()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "scstd.sln")))
                return folder.FullName;
        }
        throw new InvalidOperationException($"no scstd.sln above {AppContext.BaseDirectory}");
    }
}
