"""scstd itself: built from this tree, run as one process on the same single CPU as its peers."""
import os
import subprocess

from .targets import FILE, MEMORY, Target, Unit, ask_counters

PROJECT = "src/Scstd"
DEMONSTRATION = "iqn.2026-11.io.scstd:demo"
ENVIRONMENT = {"DOTNET_CLI_TELEMETRY_OPTOUT": "1", "DOTNET_NOLOGO": "1", "MSBUILDDISABLENODEREUSE": "1"}


def build(root):
    """The Release build of the daemon; returns the assembly to run."""
    environment = os.environ | ENVIRONMENT
    project = os.path.join(root, PROJECT)
    subprocess.run(["dotnet", "build", "-c", "Release", "-v", "q", "--nologo", project], check=True, env=environment)
    path = subprocess.run(["dotnet", "msbuild", project, "-p:Configuration=Release", "-getProperty:TargetPath"],
                          check=True, env=environment, capture_output=True, text=True).stdout.strip()
    return path


class Scstd(Target):
    """The demonstration configuration: LUN 0 is the memory disk of 256 MiB, LUN 1 the file disk in the data directory.
    A second process with its data directory in /dev/shm serves the file that the peers' memory units are."""
    name = "scstd"

    def __init__(self, place, assembly, kind):
        self.kind = kind
        self.name = "scstd" if kind == FILE else "scstd-shm"
        super().__init__(place)
        self.assembly = assembly

    def start(self):
        data = os.path.join(self.place.scratch if self.kind == FILE else self.place.memory, "scstd-data")
        os.makedirs(data, exist_ok=True)
        self.launch(["dotnet", self.assembly, "--data", data, "--listen", f"127.0.0.1:{self.place.port}"],
                    env=os.environ | ENVIRONMENT)
        self.wait_for_port(60)
        if self.kind == FILE:
            self.units = [Unit("scstd", self, MEMORY, self.url(0, DEMONSTRATION), "memory disk"),
                          Unit("scstd", self, FILE, self.url(1, DEMONSTRATION), "file on disk")]
        else:
            self.units = [Unit("scstd, file", self, MEMORY, self.url(1, DEMONSTRATION), "file in /dev/shm")]

    def counters(self):
        return ask_counters(self.process, self.log)

    def configuration(self):
        return "scstd: .NET JIT, one process wholly on the same CPU, its compiler and collector included, digests off"
