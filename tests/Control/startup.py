#!/usr/bin/env python3
"""startup.py SCSTD OUT: a hundred units are served soon, and in little memory.

From the start of the process to the end of a login, in CPU time: what other programs do to the clock meanwhile is not
the daemon's. Memory is all that is resident then. Prints PASS and FAIL lines.
"""
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

UNITS = 100
MOST_CPU_S = 1.0
MOST_RESIDENT_MIB = 100
PATIENCE_S = 60
ROUNDS = 3
TARGET = "iqn.2026-11.io.scstd.test:startup"


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def write_configuration(out, port):
    """Files and units that keep nothing, in turns."""
    lines = ["control: {enabled: no}", "state_directory: none", f'portals: {{all: "127.0.0.1:{port}"}}', "devices:"]
    for unit in range(UNITS):
        keys = f"store: file, path: startup{unit}.disk" if unit % 2 else 'store: "null"'
        lines.append(f"  unit{unit}: {{{keys}, size: 1GiB}}")
    lines += ["targets:", f"  {TARGET}:", "    luns:", *(f"      {unit}: unit{unit}" for unit in range(UNITS))]
    path = out / "startup.yaml"
    path.write_text("\n".join(lines) + "\n")
    return path


def log_in(port):
    """One request from the operational stage to full feature phase; the status, or None while nobody listens."""
    text = f"InitiatorName=iqn.2026-11.test:startup\0TargetName={TARGET}\0".encode()
    header = bytearray(48)
    header[0], header[1] = 0x43, 0x87
    header[5:8] = len(text).to_bytes(3, "big")
    header[8] = 0x80
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as peer:
            peer.sendall(bytes(header) + text + bytes(-len(text) % 4))
            answer = peer.recv(48, socket.MSG_WAITALL)
            return answer[36:38]
    except ConnectionRefusedError:
        return None


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def start(daemon, configuration, port, log):
    """CPU time, time of the clock and memory of one start."""
    began = time.monotonic()
    with subprocess.Popen([daemon, "--config", configuration], stdout=log, stderr=log) as process:
        try:
            while (status := log_in(port)) is None:
                if process.poll() is not None or time.monotonic() - began > PATIENCE_S:
                    sys.exit(f"the daemon does not serve: {process.poll()}")
                time.sleep(0.005)
            if status != b"\0\0":
                sys.exit(f"the login is refused: {status.hex()}")
            return cpu_seconds(process.pid), time.monotonic() - began, resident_mib(process.pid)
        finally:
            process.send_signal(signal.SIGTERM)


def main():
    daemon, out, port = sys.argv[1], pathlib.Path(sys.argv[2]), free_port()
    configuration = write_configuration(out, port)
    with (out / "startup.log").open("w") as log:
        runs = sorted(start(daemon, configuration, port, log) for _ in range(ROUNDS))
    cpu_s, clock_s, _ = runs[ROUNDS // 2]
    memory = max(run[2] for run in runs)
    for good, words in (
            (cpu_s < MOST_CPU_S, f"{UNITS} units are served after {cpu_s:.2f} s of CPU time ({clock_s:.2f} s of the "
             f"clock), at most {MOST_CPU_S:.0f} s"),
            (memory < MOST_RESIDENT_MIB, f"and take {memory:.0f} MiB of memory, at most {MOST_RESIDENT_MIB} MiB")):
        print("PASS" if good else "FAIL", words)


if __name__ == "__main__":
    main()
