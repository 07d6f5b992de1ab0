#!/bin/bash
# run.sh: a crowd of 1,000 initiators opens connections, half of them log in, and all die at random, for a minute.
# Afterwards the daemon has as many descriptors as before, its counters are back at their start, its memory has not
# grown, and an initiator that minded its own business all the time has noticed nothing.
# Environment: STAGE_OUT, SCSTD, SOAK_SECONDS (60), SOAK_CROWD (1000), SOAK_SEED (the time).
set -u
here=$(cd "$(dirname "$0")" && pwd)
STAGE_OUT=${STAGE_OUT:-$here/../../artifacts/soak}
rm -rf "$STAGE_OUT"; mkdir -p "$STAGE_OUT" && STAGE_OUT=$(cd "$STAGE_OUT" && pwd)
# shellcheck source=../stage.sh
. "$here/../stage.sh"
seconds=${SOAK_SECONDS:-60} crowd=${SOAK_CROWD:-1000} seed=${SOAK_SEED:-$(date +%s)}
crowd_target=iqn.2026-11.io.scstd.test:crowd own_target=iqn.2026-11.io.scstd.test:own
# What a daemon may hold more than before: pools that have grown to their working size stay (they are bounded, and a
# second crowd must not grow them again), and each reactor keeps four slabs of 2 MiB that its most crowded moment
# took; a leak of one page for each connection would show well above it.
most_growth_kib=49152
ulimit -n 8192

crowd_of() {    # crowd_of SECONDS SEED
    python3 "$here/initiators.py" --seconds "$1" --crowd "$crowd" --seed "$2" "127.0.0.1:$port" $crowd_target
}
write_config() {    # room for all of the crowd, and a target of its own for the one that works on
    cat <<YAML
log: {level: warning}
devices:
  memory: {store: memory, size: 256MiB}
  file: {store: file, path: file.disk, size: 64MiB}
portals: {all: "127.0.0.1:$port"}
targets:
  $crowd_target: {limits: {sessions: 4096}, luns: {0: memory}}
  $own_target: {luns: {0: file}}
YAML
}
own_business() {    # writes and reads a pattern
    qemu-io -f raw -c "write -P $1 8M 1M" -c "read -P $1 8M 1M" "iscsi://127.0.0.1:$port/$own_target/0"
}
bystander() {   # until told to stop; anything but success is its last word
    local n=0
    while [ ! -e "$STAGE_OUT/stop" ]; do
        n=$((n % 200 + 1))
        own_business $n || return
    done
}
both_reactors_know_it() {   # a session is placed on either, and memory for large transfers is each one's own
    local n
    for n in 1 2 3 4 5 6 7 8; do own_business $n || return; done
}

nobody_is_there() { [[ "$(held)" == *" sessions=0 connections=0 "* ]]; }

port=$(free_port)
write_config >"$STAGE_OUT/soak.yaml"
start_daemon daemon --config "$STAGE_OUT/soak.yaml" || { summary; exit 1; }

# The first crowd brings code and pools to their working size; what is measured is the second one.
check "a first crowd warms the daemon up" crowd_of $((seconds / 4)) "$seed"
check "an initiator with large transfers warms it up as well" both_reactors_know_it
check "every session of the first crowd ends" wait_until 60 nobody_is_there
before=$(held)
memory=$(resident_kib "$daemon_pid")

bystander >"$STAGE_OUT/bystander.log" 2>&1 &
bystander_pid=$!
echo "crowd of $crowd, $seconds s, seed $((seed + 1))"
check "a crowd of $crowd opens, logs in and dies at random for $seconds s" crowd_of "$seconds" $((seed + 1))
tail -n 1 "$STAGE_OUT"/a_crowd_of*.log
touch "$STAGE_OUT/stop"
check "an initiator that minds its own business notices nothing" wait $bystander_pid
check "the daemon lives" kill -0 "$daemon_pid"
returns_to "$before" "after the crowd"
grown=$(($(resident_kib "$daemon_pid") - memory))
check "memory has not grown ($memory KiB, by $grown KiB)" test $grown -le $most_growth_kib
check "the target still answers" iscsi-ls -s "iscsi://127.0.0.1:$port"
stop_daemon
summary
