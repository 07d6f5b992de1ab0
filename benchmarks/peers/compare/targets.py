"""The targets: how each is started, configured alike, asked for its counters, and stopped."""
import json
import os
import re
import signal
import socket
import subprocess
import time

from . import processes

UNIT_BYTES = 256 << 20
BASE_NAME = "iqn.2026-11.io.scstd.benchmark"
MEMORY, FILE = "memory", "file"


class Unit:
    """A logical unit under a name of its own in the tables."""

    def __init__(self, label, target, kind, url, backing):
        self.label, self.target, self.kind, self.url, self.backing = label, target, kind, url, backing


class Target:
    """A running target. `place` says where things lie: scratch directories, the port, the CPU."""
    name = None
    serves_any_initiator = True

    def __init__(self, place):
        self.place, self.process, self.units, self.idle_kb = place, None, [], 0
        self.log = os.path.join(place.scratch, f"{self.name}.log")

    def pids(self):
        return processes.tree(self.process.pid)

    def launch(self, command, **options):
        if self.answers():
            raise SystemExit(f"{self.name}: somebody listens on port {self.place.port} already; see --port")
        self.process = processes.start(command, self.log, self.place.target_cpu, self.place.preferred, **options)

    def answers(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.place.port)) == 0

    def wait_for_port(self, patience_s=30):
        processes.wait_until(self.answers, patience_s, f"{self.name} on port {self.place.port}", self.process)

    def url(self, lun, name=None):
        return f"iscsi://127.0.0.1:{self.place.port}/{name or f'{BASE_NAME}:{self.name}'}/{lun}"

    def backing_file(self, kind):
        """A file wholly written, so that no run pays for allocating it."""
        path = os.path.join(self.place.memory if kind == MEMORY else self.place.scratch, f"{self.name}-{kind}.img")
        zeros = bytes(1 << 20)
        with open(path, "wb") as f:
            for _ in range(UNIT_BYTES >> 20):
                f.write(zeros)
            f.flush()
            os.fsync(f.fileno())
        return path

    def counters(self):
        """{'allocatedBytes', 'commands'} as the target counts them, or None."""
        return None

    def stop(self):
        processes.stop(self.process)

    def configuration(self):
        raise NotImplementedError


class Tgt(Target):
    name = "tgt"
    SETTINGS = {"MaxRecvDataSegmentLength": "262144", "FirstBurstLength": "262144", "MaxBurstLength": "1048576",
                "ImmediateData": "Yes", "InitialR2T": "Yes", "HeaderDigest": "None", "DataDigest": "None"}

    def admin(self, *words, check=True):
        command = ["tgtadm", "-C", str(self.place.port), "--lld", "iscsi", *words]
        return subprocess.run(command, check=check, capture_output=True, timeout=20).returncode == 0

    def start(self):
        self.launch(["tgtd", "-f", "-C", str(self.place.port), "--iscsi", f"portal=127.0.0.1:{self.place.port}"])
        self.wait_for_port()
        processes.wait_until(lambda: self.admin("--op", "show", "--mode", "target", check=False), 10,
                             "tgt's control socket", self.process)
        self.admin("--op", "new", "--mode", "target", "--tid", "1", "-T", f"{BASE_NAME}:{self.name}")
        for key, value in self.SETTINGS.items():
            self.admin("--op", "update", "--mode", "target", "--tid", "1", "--name", key, "--value", value)
        for lun, kind in ((1, MEMORY), (2, FILE)):
            path = self.backing_file(kind)
            self.admin("--op", "new", "--mode", "logicalunit", "--tid", "1", "--lun", str(lun), "-b", path,
                       "--bstype", "rdwr")
            where = "in /dev/shm" if kind == MEMORY else "on disk"
            self.units.append(Unit("tgt", self, kind, self.url(lun), f"file {where}, buffered"))
        self.admin("--op", "bind", "--mode", "target", "--tid", "1", "-I", "ALL")

    def stop(self):
        """It ignores SIGTERM while it has a target."""
        if self.process is not None and self.process.poll() is None:
            self.admin("--op", "delete", "--mode", "target", "--tid", "1", "--force", check=False)
            self.admin("--op", "delete", "--mode", "system", check=False)
        processes.stop(self.process, 3)

    def version(self):
        return "tgt " + subprocess.run(["tgtd", "-V"], capture_output=True, text=True).stdout.strip()

    def configuration(self):
        return f"{self.version()}: backing store rdwr (its 16 threads), write cache on, digests off, 512-byte blocks"


