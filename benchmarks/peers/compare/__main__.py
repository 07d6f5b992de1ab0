"""python3 -m compare: the whole comparison. run.sh beside this package builds the generator and starts it."""
import argparse
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import time

from . import crosscheck, processes, report, scstd, summary
from .measure import CELLS, WIDE_CELLS, Bench, Failed, syscall_counter
from .targets import FILE, MEMORY, UNIT_BYTES, Floor, Foreign, Istgt, Tgt

GROUPS = {MEMORY: "Memory", FILE: "File on disk"}


class Place:
    """Where a target runs and keeps its things."""

    def __init__(self, options, index, memory, scratch):
        self.port = options.port + 10 * index
        self.memory, self.scratch = memory, scratch
        self.target_cpu, self.generator_cpu = options.target_cpu, options.generator_cpu
        self.preferred = options.raise_priority
        self.generator = os.path.join(options.root, "artifacts/benchmarks/iscsi-load")
        self.syscalls = None


def parse():
    p = argparse.ArgumentParser(prog="run.sh", description="scstd, tgt and istgt side by side under the same load.")
    p.add_argument("--targets", default="tgt,istgt,scstd,floor",
                   help="tgt, istgt, floor, scstd, scstd-io_uring, scstd-epoll, scstd-spin; ratios are to the first")
    p.add_argument("--target-url", action="append", default=[], metavar="NAME=URL,PID", help="one more peer")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--seconds", type=float, default=0.8, help="measured in each run")
    p.add_argument("--warm", type=float, default=0.25, help="seconds before that")
    p.add_argument("--quick", action="store_true", help="2 short rounds of the memory units, no cross-check")
    p.add_argument("--wide", action="store_true", help="also 32 x 8 connections")
    p.add_argument("--cells", default="", metavar="WORDS", help="only loads whose title contains all these words")
    p.add_argument("--no-file", action="store_true", help="only the memory units")
    p.add_argument("--no-verify", action="store_true")
    p.add_argument("--no-check", action="store_true", help="without the independent generators")
    p.add_argument("--target-cpu", type=int, default=0)
    p.add_argument("--generator-cpu", type=int, default=1)
    p.add_argument("--raise-priority", action="store_true", help="targets and generators go before all else")
    p.add_argument("--port", type=int, default=14400, help="the first of the ports the targets listen on")
    p.add_argument("--json", metavar="FILE", help="default: artifacts/benchmarks/peers.json")
    p.add_argument("--write-docs", action="store_true", help="write the tables to docs/performance.md")
    p.add_argument("--root", required=True, help=argparse.SUPPRESS)
    options = p.parse_args()
    if options.quick:
        options.rounds, options.seconds, options.no_file, options.no_check = 2, 0.5, True, True
    options.json = options.json or os.path.join(options.root, "artifacts/benchmarks/peers.json")
    return options


def choose(options, memory, scratch):
    """The targets asked for, not yet started."""
    known, chosen = {"tgt": Tgt, "istgt": Istgt, "floor": Floor}, []
    assembly = None

    def place():
        return Place(options, len(chosen), memory, scratch)

    for name in filter(None, options.targets.split(",")):
        if name in known:
            chosen.append(known[name](place()))
        elif name in scstd.VARIANTS:
            assembly = assembly or scstd.build(options.root)
            chosen.append(scstd.Scstd(place(), assembly, name))
        else:
            raise SystemExit(f"--targets: {name} is none of {', '.join([*known, *scstd.VARIANTS])}")
    for text in options.target_url:
        chosen.append(Foreign(place(), text))
    return chosen


def say(text):
    print(text, file=sys.stderr, flush=True)


def machine(root):
    def output(*command):
        try:
            return subprocess.run(command, capture_output=True, text=True, check=True, cwd=root).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            return ""
    cpu = next((line.partition(":")[2].strip() for line in processes.read("/proc/cpuinfo").splitlines()
                if line.startswith("model name")), platform.machine())
    release = dict(line.split("=", 1) for line in processes.read("/etc/os-release").splitlines() if "=" in line)
    changed = output("git", "status", "--porcelain", "--", "src")
    memory = int(processes.read("/proc/meminfo").split()[1]) / (1 << 20)
    return {"commit": output("git", "log", "-1", "--format=%h", "--abbrev=12", "--", "src")
            + (" with local changes" if changed else ""),
            "date": time.strftime("%Y-%m-%d"),
            "cpu": cpu, "cpus": os.cpu_count(), "memoryGb": round(memory), "kernel": platform.release(),
            "distribution": release.get("PRETTY_NAME", "").strip('"'),
            "dotnet": ".NET " + output("dotnet", "--version"),
            "loadAverage": processes.read("/proc/loadavg").rsplit(" ", 2)[0]}


