#!/bin/bash
# run.sh: the daemon as an administrator meets it: reloaded by SIGHUP with a wrong and a right file while an initiator
# works, asked and directed by scstctl, killed and started again; limits of commands, under two initiators; and how
# soon and in how much memory it serves.
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

write_config() {    # write_config EXTRA-LUNS EXTRA-LINE [EXTRA-KEYS-OF-DEVICE [OF-TARGET]]
    cat >"$STAGE_OUT/scstd.yaml" <<YAML
control: {socket: $socket}
state_directory: none
portals: {all: "127.0.0.1:$port"}
devices:
  memory: {store: memory, size: 64MiB${3:-}}   # the one that works
  file: {store: file, path: file.disk, size: 16MiB}
targets:
  $target: {luns: {0: memory$1}${4:-}}
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
counted() { kill -USR1 "$daemon_pid" && wait_until 20 grep -qF "$1" "$daemon_out"; }
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

write_config ", 1: file" "" ", abort_timeout: 20s" ", limits: {queue_depth: 64}"
check "abort_timeout and queue_depth change while it serves" \
    asks 'any("abort_timeout" in c for c in a["changes"]) and a["atNextStart"] == []' reload
check "also for sessions that are open" \
    wait_until 20 asks 'any(s["now"] and s["now"]["queueDepth"] == 64 for s in a["sessions"])' sessions
write_config ", 1: file" ""
sed -i "s/all: \"127.0.0.1:/all: \"0.0.0.0:/" "$STAGE_OUT/scstd.yaml"
check "a portal moves to an address that overlaps its own in one reload" \
    asks 'any("address changed" in c for c in a["changes"])' reload
write_config ", 1: file" ""
check "and back" asks 'a["isApplied"] and a["changes"]' reload

check "resize --save grows the unit" ctl resize memory 128MiB --save
check "and writes one value of the file" grep -q 'memory: {store: memory, size: 128MiB}   # the one' \
    "$STAGE_OUT/scstd.yaml"
check "so that a reload has nothing to change" asks 'a["changes"] == []' reload
check "freeze drains the unit" asks 'a["state"] == "Frozen"' freeze memory
check "commands that wait can be seen, and for what" \
    wait_until 20 asks 'any(c["state"] == "Dormant" and c["waitsFor"] == "the unit to be thawed" and c["cdb"]
        and c["stays"][-1]["state"] == "Dormant" for c in a["commands"])' commands
check "thaw lets them go on" asks 'a["state"] == "Open"' thaw memory
check "histograms have counted them" asks 'any(sum(h["counts"]) > 0 for h in a["histograms"])' histograms memory
check "and for each session alone" \
    wait_until 20 asks 'any(h["state"] == "Enabled" and sum(h["counts"]) > 0 for h in a["histograms"])' \
    histograms --initiator iqn.2008-11.org.linux-kvm
check "sessions tell how long their commands took" wait_until 20 asks \
    'any(s["now"] and sum(s["now"]["enabledCounts"]) > 0 for s in a["sessions"])' sessions
tops() { ctl top --interval 0.5 --count 2 --json >"$STAGE_OUT/top.json" && [ "$(wc -l <"$STAGE_OUT/top.json")" = 2 ] &&
    python3 -c 'import json, sys
looks = [json.loads(line) for line in sys.stdin]
sys.exit(not any(u["name"] == "memory" and u["commandsPerSecond"] > 0 and u["p99Us"] > 0 and u["readBytesPerSecond"] > 0
    for look in looks for u in look["units"]))' <"$STAGE_OUT/top.json"; }
check "top tells what units do now, a line for each look" wait_until 20 tops
check "a fault is injected" asks 'a["faults"][0]["id"] == 1' faults add file AnswerCommand --status Busy
check "SIGUSR1 counts what stands in the way" counted '"turnedAway":0,"waitingForLimits":0,"faultsMet":0'
check "and cleared" asks 'a["faults"] == []' faults clear
check "the last moves of the initiator's session can be seen" \
    wait_until 20 asks 'any("full feature phase" in m["what"] for s in a["sessions"] for m in s["moves"])' \
    history --session iqn.2008-11.org.linux-kvm
check "and why sessions ended" asks 'any(s["ended"]["why"] == "logged out" for s in a["sessions"])' history --ended
check "the log has why a session ended, too" grep -q "ended after .* commands: logged out" "$daemon_log"
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

# Limits of commands: of a unit, of a target, and a reload that changes them under two initiators.
limits_config() {   # limits_config QUEUE-DEPTH COMMANDS: of the unit and of the target; 0: none
    cat <<YAML
control: {socket: $socket}
state_directory: none
reactors: {count: 2}
portals: {all: "127.0.0.1:$port"}
devices:
  narrow: {store: memory, size: 16MiB$([ "$1" = 0 ] || echo ", queue_depth: $1")}
  left: {store: memory, size: 16MiB}
  right: {store: memory, size: 16MiB}
targets:
  $target-narrow: {luns: {0: narrow}}
  $target-wide: {luns: {0: left, 1: right}$([ "$2" = 0 ] || echo ", limits: {commands: $2}")}
YAML
}
limits_config 4 4 >"$STAGE_OUT/four.yaml"
limits_config 8 8 >"$STAGE_OUT/eight.yaml"
limits_config 0 0 >"$STAGE_OUT/none.yaml"
cp "$STAGE_OUT/four.yaml" "$STAGE_OUT/limits.yaml"
start_daemon limits --config "$STAGE_OUT/limits.yaml" || { summary; exit 1; }
(cd "$STAGE_OUT" && timeout -k 10 300 "$here/limits.py" "127.0.0.1:$port" "$target-narrow" "$target-wide" "$socket" \
    "$SCSTCTL" --socket "$socket") >"$STAGE_OUT/limits.stdout" 2>&1
check "the initiators came to their end" test $? -le 1
count_results <"$STAGE_OUT/limits.stdout"
counted() {
    counters | tee "$STAGE_OUT/counters.json" | python3 -c 'import json, sys; a = json.load(sys.stdin)
sys.exit([one["atMost"] for one in a["unitLimits"] + a["targetLimits"]] != [8, 8])'
}
check "SIGUSR1 tells the limits" counted
quiet() { ! daemon_complaints; }
check "the daemon logged no error" quiet
stop_daemon
count_results < <(timeout -k 10 200 "$here/startup.py" "$SCSTD" "$STAGE_OUT" || echo "FAIL startup.py: $?")
count_results < <(timeout -k 10 300 "$here/patience.py" "$SCSTD" "$SCSTCTL" "$STAGE_OUT" || echo "FAIL patience.py: $?")
count_results < <(timeout -k 10 200 "$here/moving.py" "$SCSTD" "$STAGE_OUT" || echo "FAIL moving.py: $?")
summary
