"""The command line of run.sh."""
import argparse
import os

from .matrix import KEYS

TARGETS = "tgt,istgt,scstd,scstd-spin,scstd-power,floor,floor-spin"


def describe():
    p = argparse.ArgumentParser(prog="run.sh", description="scstd, tgt and istgt side by side under the same load.")
    p.add_argument("--groups", default=",".join(KEYS), help=f"of {', '.join(KEYS)}; all by default")
    p.add_argument("--cells", default="", metavar="WORDS", help="only loads whose title contains all these words")
    p.add_argument("--targets", default=TARGETS,
                   help=f"of {TARGETS}, scstd-io_uring, scstd-epoll; the peers' ratios are to the first of a table")
    p.add_argument("--target-url", action="append", default=[], metavar="NAME=URL,PID", help="one more peer")
    p.add_argument("--rounds", type=int, help="5 by default")
    p.add_argument("--seconds", type=float, help="measured in each run, 0.5 by default")
    p.add_argument("--warm", type=float, default=0.15, help="seconds before that")
    p.add_argument("--quick", action="store_true", help="a look: 2 short rounds of the most telling loads in memory")
    p.add_argument("--no-verify", action="store_true")
    p.add_argument("--no-check", action="store_true", help="without the independent generators")
    p.add_argument("--fio-guest", action="store_true", help="also fio in a guest of QEMU: some minutes more")
    p.add_argument("--no-idle", action="store_true", help="without the idle sessions")
    p.add_argument("--sessions", type=int, default=1000, help="that are idle")
    p.add_argument("--idle-seconds", type=float, default=10, help="for which they are watched")
    p.add_argument("--target-cpu", type=int, default=0)
    p.add_argument("--generator-cpu", type=int, default=1)
    p.add_argument("--raise-priority", action="store_true", help="targets and generators go before all else")
    p.add_argument("--port", type=int, default=14400, help="the first of the ports the targets listen on")
    p.add_argument("--json", metavar="FILE", help="default: artifacts/benchmarks/peers.json")
    p.add_argument("--write-docs", action="store_true", help="write tables and charts into docs")
    p.add_argument("--from-json", metavar="FILE", help="measure nothing: show, or write, this")
    p.add_argument("--root", required=True, help=argparse.SUPPRESS)
    return p


def parse(words=None):
    parser = describe()
    options = parser.parse_args(words)
    options.groups = [key for key in options.groups.split(",") if key]
    options.targets = [name for name in options.targets.split(",") if name]
    unknown = set(options.groups) - set(KEYS)
    if unknown:
        parser.error(f"--groups: {', '.join(sorted(unknown))} is none of {', '.join(KEYS)}")
    if options.quick:
        options.no_check = options.no_idle = True
    options.rounds = options.rounds or (2 if options.quick else 5)
    options.seconds = options.seconds or (0.4 if options.quick else 0.5)
    options.json = options.json or os.path.join(options.root, "artifacts/benchmarks/peers.json")
    return options
