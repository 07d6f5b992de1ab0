#!/usr/bin/env python3
"""count.py PROGRAM EXPECTED OUT [--renew]: instructions of a command, by load and room, against a table.

More than TOLERANCE above the table fails and says which rooms have grown; as far below asks for a new table. What
PROGRAM itself needs to play the initiator and the kernel is counted apart.
"""
import collections
import pathlib
import re
import subprocess
import sys

TOLERANCE = 0.05
FAILED = 3                  # a mistake of ours ends with 1
FEW, MANY = 1000, 3000      # both whole receives of every load
ROOMS = ["Frontends.Iscsi", "Core", "Scsi", "Backends", "Linux", "Copies", "Runtime"]
# callgrind takes each turn of "rep movsb" for an instruction.
COPY = re.compile(r"mem(move|cpy|set)|Memmove|MemoryCopy|RhpCopy|RhBulkMove|SpanHelpers__(Fill|Clear)", re.IGNORECASE)
SYMBOL = re.compile(r"Scstd_(Frontends_Iscsi|Core|Scsi|Backends|Linux|HotPath|Testing)_")


def room_of(function):
    """The room whose symbol this is; what is inlined counts where it was inlined."""
    named = SYMBOL.match(function)
    if named:
        return named[1].replace("_", ".")
    return "Copies" if COPY.search(function) else "Runtime"


def count(program, load, commands, out):
    """Instructions of one whole run, by room."""
    profile = out / f"{load}.{commands}.callgrind"
    ran = subprocess.run(
        ["valgrind", "--tool=callgrind", "--compress-strings=no", "--dump-line=no",
         f"--callgrind-out-file={profile}", program, load, str(commands)],
        capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        sys.exit(f"{load}: status {ran.returncode}\n{ran.stdout}{ran.stderr}")
    rooms = collections.Counter()
    room, skip = None, False
    for line in profile.read_text(errors="replace").splitlines():
        if line.startswith("fn="):
            room = room_of(line[3:])
        elif line.startswith("calls="):
            skip = True     # the line behind it is the callee's cost
        elif line[:1].isdigit() or line[:1] in "+-*":
            cost = line.split()[1:]     # nothing is written for 0
            if not skip and cost:
                rooms[room] += int(cost[0])
            skip = False
    profile.unlink()
    return rooms


def of_a_command(program, load, out):
    few, many = count(program, load, FEW, out), count(program, load, MANY, out)
    counted = {room: (many[room] - few[room]) / (MANY - FEW) for room in ROOMS}
    return {"total": sum(counted.values())} | counted


def read(path):
    if not path.exists():
        return {}
    rows = [line.split("\t") for line in path.read_text().splitlines() if line and line[0] != "#"]
    return {row[0]: dict(zip(rows[0][1:], map(float, row[1:]))) for row in rows[1:]}


def write(path, all_counted):
    lines = ["# Instructions of one command, by room; tests/Instructions/run.sh --renew writes this.",
             "\t".join(["load", "total", *ROOMS])]
    for load, counted in all_counted.items():
        lines.append("\t".join([load, *(f"{counted[name]:.0f}" for name in ["total", *ROOMS])]))
    path.write_text("\n".join(lines) + "\n")


def judge(load, now, expected):
    """One line of a result, and whether it is good."""
    if expected is None:
        return f"FAIL {load}: {now['total']:.0f} instructions, and nothing is expected of it", False
    change = now["total"] / expected["total"] - 1
    words = f"{load}: {now['total']:.0f} instructions, {change:+.1%} of {expected['total']:.0f}"
    moved = sorted(((now[room] - expected[room], room) for room in ROOMS), reverse=change > 0)
    which = ", ".join(f"{room} {by:+.0f}" for by, room in moved if abs(by) >= 1 and (by > 0) == (change > 0))
    if change > TOLERANCE:
        return f"FAIL {words}; {which}", False
    if change < -TOLERANCE:
        return f"PASS {words}; {which}: lower what is expected (run.sh --renew)", True
    return f"PASS {words}", True


def main():
    program, expected_path, out = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    loads = subprocess.run([program], capture_output=True, text=True, check=True).stdout.split()
    expected, all_counted, good = read(expected_path), {}, True
    for load in loads:
        all_counted[load] = of_a_command(program, load, out)
        if "--renew" not in sys.argv:
            line, is_good = judge(load, all_counted[load], expected.get(load))
            print(line, flush=True)
            good &= is_good
    for load in sorted(expected.keys() - all_counted.keys()):
        print(f"FAIL {load}: expected, and no load is called so")
        good = False
    write(out / "counted.tsv", all_counted)
    if "--renew" in sys.argv:
        write(expected_path, all_counted)
        print(f"PASS {expected_path.name} is renewed")
        good = True
    sys.exit(0 if good else FAILED)


if __name__ == "__main__":
    main()
