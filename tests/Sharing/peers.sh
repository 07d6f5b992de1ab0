#!/bin/bash
# peers.sh [PART...]: two and three initiators against the running daemon, by their PDUs: mode pages (modes), ACA (aca),
# asynchronous messages (events), task management (functions), rate limits (limits), 16,384 LUNs (luns). run.sh runs
# all of them; each part has a script of its name, which says what it shows.
# Environment: STAGE_OUT (folder for all logs), SCSTD (the daemon), SCSTCTL (its control program).
set -u
here=$(cd "$(dirname "$0")" && pwd)
STAGE_OUT=${STAGE_OUT:-$here/../../artifacts/peers}
rm -rf "$STAGE_OUT"; mkdir -p "$STAGE_OUT" && STAGE_OUT=$(cd "$STAGE_OUT" && pwd)
# shellcheck source=../stage.sh
. "$here/../stage.sh"
export SCSTCTL=${SCSTCTL:-$top/src/Scstctl/bin/Release/net10.0/scstctl}
target=iqn.2026-11.io.scstd.test:peers
port1=$(free_port) port2=$(free_port)
# A socket's path has at most 107 bytes.
socket=$(mktemp -u /tmp/scstd-peers-XXXXXX.sock)
trap 'rm -f "$socket" "$socket.lock"' EXIT

config() {  # config LUNS_OF_A
    cat <<YAML
control: {socket: $socket}
devices:
  one: {store: memory, size: 64MiB}
  two: {store: memory, size: 64MiB}
  three: {store: memory, size: 64MiB}
portals:
  path1: {address: "127.0.0.1:$port1", tag: 11}
  path2: {address: "127.0.0.1:$port2", tag: 12}
targets:
  $target:
    luns: {0: one, 1: two}
    groups:
      - {name: a, initiators: "*:peer-a", luns: {$1}}
  $target-silent:
    asynchronous_events: no
    luns: {0: one, 1: two}
    groups:
      - {name: a, initiators: "*:peer-a", luns: {$1}}
YAML
}
# The limits are those that limits.py knows.
limited_config() {  # limited_config REACTORS
    cat <<YAML
control: {socket: $socket}
reactors: {count: $1}
devices:
  commands: {store: memory, size: 16MiB, limits: {iops: 400}}
  bytes: {store: memory, size: 16MiB, limits: {bandwidth: 8MiB}}
  free: {store: memory, size: 16MiB}
portals: {path1: {address: "127.0.0.1:$port1"}}
targets:
  $target:
    luns: {0: commands, 1: bytes, 2: free}
    groups:
      - name: few
        initiators: ["*:peer-a", "*:peer-b"]
        limits: {iops: 300, bandwidth: 6MiB}
        luns: {0: commands, 1: bytes, 2: free}
YAML
}
# script NAME [ARGUMENT...]: what it prints, each line a check
script() {
    local status results=$STAGE_OUT/$1.stdout name=$1; shift
    (cd "$STAGE_OUT" && timeout -k 10 600 "$here/$name.py" "$@") >"$results" 2>&1
    status=$?
    count_results <"$results"
    [ $status = 0 ] || fail "$name did not come to its end (status $status)"
}
initiators() {      # initiators NAME [OPTION]
    local name=$1; shift
    script "$name" "$@" "127.0.0.1:$port1" "127.0.0.1:$port2" $target "$SCSTCTL" --socket "$socket"
}
quiet() { ! daemon_complaints; }
with_daemon() {     # with_daemon NAME COMMAND...: leaves the daemon as it found it
    local before name=$1; shift
    start_daemon "$name" --config "${configuration:-$STAGE_OUT/peers.yaml}" || return
    before=$(held)
    "$@"
    returns_to "$before" "after $name"
    check "$name: the daemon logged no error" quiet
    stop_daemon
}

modes() { with_daemon modes initiators modes && with_daemon modes-again initiators modes --again; }
aca() { with_daemon aca initiators aca; }
events() { with_daemon events initiators events; }
functions() { with_daemon functions initiators functions; }
limits() {
    local reactors
    for reactors in 1 2; do
        limited_config $reactors >"$STAGE_OUT/limits$reactors.yaml"
        configuration=$STAGE_OUT/limits$reactors.yaml with_daemon "limits$reactors" \
            script limits "127.0.0.1:$port1" $target "$SCSTCTL" --socket "$socket"
    done
}
luns() {
    local begin file=$STAGE_OUT/luns.yaml
    "$here/luns.py" configuration "127.0.0.1:$port1" "$socket" $target >"$STAGE_OUT/all-luns.yaml"
    "$here/luns.py" configuration "127.0.0.1:$port1" "$socket" $target 9000 >"$STAGE_OUT/one-less.yaml"
    cp "$STAGE_OUT/all-luns.yaml" "$file"
    begin=$(date +%s%N)
    # On a machine that has much else to do it is slow to read so long a file.
    DAEMON_START_SECONDS=300 start_daemon luns --config "$file" || return
    begin=$((($(date +%s%N) - begin) / 1000000))
    script luns measure "127.0.0.1:$port1" $target "$daemon_pid" "$((begin / 1000)).$((begin % 1000 / 100))" \
        "$SCSTCTL" --socket "$socket"
    check "luns: the daemon logged no error" quiet
    DAEMON_STOP_SECONDS=120 stop_daemon
}

config "0: one, 1: two" >"$STAGE_OUT/peers.yaml"
cp "$STAGE_OUT/peers.yaml" "$STAGE_OUT/first.yaml"
config "0: one, 1: two, 2: three" >"$STAGE_OUT/more-for-a.yaml"
config "0: one, 1: three" >"$STAGE_OUT/other-for-a.yaml"
[ $# -gt 0 ] || set -- modes aca events functions limits luns
for part in "$@"; do $part; done
summary
