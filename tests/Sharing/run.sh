#!/bin/bash
# run.sh: one disk and three initiators of libiscsi, over two target ports, while an administrator changes things by
# scstctl: who is told of what, who may do what, and that nothing acts after it was aborted.
# Environment: STAGE_OUT (folder for all logs), SCSTD (the daemon), SCSTCTL (its control program).
set -u
here=$(cd "$(dirname "$0")" && pwd)
STAGE_OUT=${STAGE_OUT:-$here/../../artifacts/sharing}
rm -rf "$STAGE_OUT"; mkdir -p "$STAGE_OUT" && STAGE_OUT=$(cd "$STAGE_OUT" && pwd)
# shellcheck source=../stage.sh
. "$here/../stage.sh"
SCSTCTL=${SCSTCTL:-$top/src/Scstctl/bin/Release/net10.0/scstctl}
target=iqn.2026-11.io.scstd.test:sharing
port1=$(free_port) port2=$(free_port)

config() {  # config LUNS_OF_A
    cat <<YAML
control: {socket: control.sock}
devices:
  one: {store: memory, size: 64MiB}
  two: {store: memory, size: 64MiB, removable: yes, thin: yes}
  three: {store: memory, size: 64MiB}
portals:
  path1: {address: "127.0.0.1:$port1", tag: 11}
  path2: {address: "127.0.0.1:$port2", tag: 12}
targets:
  $target:
    luns: {0: one, 1: two}
    groups:
      - {name: a, initiators: "$target-a", luns: {$1}}
YAML
}
initiators() {      # initiators NAME [OPTION]
    local status results=$STAGE_OUT/$1.stdout; shift
    (cd "$STAGE_OUT" && timeout -k 10 300 "$here/sharing.py" "$@" "127.0.0.1:$port1" "127.0.0.1:$port2" $target \
        "$SCSTCTL" --socket control.sock) >"$results" 2>&1
    status=$?
    count_results <"$results"
    [ $status -le 1 ] || fail "the initiators did not come to their end (status $status)"
}
quiet() { ! daemon_complaints; }

config "0: one, 1: two" >"$STAGE_OUT/first.yaml"
config "0: one, 1: two, 2: three" >"$STAGE_OUT/more-for-a.yaml"
config "0: one, 1: three, 2: two" >"$STAGE_OUT/other-for-a.yaml"
config "0: one, 1: nowhere" >"$STAGE_OUT/wrong.yaml"
cp "$STAGE_OUT/first.yaml" "$STAGE_OUT/sharing.yaml"
if start_daemon daemon --config "$STAGE_OUT/sharing.yaml"; then
    before=$(held)
    initiators sharing
    returns_to "$before" "in the end"
    check "the daemon logged no error" quiet
    stop_daemon
fi
if start_daemon again --config "$STAGE_OUT/sharing.yaml"; then
    initiators again --again
    stop_daemon
fi
count_results < <(STAGE_OUT=$STAGE_OUT/peers "$here/peers.sh" | grep -v '^stage:')
summary
