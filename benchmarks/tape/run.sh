#!/bin/bash
# run.sh [--rounds N] [--megabytes N]: a tape drive beside a disk of the same daemon on the same file system.
#
# Streams 256 KiB blocks to and from both in turns, one command at a time and eight, and tells the medians and the
# ratio; then writes a million records and tells how long LOCATE to the last of them takes, in a drive that has been
# used and in one that the cartridge has just come into. Needs gcc, python3 and libiscsi7.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
folder=$root/artifacts/benchmarks/tape
rm -rf "$folder"; mkdir -p "$folder"
gcc -std=gnu11 -O2 -flto -Wall -Wextra -Wno-missing-field-initializers \
    -o "$folder/iscsi-load" "$root"/benchmarks/peers/load/*.c
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 PYTHONDONTWRITEBYTECODE=1
"$root/src/Scstd/Packaging/publish.sh" "$folder/program" src/Scstd >"$folder/publish.log"
exec python3 "$here/stream.py" --program "$folder/program/scstd" --load "$folder/iscsi-load" --folder "$folder" "$@"
