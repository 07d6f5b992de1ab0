using System.Globalization;
using Scstd.Scsi;

namespace Scstd.Backends.Changer;

/// <summary>MEDIUM TYPE of an element descriptor, SMC-3.</summary>
public enum MediumType : byte
{
    Unspecified = 0,
    Data = 1,
    Cleaning = 2,
    Worm = 4,
}

/// <summary>Why a cartridge cannot be used as it lies there.</summary>
/// <param name="Sense">What an initiator that wants it in a drive is told; an element descriptor has its code.</param>
/// <param name="Message">For the administrator.</param>
public sealed record CartridgeProblem(SenseData Sense, string Message);

/// <summary>A cartridge in the library.</summary>
/// <param name="File">By which the shelf knows it.</param>
/// <param name="Barcode">What the reader reads on its label.</param>
public sealed record LibraryCartridge(string File, string Barcode)
{
    public MediumType Type { get; init; }

    /// <summary>Null: none is known.</summary>
    public CartridgeProblem? Problem { get; init; }

    /// <summary>Another in the library, at a lower address, has the same barcode.</summary>
    public bool IsDuplicate { get; init; }
}

/// <summary>A place and what lies there. Replaced, not changed: whoever holds one sees what was true at a time.
/// </summary>
public sealed record LibraryElement
{
    public required ElementType Type { get; init; }

    /// <summary>From 1 on among its type, as people count.</summary>
    public required int Number { get; init; }

    public required ushort Address { get; init; }

    /// <summary>Null: it is empty.</summary>
    public LibraryCartridge? Cartridge { get; init; }

    /// <summary>NUMBER of the storage element that its cartridge was last moved out of (SOURCE STORAGE ELEMENT
    /// ADDRESS); null: none.</summary>
    public int? SourceNumber { get; init; }

    /// <summary>IMPEXP: an operator has put the cartridge here, not the robot.</summary>
    public bool IsPlacedByOperator { get; init; }

    /// <summary>Of an import/export element: it is open, and the robot cannot reach it.</summary>
    public bool IsOpen { get; init; }

    public bool IsFull => Cartridge is not null;

    /// <summary>As an administrator calls it.</summary>
    public string Name => NameOf(Type, Number);

    internal static string NameOf(ElementType type, int number) => string.Create(
        CultureInfo.InvariantCulture,
        $"{type switch
        {
            ElementType.Storage => "slot",
            ElementType.ImportExport => "mail slot",
            ElementType.DataTransfer => "drive",
            _ => "robot",
        }} {number}");

    /// <summary>The same place with nothing in it.</summary>
    internal LibraryElement Emptied() =>
        this with { Cartridge = null, SourceNumber = null, IsPlacedByOperator = false };

    /// <summary>The robot brings what lay at <paramref name="source"/>.</summary>
    internal LibraryElement Receiving(LibraryElement source) => this with
    {
        Cartridge = source.Cartridge,
        SourceNumber = source.Type == ElementType.Storage ? source.Number : source.SourceNumber,
        IsPlacedByOperator = false,
    };
}
