#!/bin/bash
# run.sh: a tape library by its SCSI commands, over libiscsi: an archive of 2 GiB over several cartridges, restored and
# compared; and cartridges whose files are damaged while the daemon runs. (The kernel's drivers and people's tools meet
# it in the guest: tests/VirtualMachine.)
# Environment: STAGE_OUT, SCSTD, SCSTCTL, TAPES_MIB (2048).
set -u
here=$(cd "$(dirname "$0")" && pwd)
STAGE_OUT=${STAGE_OUT:-$here/../../artifacts/tapes}
rm -rf "$STAGE_OUT"; mkdir -p "$STAGE_OUT" && STAGE_OUT=$(cd "$STAGE_OUT" && pwd)
# shellcheck source=../stage.sh
. "$here/../stage.sh"
SCSTCTL=${SCSTCTL:-$top/src/Scstctl/bin/Release/net10.0/scstctl}
target=iqn.2026-11.io.scstd.test:tapes
# A directory that another user may reach, too, and that leaves room for a socket's path, which has at most 107 bytes.
room=$(mktemp -d /tmp/scstd-tapes-XXXXXX)
chmod 755 "$room"
trap 'rm -rf "$room"' EXIT

tapes_config() {    # tapes_config PORT DIRECTORY CARTRIDGES CAPACITY
    cat <<YAML
state_directory: $2/state
control: {socket: $2/control}
libraries:
  tapes:
    drives: 2
    slots: 8
    import_export: 2
    cartridges: {directory: $2/cartridges, create: $3, capacity: $4}
portals: {all: "127.0.0.1:$1"}
targets:
  $target:
    luns: {0: tapes, 1: tapes.drive1, 2: tapes.drive2}
YAML
}
quiet() { ! daemon_complaints; }

mkdir "$room/volumes"
port=$(free_port)
tapes_config "$port" "$room/volumes" 6 500MiB >"$STAGE_OUT/volumes.yaml"
start_daemon volumes --config "$STAGE_OUT/volumes.yaml" || { summary; exit 1; }
count_results < <(timeout -k 10 300 "$here/volumes.py" "127.0.0.1:$port" $target "${TAPES_MIB:-2048}" ||
    echo "FAIL volumes.py: $?")
check "the daemon logged no error" quiet
stop_daemon
rm -rf "$room/volumes"

# To root nothing is forbidden: the daemon runs as somebody else, if the tests are root's.
mkdir "$room/damage"
port=$(free_port)
tapes_config "$port" "$room/damage" 8 16MiB >"$STAGE_OUT/damage.yaml"
as=() other_user=''
if [ "$(id -u)" = 0 ]; then
    cp "$STAGE_OUT/damage.yaml" "$room/damage.yaml"
    chown 65534:65534 "$room/damage"
    as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    if "${as[@]}" test -x "$SCSTD"; then other_user=1; else as=(); fi
else
    cp "$STAGE_OUT/damage.yaml" "$room/damage.yaml"
    other_user=1
fi
chmod 644 "$room/damage.yaml"
start_as() {    # start_as NAME ARGUMENT...
    local daemon=("${as[@]}" "$SCSTD") name=$1; shift
    SCSTD=${daemon[0]} start_daemon "$name" "${daemon[@]:1}" "$@"
}
start_as damage --config "$room/damage.yaml" || { summary; exit 1; }
count_results < <(OTHER_USER=$other_user timeout -k 10 120 "$here/damage.py" "127.0.0.1:$port" $target \
    "$room/damage/cartridges" "$daemon_log" "$SCSTD" "$SCSTCTL" "$room/damage/control" || echo "FAIL damage.py: $?")
stop_daemon
summary
