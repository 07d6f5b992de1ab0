#!/bin/sh
# publish.sh DIRECTORY PROJECT...: the binaries as they are installed, compiled for this machine (docs/performance.md,
# "Which build"). Apart from the tree's own build and its lock files, which know no machine.
set -eu
root=$(cd "$(dirname "$0")/../../.." && pwd)
output=$1
shift
for project; do
    dotnet publish -c Release --nologo -v q --use-current-runtime --self-contained false -p:PublishReadyToRun=true \
        -p:NuGetLockFilePath=obj/publish.lock.json --artifacts-path "$root/artifacts/publish" -o "$output" \
        "$root/$project"
done
