"""One table: all its rows in turn in every round, so that what else happens on the machine falls on all of them."""
from . import summary
from .measure import Failed


def sample(bench, lines, rounds):
    """Each round begins with another row; the first round is thrown away. {label: {round: result}} and failures."""
    samples, failed = {label: {} for label, _, _ in lines}, {}
    for number in range(rounds + 1):
        turn = number % len(lines)
        for label, unit, cell in lines[turn:] + lines[:turn]:
            if label in failed:
                continue
            try:
                result = bench.measure(unit, cell)
                if number:
                    samples[label][number] = result
            except Failed as e:
                failed[label] = str(e)
    return samples, failed


def measure(bench, fleet, group, entry, rounds):
    lines, against = [], {}
    for row in entry.rows:
        unit = fleet.unit(row, group.kind)
        if unit is not None:
            lines.append((row.label, unit, entry.cell.changed(**row.changes)))
            against[row.label] = row.against
    table = {"title": entry.cell.title, "rows": {}, "failed": {}}
    if not lines:
        return table
    samples, table["failed"] = sample(bench, lines, rounds)
    for label, unit, cell in lines:
        if samples[label] and label not in table["failed"]:
            try:
                seen = bench.inspect(unit, cell)
            except Failed:
                seen = {}
            table["rows"][label] = summary.summarize(samples, label, lines[0][0], against[label]) | seen
    return table
