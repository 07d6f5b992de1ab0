using System.CommandLine;
using System.Globalization;
using Scstd.Control;

namespace Scstctl;

/// <summary>Makes a command of its name, what it is for, what it asks, and its arguments and options.</summary>
internal delegate Command CommandFactory(
    string name, string about, Func<ParseResult, ControlRequest> request, params Symbol[] symbols);

/// <summary>scstctl faults.</summary>
internal static class FaultCommands
{
    public static void AddTo(Command faults, CommandFactory make)
    {
        var some = new Argument<string?>("UNIT")
        {
            Arity = ArgumentArity.ZeroOrOne,
            Description = "A device of the configuration; without it: all.",
        };
        faults.Add(make("list", "Which faults are injected.",
            parsed => new FaultsRequest(parsed.GetValue(some)), [some]));
        var id = new Option<int?>("--id")
        {
            HelpName = "NUMBER",
            Description = "Only this one.",
            CustomParser = Whole.Parse,
        };
        faults.Add(make("clear", "Take injected faults away.",
            parsed => new ClearFaultsRequest(parsed.GetValue(some), parsed.GetValue(id)), [some, id]));
        faults.Add(Adding(make));
    }

    private static Command Adding(CommandFactory make)
    {
        var unit = new Argument<string>("UNIT")
        {
            Description = "A device of the configuration; '*': each that is served now.",
        };
        var effect = new Argument<string>("EFFECT")
        {
            Description = "DropCommand, DelayCommand, AnswerCommand, SlowStore, DropFunction or DelayFunction.",
        };
        Option<string?> initiator = Text("--initiator", "PATTERN", "Only for initiators whose names match.");
        Option<string?> target = Text("--target", "NAME", "Only through this target.");
        Option<string?> group = Text("--group", "NAME", "Only for this group of the target.");
        Option<string?> status = Text("--status", "NAME",
            "For AnswerCommand: Busy, TaskSetFull, ReservationConflict or CheckCondition.");
        Option<string?> sense = Text("--sense", "K/ASC/ASCQ", "For CheckCondition, hexadecimal, as in 3/11/00.");
        var dataOnly = new Option<bool>("--data-only") { Description = "Only commands that move data." };
        var lun = new Option<int?>("--lun")
        {
            HelpName = "N",
            Description = "Only commands that came by this LUN.",
            CustomParser = Whole.Parse,
        };
        Option<string?> direction = Text("--direction", "in|out", "Only commands that move data this way.");
        Option<string?> blocks = Text("--lba", "A-B", "Only commands that name any of these blocks.");
        blocks.Validators.Add(result =>
        {
            if (Lbas(result.GetValue(blocks)) is null && result.GetValue(blocks) is { } wrong)
                result.AddError($"--lba: expected two block addresses such as 0-2047, or one; found '{wrong}'");
        });
        var delay = new Option<int>("--delay-ms")
        {
            HelpName = "N",
            Description = "How long.",
            CustomParser = Whole.Number,
        };
        var parallel = new Option<int>("--parallel")
        {
            HelpName = "N",
            Description = "For SlowStore: commands at a time on each reactor; 0: any number.",
            CustomParser = Whole.Number,
        };
        var count = new Option<int?>("--count")
        {
            HelpName = "N",
            Description = "It is spent after so many.",
            CustomParser = Whole.Parse,
        };
        var probability = new Option<double>("--probability")
        {
            HelpName = "PART",
            Description = "Of what it could meet it meets this part.",
            DefaultValueFactory = _ => 1,
            CustomParser = Whole.Part,
        };
        return make("add", "Inject a fault, to see what hosts make of it.",
            parsed => new AddFaultRequest(
                parsed.GetValue(unit)!, parsed.GetValue(effect)!, parsed.GetValue(initiator), parsed.GetValue(target),
                parsed.GetValue(group), parsed.GetValue(dataOnly), parsed.GetValue(delay), parsed.GetValue(parallel),
                parsed.GetValue(status), parsed.GetValue(sense), parsed.GetValue(count),
                parsed.GetValue(probability), parsed.GetValue(lun), parsed.GetValue(direction),
                Lbas(parsed.GetValue(blocks))?.First, Lbas(parsed.GetValue(blocks))?.Last),
            [
                unit, effect, initiator, target, group, lun, direction, blocks, dataOnly, delay, parallel, status,
                sense, count, probability,
            ]);
    }

    private static (ulong First, ulong Last)? Lbas(string? text)
    {
        string[] ends = text?.Split('-') ?? [];
        return ends.Length is 1 or 2
            && ulong.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out ulong first)
            && ulong.TryParse(ends[^1], NumberStyles.None, CultureInfo.InvariantCulture, out ulong last)
            ? (first, last) : null;
    }

    private static Option<string?> Text(string name, string value, string about) =>
        new(name) { HelpName = value, Description = about };
}
