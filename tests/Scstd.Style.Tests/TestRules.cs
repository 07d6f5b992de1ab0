using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Scstd.Style.Tests;

/// <summary>
/// A test that asserts nothing cannot fail. A method asserts when it calls Assert, samples a CsCheck generator, or
/// calls a method of the tests that does; names decide, so a shared instrument counts wherever it is declared.
/// </summary>
public static class TestRules
{
    private static readonly string[] TestAttributes = ["Fact", "Theory", "SkippableFact", "SkippableTheory"];

    private static readonly string[] Asserting =
        ["Sample", "SampleModelBased", "SampleConcurrent", "SampleMetamorphic"];

    public static IEnumerable<Violation> EveryTestAsserts(IReadOnlyList<SourceFile> files)
    {
        var methods = files.SelectMany(file => CodeRules.Parse(file).DescendantNodes()
            .Where(node => node is MethodDeclarationSyntax or LocalFunctionStatementSyntax)
            .Select(node => (file, node, name: NameOf(node), calls: Calls(node)))).ToList();

        var asserting = new HashSet<string>(Asserting);
        for (var grown = true; grown;)
        {
            grown = false;
            foreach (var method in methods.Where(method => method.calls.Any(asserting.Contains)
                || CallsAssert(method.node)))
                grown |= asserting.Add(method.name);
        }
        return methods.Where(method => IsTest(method.node) && !asserting.Contains(method.name))
            .Select(method => new Violation(method.file.Path, CodeRules.LineOf(method.node, method.node.SpanStart),
                $"{method.name} asserts nothing"));
    }

    /// <summary>A file that is named after tests holds at least one.</summary>
    public static IEnumerable<Violation> EveryTestFileTests(SourceFile file)
    {
        if (!CodeRules.Parse(file).DescendantNodes().Any(IsTest))
            yield return new Violation(file.Path, 0, "holds no test");
    }

    /// <summary>A test is run or removed: one that is skipped for ever looks like one that passes.</summary>
    public static IEnumerable<Violation> NoTestIsSwitchedOff(SourceFile file)
    {
        var root = CodeRules.Parse(file);
        return root.DescendantNodes().OfType<AttributeSyntax>().Where(IsTestAttribute)
            .Where(attribute => attribute.ArgumentList?.Arguments
                .Any(argument => argument.NameEquals?.Name.Identifier.ValueText == "Skip") == true)
            .Select(attribute => new Violation(file.Path, CodeRules.LineOf(root, attribute.SpanStart),
                "a test that is switched off"));
    }

    public static bool IsTest(SyntaxNode node) =>
        node is MethodDeclarationSyntax method
        && method.AttributeLists.SelectMany(list => list.Attributes).Any(IsTestAttribute);

    private static bool IsTestAttribute(AttributeSyntax attribute) =>
        TestAttributes.Contains(attribute.Name.ToString());

    private static string NameOf(SyntaxNode node) => node switch
    {
        MethodDeclarationSyntax method => method.Identifier.ValueText,
        LocalFunctionStatementSyntax local => local.Identifier.ValueText,
        _ => "",
    };

    private static HashSet<string> Calls(SyntaxNode node) =>
        [.. node.DescendantNodes().OfType<InvocationExpressionSyntax>().Select(call => call.Expression switch
        {
            MemberAccessExpressionSyntax access => access.Name.Identifier.ValueText,
            SimpleNameSyntax name => name.Identifier.ValueText,
            _ => "",
        })];

    private static bool CallsAssert(SyntaxNode node) =>
        node.DescendantNodes().OfType<MemberAccessExpressionSyntax>()
            .Any(access => access.Expression is IdentifierNameSyntax { Identifier.ValueText: "Assert" });
}
