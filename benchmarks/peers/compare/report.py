"""How the figures are shown: plain tables on the terminal, Markdown for docs/performance.md."""
import textwrap

from . import charts
from .promises import judge_all
from .summary import is_generator_heavy, remarks

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


def copies(figures):
    """On the way, and by the store itself where it is in memory."""
    way, store = figures.get("copiedPerByte"), figures.get("storeCopiedPerByte")
    if way is None:
        return "–"
    return number(way, 2) + (f" + {number(store, 2)}" if store else "")


def headings(base):
    return ["target", "IOPS", "min – max", f"×{base}", "×floor", "MB/s", "p50 µs", "p99", "p99.9", "CPU µs/cmd",
            f"×{base}", "×floor", "switches/cmd", "syscalls/cmd", "B/cmd", "copies", "gen. µs/cmd"]


def row(label, f):
    iops, cpu = f["iops"], f["targetCpuUs"]
    borrowed = "~" if f.get("floorIsBorrowed") else ""
    floor = ["–" if f[key] is None else borrowed + number(f[key], 2) for key in ("iopsFloorRatio", "cpuFloorRatio")]
    return [label, number(iops["median"]), f"{number(iops['min'])} – {number(iops['max'])}",
            number(f["iopsRatio"], 2), floor[0], number(f["megabytesPerSecond"]["median"]),
            *(adaptive(f[key]["median"]) for key in ("p50Us", "p99Us", "p999Us")), adaptive(cpu["median"]),
            number(f["cpuRatio"], 2), floor[1], number(f["switchesPerCommand"]["median"], 3),
            adaptive(f.get("syscallsPerCommand")), allocated(f.get("allocatedPerCommand")), copies(f),
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
    base = next(iter(cell["rows"]), "base").partition(",")[0]
    return [headings(base)] + [row(label, figures) for label, figures in cell["rows"].items()]


def notes(cell):
    found = [f"{label}: {number(f['againstRatio'], 2)} × {f['against']}" for label, f in cell["rows"].items()
             if f.get("againstRatio") is not None]
    found += [f"{label}: {', '.join(remarks(f) + f['complaints'])}" for label, f in cell["rows"].items()
              if remarks(f) or f["complaints"]]
    return found + [f"{label}: no figures, {why}" for label, why in cell["failed"].items()]


def promise_rows(result):
    rows = [["what", "wanted", "measured", "kept"]]
    for p in judge_all(result):
        kept = {True: "yes", False: "**no**", None: "not measured"}[p["kept"]]
        rows.append([p["work"], p["wanted"], p["measured"] or "–", kept])
    return rows


def check_rows(checks):
    rows = [["load", "unit", "iscsi-load IOPS", "other generator", "its IOPS", "ratio", "target CPU µs/cmd",
             "with the other"]]
    for c in checks:
        rows.append([c["load"], c["unit"], number(c["ourIops"]), c["other"], number(c["otherIops"]),
                     number(c["ourIops"] / c["otherIops"], 2) if c["otherIops"] else "–",
                     adaptive(c["ourTargetCpuUs"]), adaptive(c["otherTargetCpuUs"])])
    return rows


def idle_rows(idle):
    rows = [["process", "sessions", "CPU, % of a core", "switches/s", "KB for each session"]]
    for r in idle["rows"]:
        rows.append([r["target"], number(r["sessions"]), number(r["cpuShare"] * 100, 2),
                     number(r["switchesPerSecond"], 1), number(r["kbPerSession"], 1)])
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
                or any(f["errors"] for c in cells for f in c["rows"].values()) or result["idle"]["failed"])


def header(result):
    m, s = result["machine"], result["settings"]
    return [
        f"Commit {m['commit']}, {m['date']}. {m['cpu']}, {m['cpus']} CPUs, {m['memoryGb']} GB, Linux "
        f"{m['kernel']}, {m['distribution']}, {m['dotnet']}.",
        f"Loopback TCP. Target on CPU {s['targetCpu']} (the whole process, every thread; the same for all), generator "
        f"on CPU {s['generatorCpu']}{', both with raised priority' if s['preferred'] else ''}. {s['rounds']} rounds, "
        f"the targets in turn within each, {s['warmS']} s warm-up and {s['seconds']} s measured each time, after one "
        f"round thrown away. Units of {s['unitMegabytes']} MiB. System calls counted by {s['syscalls']}.",
        f"Load by others on the two CPUs during the runs: median {result['otherLoad']['median']:.0%}, "
        f"most {result['otherLoad']['max']:.0%}; load average {m['loadAverage']}.",
    ]


def cell_sections(result, table):
    for group in result["groups"]:
        for cell in group["cells"]:
            if cell["rows"] or cell["failed"]:
                yield f"{group['title']}: {cell['title']}", table(cell_rows(cell)), notes(cell)


def other_sections(result, table):
    if result["checks"]:
        yield "Independent generators", table(check_rows(result["checks"])), []
    idle = result["idle"]
    if idle["rows"] or idle["failed"]:
        yield "Idle sessions", table(idle_rows(idle)), [f"{n}: no figures, {why}" for n, why in idle["failed"].items()]
    yield "Memory", table(memory_rows(result["targets"])), result["memoryNotes"]
    if result["verified"]:
        notes_ = [f"{v['label']}, {v['backing']}: {c}" for v in result["verified"] for c in v["complaints"]]
        yield "Data verified before the figures", table(verify_rows(result["verified"])), notes_


def sections(result, table):
    """(title, body, remarks) of everything behind the promises, tables drawn by `table`."""
    yield from cell_sections(result, table)
    yield from other_sections(result, table)


def text(result):
    lines = header(result) + [""] + ["- " + t["configuration"] for t in result["targets"].values()]
    for title, body, remarks_ in sections(result, plain):
        lines += ["", title, body] + ["  * " + n for n in remarks_]
    lines += ["", "What is promised", plain(promise_rows(result))]
    return "\n".join(lines) + "\n"


def document(result):
    lines = [BEGIN] + [textwrap.fill(p, 118) + "\n" for p in header(result)]
    lines += ["### What is promised", "", markdown(promise_rows(result)), ""]
    lines += charts.links(result) + ["The targets:", ""]
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
