"""The targets of a run: which are needed for the chosen tables, started together, stopped together."""
import os
import sys

from . import matrix, processes, scstd
from .floor import Floor, SpinningFloor
from .istgt import Istgt
from .targets import Foreign
from .tgt import FreeTgt, Tgt

KNOWN = {c.name: c for c in (Tgt, FreeTgt, Istgt, Floor, SpinningFloor)}
PORTS_EACH = 10


def say(text):
    print(text, file=sys.stderr, flush=True)


class Place:
    """Where a target runs and keeps its things."""

    def __init__(self, options, index, memory, scratch, kinds=(), cpus=None):
        self.port = options.port + PORTS_EACH * index
        self.memory, self.scratch, self.kinds = memory, scratch, kinds
        self.target_cpu, self.generator_cpu = options.target_cpu, options.generator_cpu
        self.cpus = cpus or str(options.target_cpu)
        self.preferred = options.raise_priority
        self.generator = os.path.join(options.root, "artifacts/benchmarks/iscsi-load")
        self.syscalls = None


def all_cpus():
    return ",".join(str(cpu) for cpu in sorted(os.sched_getaffinity(0)))


def is_superfluous(name):
    """As many reactors as CPUs are two, and have a row already."""
    return name == "scstd-n" and len(os.sched_getaffinity(0)) <= 2


def names_for(groups):
    """The targets that have a row, in the order of their first one."""
    names = []
    for row in (row for group in groups for entry in group.entries for row in entry.rows):
        if row.target not in names and not is_superfluous(row.target):
            names.append(row.target)
    return names


def choose(options, groups, memory, scratch):
    """The targets, not yet started."""
    kinds = list(dict.fromkeys(group.kind for group in groups))
    chosen, assembly = [], None
    foreign = {text.partition("=")[0]: text for text in options.target_url}
    for name in names_for(groups):
        free = name in scstd.FREE or name == FreeTgt.name
        place = Place(options, len(chosen), memory, scratch, [matrix.MEMORY] if free else kinds,
                      all_cpus() if free else None)
        if name in foreign:
            chosen.append(Foreign(place, foreign[name]))
        elif name in KNOWN:
            chosen.append(KNOWN[name](place))
        elif name in scstd.VARIANTS or name in scstd.FREE:
            assembly = assembly or scstd.build(options.root)
            chosen.append(scstd.Scstd(place, assembly, name))
        else:
            raise SystemExit(f"--targets: {name} is none of {', '.join([*KNOWN, *scstd.VARIANTS])}")
    return chosen


class Fleet:
    """Targets that run while the block does."""

    def __init__(self, targets):
        self.targets, self.started = targets, []

    def __enter__(self):
        try:
            for target in self.targets:
                say(f"starting {target.name}")
                self.started.append(target)
                target.start()
                target.idle_kb = processes.status_kb(target.pids(), "VmRSS")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for target in self.started:
            target.stop()

    def unit(self, row, kind):
        return next((t.unit(row.unit, kind) for t in self.targets if t.name == row.target), None)

    def describe(self):
        return {t.name: {"configuration": t.configuration(), "idleKb": t.idle_kb,
                         "loadedKb": processes.status_kb(t.pids(), "VmRSS"),
                         "threads": processes.status_kb(t.pids(), "Threads")} for t in self.targets}
