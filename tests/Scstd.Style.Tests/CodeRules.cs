using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Scstd.Style.Tests;

/// <summary>
/// Rules about C#, asked of the syntax tree, so that a word in a string or a comment is not mistaken for code.
/// </summary>
public static class CodeRules
{
    public const int MostLinesInAFile = 600;
    public const int MostLinesInAFunction = 70;
    public const int MostColumns = 120;

    private static readonly CSharpParseOptions ParseOptions = new(LanguageVersion.Preview);

    /// <summary>What waits, starts threads, knows the wall clock or touches the system stays out of the core.</summary>
    private static readonly string[] ForeignToCore =
    [
        "Thread", "ThreadPool", "Monitor", "DateTime", "DateTimeOffset", "Socket", "FileStream", "Stopwatch",
        "Interlocked", "SpinLock", "SpinWait", "Mutex", "SemaphoreSlim", "ReaderWriterLockSlim", "Lock",
        "ConcurrentDictionary", "ConcurrentQueue", "ConcurrentBag", "ConcurrentStack", "BlockingCollection",
    ];

    private static readonly string[] ForeignMembersToCore = ["Task.Run", "File."];

    private static readonly string[] EmptyEndings = ["Manager", "Helper", "Helpers", "Utils"];

    private static readonly string[] EmptyBeginnings = ["Abstract", "Default"];

    // Not by nameof: this file keeps the rule that looks for the word.
    private const string Unwritten = "NotImplemented" + "Exception";

    private static readonly string[] Sleeps = ["Thread.Sleep", "Task.Delay"];

    public static SyntaxNode Parse(SourceFile file) => CSharpSyntaxTree.ParseText(file.Text, ParseOptions).GetRoot();

    public static IEnumerable<Violation> FileSize(SourceFile file)
    {
        var lines = file.Text.Count(character => character == '\n');
        if (lines > MostLinesInAFile) yield return new Violation(file.Path, lines, $"{lines} lines in one file");
    }

    public static IEnumerable<Violation> LineLength(SourceFile file) =>
        file.Text.Split('\n').Select((line, index) => (line: line.TrimEnd('\r'), number: index + 1))
            .Where(row => row.line.Length > MostColumns)
            .Select(row => new Violation(file.Path, row.number, $"{row.line.Length} columns"));

    /// <summary>Counts from the name's line to the closing brace: attributes and comments are free.</summary>
    public static IEnumerable<Violation> FunctionSize(SourceFile file)
    {
        foreach (var node in Parse(file).DescendantNodes())
        {
            if (NameToken(node) is not { } name) continue;
            var lines = LineOf(node, node.Span.End) - LineOf(node, name.SpanStart) + 1;
            if (lines >= MostLinesInAFunction)
                yield return new Violation(file.Path, LineOf(node, name.SpanStart), $"{name.Text} has {lines} lines");
        }
    }

    public static IEnumerable<Violation> CoreIsSynchronous(SourceFile file)
    {
        var root = Parse(file);
        foreach (var token in root.DescendantTokens())
        {
            var word = token.ValueText;
            var isKeyword = token.IsKind(SyntaxKind.AwaitKeyword) || token.IsKind(SyntaxKind.AsyncKeyword)
                || token.IsKind(SyntaxKind.LockKeyword);
            if (isKeyword || (token.IsKind(SyntaxKind.IdentifierToken) && ForeignToCore.Contains(word)))
                yield return new Violation(file.Path, LineOf(root, token.SpanStart), $"{word} in the core");
        }
        foreach (var violation in Members(file, root, ForeignMembersToCore, "in the core")) yield return violation;
    }

    public static IEnumerable<Violation> NoSleeps(SourceFile file) =>
        Members(file, Parse(file), Sleeps, "in a test: step a fake clock instead");

    /// <summary>Names that say nothing of what the thing is. SAM's own task manager is the one exception.</summary>
    public static IEnumerable<Violation> TypeNames(SourceFile file)
    {
        var root = Parse(file);
        foreach (var type in root.DescendantNodes().OfType<BaseTypeDeclarationSyntax>())
        {
            var name = type.Identifier.Text;
            if (name != "TaskManager" && SaysNothing(name))
                yield return new Violation(file.Path, LineOf(root, type.Identifier.SpanStart), $"{name} says nothing");
        }
    }

    /// <summary>Work left for later is either done or written down where plans are kept, not in the code.</summary>
    public static IEnumerable<Violation> NothingLeftUndone(SourceFile file)
    {
        var root = Parse(file);
        foreach (var trivia in root.DescendantTrivia(descendIntoTrivia: false).Where(IsComment))
            foreach (var violation in TextRules.NothingLeftUndone(new SourceFile(file.Path, trivia.ToFullString())))
                yield return violation with { Line = violation.Line + LineOf(root, trivia.FullSpan.Start) - 1 };
        foreach (var name in root.DescendantNodes().OfType<IdentifierNameSyntax>())
            if (name.Identifier.ValueText == Unwritten)
                yield return new Violation(file.Path, LineOf(root, name.SpanStart), name.Identifier.ValueText);
    }

    public static int LineOf(SyntaxNode node, int position) =>
        node.SyntaxTree.GetText().Lines.GetLinePosition(position).Line + 1;

    private static bool SaysNothing(string name) =>
        EmptyEndings.Any(ending => name.EndsWith(ending, StringComparison.Ordinal))
        || EmptyBeginnings.Any(beginning => name.StartsWith(beginning, StringComparison.Ordinal));

    private static bool IsComment(SyntaxTrivia trivia) =>
        trivia.Kind() is SyntaxKind.SingleLineCommentTrivia or SyntaxKind.MultiLineCommentTrivia
            or SyntaxKind.SingleLineDocumentationCommentTrivia or SyntaxKind.MultiLineDocumentationCommentTrivia;

    private static IEnumerable<Violation> Members(SourceFile file, SyntaxNode root, string[] words, string where)
    {
        foreach (var access in root.DescendantNodes().OfType<MemberAccessExpressionSyntax>())
        {
            var owner = access.Expression switch
            {
                IdentifierNameSyntax name => name.Identifier.ValueText,
                MemberAccessExpressionSyntax qualified => qualified.Name.Identifier.ValueText,
                _ => "",
            };
            var written = $"{owner}.{access.Name.Identifier.ValueText}";
            if (words.Any(word => word == written || (word.EndsWith('.') && word == owner + ".")))
                yield return new Violation(file.Path, LineOf(root, access.SpanStart), $"{written} {where}");
        }
    }

    private static SyntaxToken? NameToken(SyntaxNode node) => node switch
    {
        MethodDeclarationSyntax method => method.Identifier,
        ConstructorDeclarationSyntax constructor => constructor.Identifier,
        DestructorDeclarationSyntax destructor => destructor.Identifier,
        OperatorDeclarationSyntax @operator => @operator.OperatorToken,
        ConversionOperatorDeclarationSyntax conversion => conversion.OperatorKeyword,
        AccessorDeclarationSyntax accessor => accessor.Keyword,
        PropertyDeclarationSyntax { ExpressionBody: not null } property => property.Identifier,
        LocalFunctionStatementSyntax local => local.Identifier,
        AnonymousFunctionExpressionSyntax lambda => lambda.GetFirstToken(),
        _ => null,
    };
}
