#!/bin/bash
# run.sh: persistent reservations against kill -9. The daemon is killed again and again while registrations and
# reservations change, and what it remembers is held against a model: the last answered state, or the one in flight.
# Then what an administrator meets: a damaged file whose backup is whole, and one whose backup is damaged too.
# Environment: STAGE_OUT, SCSTD, DURABILITY_KILLS (100), DURABILITY_SEED (the time).
set -u
here=$(cd "$(dirname "$0")" && pwd)
STAGE_OUT=${STAGE_OUT:-$here/../../artifacts/durability}
rm -rf "$STAGE_OUT"; mkdir -p "$STAGE_OUT" && STAGE_OUT=$(cd "$STAGE_OUT" && pwd)
# shellcheck source=../stage.sh
. "$here/../stage.sh"
kills=${DURABILITY_KILLS:-100} seed=${DURABILITY_SEED:-$(date +%s)}
target=iqn.2026-11.io.scstd.test:durable state=$STAGE_OUT/state/disk@reservations

write_config() {
    cat <<YAML
log: {level: warning}
reactors: {count: 2}
control: {enabled: no}
state_directory: state
devices:
  disk: {store: memory, size: 1MiB}
portals: {all: "127.0.0.1:$port"}
targets:
  $target: {luns: {0: disk}}
YAML
}
kill_it() {     # kill_it COUNT SEED
    python3 "$here/kills.py" --kills "$1" --seed "$2" --trace "$STAGE_OUT/trace" \
        "127.0.0.1:$port" $target "$SCSTD" --config "$STAGE_OUT/daemon.yaml" 2>>"$STAGE_OUT/daemon.log"
}
register() { python3 "$here/register.py" "127.0.0.1:$port" $target "$@"; }
damage() { printf 'x' | dd of="$1" bs=1 seek=200 conv=notrunc status=none; }
refuses_by_name() {
    timeout 60 "$SCSTD" --config "$STAGE_OUT/daemon.yaml" >"$STAGE_OUT/refusal" 2>&1 </dev/null
    [ $? = 1 ] && grep -q "$state.state is damaged" "$STAGE_OUT/refusal"
}
complains() { grep -q "$state.state is damaged.*used instead" "$daemon_log"; }

port=$(free_port)
write_config >"$STAGE_OUT/daemon.yaml"
echo "$kills kills, seed $seed"
check "$kills kills leave the last answered state or the one in flight" kill_it "$kills" "$seed"
tail -n 1 "$STAGE_OUT"/"$kills"_kills*.log

rm -rf "$STAGE_OUT/state"
if start_daemon whole --config "$STAGE_OUT/daemon.yaml"; then
    check "two keys are registered, one after the other" register 0xa 0xb
    stop_daemon
fi
damage "$state.state"
if start_daemon backup --config "$STAGE_OUT/daemon.yaml"; then
    check "a damaged state is told of in the log" complains
    check "and the one before it is in effect" register --expect 0xa
    stop_daemon
fi
damage "$state.backup"
check "with a damaged backup the daemon does not start, and says which file" refuses_by_name
summary
