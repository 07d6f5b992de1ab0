#!/bin/bash
# run.sh: the daemon as an administrator meets it: reloaded by SIGHUP with a wrong and a right file while an initiator
# works, asked and directed by scstctl, killed and started again.
# Environment: STAGE_OUT, SCSTD, SCSTCTL.
set -u
here=$(cd "$(dirname "$0")" && pwd)
STAGE_OUT=${STAGE_OUT:-$here/../../artifacts/control}
rm -rf "$STAGE_OUT"; mkdir -p "$STAGE_OUT" && STAGE_OUT=$(cd "$STAGE_OUT" && pwd)
# shellcheck source=../stage.sh
. "$here/../stage.sh"
SCSTCTL=${SCSTCTL:-$top/src/Scstctl/bin/Release/net10.0/scstctl}
target=iqn.2026-11.io.scstd.test:control
# A socket's path has at most 107 bytes.
socket=$(mktemp -u /tmp/scstd-control-XXXXXX.sock)
trap 'rm -f "$socket" "$socket.lock"' EXIT

write_config() {    # write_config EXTRA-LUNS EXTRA-LINE
    cat >"$STAGE_OUT/scstd.yaml" <<YAML
control: {socket: $socket}
state_directory: none
portals: {all: "127.0.0.1:$port"}
devices:
  memory: {store: memory, size: 64MiB}   # the one that works
  file: {store: file, path: file.disk, size: 16MiB}
targets:
  $target: {luns: {0: memory$1}}
$2
YAML
}
ctl() { "$SCSTCTL" --socket "$socket" "$@"; }
# asks PYTHON-EXPRESSION SCSTCTL-ARGUMENT...: what --json answers makes the expression true
asks() {
    local expression=$1; shift
    ctl "$@" --json | tee "$STAGE_OUT/answer.json" |
        python3 -c 'import json, sys; a = json.load(sys.stdin); sys.exit(not eval(sys.argv[1]))' "$expression"
}
# refused STATUS WORDS SCSTCTL-ARGUMENT...
refused() {
    local status=$1 words=$2 said; shift 2
    said=$(ctl "$@" 2>&1 >/dev/null)
    if [ $? != "$status" ] || [[ $said != *"$words"* ]]; then echo "$said"; return 1; fi
}
logged() { grep -qF "$1" "$daemon_log"; }
reload_by_signal() {    # reload_by_signal WORDS: what the log says of it
    kill -HUP "$daemon_pid" && wait_until 20 logged "$1"
}
worker() {  # writes and reads until told to stop; anything but success is its last word
    local n=0
    while [ ! -e "$STAGE_OUT/stop" ]; do
        n=$((n % 200 + 1))
        qemu-io -f raw -c "write -P $n 0 1M" -c "read -P $n 0 1M" "iscsi://127.0.0.1:$port/$target/0" || return
    done
}

port=$(free_port)
write_config "" ""
start_daemon daemon --config "$STAGE_OUT/scstd.yaml" || { summary; exit 1; }
worker >"$STAGE_OUT/worker.log" 2>&1 </dev/null & worker=$!

check "status tells what is served" asks 'a["targets"] == 1 and a["units"] == 2 and a["version"]' status
check "units are told with their LUNs" asks 'a["units"][0]["luns"][0]["lun"] == 0' units memory
check "an unknown unit is answered with the nearest" refused 1 "did you mean 'memory'" units memroy
check "an unknown command is wrong usage" refused 2 "" stutas

write_config ", 1: file" "limts: {}"
check "SIGHUP with a mistake says where it is" reload_by_signal "scstd.yaml:9:1: unknown key 'limts'"
check "and changes nothing" asks 'a["units"][0]["luns"] == []' units file
check "reload says the same and fails" refused 1 "scstd.yaml:9:1: unknown key 'limts'; did you mean 'limits'?" reload
write_config ", 1: file" ""
check "SIGHUP with a right file applies the difference" reload_by_signal "LUN 1 added, file"
check "which everybody sees" asks 'a["units"][0]["luns"][0]["lun"] == 1' units file
check "reload of the same file changes nothing" asks 'a["isApplied"] and a["changes"] == []' reload

check "resize --save grows the unit" ctl resize memory 128MiB --save
check "and writes one value of the file" grep -q 'memory: {store: memory, size: 128MiB}   # the one' \
    "$STAGE_OUT/scstd.yaml"
check "so that a reload has nothing to change" asks 'a["changes"] == []' reload
check "freeze drains the unit" asks 'a["state"] == "Frozen"' freeze memory
check "commands that wait can be seen" \
    wait_until 20 asks 'any(c["state"] == "Dormant" for c in a["commands"])' commands
check "thaw lets them go on" asks 'a["state"] == "Open"' thaw memory
check "histograms have counted them" asks 'any(sum(h["counts"]) > 0 for h in a["histograms"])' histograms memory
check "a fault is injected" asks 'a["faults"][0]["id"] == 1' faults add file AnswerCommand --status Busy
check "and cleared" asks 'a["faults"] == []' faults clear
check "reservations are told" asks 'len(a["units"]) == 2' reservations

touch "$STAGE_OUT/stop"
check "an initiator at work has noticed nothing of all that" wait "$worker"

start_second() { "$SCSTD" --config "$STAGE_OUT/scstd.yaml" 2>&1 | grep "another daemon has it"; }
check "a second daemon on the socket is refused" start_second
kill -KILL "$daemon_pid"
wait "$daemon_pid" 2>/dev/null
daemon_pid=
check "without a daemon scstctl says so" refused 3 "no daemon listens there any more" status
start_daemon again --config "$STAGE_OUT/scstd.yaml" || { summary; exit 1; }
check "after kill -9 the socket is taken over" asks 'a["units"] == 2' status
stop_daemon
check "and is gone after a stop" test ! -e "$socket"
count_results < <(timeout -k 10 300 "$here/patience.py" "$SCSTD" "$SCSTCTL" "$STAGE_OUT" || echo "FAIL patience.py: $?")
summary
