# shellcheck shell=bash
# Sourced by the stages of test.sh that face real peers: how a stage reports, and how it runs the daemon.
#
# A stage prints one line for each check, PASS, FAIL or SKIP and the check's name, and ends with
# "stage: N passed, N failed, N skipped". It writes what it makes below $STAGE_OUT and ends only what it started.
#
# SCSTD   the daemon to run (default: the Release build of this tree)

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
SCSTD=${SCSTD:-$top/src/Scstd/bin/Release/net10.0/scstd}
passed=0 failed=0 skipped=0

pass() { passed=$((passed + 1)); echo "PASS $*"; }
fail() { failed=$((failed + 1)); echo "FAIL $*"; }
skip() { skipped=$((skipped + 1)); echo "SKIP $*"; }

# check NAME COMMAND...: passes if the command succeeds; what it printed is shown only if it does not.
check() {
    local name=$1 log; shift
    log=$STAGE_OUT/$(tr -c 'A-Za-z0-9._\n-' _ <<<"$name").log
    if "$@" >"$log" 2>&1 </dev/null; then
        pass "$name"
    else
        fail "$name (status $?): $*"
        tail -n "${CHECK_LINES:-12}" "$log" | sed 's/^/    /'
        return 1
    fi
}

# Counts results that another program printed in the same form on standard input, and shows them.
count_results() {
    local line
    while IFS= read -r line; do
        case $line in
        "PASS "*) passed=$((passed + 1)) ;;
        "FAIL "*) failed=$((failed + 1)) ;;
        "SKIP "*) skipped=$((skipped + 1)) ;;
        esac
        printf '%s\n' "$line"
    done
}

# The stage's last line; its status says whether anything failed.
summary() {
    echo "stage: $passed passed, $failed failed, $skipped skipped"
    [ "$failed" = 0 ] && [ $((passed + skipped)) -gt 0 ]
}

# wait_until SECONDS COMMAND...: until the command succeeds
wait_until() {
    local end=$((SECONDS + $1)); shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.1
    done
}

# A port of the loopback on which nothing listens now.
free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# start_daemon NAME ARGUMENT...: runs the daemon until stop_daemon; sets daemon_pid and daemon_log. It serves when it
# says so on standard output; only then does this return.
start_daemon() {
    local name=$1; shift
    daemon_log=$STAGE_OUT/$name.log daemon_out=$STAGE_OUT/$name.out
    # What an earlier run left there also says that it serves.
    rm -f "$daemon_out" "$daemon_log"
    # In a session of its own: a signal to the stage's process group must not reach it. What units remember is the
    # stage's, where its configuration says nothing else.
    mkdir -p "$STAGE_OUT/state"
    STATE_DIRECTORY=${STATE_DIRECTORY:-$STAGE_OUT/state} \
        setsid "$SCSTD" "$@" >"$daemon_out" 2>"$daemon_log" </dev/null &
    daemon_pid=$!
    if ! wait_until "${DAEMON_START_SECONDS:-60}" serves_or_ended || ! kill -0 "$daemon_pid" 2>/dev/null; then
        fail "$name: the daemon does not serve: $SCSTD $*"
        tail -n 20 "$daemon_out" "$daemon_log" | sed 's/^/    /'
        return 1
    fi
}
serves_or_ended() { [ -s "$daemon_out" ] || ! kill -0 "$daemon_pid"; }

# SIGTERM ends the daemon with status 0 within a bound. Counts as a check of its own.
stop_daemon() {
    [ -n "${daemon_pid:-}" ] || return 0
    local pid=$daemon_pid status
    daemon_pid=
    if ! kill -TERM "$pid" 2>/dev/null; then
        wait "$pid"
        fail "the daemon had ended by itself with status $?"
        tail -n 20 "$daemon_log" | sed 's/^/    /'
        return 1
    fi
    if ! wait_until "${DAEMON_STOP_SECONDS:-30}" not_running "$pid"; then
        kill -KILL "$pid"
        fail "the daemon ignored SIGTERM"
        tail -n 20 "$daemon_log" | sed 's/^/    /'
    fi
    wait "$pid"
    status=$?
    if [ $status = 0 ]; then
        pass "SIGTERM ends the daemon with status 0"
    else
        fail "SIGTERM ended the daemon with status $status"
        tail -n 20 "$daemon_log" | sed 's/^/    /'
    fi
}
# A child that ended and was not waited for yet still answers kill -0.
not_running() { ! kill -0 "$1" || grep -q '^State:.*Z' "/proc/$1/status"; }

resident_kib() { awk '$1 == "VmRSS:" { print $2 }' "/proc/$1/status"; }

# One line of JSON with what the daemon counts, asked for by SIGUSR1.
counters() {
    local before
    before=$(grep -c '^counters ' "$daemon_out")
    kill -USR1 "$daemon_pid"
    wait_until 10 more_counters_than "$before" || return
    sed -n 's/^counters //p' "$daemon_out" | tail -n 1
}
more_counters_than() { [ "$(grep -c '^counters ' "$daemon_out")" -gt "$1" ]; }

# What must be as before once every initiator is gone: "name=number" words. Pools that have grown (slabs) may stay so.
held() {
    counters | python3 -c '
import json, sys
now = json.load(sys.stdin)
held = {name: now[name] for name in ("sessions", "connections", "bufferLeasesOut", "bufferBytesOut")}
held["headerSlotsOut"] = sum(reactor["headerSlotsOut"] for reactor in now["reactors"])
print("descriptors=%d" % int(sys.argv[1]), " ".join("%s=%d" % pair for pair in held.items()))' \
        "$(open_descriptors "$daemon_pid")"
}
# Code that is loaded when it is first needed is mapped from files that stay open: no leak.
open_descriptors() { find "/proc/$1/fd" -mindepth 1 ! -lname '*.dll' 2>/dev/null | wc -l; }
# Fewer descriptors are no leak: what came before may not have closed all of its own when they were counted.
holds_again() {
    local now
    now=$(held)
    if [ "${now#* }" = "${1#* }" ] && [ "$(descriptors_in "$now")" -le "$(descriptors_in "$1")" ]; then return; fi
    echo "now $now"
    return 1
}
descriptors_in() { local first=${1%% *}; echo "${first#descriptors=}"; }
# returns_to BEFORE PREFIX: the daemon holds what it held before, within the time that a dead peer may take to notice
returns_to() {
    if wait_until "${SETTLE_SECONDS:-60}" holds_again "$1"; then
        pass "$2 the daemon holds what it held before: $1"
    else
        fail "$2 the daemon holds $(held), and before $1"
    fi
}

# Whatever the daemon has logged as an error or worse, or says of a broken invariant.
daemon_complaints() { grep -nE '\b(ERR|FTL|Fatal|Unhandled exception|Invariant)\b' "$daemon_log" "$daemon_out"; }
