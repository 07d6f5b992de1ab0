#!/bin/bash
# run.sh: persistent reservations against kill -9. The daemon is killed again and again while registrations and
# reservations change, and what it remembers is held against a model: the last answered state, or the one in flight.
# Then what an administrator meets: a damaged file whose backup is whole, and one whose backup is damaged too. Last, a
# disk that takes writes and loses them when they are written back: who is told (as root, with a loop device). And a
# tape library against kill -9: what was written is there, cartridges are whole, and each lies where the robot left it.
# Environment: STAGE_OUT, SCSTD, DURABILITY_KILLS (100), DURABILITY_TAPE_KILLS (25), DURABILITY_SEED (the time).
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
tells_what_came_back() { grep -q 'registered: iqn.*key 0x000000000000000a' "$daemon_log"; }

# make_losing_disk: a loop device over a file that has no room for what is written; sets loop
make_losing_disk() {
    [ "$(id -u)" = 0 ] && mkdir -p "$STAGE_OUT/room" && mount -t tmpfs -o size=6m none "$STAGE_OUT/room" || return
    truncate -s 64M "$STAGE_OUT/room/image" && loop=$(losetup --find --show "$STAGE_OUT/room/image")
}
remove_losing_disk() {
    [ -z "${loop:-}" ] || losetup --detach "$loop"
    loop=
    ! mountpoint -q "$STAGE_OUT/room" || umount "$STAGE_OUT/room"
}
loses() {       # loses cached|through
    if ! make_losing_disk 2>>"$STAGE_OUT/losing.log"; then
        skip "who is told of lost writes, $1: no loop device over a full file system can be made here"
        remove_losing_disk
        return
    fi
    write_config | sed "s#{store: memory, size: 1MiB}#{store: block, path: $loop, io: buffered, $2}#" \
        >"$STAGE_OUT/losing.yaml"
    if start_daemon "losing_$1" --config "$STAGE_OUT/losing.yaml"; then
        check "no initiator is told GOOD over lost data, $1" \
            python3 "$here/lost.py" "$1" "127.0.0.1:$port" $target "$loop"
        stop_daemon
    fi
    remove_losing_disk
}

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
    check "and what came back is told" tells_what_came_back
    stop_daemon
fi
damage "$state.backup"
check "with a damaged backup the daemon does not start, and says which file" refuses_by_name

rm -rf "$STAGE_OUT/state"
loses cached "write_cache: yes"
loses through "write_cache: no"

tape_kills=${DURABILITY_TAPE_KILLS:-25}
kill_tapes() {
    python3 "$here/tapes.py" --kills "$tape_kills" --seed "$seed" "$SCSTD" "$STAGE_OUT" | tee "$STAGE_OUT/tapes.out"
    [ "${PIPESTATUS[0]}" = 0 ]
}
check "$tape_kills kills while tapes are written and moved lose nothing that was answered" kill_tapes
tail -n 1 "$STAGE_OUT/tapes.out"
summary
