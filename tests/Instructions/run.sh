#!/bin/bash
# run.sh [--renew]: how many instructions a command takes on its way through frontend, mid-layer and backend, against
# expected.tsv. tests/Scstd.HotPath is compiled to machine code ahead of time and counted by callgrind; what a command
# costs is the difference of two runs, so neither the start nor another program's load is in it.
#
#   --renew   writes what was counted into expected.tsv
#
# Environment: STAGE_OUT.
set -u
here=$(cd "$(dirname "$0")" && pwd)
STAGE_OUT=${STAGE_OUT:-$here/../../artifacts/instructions}
mkdir -p "$STAGE_OUT" && STAGE_OUT=$(cd "$STAGE_OUT" && pwd)
# shellcheck source=../stage.sh
. "$here/../stage.sh"

# With symbols, by which instructions are told to rooms, and without the rest of what a debugger reads, which valgrind
# does not understand. Beside the tree's own build, and with lock files of its own: they name the compiler, whose
# version is the SDK's.
publish() {
    dotnet publish -c Release -r linux-x64 --nologo -v q -m:1 -p:RunAnalyzers=false -p:PublishAot=true \
        -p:StripSymbols=false -p:NativeDebugSymbols=false -p:NuGetLockFilePath=obj/publish.lock.json \
        --artifacts-path "$STAGE_OUT/build" -o "$STAGE_OUT/program" "$top/tests/Scstd.HotPath"
}
if [ "$(uname -m)" != x86_64 ]; then
    skip "expected.tsv was counted on x86-64"
    summary
    exit
fi
check "the program is compiled ahead of time" publish || { summary; exit 1; }
count() {
    timeout -k 10 300 "$here/count.py" "$STAGE_OUT/program/Scstd.HotPath" "$here/expected.tsv" "$STAGE_OUT" "$@"
}
count_results < <(count "$@" || [ $? = 3 ] || echo "FAIL count.py did not come to its end")
summary
