#!/bin/bash
# run.sh: the Linux kernel's own initiator against the daemon, in a guest without privileges.
#   1. a guest logs in, writes, and has its plug pulled mid-write: the daemon stays healthy
#   2. the next guest logs in cleanly, finds what was flushed before, and does the whole sequence twice in a row
#   3. a guest is two hosts that share a disk, and one host with two paths to it
#   4. a guest keeps 128 requests under way while the store takes 20 s for each, and aborts none
#   5. a guest has a file system under fio while an administrator freezes, resizes, reloads, replaces, moves, kicks, and
#      kills the daemon
#   6. a guest has a tape library, as two hosts, while an administrator moves cartridges
#   7. a guest runs the daemon's unit under systemd
# --yardstick runs the same against Debian's tgtd, whose failures are known (docs/conformance.md).
# Environment: STAGE_OUT (folder for all logs), SCSTD (the daemon), SCSTCTL (its control program), ROUNDS (2),
# ONLY (shared, slow, administered, tapes: nothing but that), PARTS (of tapes: only those).
set -u
here=$(cd "$(dirname "$0")" && pwd)
STAGE_OUT=${STAGE_OUT:-$here/../../artifacts/vm}
mkdir -p "$STAGE_OUT" && STAGE_OUT=$(cd "$STAGE_OUT" && pwd)
# shellcheck source=../stage.sh
. "$here/../stage.sh"

SCSTCTL=${SCSTCTL:-$top/src/Scstctl/bin/Release/net10.0/scstctl}

export CHAP_USER=alice CHAP_SECRET=alices-secret-1 CHAP_TARGET_USER=bob CHAP_TARGET_SECRET=bobs-own-secret-2
guest_env=()
for name in CHAP_USER CHAP_SECRET CHAP_TARGET_USER CHAP_TARGET_SECRET; do guest_env+=(-e "$name=${!name}"); done

guest() {   # guest NAME SECONDS VM-RUN-ARGUMENT...
    local name=$1 seconds=$2; shift 2
    "$here/vm-run.sh" -t "$seconds" -o "$STAGE_OUT/$name" "${guest_env[@]}" "$@"
}
is_there() { [ -e "$1" ]; }

pull_the_plug() {   # pull_the_plug PORT IQN LUN
    local out=$STAGE_OUT/crash guest_pid
    rm -rf "$out"; mkdir -p "$out"
    guest crash 240 -p "$out/pid" "$here/guest/crash.sh" "10.0.2.2:$1" "$2" "$3" >"$out/stdout" 2>&1 &
    guest_pid=$!
    if wait_until 240 writing_or_ended "$out/writing" $guest_pid && [ -e "$out/writing" ]; then
        kill -KILL "$(cat "$out/pid")"
        pass "the guest's plug was pulled while it wrote"
    else
        fail "the guest did not come to write"
    fi
    wait $guest_pid
    count_results <"$out/stdout"
}
writing_or_ended() { [ -e "$1" ] || ! kill -0 "$2"; }

under_systemd() {
    local results=$STAGE_OUT/unit.stdout
    guest unit 600 --systemd "$here/guest/unit.sh" "$(cd "$(dirname "$SCSTD")" && pwd)" \
        "$top/src/Scstd/Packaging/scstd.service" 2>&1 | tee "$results" | grep --line-buffered -v '^stage:'
    count_results <"$results" >/dev/null
    grep -q '^stage:' "$results" || fail "the unit's guest did not come to its end"
}

whole_sequence() {  # whole_sequence PORT IQN EXT4_LUN XFS_LUN
    local status results=$STAGE_OUT/sequence.stdout
    guest sequence 1300 -e AFTER_CRASH=1 "$here/guest/sequence.sh" "10.0.2.2:$1" "$2" "$3" "$4" "${ROUNDS:-2}" \
        2>&1 | tee "$results" | grep --line-buffered -v '^stage:'
    status=${PIPESTATUS[0]}
    count_results <"$results" >/dev/null
    # The script's own failures are counted one by one; a guest that died reports none.
    case $status in
    0 | 1) ;;
    *) fail "the guest of the sequence ended with status $status" ;;
    esac
    grep -q '^stage:' "$results" || fail "the sequence did not come to its end"
}

shared_disk() {     # shared_disk PORT1 PORT2 IQN LUN
    local out=$STAGE_OUT/shared guest_pid
    rm -rf "$out"; mkdir -p "$out"
    guest shared 900 "$here/guest/shared.sh" "10.0.2.2:$1" "10.0.2.2:$2" "$3" "$4" >"$out/stdout" 2>&1 &
    guest_pid=$!
    if wait_until 900 writing_or_ended "$out/turn" $guest_pid && [ -e "$out/turn" ]; then
        check "the left path goes to standby" "$SCSTCTL" --socket "$control" port-group set left standby
        check "the right path becomes the best" "$SCSTCTL" --socket "$control" port-group set right active-optimized
        touch "$out/turned"
    else
        fail "the guest of the shared disk did not come to its paths"
    fi
    wait $guest_pid
    grep -v '^stage:' "$out/stdout"
    count_results <"$out/stdout" >/dev/null
    grep -q '^stage:' "$out/stdout" || fail "the shared disk's guest did not come to its end"
}

