"""What is measured of whom: groups of loads, and for each load the rows that are worth its time."""
from .cells import WIDE_CONNECTIONS as WIDE
from .cells import random, sequential
from .targets import DIRECT, FILE, MANY, MANY_LUNS, MEMORY, NULL

# Units whose label is not the name of their target.
TARGET_OF = {"scstd, file": "scstd", "(floor)": "floor", "(floor-spin)": "floor-spin", "tgt, any CPU": "tgt-free",
             "scstd, 1 reactor": "scstd-1", "scstd, 2 reactors": "scstd-2", "scstd, n reactors": "scstd-n"}


class Row:
    """A line of a table: a unit under a load, which may differ from the cell's own in digests or LUNs.
    `against`: the row of the same table that it shall be held against."""

    def __init__(self, label, unit=None, against=None, **changes):
        self.label, self.unit, self.against, self.changes = label, unit or label, against, changes

    @property
    def target(self):
        return TARGET_OF.get(self.unit, self.unit)


class Entry:
    def __init__(self, cell, rows, quick=False):
        self.cell, self.rows, self.quick = cell, rows, quick


class Group:
    """Tables about one kind of unit. Targets that no row names take part in the entries of `open_to_all`."""

    def __init__(self, key, title, kind, entries, open_to_all=False):
        self.key, self.title, self.kind, self.entries, self.open_to_all = key, title, kind, entries, open_to_all


def rows(*labels):
    return [Row(label) for label in labels]


EVERYBODY = rows("tgt", "istgt", "scstd", "scstd, file", "scstd-power", "scstd-spin", "(floor)", "(floor-spin)")
WITHOUT_SPIN = rows("tgt", "istgt", "scstd", "scstd, file", "(floor)")
TRIO = rows("tgt", "scstd", "(floor)")
PAIR = rows("tgt", "scstd")
PEERS = rows("tgt", "istgt", "scstd")


def memory():
    entries = [Entry(random("read", 1), EVERYBODY, quick=True), Entry(random("read", 32), EVERYBODY, quick=True),
               Entry(random("read", 32, WIDE), rows("tgt", "istgt", "scstd", "(floor)")),
               Entry(random("write", 1), rows("tgt", "scstd", "scstd-power", "scstd-spin", "(floor)", "(floor-spin)")),
               Entry(random("write", 32), WITHOUT_SPIN, quick=True), Entry(random("write", 32, WIDE), TRIO)]
    entries += [Entry(random("70:30", *shape), TRIO) for shape in ((1,), (32,), (32, WIDE))]
    for size_kib in (64, 256, 1024):
        middle = size_kib == 256
        entries += [Entry(sequential(what, size_kib), WITHOUT_SPIN if middle else TRIO, quick=middle)
                    for what in ("read", "write")]
    return Group("memory", "Memory", MEMORY, entries, open_to_all=True)


def null():
    entries = [Entry(random("read", *shape), PAIR) for shape in ((1,), (32,), (32, WIDE))]
    entries += [Entry(random("write", 32), PAIR)]
    entries += [Entry(sequential(what, 256), PAIR) for what in ("read", "write")]
    return Group("null", "Null", NULL, entries)


def file():
    entries = [Entry(random(what, *shape), PEERS) for what in ("read", "write") for shape in ((1,), (32,), (32, WIDE))]
    entries += [Entry(random("70:30", *shape), PAIR) for shape in ((1,), (32,), (32, WIDE))]
    entries += [Entry(sequential(what, size), PAIR) for size in (64, 256, 1024) for what in ("read", "write")]
    return Group("file", "File, buffered", FILE, entries)


def direct():
    entries = [Entry(random(what, *shape), PAIR)
               for what in ("read", "write", "70:30") for shape in ((1,), (32,), (32, WIDE))]
    entries += [Entry(sequential(what, size), PAIR) for size in (64, 256, 1024) for what in ("read", "write")]
    return Group("direct", "File, direct", DIRECT, entries)


def digests():
    both = [row for name in ("tgt", "istgt", "scstd")
            for row in (Row(name), Row(f"{name}, digests", name, against=name, digests=True))]
    pairs = [row for row in both if row.target != "istgt"]
    return Group("digests", "Digests (CRC32C over headers and data)", MEMORY, [
        Entry(random("read", 32), both), Entry(random("write", 32), pairs),
        Entry(sequential("read", 64), both), Entry(sequential("write", 64), pairs)])


def reactors():
    one = "scstd, 1 reactor"
    table = [Row("tgt, any CPU"), Row(one)]
    table += [Row(f"scstd, {number} reactors", against=one) for number in ("2", "n")]
    return Group("reactors", "Reactors, on any CPU", MEMORY, [
        Entry(random("read", 32, WIDE), table), Entry(random("write", 32, WIDE), table)])


def luns():
    table = []
    for name in ("tgt", "scstd"):
        one = f"{name}, 1 LUN"
        table += [Row(one, name), Row(f"{name}, {MANY_LUNS} LUNs", name, against=one, luns=MANY_LUNS)]
    return Group("luns", "One hot LUN and many", MANY, [
        Entry(random("read", 32, WIDE), table), Entry(random("write", 32, WIDE), table)])


GROUPS = [make() for make in (memory, null, file, direct, digests, reactors, luns)]
KEYS = [group.key for group in GROUPS]


def family(target):
    return target.partition("-")[0]


def is_wanted(target, names):
    """Those of the reactors come along with their family, the others are named."""
    if target in ("tgt-free", "scstd-1", "scstd-2", "scstd-n"):
        return family(target) in names
    return target in names


def choose(keys, words, quick, names):
    """The groups asked for, with the rows of the targets asked for; what is left empty is left out."""
    known = {row.target for group in GROUPS for entry in group.entries for row in entry.rows}
    more = [Row(name) for name in names if name not in known]
    chosen = []
    for group in (g for g in GROUPS if g.key in keys):
        entries = []
        for entry in group.entries:
            if (quick and not entry.quick) or not all(word in entry.cell.title for word in words):
                continue
            table = [row for row in entry.rows if is_wanted(row.target, names)] + (more if group.open_to_all else [])
            if table:
                entries.append(Entry(entry.cell, table))
        if entries:
            chosen.append(Group(group.key, group.title, group.kind, entries, group.open_to_all))
    return chosen
