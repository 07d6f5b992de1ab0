#!/bin/bash
# run.sh: one disk and three initiators of libiscsi, over two target ports, while an administrator changes things by
# scstctl: who is told of what, who may do what, and that nothing acts after it was aborted. Then two paths that are in
# different states (paths.py), and a thin disk whose file system comes to its end (thin.py).
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
initiators() {      # initiators NAME [OPTION]: sharing.py, or the script NAME.py of its own
    local status results=$STAGE_OUT/$1.stdout script=$here/sharing.py
    [ ! -e "$here/$1.py" ] || script=$here/$1.py
    shift
    (cd "$STAGE_OUT" && timeout -k 10 300 "$script" "$@" "127.0.0.1:$port1" "127.0.0.1:$port2" $target \
        "$SCSTCTL" --socket control.sock) >"$results" 2>&1
    status=$?
    count_results <"$results"
    [ $status -le 1 ] || fail "the initiators did not come to their end (status $status)"
}
quiet() { ! daemon_complaints; }
# The daemon with a file system of its own, as small as a test can fill.
in_small_room() {
    # shellcheck disable=SC2016
    printf '#!/bin/bash\nexec unshare -rm sh -c %q - %q %q "$@"\n' \
        'mount -t tmpfs -o size=48m none "$1" && shift && exec "$@"' "$STAGE_OUT/room" "$SCSTD" >"$STAGE_OUT/in-room"
    chmod +x "$STAGE_OUT/in-room"
    mkdir -p "$STAGE_OUT/room"
    cat >"$STAGE_OUT/thin.yaml" <<YAML
control: {socket: control.sock}
state_directory: none
devices: {thin: {store: file, path: room/thin.img, size: 64MiB, thin: yes, thin_threshold: 75%}}
portals:
  path1: {address: "127.0.0.1:$port1", tag: 11}
  path2: {address: "127.0.0.1:$port2", tag: 12}
targets: {$target: {luns: {0: thin}}}
YAML
    SCSTD=$STAGE_OUT/in-room start_daemon thin --config "$STAGE_OUT/thin.yaml"
}

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
cat >"$STAGE_OUT/paths.yaml" <<YAML
control: {socket: control.sock}
state_directory: none
devices: {one: {store: memory, size: 16MiB}, two: {store: memory, size: 16MiB}}
portals:
  path1: {address: "127.0.0.1:$port1", tag: 11}
  path2: {address: "127.0.0.1:$port2", tag: 12}
targets: {$target: {luns: {0: one, 1: two}}}
port_groups:
  left: {id: 1, portals: path1, devices: one}
  right: {id: 2, state: standby, explicit: yes, portals: path2, devices: one}
YAML
if start_daemon paths --config "$STAGE_OUT/paths.yaml"; then
    initiators paths
    check "the daemon logged no error of the paths" quiet
    stop_daemon
fi
if ! unshare -rm true 2>/dev/null; then
    skip "a thin disk on a full file system: this system lets nobody have a file system of his own"
elif in_small_room; then
    initiators thin
    check "the daemon logged no error of the full file system" quiet
    stop_daemon
fi
count_results < <(STAGE_OUT=$STAGE_OUT/peers "$here/peers.sh" | grep -v '^stage:')
summary
