namespace Scstd.Configuration;

/// <summary>A place in the configuration file, counted from 1 as editors do.</summary>
public readonly record struct SourcePosition(int Line, int Column) : IComparable<SourcePosition>
{
    public int CompareTo(SourcePosition other) =>
        Line != other.Line ? Line.CompareTo(other.Line) : Column.CompareTo(other.Column);

    public override string ToString() => $"{Line}:{Column}";
}

/// <summary>A word of the file and where it stands, so that a later check can point at it.</summary>
public readonly record struct Word(string Text, SourcePosition Position)
{
    public override string ToString() => Text;
}
