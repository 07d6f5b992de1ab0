"""The loads: what one command moves, how many are outstanding, on how many connections and units."""
import copy

UNIT_BYTES = 256 << 20
KIB = 1024
WIDE_CONNECTIONS = 8
SEQUENTIAL_DEPTH = 8


class Cell:
    """One kind of load, known by its title."""

    def __init__(self, title, mode, block_bytes, depth, connections=1):
        self.title, self.mode, self.block_bytes = title, mode, block_bytes
        self.depth, self.connections, self.digests, self.luns = depth, connections, False, 1

    def changed(self, **changes):
        other = copy.copy(self)
        vars(other).update(changes)
        return other

    def options(self):
        return ["-m", self.mode, "-b", str(self.block_bytes), "-q", str(self.depth), "-c", str(self.connections),
                "--luns", str(self.luns), "-d", "both" if self.digests else "none", "--span", str(UNIT_BYTES)]


def random(what, depth, connections=1):
    """4 KiB at random places; `what` is read, write or 70:30."""
    mode = {"read": "randread", "write": "randwrite", "70:30": "randrw"}[what]
    wide = f" x {connections} connections" if connections > 1 else ""
    return Cell(f"4 KiB random {what}, depth {depth}{wide}", mode, 4 * KIB, depth, connections)


def sequential(what, size_kib):
    size = f"{size_kib // KIB} MiB" if size_kib >= KIB else f"{size_kib} KiB"
    return Cell(f"{size} sequential {what}, depth {SEQUENTIAL_DEPTH}", f"seq{what}", size_kib * KIB, SEQUENTIAL_DEPTH)
