"""One measurement: a generator against one unit, with what the kernel says about the target meanwhile."""
import json
import os
import re
import resource
import subprocess
import threading
import time

from . import processes
from .cells import Cell

RUN_TIMEOUT_S = 60


def children_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class Failed(RuntimeError):
    """A run that gave no figures, with the reason."""


class Bench:
    """The generator's side: its binary, its CPU, the lengths of a run."""

    def __init__(self, place, warm_s, seconds, inspect_s):
        self.place, self.warm_s, self.seconds, self.inspect_s = place, warm_s, seconds, inspect_s
        self.seed = 0

    def generator(self, unit, cell, warm_s, seconds, *more):
        self.seed += 1
        pids = ",".join(str(p) for p in unit.target.pids()[:16])
        return [self.place.generator, "--json", "--cpu", str(self.place.generator_cpu), "--pid", pids,
                "--seed", str(self.seed), "-W", str(warm_s), "-t", str(seconds), *cell.options(), *more, unit.url]

    def call(self, command):
        """Runs a generator to its end; its status, what it printed, and how long both CPUs were busy meanwhile
        beyond what it used itself."""
        cpus = {self.place.target_cpu, self.place.generator_cpu}
        busy, begun, used = processes.busy_seconds(cpus), time.monotonic(), children_seconds()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   start_new_session=True)
        if self.place.preferred:
            processes.prefer(process.pid)
        try:
            out, err = process.communicate(timeout=RUN_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise Failed(f"no end within {RUN_TIMEOUT_S} s") from None
        elapsed = time.monotonic() - begun
        busy = processes.busy_seconds(cpus) - busy - (children_seconds() - used)
        return process.returncode, out, err, busy, elapsed

    def load(self, unit, cell, warm_s, seconds, *more):
        pids = unit.target.pids()
        used = processes.cpu_seconds(pids)
        code, out, err, busy, elapsed = self.call(self.generator(unit, cell, warm_s, seconds, *more))
        if code == 2 or not out.strip():
            raise Failed(err.strip().splitlines()[-1] if err.strip() else f"status {code}")
        result = json.loads(out.splitlines()[-1])
        others = busy - (processes.cpu_seconds(pids) - used)
        result["otherLoad"] = max(0.0, others / (2 * elapsed))
        result["complaints"] = err.strip().splitlines()[:3]
        return result

    def measure(self, unit, cell):
        return self.load(unit, cell, self.warm_s, self.seconds)

    def verify(self, unit):
        """Write the whole unit with stamps, load it with a checked mix, read the whole of it back."""
        whole = Cell("", "seqwrite", 262144, 8)
        mixed = Cell("", "randrw", 4096, 32, 2)
        back = Cell("", "seqread", 262144, 8)
        total = {"checkedSectors": 0, "badSectors": 0, "errors": 0, "complaints": []}
        for cell, more in ((whole, ["--once"]), (mixed, []), (back, ["--once", "--strict"])):
            try:
                result = self.load(unit, cell, 0, self.seconds, "--verify", *more)
            except Failed as e:
                result = {"checkedSectors": 0, "badSectors": 0, "errors": 1, "complaints": [str(e)]}
            for key, value in total.items():
                total[key] = value + result[key]
        return total

    # ---- one more run for what costs something to observe -------------------------------------------------
    def inspect(self, unit, cell):
        """System calls, allocated and copied bytes, in a run whose speed is not reported."""
        generator = self.generator(unit, cell, 0, self.inspect_s)
        pids = ",".join(str(p) for p in unit.target.pids())
        samples = []
        watch = threading.Thread(target=self.sample_counters, args=(unit.target, samples))
        watch.start()
        try:
            if self.place.syscalls == "perf":
                _, out, err, *_ = self.call(["perf", "stat", "-x,", "-e", "raw_syscalls:sys_enter", "-p", pids, "--",
                                            *generator])
                found = re.search(r"^(\d+),,raw_syscalls", err, re.M)
                calls = int(found.group(1)) if found else None
            else:
                calls, out = self.strace(pids, generator)
        finally:
            watch.join()
        lines = out.strip().splitlines()
        commands = json.loads(lines[-1])["commands"] if lines and lines[-1].startswith("{") else 0
        return {"syscallsPerCommand": calls / commands if calls is not None and commands else None,
                "allocatedPerCommand": allocated(samples, "reactorAllocatedBytes"),
                "allocatedInAllPerCommand": allocated(samples, "allocatedBytes"),
                "copiedPerByte": copied(samples, "payloadCopiedBytes"),
                "storeCopiedPerByte": copied(samples, "storeCopiedBytes")}

    def sample_counters(self, target, samples):
        """Twice within the run, so that connecting and leaving are not in the difference."""
        for share in (0.3, 0.5):
            time.sleep(self.inspect_s * share)
            counters = target.counters()
            if counters is None:
                return
            samples.append(counters)

    def strace(self, pids, generator):
        log = os.path.join(self.place.scratch, "strace.txt")
        tracer = subprocess.Popen(["strace", "-c", "-f", "-o", log, "-p", pids], stderr=subprocess.DEVNULL)
        time.sleep(0.3)
        try:
            _, out, *_ = self.call(generator)
        finally:
            tracer.send_signal(2)
            tracer.wait(10)
        found = re.search(r"^\s*100\.00\s+\S+\s+(?:\d+\s+)?(\d+)(?:\s+\d+)?\s+total", processes.read(log), re.M)
        return (int(found.group(1)) if found else None), out


def grown(samples, key):
    """By how much a counter grew between the two questions; None where the target does not count it."""
    if len(samples) < 2 or key not in samples[0]:
        return None
    return samples[1][key] - samples[0][key]


def allocated(samples, key):
    """The process as a whole allocates for the question itself, some 40 KB; a reactor's thread is counted exactly."""
    commands, growth = grown(samples, "commands"), grown(samples, key)
    return growth / commands if commands and growth is not None else None


def copied(samples, key):
    """Bytes copied in user space for each byte of payload."""
    growth = grown(samples, key)
    if growth is None:
        return None
    payload = grown(samples, "dataInBytes") + grown(samples, "dataOutBytes")
    return growth / payload if payload else None


def syscall_counter():
    """perf where the kernel lets it count system calls, else strace, which slows the target down."""
    probe = ["perf", "stat", "-x,", "-e", "raw_syscalls:sys_enter", "--", "true"]
    try:
        found = subprocess.run(probe, capture_output=True, text=True, timeout=20)
        return "perf" if re.search(r"^\d+,,raw_syscalls", found.stderr, re.M) else "strace"
    except (OSError, subprocess.TimeoutExpired):
        return "strace"
