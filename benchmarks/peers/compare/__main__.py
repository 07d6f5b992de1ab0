"""python3 -m compare: the whole comparison. run.sh beside this package builds the generator and starts it."""
import json
import os
import shutil
import signal
import statistics
import sys

from . import charts, crosscheck, fio, fleet, idle, machine, matrix, promises, report, rounds, summary
from .cells import UNIT_BYTES
from .fleet import say
from .measure import Bench, Failed, syscall_counter
from .options import parse
from .targets import MEMORY, NULL, Foreign

ROW_OVERHEAD_S = 0.15


def verify(bench, groups, running):
    """Each unit that keeps data, once; what others serve is not ours to overwrite."""
    verified, done = [], set()
    for group in groups:
        for row in (row for entry in group.entries for row in entry.rows):
            unit = running.unit(row, group.kind)
            if unit is None or unit in done or unit.kind == NULL or isinstance(unit.target, Foreign):
                continue
            done.add(unit)
            say(f"verifying {unit.label}, {unit.backing}")
            verified.append({"label": unit.label, "backing": unit.backing} | bench.verify(unit))
    return verified


def measure(options, bench, groups, running):
    found = []
    for group in groups:
        cells = []
        for entry in group.entries:
            say(f"{group.title}: {entry.cell.title}")
            cells.append(rounds.measure(bench, running, group, entry, options.rounds))
            say(report.plain(report.cell_rows(cells[-1])))
        found.append({"key": group.key, "title": group.title, "cells": cells})
    summary.borrow_floor(found)
    return found


def check(options, bench, running):
    """The same load from generators that we did not write."""
    checks = []
    units = [t.unit(t.name, MEMORY) for t in running.targets if t.serves_any_initiator]
    units = [unit for unit in units if unit is not None]
    for cell, other in [] if options.no_check else crosscheck.CHECKS:
        for unit in units:
            try:
                checks.append(crosscheck.check(bench, unit, cell, other))
            except Failed as e:
                say(f"{cell.title}, {unit.label}, {other}: {e}")
    if options.fio_guest:
        say("fio in a guest")
        try:
            checks += fio.check_all(bench, options.root, units)
        except Failed as e:
            say(str(e))
    return checks


def announce(options, groups):
    count = sum(len(entry.rows) for group in groups for entry in group.entries)
    each = (options.rounds + 1) * (options.warm + options.seconds + ROW_OVERHEAD_S) + bench_inspect_s(options)
    say(f"{count} rows, some {max(1, round(count * each / 60))} minutes and what comes before and after them")


def bench_inspect_s(options):
    return max(0.6, options.seconds)


def compare(options, memory, scratch):
    groups = matrix.choose(options.groups, options.cells.split(), options.quick,
                           options.targets + [text.partition("=")[0] for text in options.target_url])
    if not groups:
        raise SystemExit("no load is left by --groups, --cells and --targets")
    announce(options, groups)
    bench = Bench(fleet.Place(options, 0, memory, scratch), options.warm, options.seconds, bench_inspect_s(options))
    bench.place.syscalls = syscall_counter()
    with fleet.Fleet(fleet.choose(options, groups, memory, scratch)) as running:
        # First, while the targets' memory shows nothing but the sessions.
        quiet = {"rows": [], "failed": {}} if options.no_idle else \
            idle.measure_all(bench, running.targets, options, say)
        verified = [] if options.no_verify else verify(bench, groups, running)
        found = measure(options, bench, groups, running)
        checks = check(options, bench, running)
        return finish(options, bench, running, {"verified": verified, "idle": quiet, "groups": found,
                                                "checks": checks})


def finish(options, bench, running, result):
    others = [f["otherLoad"] for g in result["groups"] for c in g["cells"] for f in c["rows"].values()]
    return {"machine": machine.describe(options.root), "targets": running.describe(), **result,
            "otherLoad": {"median": statistics.median([o["median"] for o in others] or [0]),
                          "max": max([o["max"] for o in others] or [0])},
            "memoryNotes": ["a memory disk is part of its process's resident memory; a file's pages are not"],
            "settings": {
                "targetCpu": options.target_cpu, "generatorCpu": options.generator_cpu,
                "preferred": options.raise_priority, "rounds": options.rounds, "warmS": options.warm,
                "seconds": options.seconds, "unitMegabytes": UNIT_BYTES >> 20, "syscalls": bench.place.syscalls}}


def run(options):
    """Measures in directories that are gone afterwards, and keeps the result."""
    memory = f"/dev/shm/scstd-benchmark-{os.getpid()}"
    scratch = os.path.join(options.root, "artifacts/benchmarks", f"run-{os.getpid()}")
    os.makedirs(memory)
    os.makedirs(scratch)
    try:
        result = compare(options, memory, scratch)
    finally:
        shutil.rmtree(memory, ignore_errors=True)
        shutil.rmtree(scratch, ignore_errors=True)
    result["promises"] = promises.judge_all(result)
    with open(options.json, "w") as f:
        json.dump(result, f, indent=1, ensure_ascii=False)
    say(f"written: {options.json}")
    return result


def main():
    options = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if options.from_json:
        with open(options.from_json) as f:
            result = json.load(f)
    else:
        result = run(options)
    print(report.text(result))
    if options.write_docs:
        docs = os.path.join(options.root, "docs")
        report.write_document(os.path.join(docs, "performance.md"), result)
        charts.write(os.path.join(docs, "images"), result)
        say("written: docs/performance.md, docs/images")
    return 0 if report.is_clean(result) else 1


if __name__ == "__main__":
    sys.exit(main())
