"""fio and the kernel's initiator in a guest: a whole stack that we did not write. Without KVM the guest is emulated
and slow: it shows what a command costs the targets under such a load, and nothing of what they could do."""
import os
import subprocess

from . import processes
from .cells import random
from .measure import Failed

DEPTHS = (1, 32)
SECONDS = 5
PATIENCE_S = 600
HOST = "10.0.2.2"               # the host's loopback, as QEMU's user network shows it
NAME = "fio in a guest"


def parts(url):
    """(port, target's name, LUN) of an iscsi:// URL."""
    _, _, address, name, lun = url.split("/")
    return int(address.rpartition(":")[2]), name, lun


def command(bench, root, units):
    words = ["taskset", "-c", str(bench.place.generator_cpu), os.path.join(root, "tests/VirtualMachine/vm-run.sh"),
             "-t", str(PATIENCE_S), "-s", "1", os.path.join(root, "benchmarks/peers/guest/fio.sh"), str(SECONDS),
             " ".join(str(depth) for depth in DEPTHS)]
    for unit in units:
        port, name, lun = parts(unit.url)
        words += [f"{HOST}:{port}", name, lun]
    return words


def follow(lines, pids_of):
    """Reads what the guest prints as it comes: {(target's name, depth): (IOPS, CPU time of a command in µs)}."""
    found, begun = {}, {}
    for words in (line.split() for line in lines):
        if words[:1] == ["begin"]:
            begun[words[1], int(words[2])] = processes.cpu_seconds(pids_of[words[1]])
        elif words[:1] == ["end"]:
            key, commands = (words[1], int(words[2])), int(words[4])
            used = processes.cpu_seconds(pids_of[words[1]]) - begun[key]
            found[key] = float(words[3]), used * 1e6 / commands if commands else None
    return found


def check_all(bench, root, units):
    """Rows for the table of independent generators."""
    pids_of = {parts(unit.url)[1]: unit.target.pids() for unit in units}
    log = os.path.join(bench.place.scratch, "guest.log")
    with open(log, "wb") as errors, subprocess.Popen(command(bench, root, units), stdout=subprocess.PIPE, text=True,
                                                     stderr=errors, stdin=subprocess.DEVNULL) as guest:
        found = follow(guest.stdout, pids_of)
    if guest.returncode:
        raise Failed(f"the guest ended with {guest.returncode}: {processes.read(log).strip()[-300:]}")
    rows = []
    for depth in DEPTHS:
        cell = random("read", depth)
        for unit in units:
            ours = bench.measure(unit, cell)
            iops, cpu_us = found[parts(unit.url)[1], depth]
            rows.append({"load": cell.title, "unit": unit.label, "other": NAME, "ourIops": ours["iops"],
                         "otherIops": iops, "ourTargetCpuUs": ours["targetCpuUs"], "otherTargetCpuUs": cpu_us})
    return rows
