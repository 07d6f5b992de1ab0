using System.CommandLine;
using Scstd.Control;

namespace Scstctl;

/// <summary>scstctl library.</summary>
internal static class LibraryCommands
{
    private const string AnyPlace = "A place: slot1, mail1, drive1 and so on.";

    public static Command Create(CommandFactory make)
    {
        var library = new Argument<string>("LIBRARY") { Description = "A library of the configuration." };
        var any = new Argument<string?>("LIBRARY")
        {
            Arity = ArgumentArity.ZeroOrOne,
            Description = "A library of the configuration; without it: all.",
        };
        var what = new Argument<string>("CARTRIDGE") { Description = "A barcode, or a place: slot1, mail1, drive1." };
        var place = new Argument<string>("PLACE") { Description = AnyPlace };
        var to = new Option<string?>("--to")
        {
            HelpName = "PLACE",
            Description = "Default: the first mail slot that is free, or else the first slot.",
        };
        var all = new Command("library", "Tape libraries: what lies where, and what is done at their doors.");
        all.Add(make("list", "What lies where.", parsed => new LibraryRequest(parsed.GetValue(any)), [any]));
        all.Add(make("load", "Put a cartridge into a drive.",
            parsed => new MoveCartridgeRequest(
                parsed.GetValue(library)!, parsed.GetValue(what)!, parsed.GetValue(place)!), [library, what, place]));
        all.Add(make("unload", "Bring a cartridge from a drive back to its slot.",
            parsed => new MoveCartridgeRequest(parsed.GetValue(library)!, parsed.GetValue(what)!), [library, what]));
        all.Add(make("move", "Move a cartridge from place to place.",
            parsed => new MoveCartridgeRequest(
                parsed.GetValue(library)!, parsed.GetValue(what)!, parsed.GetValue(place)!), [library, what, place]));
        var file = new Argument<string>("FILE")
        {
            Description = "The name of its file in the directory of the library's cartridges.",
        };
        all.Add(make("import", "Bring a cartridge in.",
            parsed => new ImportCartridgeRequest(
                parsed.GetValue(library)!, parsed.GetValue(file)!, parsed.GetValue(to)), [library, file, to]));
        all.Add(make("export", "Take a cartridge out; its file stays.",
            parsed => new ExportCartridgeRequest(parsed.GetValue(library)!, parsed.GetValue(what)!), [library, what]));
        all.Add(Making(make, library, to));
        return all;
    }

    private static Command Making(CommandFactory make, Argument<string> library, Option<string?> to)
    {
        var barcode = new Argument<string>("BARCODE") { Description = "Its label, such as A00042L8." };
        var generation = new Option<string?>("--generation")
        {
            HelpName = "LTO-N",
            Description = "lto-5 to lto-9. Default: that of the first drive.",
        };
        var capacity = new Option<string?>("--capacity")
        {
            HelpName = "SIZE",
            Description = "Such as 100GiB. Default: what the generation has.",
        };
        var worm = new Option<bool>("--worm") { Description = "It can be written once." };
        var cleaning = new Option<bool>("--cleaning") { Description = "It cleans drives, and holds nothing." };
        return make("create", "Make a cartridge, label it and bring it in.",
            parsed => new CreateCartridgeRequest(
                parsed.GetValue(library)!, parsed.GetValue(barcode)!, parsed.GetValue(generation),
                parsed.GetValue(capacity), parsed.GetValue(worm), parsed.GetValue(cleaning), parsed.GetValue(to)),
            [library, barcode, generation, capacity, worm, cleaning, to]);
    }
}