slow_storage() {    # slow_storage PORT IQN LUN UNIT
    local out=$STAGE_OUT/slow guest_pid
    rm -rf "$out"; mkdir -p "$out"
    guest slow 1300 "$here/guest/slow.sh" "10.0.2.2:$1" "$2" "$3" >"$out/stdout" 2>&1 &
    guest_pid=$!
    if wait_until 600 writing_or_ended "$out/writing" $guest_pid && [ -e "$out/writing" ]; then
        check "the store becomes slow" "$SCSTCTL" --socket "$control" faults add "$4" SlowStore --delay-ms 20000
        sleep 100
        check "the store becomes quick" "$SCSTCTL" --socket "$control" faults clear "$4"
        touch "$out/quick"
    else
        fail "the guest of the slow store did not come to read and write"
    fi
    wait $guest_pid
    grep -v '^stage:' "$out/stdout"
    count_results <"$out/stdout" >/dev/null
    grep -q '^stage:' "$out/stdout" || fail "the slow store's guest did not come to its end"
}

# A daemon of its own, because it is killed.
administered_config() {     # administered_config LUNS
    cat <<YAML
devices:
  first: {store: file, path: administered.disk, size: 256MiB}
  second: {store: memory, size: 16MiB}
  third: {store: memory, size: 24MiB}
portals:
  guest: {address: "127.0.0.1:$admin_port", advertise: "10.0.2.2:$admin_port"}
targets:
  $target-administered:
    luns: {$1}
control: {socket: $control}
YAML
}
admin() { "$SCSTCTL" --socket "$control" "$@"; }
reload_with_second() { sed -i 's/luns: {0: first}/luns: {0: first, 1: second}/' "$admin_config" && admin reload; }
move_around() {     # fio keeps 16 commands under way all the time
    local i session
    session=$(admin sessions --json | python3 -c '
import json, sys; print(next(s["id"] for s in json.load(sys.stdin)["sessions"] if s["target"]))') || return
    for i in 1 0 1 0 1 0 1; do admin move "$session" $i || return; done
}
kill_and_start() {
    kill -KILL "$daemon_pid"
    wait "$daemon_pid" 2>/dev/null
    start_daemon administered-again --config "$admin_config"
}
# when_asked NAME COMMAND...: does what the guest asks for, and tells it
when_asked() {
    local name=$1; shift
    if ! wait_until 300 writing_or_ended "$admin_out/please-$name" "$admin_guest" ||
        [ ! -e "$admin_out/please-$name" ]; then
        fail "the guest did not come to ask for: $name"
        return 1
    fi
    # Not by check: starting a daemon sets variables, and must not happen in a subshell.
    if "$@" >"$STAGE_OUT/administered-$name.log" 2>&1 </dev/null; then
        pass "the administrator: $name"
    else
        fail "the administrator: $name: $(tail -n 3 "$STAGE_OUT/administered-$name.log")"
    fi
    touch "$admin_out/done-$name"
}
administered() {
    local admin_out=$STAGE_OUT/administered-guest admin_guest admin_port admin_config=$STAGE_OUT/administered.yaml
    admin_port=$(free_port)
    rm -rf "$admin_out" "$STAGE_OUT/administered.disk"; mkdir -p "$admin_out"
    administered_config "0: first" >"$admin_config"
    start_daemon administered --config "$admin_config" || return
    guest administered-guest 900 "$here/guest/administered.sh" "10.0.2.2:$admin_port" $target-administered \
        >"$admin_out/stdout" 2>&1 &
    admin_guest=$!
    when_asked freeze admin freeze first && when_asked thaw admin thaw first &&
        when_asked resize admin resize first 320MiB --save && when_asked reload reload_with_second &&
        when_asked replace admin replace $target-administered 1 third --save &&
        when_asked move move_around && when_asked kick admin kick "$host_name" &&
        check "the daemon logged no error until it was killed" quiet &&
        when_asked kill kill_and_start
    wait $admin_guest
    grep -v '^stage:' "$admin_out/stdout"
    count_results <"$admin_out/stdout" >/dev/null
    grep -q '^stage:' "$admin_out/stdout" || fail "the administered guest did not come to its end"
    check "the daemon that was started anew logged no error" quiet
    stop_daemon
}
host_name=iqn.2026-11.io.scstd.test:guest

# Cartridges so small that their end is reached quickly, in a daemon of its own.
tapes_config() {        # tapes_config PORT
    cat <<YAML
libraries:
  vtl:
    drives: 2
    slots: 8
    import_export: 2
    cartridges: {directory: cartridges, create: 6, capacity: 8MiB}
portals:
  guest: {address: "127.0.0.1:$1", advertise: "10.0.2.2:$1"}
targets:
  $target-tapes:
    luns: {0: vtl, 1: vtl.drive1, 2: vtl.drive2}
control: {socket: $control}
state_directory: $STAGE_OUT/tapes-state
YAML
}
exports_and_shows() { admin library export vtl mail1 && admin library list vtl; }
tapes() {
    # What when_asked works with.
    local admin_out=$STAGE_OUT/tapes admin_guest tapes_port
    tapes_port=$(free_port)
    rm -rf "$admin_out" "$STAGE_OUT/cartridges" "$STAGE_OUT/tapes-state"; mkdir -p "$admin_out"
    tapes_config "$tapes_port" >"$STAGE_OUT/tapes.yaml"
    start_daemon tapes-daemon --config "$STAGE_OUT/tapes.yaml" || return
    # shellcheck disable=SC2086
    guest tapes 600 "$here/guest/tapes.sh" "10.0.2.2:$tapes_port" $target-tapes ${PARTS:-} >"$admin_out/stdout" 2>&1 &
    admin_guest=$!
    if [[ " ${PARTS:-administration} " = *" administration "* ]]; then
        when_asked export exports_and_shows &&
            when_asked import admin library import vtl A00006L8.cartridge --to mail1 &&
            when_asked create admin library create vtl B00001L8 --capacity 4MiB --to mail2 &&
            when_asked load admin library load vtl B00001L8 drive1 &&
            when_asked unload admin library unload vtl drive1
    fi
    wait $admin_guest
    grep -v '^stage:' "$admin_out/stdout"
    count_results <"$admin_out/stdout" >/dev/null
    grep -q '^stage:' "$admin_out/stdout" || fail "the guest with the tapes did not come to its end"
    check "the daemon with the library logged no error" quiet
    stop_daemon
}

if [ "${1:-}" = --yardstick ]; then
    port=$(free_port)
    "$here/host-tgtd.sh" "$port" -- "$0" --against "$port" iqn.2026-11.io.scstd.test:yardstick 1 2
    exit
fi
if [ "${1:-}" = --against ]; then
    pull_the_plug "$2" "$3" "$5"
    whole_sequence "$2" "$3" "$4" "$5"
    summary
    exit
fi

# A memory unit for ext4, and a file that is large enough for XFS; a disk that is reached by two paths.
write_config() {    # write_config PORT PATH1_PORT PATH2_PORT
    cat <<YAML
devices:
  memory: {store: memory, size: 256MiB, thin: yes}
  file: {store: file, path: file.disk, size: 512MiB}
  shared: {store: memory, size: 128MiB}
  slow: {store: memory, size: 64MiB}
portals:
  guest: {address: "127.0.0.1:$1", advertise: "10.0.2.2:$1"}
  path1: {address: "127.0.0.1:$2", advertise: "10.0.2.2:$2", tag: 11}
  path2: {address: "127.0.0.1:$3", advertise: "10.0.2.2:$3", tag: 12}
discovery:
  authentication:
    users: [{name: $CHAP_USER, secret: $CHAP_SECRET}]
targets:
  $target:
    portals: [guest]
    authentication:
      users: [{name: $CHAP_USER, secret: $CHAP_SECRET}]
      mutual: {name: $CHAP_TARGET_USER, secret_file: mutual.secret}
    luns: {0: memory, 1: file}
  $target-shared:
    portals: [path1, path2]
    luns: {0: shared}
  $target-slow:
    portals: [guest]
    luns: {0: slow}
port_groups:
  left: {id: 11, portals: path1, devices: shared}
  right: {id: 12, state: active-non-optimized, portals: path2, devices: shared}
control: {socket: $control}
YAML
}
quiet() { ! daemon_complaints; }

target=iqn.2026-11.io.scstd.test:vm control=$STAGE_OUT/control.sock
guest_env+=(-e ADVERTISED=1 -e DISCOVERY_CHAP=1)
port=$(free_port) path1_port=$(free_port) path2_port=$(free_port)
rm -f "$STAGE_OUT/file.disk"
write_config "$port" "$path1_port" "$path2_port" >"$STAGE_OUT/vm.yaml"
echo "$CHAP_TARGET_SECRET" >"$STAGE_OUT/mutual.secret"
chmod 600 "$STAGE_OUT"/vm.yaml "$STAGE_OUT"/mutual.secret
"$here/vm-prepare.sh" || { fail "there is no kernel to boot"; summary; exit 1; }
case ${ONLY:-} in
administered | tapes)
    $ONLY
    summary
    exit
    ;;
esac
start_daemon daemon --config "$STAGE_OUT/vm.yaml" || { summary; exit 1; }
before=$(held)

case ${ONLY:-} in
slow | shared)
    if [ "$ONLY" = slow ]; then
        slow_storage "$port" $target-slow 0 slow
    else
        shared_disk "$path1_port" "$path2_port" $target-shared 0
    fi
    stop_daemon
    summary
    exit
    ;;
esac
pull_the_plug "$port" $target 1
check "the daemon lives after the crash" kill -0 "$daemon_pid"
returns_to "$before" "after the crash"
whole_sequence "$port" $target 0 1
returns_to "$before" "after the sequence"
shared_disk "$path1_port" "$path2_port" $target-shared 0
returns_to "$before" "after the shared disk"
slow_storage "$port" $target-slow 0 slow
returns_to "$before" "after the slow store"
check "the daemon logged no error" quiet
stop_daemon
administered
tapes
under_systemd
summary
