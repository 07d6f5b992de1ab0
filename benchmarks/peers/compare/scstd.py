"""scstd itself: built from this tree, run as one process on the same single CPU as its peers."""
import os
import subprocess

from .targets import BASE_NAME, FILE, MEMORY, UNIT_BYTES, Target, Unit, ask_counters

PROJECT = "src/Scstd"
ENVIRONMENT = {"DOTNET_CLI_TELEMETRY_OPTOUT": "1", "DOTNET_NOLOGO": "1", "MSBUILDDISABLENODEREUSE": "1"}
VARIANTS = {"scstd": "{io: auto}", "scstd-io_uring": "{io: io_uring}", "scstd-epoll": "{io: epoll}",
            "scstd-spin": "{io: auto, spin: 50us}"}
CONFIGURATION = """\
log:
  level: warning
reactors: {reactors}
devices:
  memory:
    store: memory
    size: {megabytes}MiB
  shm:
    store: file
    path: {shm}
    io: buffered
  disk:
    store: file
    path: {disk}
    io: buffered
portals:
  local: 127.0.0.1:{port}
targets:
  {target}:
    luns:
      0: memory
      1: shm
      2: disk
"""


def build(root):
    """The Release build of the daemon; returns the assembly to run."""
    environment = os.environ | ENVIRONMENT
    project = os.path.join(root, PROJECT)
    subprocess.run(["dotnet", "build", "-c", "Release", "-v", "q", "--nologo", project], check=True, env=environment)
    found = subprocess.run(["dotnet", "msbuild", project, "-p:Configuration=Release", "-getProperty:TargetPath"],
                           check=True, env=environment, capture_output=True, text=True)
    return found.stdout.strip()


class Scstd(Target):
    """A memory disk, and the two files that the peers have too; the variants show the memory disk alone."""

    def __init__(self, place, assembly, variant):
        self.name = variant
        super().__init__(place)
        self.assembly, self.reactors = assembly, VARIANTS[variant]

    def start(self):
        path = os.path.join(self.place.scratch, f"{self.name}.yaml")
        target = f"{BASE_NAME}:{self.name}"
        text = CONFIGURATION.format(reactors=self.reactors, megabytes=UNIT_BYTES >> 20, port=self.place.port,
                                    target=target, shm=self.backing_file(MEMORY), disk=self.backing_file(FILE))
        with open(path, "w") as f:
            f.write(text)
        self.launch(["dotnet", self.assembly, "--config", path], env=os.environ | ENVIRONMENT)
        self.wait_for_port(60)
        self.units = [Unit(self.name, self, MEMORY, self.url(0), "memory disk")]
        if self.name == "scstd":
            self.units += [Unit("scstd, file", self, MEMORY, self.url(1), "file in /dev/shm, buffered"),
                           Unit("scstd", self, FILE, self.url(2), "file on disk, buffered")]

    def counters(self):
        return ask_counters(self.process, self.log)

    def configuration(self):
        return (f"{self.name}: one process with its compiler and collector on the same CPU, reactors {self.reactors}, "
                "write cache on, digests off, 512-byte blocks")
