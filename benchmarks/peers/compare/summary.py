"""From samples to figures: the median of the rounds with its spread, ratios taken within a round."""
import statistics

FIGURES = ["iops", "megabytesPerSecond", "p50Us", "p99Us", "p999Us", "targetCpuUs", "targetCpuShare",
           "switchesPerCommand", "generatorCpuUs", "generatorCpuShare", "otherLoad"]
FLOOR, SPINNING_FLOOR = "(floor)", "(floor-spin)"


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "samples": len(values)}


def within_rounds(rows, base, key):
    """The median of this row's figure over the base's figure of the same round."""
    ratios = [row[key] / base[number][key] for number, row in rows.items()
              if number in base and base[number][key]]
    return statistics.median(ratios) if ratios else None


def floor_of(label):
    """What spins is held against what spins."""
    return SPINNING_FLOOR if label.rstrip(")").endswith("-spin") else FLOOR


def summarize(samples, label, base_label, against_label=None):
    """samples: {label: {round: the generator's result}}."""
    own = samples[label]
    figures = {key: spread([s[key] for s in own.values()]) for key in FIGURES}
    figures["errors"] = sum(s["errors"] + s["stuck"] for s in own.values())
    figures["retries"] = sum(s["fullRetries"] for s in own.values())
    figures["complaints"] = [c for s in own.values() for c in s["complaints"]][:3]
    base, floor = samples[base_label], samples.get(floor_of(label), {})
    for name, key in (("iops", "iops"), ("cpu", "targetCpuUs"), ("p50", "p50Us")):
        figures[f"{name}Ratio"] = within_rounds(own, base, key)
        figures[f"{name}FloorRatio"] = within_rounds(own, floor, key)
    figures["against"] = against_label
    figures["againstRatio"] = within_rounds(own, samples.get(against_label, {}), "iops")
    return figures


def borrow_floor(groups):
    """Tables without a floor take that of the same load in memory: a ratio of medians, not of rounds."""
    floors = {cell["title"]: cell["rows"] for group in groups if group["key"] == "memory" for cell in group["cells"]
              if FLOOR in cell["rows"]}
    for group in groups:
        for cell in group["cells"]:
            for label, figures in cell["rows"].items():
                floor = floors.get(cell["title"], {}).get(floor_of(label))
                figures["floorIsBorrowed"] = floor is not None and figures["iopsFloorRatio"] is None
                if figures["floorIsBorrowed"]:
                    for name, key in (("iops", "iops"), ("cpu", "targetCpuUs"), ("p50", "p50Us")):
                        below = floor[key]["median"]
                        figures[f"{name}FloorRatio"] = figures[key]["median"] / below if below else None


def is_generator_heavy(figures):
    """It takes more than half of the CPU time that the target takes."""
    return figures["generatorCpuUs"]["median"] > figures["targetCpuUs"]["median"] / 2


def remarks(figures):
    """What a reader must know about a row before he believes it."""
    found = []
    if figures["generatorCpuShare"]["median"] > 0.9:
        found.append("generator-bound")
    if figures["errors"]:
        found.append(f"{figures['errors']} errors")
    if figures["retries"]:
        found.append(f"{figures['retries']} busy or full")
    return found