class Istgt(Target):
    name = "istgt"
    CONFIGURATION = """\
[Global]
  NodeBase "{base}"
  PidFile {scratch}/istgt.pid
  AuthFile {scratch}/istgt-auth.conf
  MediaDirectory {scratch}
  LogFacility "local7"
  Timeout 30
  NopInInterval 0
  DiscoveryAuthMethod None
  MaxSessions 64
  MaxConnections 4
  MaxR2T 32
  MaxOutstandingR2T 16
  DefaultTime2Wait 2
  DefaultTime2Retain 60
  FirstBurstLength 262144
  MaxBurstLength 1048576
  MaxRecvDataSegmentLength 262144
  InitialR2T Yes
  ImmediateData Yes
  DataPDUInOrder Yes
  DataSequenceInOrder Yes
  ErrorRecoveryLevel 0
[UnitControl]
  AuthMethod None
  AuthGroup None
  Portal UC1 127.0.0.1:{control}
  Netmask 127.0.0.1
[PortalGroup1]
  Portal DA1 127.0.0.1:{port}
[InitiatorGroup1]
  InitiatorName "ALL"
  Netmask 127.0.0.0/8
"""
    UNIT = """\
[LogicalUnit{number}]
  TargetName istgt-{kind}
  Mapping PortalGroup1 InitiatorGroup1
  AuthMethod None
  AuthGroup None
  UseDigest Auto
  UnitType Disk
  QueueDepth 64
  LUN0 Storage {path} {megabytes}MB
"""

    def start(self):
        scratch, path = self.place.scratch, os.path.join(self.place.scratch, "istgt.conf")
        text = self.CONFIGURATION.format(base=BASE_NAME, scratch=scratch, port=self.place.port,
                                         control=self.place.port + 1)
        for number, kind in ((1, MEMORY), (2, FILE)):
            text += self.UNIT.format(number=number, kind=kind, path=self.backing_file(kind),
                                     megabytes=UNIT_BYTES >> 20)
            where = "in /dev/shm" if kind == MEMORY else "on disk"
            self.units.append(Unit("istgt", self, kind, self.url(0, f"{BASE_NAME}:istgt-{kind}"),
                                   f"file {where}, buffered"))
        for name, content in ((path, text), (os.path.join(scratch, "istgt-auth.conf"), "")):
            with open(name, "w") as f:
                f.write(content)
            os.chmod(name, 0o600)
        self.launch(["istgt", "-c", path, "-D"])
        self.wait_for_port()

    def configuration(self):
        found = re.search(r"version ([^ ]+)", processes.read(self.log))
        return (f"istgt {found.group(1) if found else ''}: command queueing, QueueDepth 64, read and write cache on, "
                "digests off, 512-byte blocks")


class Floor(Target):
    """Not a target: the least that answers, to show what of a target's cost is the kernel's loopback."""
    name = "floor"
    serves_any_initiator = False

    def start(self):
        self.launch([self.place.generator.replace("iscsi-load", "iscsi-floor"), str(self.place.port)])
        self.wait_for_port()
        self.units = [Unit("(floor)", self, MEMORY, self.url(0), "memory")]

    def configuration(self):
        return "floor: a C program that answers READ and WRITE from memory without checking anything; no target"


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
        pin = ["taskset", "-acp", str(self.place.target_cpu), str(self.pid)]
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
        found = re.findall(rb"counters (\{.*?\})\s", f.read())
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