def measure_cell(bench, units, cell, rounds):
    """All units in turn in every round, each round beginning with another; the first round is thrown away."""
    samples, failed = {u: {} for u in units}, {}
    for number in range(rounds + 1):
        turn = number % len(units)
        for unit in units[turn:] + units[:turn]:
            if unit.label in failed:
                continue
            try:
                result = bench.measure(unit, cell)
                if number:
                    samples[unit][number] = result
            except Failed as e:
                failed[unit.label] = str(e)
    rows = {}
    base = samples[units[0]]
    for unit in units:
        if samples[unit] and unit.label not in failed:
            rows[unit.label] = summary.summarize(samples[unit], bench.inspect(unit, cell), base)
    return {"title": cell.title, "rows": rows, "failed": failed}


def run(options, targets, bench):
    units = [u for t in targets for u in t.units]
    kinds = [MEMORY] if options.no_file else [MEMORY, FILE]
    words = options.cells.split()
    cells = [c for c in CELLS + (WIDE_CELLS if options.wide else []) if all(w in c.title for w in words)]
    verified, groups, checks = [], [], []
    if not options.no_verify:
        for unit in (u for u in units if u.kind in kinds and not isinstance(u.target, Foreign)):
            say(f"verifying {unit.label}, {unit.backing}")
            verified.append({"label": unit.label, "backing": unit.backing} | bench.verify(unit))
    for kind in kinds:
        members = [u for u in units if u.kind == kind]
        group = {"kind": kind, "title": GROUPS[kind], "cells": []}
        for cell in cells:
            say(f"{GROUPS[kind]}: {cell.title}")
            group["cells"].append(measure_cell(bench, members, cell, options.rounds))
            say(report.plain(report.cell_rows(group["cells"][-1])))
        groups.append(group)
    if not options.no_check:
        say("independent generators")
        for cell, other in crosscheck.CHECKS:
            for target in (t for t in targets if t.serves_any_initiator):
                unit = next(u for u in target.units if u.kind == MEMORY)
                try:
                    checks.append(crosscheck.check(bench, unit, cell, other))
                except Failed as e:
                    say(f"{cell.title}, {unit.label}, {other}: {e}")
    return verified, groups, checks


def describe(targets):
    return {t.name: {"configuration": t.configuration(), "idleKb": t.idle_kb,
                     "loadedKb": processes.status_kb(t.pids(), "VmRSS"),
                     "threads": processes.status_kb(t.pids(), "Threads")} for t in targets}


def compare(options, memory, scratch):
    targets = choose(options, memory, scratch)
    syscalls = syscall_counter()
    bench = Bench(Place(options, 0, memory, scratch), options.warm, options.seconds, max(0.6, options.seconds))
    bench.place.syscalls = syscalls
    started = []
    try:
        for target in targets:
            say(f"starting {target.name}")
            started.append(target)
            target.start()
            target.idle_kb = processes.status_kb(target.pids(), "VmRSS")
        verified, groups, checks = run(options, targets, bench)
        result = {"machine": machine(options.root), "targets": describe(targets), "verified": verified,
                  "groups": groups, "checks": checks}
    finally:
        for target in started:
            target.stop()
    others = [f["otherLoad"] for g in groups for c in g["cells"] for f in c["rows"].values()]
    result["otherLoad"] = {"median": statistics.median(o["median"] for o in others),
                           "max": max(o["max"] for o in others)}
    result["memoryNotes"] = ["a memory disk is part of its process's resident memory; a file's pages are not"]
    result["settings"] = {
        "targetCpu": options.target_cpu, "generatorCpu": options.generator_cpu, "preferred": options.raise_priority,
        "rounds": options.rounds, "warmS": options.warm, "seconds": options.seconds, "base": targets[0].name,
        "unitMegabytes": UNIT_BYTES >> 20, "syscalls": syscalls}
    return result


def main():
    options = parse()
    memory = f"/dev/shm/scstd-benchmark-{os.getpid()}"
    scratch = os.path.join(options.root, "artifacts/benchmarks", f"run-{os.getpid()}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.makedirs(memory)
    os.makedirs(scratch)
    try:
        result = compare(options, memory, scratch)
    finally:
        shutil.rmtree(memory, ignore_errors=True)
        shutil.rmtree(scratch, ignore_errors=True)
    with open(options.json, "w") as f:
        json.dump(result, f, indent=1, ensure_ascii=False)
    print(report.text(result))
    say(f"written: {options.json}")
    if options.write_docs:
        report.write_document(os.path.join(options.root, "docs/performance.md"), result)
        say("written: docs/performance.md")
    return 0 if report.is_clean(result) else 1


if __name__ == "__main__":
    sys.exit(main())
