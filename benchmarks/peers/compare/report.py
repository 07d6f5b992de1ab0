"""How the figures are shown: a plain table on the terminal, Markdown for docs/performance.md."""
import textwrap

from .summary import is_generator_heavy, remarks

HEADINGS = ["target", "IOPS", "min", "max", "×base", "MB/s", "p50 µs", "p99", "p99.9", "CPU µs/cmd", "×base",
            "switches/cmd", "syscalls/cmd", "B/cmd", "gen. µs/cmd"]
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def number(value, digits=0):
    if value is None:
        return "–"
    return f"{value:,.{digits}f}"


def adaptive(value):
    """Three significant digits or so: CPU times run from 1 to 1000 µs."""
    if value is None:
        return "–"
    return number(value, 0 if value >= 100 else 1 if value >= 10 else 2)


def allocated(value):
    return "–" if value is None else number(value, 0 if value >= 100 else 2)


def row(label, f):
    iops, cpu = f["iops"], f["targetCpuUs"]
    return [label, number(iops["median"]), number(iops["min"]), number(iops["max"]), number(f["iopsRatio"], 2),
            number(f["megabytesPerSecond"]["median"]), adaptive(f["p50Us"]["median"]), adaptive(f["p99Us"]["median"]),
            adaptive(f["p999Us"]["median"]), adaptive(cpu["median"]), number(f["cpuRatio"], 2),
            number(f["switchesPerCommand"]["median"], 3), adaptive(f["syscallsPerCommand"]),
            allocated(f["allocatedPerCommand"]),
            adaptive(f["generatorCpuUs"]["median"]) + ("*" if is_generator_heavy(f) else "")]


def plain(rows):
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    return "\n".join("  " + "  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(r, widths)))
                     for r in rows)


def markdown(rows):
    head, *body = rows
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    return "\n".join(lines + ["| " + " | ".join(r) + " |" for r in body])


def cell_rows(cell):
    return [HEADINGS] + [row(label, figures) for label, figures in cell["rows"].items()]


def notes(cell):
    found = [f"{label}: {', '.join(remarks(f) + f['complaints'])}" for label, f in cell["rows"].items()
             if remarks(f) or f["complaints"]]
    return found + [f"{label}: no figures, {why}" for label, why in cell["failed"].items()]


def check_rows(checks):
    rows = [["load", "unit", "iscsi-load IOPS", "other generator", "its IOPS", "ratio", "target CPU µs/cmd",
             "with the other"]]
    for c in checks:
        rows.append([c["load"], c["unit"], number(c["ourIops"]), c["other"], number(c["otherIops"]),
                     number(c["ourIops"] / c["otherIops"], 2) if c["otherIops"] else "–",
                     adaptive(c["ourTargetCpuUs"]), adaptive(c["otherTargetCpuUs"])])
    return rows


def memory_rows(targets):
    rows = [["process", "resident idle MB", "after the load MB", "threads"]]
    for name, t in targets.items():
        rows.append([name, number(t["idleKb"] / 1024, 1), number(t["loadedKb"] / 1024, 1), str(t["threads"])])
    return rows


def verify_rows(verified):
    rows = [["unit", "backing", "sectors checked", "bad", "errors"]]
    for v in verified:
        rows.append([v["label"], v["backing"], number(v["checkedSectors"]), str(v["badSectors"]), str(v["errors"])])
    return rows


def is_clean(result):
    """No bad sector, no error, no run without figures."""
    cells = [c for g in result["groups"] for c in g["cells"]]
    return not (any(v["badSectors"] or v["errors"] for v in result["verified"]) or any(c["failed"] for c in cells)
                or any(f["errors"] for c in cells for f in c["rows"].values()))


def header(result):
    m, s = result["machine"], result["settings"]
    return [
        f"Commit {m['commit']}, {m['date']}. {m['cpu']}, {m['cpus']} CPUs, {m['memoryGb']} GB, Linux "
        f"{m['kernel']}, {m['distribution']}, {m['dotnet']}.",
        f"Loopback TCP. Target on CPU {s['targetCpu']} (the whole process, every thread; the same for all), generator "
        f"on CPU {s['generatorCpu']}{', both with raised priority' if s['preferred'] else ''}. {s['rounds']} rounds, "
        f"the targets in turn within each, {s['warmS']} s warm-up and {s['seconds']} s measured each time, after one "
        f"round thrown away. Units of {s['unitMegabytes']} MiB.",
        "IOPS and the rest are medians of the rounds; min and max are of the IOPS. `×base` is the ratio to "
        f"{s['base']}, taken within a round, then the median. CPU is user + system time of all the target's threads. "
        f"System calls are counted by {s['syscalls']} in a separate short run. B/cmd: managed bytes that the reactors' "
        "threads allocate while the load runs, by the daemon's own counters, the cost of asking for them included. "
        "`gen.` is the generator's own CPU time, with a star where it is above half of the target's.",
        f"Load by others on the two CPUs during the runs: median {result['otherLoad']['median']:.0%}, "
        f"most {result['otherLoad']['max']:.0%}; load average {m['loadAverage']}.",
    ]


def sections(result, table):
    """(title, body) of everything, tables drawn by `table`."""
    for group in result["groups"]:
        for cell in group["cells"]:
            yield f"{group['title']}: {cell['title']}", table(cell_rows(cell)), notes(cell)
    if result["checks"]:
        yield "Independent generators", table(check_rows(result["checks"])), []
    yield "Memory", table(memory_rows(result["targets"])), result["memoryNotes"]
    if result["verified"]:
        notes_ = [f"{v['label']}, {v['backing']}: {c}" for v in result["verified"] for c in v["complaints"]]
        yield "Data verified before the figures", table(verify_rows(result["verified"])), notes_


def text(result):
    lines = header(result) + [""] + ["- " + t["configuration"] for t in result["targets"].values()]
    for title, body, remarks_ in sections(result, plain):
        lines += ["", title, body] + ["  * " + n for n in remarks_]
    return "\n".join(lines) + "\n"


def document(result):
    lines = [BEGIN] + [textwrap.fill(p, 118) + "\n" for p in header(result)] + ["The targets:", ""]
    lines += [textwrap.fill("- " + t["configuration"], 118, subsequent_indent="  ")
              for t in result["targets"].values()]
    for title, body, remarks_ in sections(result, markdown):
        lines += ["", f"### {title}", "", body] + ([""] + ["- " + n for n in remarks_] if remarks_ else [])
    return "\n".join(lines + [END])


def write_document(path, result):
    """Only what lies between the two marks is replaced: the prose around it is written by people."""
    with open(path) as f:
        old = f.read()
    before, begin, rest = old.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{path} has no {BEGIN} … {END}")
    with open(path, "w") as f:
        f.write(before + document(result) + after)
