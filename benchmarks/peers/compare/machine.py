"""What it was measured on."""
import os
import platform
import subprocess
import time

from . import processes


def output(root, *command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd=root).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def describe(root):
    cpu = next((line.partition(":")[2].strip() for line in processes.read("/proc/cpuinfo").splitlines()
                if line.startswith("model name")), platform.machine())
    release = dict(line.split("=", 1) for line in processes.read("/etc/os-release").splitlines() if "=" in line)
    changed = output(root, "git", "status", "--porcelain", "--", "src")
    memory = int(processes.read("/proc/meminfo").split()[1]) / (1 << 20)
    return {"commit": output(root, "git", "log", "-1", "--format=%h", "--abbrev=12", "--", "src")
            + (" with local changes" if changed else ""),
            "date": time.strftime("%Y-%m-%d"),
            "cpu": cpu, "cpus": os.cpu_count(), "memoryGb": round(memory), "kernel": platform.release(),
            "distribution": release.get("PRETTY_NAME", "").strip('"'),
            "dotnet": ".NET " + output(root, "dotnet", "--version"),
            "loadAverage": processes.read("/proc/loadavg").rsplit(" ", 2)[0]}
