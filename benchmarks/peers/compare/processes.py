"""Processes as the kernel shows them: CPU time, memory, children, and how busy the CPUs are with other things."""
import os
import signal
import subprocess
import time

TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def read(path):
    try:
        with open(path) as f:
            return f.read()
    except OSError:
        return ""


def tree(pid):
    """The process and all that descend from it."""
    pids = [pid]
    for parent in pids:
        for task in os.listdir(f"/proc/{parent}/task") if os.path.isdir(f"/proc/{parent}/task") else []:
            pids += [int(p) for p in read(f"/proc/{parent}/task/{task}/children").split()]
    return pids


def cpu_seconds(pids):
    total = 0
    for pid in pids:
        fields = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
        if fields:
            total += (int(fields[11]) + int(fields[12])) * TICK_S
    return total


def status_kb(pids, key):
    values = [line.split()[1] for pid in pids for line in read(f"/proc/{pid}/status").splitlines()
              if line.startswith(key + ":")]
    return sum(int(v) for v in values)


def busy_seconds(cpus):
    """Time these CPUs were not idle, whoever used them, the hypervisor's share included."""
    total = 0
    for line in read("/proc/stat").splitlines():
        name, *fields = line.split()
        if name in {f"cpu{c}" for c in cpus}:
            user, nice, system, _idle, _wait, irq, softirq, steal = (int(v) for v in fields[:8])
            total += (user + nice + system + irq + softirq + steal) * TICK_S
    return total


def prefer(pid):
    """Give the process's scheduling group the highest weight; plain nice has no effect under autogroup."""
    try:
        with open(f"/proc/{pid}/autogroup", "w") as f:
            f.write("-20")
    except OSError:
        pass


def start(command, log, cpus, preferred, **options):
    """A process in a session of its own, on these CPUs as a whole, all its threads included."""
    with open(log, "wb") as out:
        process = subprocess.Popen(["taskset", "-c", cpus, *command], stdin=subprocess.DEVNULL, stdout=out,
                                   stderr=subprocess.STDOUT, start_new_session=True, **options)
    if preferred:
        prefer(process.pid)
    return process


def stop(process, patience_s=10):
    if process is None or process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_until(condition, patience_s, what, process=None):
    deadline = time.monotonic() + patience_s
    while not condition():
        if process is not None and process.poll() is not None:
            raise RuntimeError(f"{what}: the process ended with status {process.returncode}")
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what}: not within {patience_s} s")
        time.sleep(0.05)
