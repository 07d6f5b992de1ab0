#!/bin/sh
# Where the time of a command goes: flame graphs of the daemon under load. `./benchmarks/profile/run.sh --help`
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
case "${1:-}" in
-h | --help)
    cat <<'TEXT'
run.sh [OUTPUT_DIRECTORY]

Runs the daemon with a memory disk and a file on disk on one CPU and the load generator on another, takes samples of
the reactor's stacks, and writes one flame graph (SVG) for each load and a table of shares (shares.md). The output
directory is artifacts/profile unless another is given; docs/images has those that docs/performance.md shows.
TEXT
    exit 0
    ;;
esac
out=${1:-$root/artifacts/profile}
work=$root/artifacts/profile/run-$$
port=${PORT:-14390}
daemon=
trap 'if [ -n "$daemon" ]; then kill "$daemon" 2>/dev/null || true; fi; rm -rf "$work"' EXIT
mkdir -p "$out" "$work"

build=$root/artifacts/benchmarks
mkdir -p "$build"
gcc -std=gnu11 -O2 -flto -Wall -Wextra -Wno-missing-field-initializers -o "$build/iscsi-load" \
    "$root"/benchmarks/peers/load/*.c
"$root/src/Scstd/Packaging/publish.sh" "$build/scstd" src/Scstd >/dev/null
assembly=$build/scstd/scstd.dll

target=iqn.2026-11.io.scstd.benchmark:profile
cat >"$work/scstd.yaml" <<TEXT
log: {level: warning}
state_directory: none
control: {socket: none}
reactors: {count: 1, latency: power}
devices:
  memory: {store: memory, size: 256MiB}
  file: {store: file, path: $work/disk.img, size: 256MiB, io: buffered}
portals: {local: 127.0.0.1:$port}
targets: {$target: {luns: {0: memory, 1: file}}}
TEXT
dd if=/dev/zero of="$work/disk.img" bs=1M count=256 status=none

# Symbols of compiled methods go to /tmp/perf-PID.map, which perf reads; they need one mapping of the code.
DOTNET_PerfMapEnabled=1 DOTNET_EnableWriteXorExecute=0 taskset -c 0 \
    dotnet "$assembly" --config "$work/scstd.yaml" >"$work/log" 2>&1 &
daemon=$!

load() { # load LUN SECONDS OPTION...
    lun=$1 seconds=$2
    shift 2
    "$build/iscsi-load" --cpu 1 -W 0.1 -t "$seconds" "$@" "iscsi://127.0.0.1:$port/$target/$lun" >/dev/null
}
patience=100
until load 0 0.1 -q 1 2>/dev/null; do
    patience=$((patience - 1))
    [ $patience -gt 0 ] || { cat "$work/log" >&2; exit 1; }
    sleep 0.1
done

profile() { # profile NAME TITLE LUN OPTION...
    name=$1 title=$2 lun=$3
    shift 3
    load "$lun" 3 "$@" # until everything is compiled as it will stay
    load "$lun" 4 "$@" &
    generator=$!
    sleep 1
    perf record -q -e cpu-clock -F 4999 -g -p "$daemon" -o "$work/perf.data" -- sleep 2.5
    wait $generator
    perf script -i "$work/perf.data" -F comm,ip,sym,dso 2>/dev/null |
        python3 "$here/flame.py" "$title" "reactor 0" "$out/profile-$name.svg"
    echo
}
{
    profile read "4 KiB random read, depth 32, memory" 0 -m randread -q 32
    profile write "4 KiB random write, depth 32, memory" 0 -m randwrite -q 32
    profile wide "4 KiB random read, depth 32 x 8 connections, memory" 0 -m randread -q 32 -c 8
    profile single "4 KiB random read, depth 1, memory" 0 -m randread -q 1
    profile file "4 KiB random read, depth 32, buffered file" 1 -m randread -q 32
    profile sequential "256 KiB sequential read, depth 8, memory" 0 -m seqread -b 262144 -q 8
    profile digests "64 KiB sequential read with digests, depth 8, memory" 0 -m seqread -b 65536 -q 8 -d both
} | tee "$out/shares.md"
