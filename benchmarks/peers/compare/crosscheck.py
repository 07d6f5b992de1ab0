"""The same load from independent generators: libiscsi's iscsi-perf and QEMU's qemu-img bench, beside our own."""
import re

from . import processes
from .cells import Cell
from .measure import Failed

PERF, QEMU = "iscsi-perf", "qemu-img bench"
CHECKS = [
    (Cell("4 KiB random read, depth 1", "randread", 4096, 1), PERF),
    (Cell("4 KiB random read, depth 32", "randread", 4096, 32), PERF),
    (Cell("4 KiB sequential read, depth 1", "seqread", 4096, 1), QEMU),
    (Cell("4 KiB sequential write, depth 1", "seqwrite", 4096, 1), QEMU),
    (Cell("4 KiB sequential write, depth 32", "seqwrite", 4096, 32), QEMU),
    (Cell("256 KiB sequential read, depth 8", "seqread", 262144, 8), QEMU),
    (Cell("256 KiB sequential write, depth 8", "seqwrite", 262144, 8), QEMU),
]


def pinned(bench, command):
    return ["taskset", "-c", str(bench.place.generator_cpu), *command]


def by_iscsi_perf(bench, unit, cell):
    blocks = str(cell.block_bytes // 512)
    pattern = ["-r"] if cell.mode == "randread" else []
    code, out, err, *_ = bench.call(pinned(bench, ["iscsi-perf", *pattern, "-m", str(cell.depth), "-b", blocks,
                                                  "-t", "2", unit.url]))
    found = re.findall(r"iops average (\d+)", out)
    if code or not found:
        raise Failed(err.strip() or "iscsi-perf gave no figure")
    return float(found[-1])


def by_qemu(bench, unit, cell, count):
    write = ["-w"] if cell.mode == "seqwrite" else []
    code, out, err, *_ = bench.call(pinned(bench, ["qemu-img", "bench", "-f", "raw", "-t", "none", *write,
                                                  "-c", str(count), "-d", str(cell.depth), "-s", str(cell.block_bytes),
                                                  unit.url]))
    found = re.search(r"completed in ([\d.]+) seconds", out)
    if code or not found:
        raise Failed(err.strip() or "qemu-img bench gave no figure")
    return count / float(found.group(1))


def check(bench, unit, cell, other):
    """One row: ours, then the other's, and what a command cost the target under each."""
    ours = bench.measure(unit, cell)
    pids = unit.target.pids()
    before = processes.cpu_seconds(pids)
    if other == PERF:
        theirs, commands = by_iscsi_perf(bench, unit, cell), None
    else:
        commands = max(200, int(ours["iops"] * bench.seconds))
        theirs = by_qemu(bench, unit, cell, commands)
    cpu = processes.cpu_seconds(pids) - before
    return {"load": cell.title, "unit": unit.label, "other": other, "ourIops": ours["iops"], "otherIops": theirs,
            "ourTargetCpuUs": ours["targetCpuUs"],
            "otherTargetCpuUs": cpu * 1e6 / commands if commands else None}
