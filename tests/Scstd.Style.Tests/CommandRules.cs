using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Scstd.Style.Tests;

/// <summary>
/// A new command is one row, one method, one test. A row is tested when a test names the row itself (Sbc.Read10), or
/// when the test or its class bears the command's name (Read10Tests, Read_10_beyond_the_end_...).
/// </summary>
public static class CommandRules
{
    public const string RowType = "CommandRow";

    public static IEnumerable<Violation> EveryRowHasItsTest(IEnumerable<SourceFile> rowFiles,
        IEnumerable<SourceFile> testFiles)
    {
        var tests = testFiles.SelectMany(file => CodeRules.Parse(file).DescendantNodes()
            .OfType<MethodDeclarationSyntax>().Where(TestRules.IsTest)).ToList();
        var names = string.Join('\n', tests.Select(test => Plain(ClassOf(test)) + ' ' + Plain(test.Identifier.Text)));
        var mentioned = tests.Select(test => test.FirstAncestorOrSelf<TypeDeclarationSyntax>()).Distinct()
            .SelectMany(type => type!.DescendantNodes().OfType<MemberAccessExpressionSyntax>())
            .Select(access => access.ToString()).ToHashSet();

        foreach (var file in rowFiles)
            foreach (var (owner, row, line) in Rows(file))
                if (!mentioned.Contains($"{owner}.{row}") && !names.Contains(Plain(row), StringComparison.Ordinal))
                    yield return new Violation(file.Path, line, $"no test speaks of {owner}.{row}");
    }

    private static IEnumerable<(string Owner, string Row, int Line)> Rows(SourceFile file)
    {
        var root = CodeRules.Parse(file);
        return root.DescendantNodes().OfType<FieldDeclarationSyntax>()
            .Where(field => field.Declaration.Type.ToString() == RowType)
            .SelectMany(field => field.Declaration.Variables)
            .Select(row => (ClassOf(row), row.Identifier.Text, CodeRules.LineOf(root, row.SpanStart)));
    }

    private static string ClassOf(SyntaxNode node) =>
        node.FirstAncestorOrSelf<TypeDeclarationSyntax>()?.Identifier.Text ?? "";

    private static string Plain(string name) => name.Replace("_", "", StringComparison.Ordinal).ToUpperInvariant();
}
