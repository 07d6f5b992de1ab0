"""What sessions cost that do nothing: the target's CPU time, and its memory for each of them."""
import time

from . import processes
from .cells import Cell
from .measure import Failed

# Longer than scstd's and tgt's time between pings: what is watched is not the first of anything.
SETTLE_S = 12.0
STEADY_S, STEADY_KB, STEADY_PATIENCE_S = 1.0, 256, 15


def steady_kb(pids):
    """Resident memory once it has stopped growing: a memory disk is filled after the start."""
    deadline, last = time.monotonic() + STEADY_PATIENCE_S, processes.status_kb(pids, "VmRSS")
    while time.monotonic() < deadline:
        time.sleep(STEADY_S)
        current = processes.status_kb(pids, "VmRSS")
        if abs(current - last) < STEADY_KB:
            return current
        last = current
    return last


def measure(bench, target, sessions, seconds):
    """Logs in so many sessions, which then send nothing but the answers to pings."""
    unit = target.units[0]
    cell = Cell("idle", "idle", 512, 1, sessions)
    before_kb = steady_kb(target.pids())
    result = bench.load(unit, cell, SETTLE_S, seconds)
    if result["errors"]:
        raise Failed("; ".join(result["complaints"]) or f"{result['errors']} errors")
    return {"target": target.name, "sessions": sessions, "seconds": result["seconds"],
            "cpuShare": result["targetCpuShare"],
            "switchesPerSecond": (result["voluntarySwitches"] + result["involuntarySwitches"]) / result["seconds"],
            "kbPerSession": (result["residentKb"] - before_kb) / sessions, "beforeKb": before_kb}


def measure_all(bench, targets, options, say):
    rows, failed = [], {}
    for target in (t for t in targets if t.takes_many_sessions):
        say(f"{options.sessions} idle sessions: {target.name}")
        try:
            rows.append(measure(bench, target, options.sessions, options.idle_seconds))
        except Failed as e:
            failed[target.name] = str(e)
    return {"rows": rows, "failed": failed}
