using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Scstd.Configuration;

/// <summary>Builds the tree from YAML's events; what is no YAML becomes a problem, with its place.</summary>
internal sealed class SourceTree
{
    // Our choice: the configuration is six levels deep; more is a mistake, or wants to exhaust the stack.
    private const int MostLevels = 32;

    private readonly Problems _problems;
    private readonly Dictionary<string, SourceNode> _anchors = [];
    private readonly CarefulParser _parser;

    private SourceTree(TextReader text, Problems problems)
    {
        _parser = new CarefulParser(new Parser(text));
        _problems = problems;
    }

    /// <summary>The root, or null for a file without content. A file that stops being YAML somewhere gives what stood
    /// before that place, and <see cref="Problems.IsCutShort"/> says so.</summary>
    public static SourceNode? Read(TextReader text, Problems problems)
    {
        var tree = new SourceTree(text, problems);
        try
        {
            tree._parser.Consume<StreamStart>();
            if (tree._parser.Accept<StreamEnd>(out _))
                return null;
            tree._parser.Consume<DocumentStart>();
            SourceNode root = tree.ReadNode(level: 0);
            if (!problems.IsCutShort)
                tree.ExpectTheEnd();
            return root;
        }
        catch (YamlException exception)
        {
            tree.NotYaml(exception);
            return null;
        }
    }

    private void ExpectTheEnd()
    {
        try
        {
            _parser.Consume<DocumentEnd>();
            if (_parser.Current is DocumentStart second)
                _problems.Add(At(second.Start), "expected one document; a second one begins here");
        }
        catch (YamlException exception)
        {
            NotYaml(exception);
        }
    }

    private SourceNode ReadNode(int level)
    {
        ParsingEvent head = _parser.Consume<ParsingEvent>();
        SourcePosition position = At(head.Start);
        if (head is AnchorAlias alias)
            return ReadAlias(alias, position);
        if (level > MostLevels)
            throw new YamlException(head.Start, head.End, $"nested more than {MostLevels} levels deep");
        SourceNode node = head switch
        {
            Scalar scalar => new ScalarNode(position, scalar.Value, scalar.Style == ScalarStyle.Plain),
            SequenceStart => ReadList(position, level),
            MappingStart => ReadMap(position, level),
            _ => throw new YamlException(head.Start, head.End, "expected a value"),
        };
        if (head is NodeEvent { Anchor.IsEmpty: false } anchored)
            _anchors[anchored.Anchor.Value] = node;
        return node;
    }

    private SourceNode ReadAlias(AnchorAlias alias, SourcePosition position)
    {
        if (_anchors.TryGetValue(alias.Value.Value, out SourceNode? node))
            return node with { Position = position };
        // Not by its name: it may well be a secret that begins with a star.
        _problems.Add(position, "a value that begins with '*' refers to an anchor, and there is none of that name; "
            + "put text into quotes");
        return new ScalarNode(position, "", IsPlain: true);
    }

    private ListNode ReadList(SourcePosition position, int level)
    {
        var items = new List<SourceNode>();
        try
        {
            while (!_problems.IsCutShort && !_parser.TryConsume<SequenceEnd>(out _))
                items.Add(ReadNode(level + 1));
        }
        catch (YamlException exception)
        {
            NotYaml(exception);
        }
        return new ListNode(position, items);
    }

    private MapNode ReadMap(SourcePosition position, int level)
    {
        var entries = new List<MapEntry>();
        try
        {
            while (!_problems.IsCutShort && !_parser.TryConsume<MappingEnd>(out _))
            {
                SourceNode key = ReadNode(level + 1);
                // A key alone, with the fault where its value would be, is no entry.
                SourceNode value = ReadNode(level + 1);
                if (key is ScalarNode name)
                    entries.Add(new MapEntry(name, value));
                else
                    _problems.Add(key.Position, $"expected a key, found {key.Describe()}");
            }
        }
        catch (YamlException exception)
        {
            NotYaml(exception);
        }
        return new MapNode(position, entries);
    }

    private void NotYaml(YamlException exception)
    {
        // For some faults YamlDotNet points at the beginning of what encloses them; the last event that was whole is
        // nearer then.
        SourcePosition position = At(exception.Start);
        SourcePosition whole = _parser.Current is { } last ? At(last.End) : position;
        string detail = exception.Message.TrimEnd('.');
        _problems.CutShort(position.CompareTo(whole) > 0 ? position : whole,
            $"not YAML from here: {char.ToLowerInvariant(detail[0])}{detail[1..]}");
    }

    private static SourcePosition At(Mark mark) => new((int)mark.Line, (int)mark.Column);

    /// <summary>YamlDotNet's parser throws other exceptions than its own for some texts that are no YAML (found by
    /// random ones); they mean the same.</summary>
    private sealed class CarefulParser(Parser parser) : IParser
    {
        public ParsingEvent? Current => parser.Current;

        public bool MoveNext()
        {
            try
            {
                return parser.MoveNext();
            }
            catch (Exception exception) when (exception is not (YamlException or OutOfMemoryException))
            {
                Mark at = parser.Current?.End ?? Mark.Empty;
                throw new YamlException(at, at, "this cannot be parsed", exception);
            }
        }
    }
}
