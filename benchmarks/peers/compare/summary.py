"""From samples to figures: the median of the rounds with its spread, ratios taken within a round."""
import statistics

FIGURES = ["iops", "megabytesPerSecond", "p50Us", "p99Us", "p999Us", "targetCpuUs", "targetCpuShare",
           "switchesPerCommand", "generatorCpuUs", "generatorCpuShare", "otherLoad"]


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "samples": len(values)}


def within_rounds(rows, base, key):
    """The median of this row's figure over the base's figure of the same round."""
    ratios = [row[key] / base[number][key] for number, row in rows.items()
              if number in base and base[number][key]]
    return statistics.median(ratios) if ratios else None


def summarize(samples, inspection, base):
    """samples and base: {round: generator's result}."""
    figures = {key: spread([s[key] for s in samples.values()]) for key in FIGURES}
    figures["errors"] = sum(s["errors"] + s["stuck"] for s in samples.values())
    figures["retries"] = sum(s["fullRetries"] for s in samples.values())
    figures["complaints"] = [c for s in samples.values() for c in s["complaints"]][:3]
    figures["iopsRatio"] = within_rounds(samples, base, "iops") if base else None
    figures["cpuRatio"] = within_rounds(samples, base, "targetCpuUs") if base else None
    return figures | inspection


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
