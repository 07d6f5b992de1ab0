#!/bin/bash
# run.sh: a tape library under libiscsi's initiator: a tar stream of 2 GiB over several cartridges, which a changer
# changes, comes back bit for bit.
# Environment: STAGE_OUT (folder for all logs), SCSTD (the daemon), MIB (of the stream: 2048).
set -u
here=$(cd "$(dirname "$0")" && pwd)
STAGE_OUT=${STAGE_OUT:-$here/../../artifacts/tapes}
rm -rf "$STAGE_OUT"; mkdir -p "$STAGE_OUT" && STAGE_OUT=$(cd "$STAGE_OUT" && pwd)
# shellcheck source=../stage.sh
. "$here/../stage.sh"
target=iqn.2026-11.io.scstd.test:tapes

write_config() {    # write_config PORT
    cat <<YAML
libraries:
  vtl:
    drives: 2
    slots: 8
    import_export: 2
    cartridges: {directory: cartridges, create: 8, capacity: 320MiB}
portals:
  all: "127.0.0.1:$1"
targets:
  $target:
    luns: {0: vtl, 1: vtl.drive1, 2: vtl.drive2}
YAML
}
quiet() { ! daemon_complaints; }

port=$(free_port)
write_config "$port" >"$STAGE_OUT/tapes.yaml"
start_daemon daemon --config "$STAGE_OUT/tapes.yaml" || { summary; exit 1; }
before=$(held)
check "a tar stream of ${MIB:-2048} MiB over several cartridges comes back bit for bit" \
    python3 -B "$here/multivolume.py" "127.0.0.1:$port" $target "${MIB:-2048}"
returns_to "$before" "after the stream"
check "the daemon logged no error" quiet
stop_daemon
rm -rf "$STAGE_OUT/cartridges"
summary
