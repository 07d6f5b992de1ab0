"""scstd itself: built from this tree, run as one process on the same single CPU as its peers."""
import os
import subprocess

from .cells import UNIT_BYTES
from .targets import (BASE_NAME, DIRECT, FILE, MANY, MANY_BYTES, MANY_LUNS, MEMORY, NULL, Target, Unit, ask_counters)

PROJECT = "src/Scstd"
ENVIRONMENT = {"DOTNET_CLI_TELEMETRY_OPTOUT": "1", "DOTNET_NOLOGO": "1", "MSBUILDDISABLENODEREUSE": "1"}
MAIN = "scstd"
# Without a count, as many reactors as CPUs: one, since the process is pinned to one.
VARIANTS = {MAIN: "{io: auto}", "scstd-io_uring": "{io: io_uring}", "scstd-epoll": "{io: epoll}",
            "scstd-spin": "{io: auto, latency: low}", "scstd-power": "{io: auto, latency: power}"}
# On all CPUs, with so many reactors.
FREE = {"scstd-1": "{count: 1}", "scstd-2": "{count: 2}", "scstd-n": "{count: auto}"}
FREE_LABELS = {"scstd-1": "scstd, 1 reactor", "scstd-2": "scstd, 2 reactors", "scstd-n": "scstd, n reactors"}
FIRST_OF_MANY = 10
SESSIONS = 1100
HEAD = """\
log:
  level: warning
control:
  enabled: no
state_directory: none
reactors: {reactors}
portals:
  local: 127.0.0.1:{port}
"""


def build(root):
    """The daemon as it is installed; returns the assembly to run."""
    output = os.path.join(root, "artifacts/benchmarks/scstd")
    subprocess.run([os.path.join(root, PROJECT, "Packaging/publish.sh"), output, PROJECT], check=True,
                   env=os.environ | ENVIRONMENT)
    return os.path.join(output, "scstd.dll")


class Scstd(Target):
    """All kinds of units, and beside the memory disk a file in memory, as the peers have; the variants show the memory
    disk alone."""

    def __init__(self, place, assembly, variant):
        self.name = variant
        super().__init__(place)
        self.assembly = assembly
        self.reactors = FREE.get(variant) or VARIANTS[variant]
        self.takes_many_sessions = variant == MAIN
        self.devices, self.luns = [], []

    def start(self):
        self.add_units()
        path = os.path.join(self.place.scratch, f"{self.name}.yaml")
        with open(path, "w") as f:
            f.write(self.text())
        self.launch(["dotnet", self.assembly, "--config", path], env=os.environ | ENVIRONMENT)
        self.wait_for_port(60)

    def text(self):
        lines = [HEAD.format(reactors=self.reactors, port=self.place.port) + "devices:"]
        lines += [f"  {name}: {{{', '.join(f'{k}: {v}' for k, v in keys.items())}}}" for name, keys in self.devices]
        lines += ["targets:", f"  {BASE_NAME}:{self.name}:", f"    limits: {{sessions: {SESSIONS}}}", "    luns:"]
        lines += [f"      {lun}: {name}" for lun, name in self.luns]
        return "\n".join(lines) + "\n"

    def add_units(self):
        if self.name != MAIN:
            label = FREE_LABELS.get(self.name, self.name)
            self.add(label, 0, MEMORY, "memory disk", store="memory", size=f"{UNIT_BYTES >> 20}MiB")
            return
        for kind in self.place.kinds:
            self.add_kind(kind)

    def add_kind(self, kind):
        size = f"{UNIT_BYTES >> 20}MiB"
        if kind == MEMORY:
            self.add(MAIN, 0, kind, "memory disk", store="memory", size=size)
            self.add("scstd, file", 1, kind, "file in /dev/shm, buffered", store="file",
                     path=self.backing_file(MEMORY), io="buffered")
        elif kind == FILE:
            self.add(MAIN, 2, kind, "file on disk, buffered", store="file",
                     path=self.backing_file(FILE, on_disk=True), io="buffered")
        elif kind == DIRECT:
            self.add(MAIN, 3, kind, "file on disk, direct", store="file",
                     path=self.backing_file(DIRECT, on_disk=True), io="direct")
        elif kind == NULL:
            self.add(MAIN, 4, kind, "null", store="null", size=size)
        elif kind == MANY:
            for lun in range(FIRST_OF_MANY, FIRST_OF_MANY + MANY_LUNS):
                self.add(MAIN, lun, kind, "memory disks", store="memory", size=f"{MANY_BYTES >> 20}MiB")

    def add(self, label, lun, kind, backing, **keys):
        self.devices.append((f"unit{lun}", keys))
        self.luns.append((lun, f"unit{lun}"))
        if self.unit(label, kind) is None:
            self.units.append(Unit(label, self, kind, self.url(lun), backing))

    def counters(self):
        return ask_counters(self.process, self.log)

    def configuration(self):
        where = "on any CPU" if self.name in FREE else "with its compiler and collector on the same CPU"
        return (f"{self.name}: one process {where}, reactors {self.reactors}, write cache on, digests as the initiator "
                "asks, 512-byte blocks")
