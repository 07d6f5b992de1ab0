"""What all targets have in common: how one is started, where its units lie, asked for its counters, and stopped."""
import json
import os
import re
import signal
import socket
import subprocess
import time

from . import processes
from .cells import UNIT_BYTES

BASE_NAME = "iqn.2026-11.io.scstd.benchmark"
MEMORY, NULL, FILE, DIRECT, MANY = "memory", "null", "file", "direct", "many"
MANY_LUNS = 8
MANY_BYTES = UNIT_BYTES // MANY_LUNS


class Unit:
    """A logical unit under a name of its own in the tables."""

    def __init__(self, label, target, kind, url, backing):
        self.label, self.target, self.kind, self.url, self.backing = label, target, kind, url, backing


class Target:
    """A running target. `place` says where things lie: scratch directories, the port, the CPU, the kinds of units
    that are wanted."""
    name = None
    serves_any_initiator = True
    takes_many_sessions = False

    def __init__(self, place):
        self.place, self.process, self.units, self.idle_kb = place, None, [], 0
        self.log = os.path.join(place.scratch, f"{self.name}.log")

    def pids(self):
        return processes.tree(self.process.pid)

    def unit(self, label, kind):
        return next((u for u in self.units if (u.label, u.kind) == (label, kind)), None)

    def launch(self, command, **options):
        if self.answers():
            raise SystemExit(f"{self.name}: somebody listens on port {self.place.port} already; see --port")
        self.process = processes.start(command, self.log, self.place.cpus, self.place.preferred, **options)

    def answers(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.place.port)) == 0

    def wait_for_port(self, patience_s=30):
        processes.wait_until(self.answers, patience_s, f"{self.name} on port {self.place.port}", self.process)

    def url(self, lun, name=None):
        return f"iscsi://127.0.0.1:{self.place.port}/{name or f'{BASE_NAME}:{self.name}'}/{lun}"

    def backing_file(self, name, size_bytes=UNIT_BYTES, on_disk=False):
        """A file wholly written, so that no run pays for allocating it."""
        path = os.path.join(self.place.scratch if on_disk else self.place.memory, f"{self.name}-{name}.img")
        zeros = bytes(1 << 20)
        with open(path, "wb") as f:
            for _ in range(size_bytes >> 20):
                f.write(zeros)
            f.flush()
            os.fsync(f.fileno())
        return path

    def counters(self):
        """{'commands', 'reactorAllocatedBytes', …} as the target counts them, or None."""
        return None

    def stop(self):
        processes.stop(self.process)

    def configuration(self):
        raise NotImplementedError


class Foreign(Target):
    """A target somebody else started, given as NAME=iscsi://host:port/target/lun,pid."""

    def __init__(self, place, text):
        self.name, _, rest = text.partition("=")
        super().__init__(place)
        url, _, pid = rest.rpartition(",")
        if not (self.name and url.startswith("iscsi://") and pid.isdigit()):
            raise SystemExit(f"--target-url: expected NAME=iscsi://host:port/target/lun,pid, got {text}")
        self.pid = int(pid)
        self.units = [Unit(self.name, self, MEMORY, url, "as it was found")]

    def start(self):
        if not os.path.isdir(f"/proc/{self.pid}"):
            raise RuntimeError(f"{self.name}: no process {self.pid}")
        pin = ["taskset", "-acp", self.place.cpus, str(self.pid)]
        subprocess.run(pin, check=True, capture_output=True)

    def pids(self):
        return processes.tree(self.pid)

    def stop(self):
        """It was not started here."""

    def configuration(self):
        return f"{self.name}: given by its address, configured by who started it, on the same CPU"


def counters_line(log, offset):
    with open(log, "rb") as f:
        f.seek(offset)
        found = re.findall(rb"counters (\{.*\})\s", f.read())
    return json.loads(found[-1]) if found else None


def ask_counters(process, log, patience_s=1.0):
    """SIGUSR1 asks the daemon for one line `counters {...}` on its standard output. It would end one that knows no
    such question, hence the look at what it catches."""
    if not int((re.search(r"SigCgt:\s*(\w+)", processes.read(f"/proc/{process.pid}/status")) or [0, "0"])[1], 16) \
            >> (signal.SIGUSR1 - 1) & 1:
        return None
    offset = os.path.getsize(log)
    process.send_signal(signal.SIGUSR1)
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        found = counters_line(log, offset)
        if found:
            return found
        time.sleep(0.005)
    return None
