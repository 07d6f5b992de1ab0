"""What the project promises, held against what was measured: each a ratio within one run, or a plain figure."""

READ_1, READ_32 = "4 KiB random read, depth 1", "4 KiB random read, depth 32"
READ_WIDE, WRITE_32 = "4 KiB random read, depth 32 x 8 connections", "4 KiB random write, depth 32"
SEQUENTIAL = "256 KiB sequential {}, depth 8"
IDLE_SESSIONS = 1000
COPIED_ONCE = 1.01              # commands that were under way when the counters were asked for are in one of the two
ALLOCATED_AT_MOST = 0.1         # bytes: what asking for the counters itself allocates, spread over the commands


class Promise:
    """`figure` is a name, or a function of the row's figures; None where it was not measured."""

    def __init__(self, work, group, cell, figure, at_least=None, at_most=None, row="scstd", unit="", digits=2,
                 text=None):
        self.text = text
        self.work, self.group, self.cell, self.row = work, group, cell, row
        self.figure, self.at_least, self.at_most, self.unit, self.digits = figure, at_least, at_most, unit, digits

    def value(self, result):
        rows = rows_of(result, self.group, self.cell)
        figures = rows.get(self.row)
        if figures is None:
            return None
        found = self.figure(figures) if callable(self.figure) else figures.get(self.figure)
        return found["median"] if isinstance(found, dict) else found

    def wanted(self):
        if self.text:
            return self.text
        sign, bound = ("≥", self.at_least) if self.at_least is not None else ("≤", self.at_most)
        return f"{sign} {bound:g}{self.unit}"

    def judge(self, result):
        value = self.value(result)
        kept = None if value is None else (self.at_least is None or value >= self.at_least) and \
            (self.at_most is None or value <= self.at_most)
        return {"work": self.work, "wanted": self.wanted(), "value": value, "kept": kept,
                "measured": None if value is None else f"{value:,.{self.digits}f}{self.unit}"}


class CpuPromise(Promise):
    """So many µs where the peer takes so many in the same run: a slower machine is slower for both."""

    def __init__(self, work, cell, cpu_us, peer_us):
        super().__init__(work, "memory", cell, "cpuRatio", at_most=cpu_us / peer_us)
        self.cpu_us, self.peer_us = cpu_us, peer_us

    def wanted(self):
        return f"≤ {self.cpu_us:g} µs where tgt takes {self.peer_us:g}"

    def judge(self, result):
        found = super().judge(result)
        if found["value"] is not None:
            own = rows_of(result, self.group, self.cell)[self.row]["targetCpuUs"]["median"]
            found["measured"] = f"{own:.2f} µs where tgt takes {own / found['value']:.1f}"
        return found


def rows_of(result, group, cell):
    return next((c["rows"] for g in result["groups"] if g["key"] == group for c in g["cells"]
                 if c["title"] == cell), {})


def slower(figures):
    """How much of the rate the digests take away."""
    return None if figures["againstRatio"] is None else (1 - figures["againstRatio"]) * 100


def random_promises():
    shape = "4 KiB random {}, depth 32, 1 connection, memory: "
    yield Promise(shape.format("read") + "IOPS", "memory", READ_32, "iopsRatio", at_least=10, unit=" × tgt")
    yield Promise(shape.format("read") + "IOPS", "memory", READ_32, "iopsFloorRatio", at_least=0.70, unit=" × floor")
    yield CpuPromise(shape.format("read") + "CPU per command", READ_32, 2.5, 22)
    yield Promise(shape.format("write") + "IOPS", "memory", WRITE_32, "iopsRatio", at_least=10, unit=" × tgt")
    yield Promise(shape.format("write") + "IOPS", "memory", WRITE_32, "iopsFloorRatio", at_least=0.65,
                  unit=" × floor")
    wide = "4 KiB random read, depth 32 × 8 connections, memory: "
    yield Promise(wide + "IOPS", "memory", READ_WIDE, "iopsRatio", at_least=10, unit=" × tgt")
    yield CpuPromise(wide + "CPU per command", READ_WIDE, 1.8, 19)
    yield Promise("depth 1 latency, p50, spin on", "memory", READ_1, "p50Ratio", at_most=0.45, unit=" × tgt",
                  row="scstd-spin")
    yield Promise("depth 1 latency, p50, spin off", "memory", READ_1, "p50Ratio", at_most=0.8, unit=" × tgt",
                  row="scstd-power")


def other_promises():
    for what in ("read", "write"):
        yield Promise(f"256 KiB sequential {what}, depth 8, memory", "memory", SEQUENTIAL.format(what), "iopsRatio",
                      at_least=3.5, unit=" × tgt")
    yield Promise("buffered file, 4 KiB random read, depth 32", "file", READ_32, "iopsRatio", at_least=6,
                  unit=" × tgt")
    yield Promise("direct file, 4 KiB random read, depth 32", "direct", READ_32, "iopsRatio", at_least=1.3,
                  unit=" × tgt (aio)")
    for what in ("read", "write"):
        yield Promise(f"digests on, 64 KiB sequential {what}: slower by", "digests",
                      f"64 KiB sequential {what}, depth 8", slower, at_most=15, unit=" %", row="scstd, digests",
                      digits=1)


def cost_promises():
    yield Promise("context switches per command, depth 32", "memory", READ_32, "switchesPerCommand", at_most=0.02,
                  digits=4)
    yield Promise("system calls per command, depth 32 × 8", "memory", READ_WIDE, "syscallsPerCommand", at_most=0.1,
                  digits=3)
    yield Promise("bytes allocated per command", "memory", READ_32, "allocatedPerCommand", at_most=ALLOCATED_AT_MOST,
                  digits=3, text="0, but for asking")
    copies = "user-space copies of payload, {}"
    for what, cell in (("4 KiB read", READ_32), ("256 KiB read", SEQUENTIAL.format("read"))):
        yield Promise(copies.format(what), "memory", cell, "copiedPerByte", at_most=0, text="0")
    yield Promise(copies.format("4 KiB write (all of it was read ahead)"), "memory", WRITE_32, "copiedPerByte",
                  at_most=COPIED_ONCE, text="≤ 1")
    yield Promise(copies.format("256 KiB write (the part that was read ahead)"), "memory", SEQUENTIAL.format("write"),
                  "copiedPerByte", at_most=COPIED_ONCE, text="≤ 1")


class IdlePromise(Promise):
    """Of the table of idle sessions."""

    def value(self, result):
        row = next((r for r in result["idle"]["rows"] if r["target"] == self.row and r["sessions"] >= IDLE_SESSIONS),
                   None)
        return None if row is None else row["cpuShare"] * 100


PROMISES = [*random_promises(), *other_promises(), *cost_promises(),
            IdlePromise("idle with 1,000 sessions", None, None, None, at_most=1, unit=" % of a core")]


def judge_all(result):
    return [promise.judge(result) for promise in PROMISES]

