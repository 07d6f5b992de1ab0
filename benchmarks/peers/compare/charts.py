"""Bars as SVG: what was measured of each target under a few loads, with the least and the most of the rounds."""
import math
import os
from xml.sax.saxutils import escape

from .promises import rows_of

LABELS = ["tgt", "istgt", "scstd-power", "scstd", "scstd-spin", "(floor)", "(floor-spin)"]
WIDTH, LEFT, RIGHT = 760, 200, 96
BAR, GAP, GROUP_GAP, TOP, BOTTOM = 13, 3, 16, 66, 40
TICKS = 5

# The same colours on light and dark; text and lines follow the reader's scheme.
STYLE = """\
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-size: 15px; font-weight: 600 }
.value { font-size: 11px }
.grid { stroke: #d0d7de }
.error { stroke: #24292f }
.tgt { fill: #8c959f } .istgt { fill: #bf8700 } .scstd { fill: #0969da } .scstd-spin { fill: #54aeff }
.scstd-power { fill: #0550ae }
.floor { fill: #2da44e } .floor-spin { fill: #6fdd8b }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.grid { stroke: #3d444d }
.error { stroke: #e6edf3 }
}"""


class Chart:
    """`places`: (what stands beside the bars, group, title of the cell)."""

    def __init__(self, name, title, unit, figure, places, labels):
        self.name, self.title, self.unit, self.figure = name, title, unit, figure
        self.places, self.labels = places, labels


def memory(*shapes):
    return [(f"{what}, {shape}", "memory", f"4 KiB random {what}, depth {depth}") for what, shape, depth in shapes]


WIDE = "32 x 8 connections"
RATES = memory(("read", "depth 1", 1), ("read", "depth 32", 32), ("read", "depth 32 × 8", WIDE),
               ("write", "depth 32", 32), ("write", "depth 32 × 8", WIDE)) + [
    ("read, depth 32, file", "file", "4 KiB random read, depth 32"),
    ("read, depth 32, direct", "direct", "4 KiB random read, depth 32")]
PLAIN = ["tgt", "istgt", "scstd", "(floor)"]
CHARTS = [
    Chart("performance-iops", "Commands per second, 4 KiB, one CPU", "thousand/s", "iops", RATES, PLAIN),
    Chart("performance-cpu", "CPU time of the target per command, 4 KiB", "µs", "targetCpuUs", RATES[1:], PLAIN),
    Chart("performance-latency", "Latency at depth 1, half of the commands below, 4 KiB in memory", "µs", "p50Us",
          memory(("read", "depth 1", 1), ("write", "depth 1", 1)), LABELS)]
SCALE = {"iops": 1000}


def bars_of(chart, result):
    """[(place, [(label, median, min, max)])], what was not measured left out."""
    scale = SCALE.get(chart.figure, 1)
    found = []
    for place, group, title in chart.places:
        rows = rows_of(result, group, title)
        bars = [(label, *(rows[label][chart.figure][key] / scale for key in ("median", "min", "max")))
                for label in chart.labels if label in rows]
        if bars:
            found.append((place, bars))
    return found


def round_up(value):
    """The next of 1, 2, 2.5 and 5 times a power of ten, so that an axis has plain numbers."""
    power = 10 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= value * (1 - 1e-9))


def axis(most):
    """(step, end) of an axis that reaches beyond the most."""
    step = round_up(most / TICKS) if most > 0 else 1
    return step, step * math.ceil(most / step - 1e-9)


def figure(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}" if value >= 10 else f"{value:.2f}"


def css_class(label):
    return label.strip("()")


def draw_axis(step, end, x, bottom, unit):
    for i in range(round(end / step) + 1):
        at = x(i * step)
        yield f'<line class="grid" x1="{at:.1f}" y1="{TOP - 6}" x2="{at:.1f}" y2="{bottom}"/>'
        yield f'<text x="{at:.1f}" y="{bottom + 16}" text-anchor="middle">{i * step:,g}</text>'
    yield f'<text x="{WIDTH - RIGHT + 8}" y="{bottom + 32}" text-anchor="end">{escape(unit)}</text>'


def draw_bar(bar, x, y):
    label, median, least, most = bar
    middle = y + BAR / 2
    yield (f'<rect class="{css_class(label)}" x="{LEFT}" y="{y}" width="{x(median) - LEFT:.1f}" height="{BAR}">'
           f'<title>{escape(label)}: {figure(median)} ({figure(least)} – {figure(most)})</title></rect>')
    yield f'<line class="error" x1="{x(least):.1f}" y1="{middle}" x2="{x(most):.1f}" y2="{middle}"/>'
    for end in (least, most):
        yield f'<line class="error" x1="{x(end):.1f}" y1="{y + 3}" x2="{x(end):.1f}" y2="{y + BAR - 3}"/>'
    yield f'<text class="value" x="{x(most) + 6:.1f}" y="{y + BAR - 3}">{figure(median)}</text>'


def draw_legend(labels):
    at = LEFT
    for label in labels:
        yield f'<rect class="{css_class(label)}" x="{at}" y="34" width="11" height="11"/>'
        yield f'<text x="{at + 16}" y="44">{escape(label)}</text>'
        at += 34 + 7 * len(label)


def draw(chart, groups):
    """The whole picture as text."""
    step, end = axis(max(most for _, bars in groups for _, _, _, most in bars))
    used = [label for label in chart.labels if any(label == bar[0] for _, bars in groups for bar in bars)]

    def x(value):
        return LEFT + (WIDTH - LEFT - RIGHT) * value / end

    y, body = TOP, []
    for place, bars in groups:
        middle = y + len(bars) * (BAR + GAP) / 2 + 3
        body.append(f'<text x="{LEFT - 10}" y="{middle:.1f}" text-anchor="end">{escape(place)}</text>')
        for bar in bars:
            body += draw_bar(bar, x, y)
            y += BAR + GAP
        y += GROUP_GAP
    bottom = y - GROUP_GAP + 4
    height = bottom + BOTTOM
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">',
        f"<style>{STYLE}</style>", f'<text class="title" x="12" y="22">{escape(chart.title)}</text>',
        *draw_legend(used), *draw_axis(step, end, x, bottom, chart.unit), *body, "</svg>", ""])


def links(result):
    """Markdown for the charts that there is something to show in."""
    lines = [f"![{chart.title}](images/{chart.name}.svg)\n" for chart in CHARTS if bars_of(chart, result)]
    return lines + (["Bars are medians of the rounds, the thin lines reach from the least to the most.\n"] if lines
                    else [])


def write(folder, result):
    os.makedirs(folder, exist_ok=True)
    for chart in CHARTS:
        groups = bars_of(chart, result)
        if groups:
            with open(os.path.join(folder, f"{chart.name}.svg"), "w") as f:
                f.write(draw(chart, groups))
