"""Not a target: the least that answers, to show what of a target's cost is the kernel's loopback."""
from .targets import MEMORY, Target, Unit

SPIN_US = 1000                  # as scstd with latency: low


class Floor(Target):
    name = "floor"
    serves_any_initiator = False
    arguments = []

    def start(self):
        program = self.place.generator.replace("iscsi-load", "iscsi-floor")
        self.launch([program, *self.arguments, str(self.place.port)])
        self.wait_for_port()
        self.units = [Unit(f"({self.name})", self, MEMORY, self.url(0), "memory")]

    def configuration(self):
        return "floor: a C program that answers READ and WRITE from memory without checking anything; no target"


class SpinningFloor(Floor):
    name = "floor-spin"
    arguments = ["--spin", str(SPIN_US)]

    def configuration(self):
        return f"floor-spin: the same, looking for work for {SPIN_US} µs before it sleeps"
