#!/bin/bash
# shared.sh PORTAL1 PORTAL2 IQN LUN [PART...]: one disk, shared by two hosts, and by two paths of one host, with the
# kernel's own initiator: what each host sees of what the other one does. Two interfaces of iscsiadm with two initiator
# names stand for two hosts, two portals of different portal groups for two paths.
#   1. RESERVE, reset and unit attentions between the hosts
#   2. persistent reservations by sg_persist, each of its service actions, and a fence: preempt and abort while both
#      hosts write
#   3. multipath over two paths, one of which is lost under fio; mpathpersist over both
#   4. asymmetric access: the paths change roles under fio (needs 3 before it, and the host to do it: /out/turn)
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
portal1=${1:?PORTAL} portal2=${2:?PORTAL} iqn=${3:?IQN} lun=${4:?LUN}
host_a=iqn.2026-11.io.scstd.test:host-a host_b=iqn.2026-11.io.scstd.test:host-b
key_a=0xa1 key_b=0xb2

# path_dev HOST PORTAL CLASS: the node that HOST's session through PORTAL brought for the LUN
path_dev() {
    local session connection device
    for session in /sys/class/iscsi_session/session*; do
        [ "$(cat "$session/initiatorname" 2>/dev/null)" = "$1" ] || continue
        connection=/sys/class/iscsi_connection/connection${session##*/session}:0
        [ "$(cat "$connection/persistent_port")" = "${2##*:}" ] || continue
        for device in "$session"/device/target*/*:"$lun/$3"/*; do
            [ ! -e "/dev/${device##*/}" ] || { echo "/dev/${device##*/}"; return 0; }
        done
    done
    return 1
}
interface() {   # interface NAME INITIATOR
    iscsiadm -m iface -I "$1" -o new && iscsiadm -m iface -I "$1" -o update -n iface.initiatorname -v "$2"
}
# No automatic logout and login on errors that a test makes on purpose: what fails shall be seen.
login() {   # login INTERFACE PORTAL
    iscsiadm -m node -T "$iqn" -p "$2" -I "$1" -o new &&
        iscsiadm -m node -T "$iqn" -p "$2" -I "$1" -o update -n node.session.timeo.replacement_timeout -v 5 &&
        iscsiadm -m node -T "$iqn" -p "$2" -I "$1" --login
}
logout() { iscsiadm -m node -T "$iqn" -p "$2" -I "$1" --logout; }
nodes_of_both() {
    wait_until 60 path_dev $host_a "$portal1" scsi_generic && wait_until 60 path_dev $host_b "$portal1" scsi_generic &&
        wait_until 60 path_dev $host_a "$portal1" block && wait_until 60 path_dev $host_b "$portal1" block &&
        a=$(path_dev $host_a "$portal1" scsi_generic) b=$(path_dev $host_b "$portal1" scsi_generic) &&
        disk_a=$(path_dev $host_a "$portal1" block) disk_b=$(path_dev $host_b "$portal1" block) &&
        echo "A: $a $disk_a B: $b $disk_b"
}

# ---- Raw commands: what the middle layer of the kernel would hide or repeat is seen through the generic node --------
tur() { sg_raw "$1" 00 00 00 00 00 00; }
reserve() { sg_raw "$1" 16 00 00 00 00 00; }
release() { sg_raw "$1" 17 00 00 00 00 00; }
read_block() { sg_raw --request=512 --outfile=/dev/null "$1" 28 00 00 00 00 00 00 00 01 00; }
write_block() { head -c 512 /dev/urandom | sg_raw --send=512 "$1" 2a 00 00 00 00 00 00 00 01 00; }

# ends_with STATUS COMMAND...: sg3_utils' exit status says how the command ended (sg3_utils(8))
ends_with() {
    local expected=$1 status; shift
    "$@"; status=$?
    [ $status = "$expected" ] || { echo "status $status, not $expected: $*"; return 1; }
}
conflicts() { ends_with 24 "$@"; }
# attention NODE TEXT: its next command reports just this unit attention, the one after it none
attention() {
    local out status
    out=$(tur "$1" 2>&1); status=$?
    echo "$out"
    [ $status = 6 ] && grep -qi "$2" <<<"$out"
}
silent() { ends_with 0 tur "$1"; }
drain() {
    for _ in 1 2 3 4 5 6 7 8; do ! tur "$1" || return 0; done
    return 1
}

reservations_of_spc2() {
    check "both hosts are ready" drain "$a" && check "the second as well" drain "$b" || return
    check "RESERVE is granted to A" reserve "$a"
    check "B's READ conflicts" conflicts read_block "$b"
    check "B's WRITE conflicts" conflicts write_block "$b"
    check "B's INQUIRY does not" sg_inq "$b"
    check "B's RELEASE is GOOD and changes nothing" release "$b"
    check "B still conflicts" conflicts read_block "$b"
    check "A reads" read_block "$a"
    check "A releases" release "$a"
    check "B reads now, with no attention" read_block "$b"
    check "RESERVE is granted to A again" reserve "$a"
    check "a reset from B ends it" sg_reset --device "$disk_b"
    check "A is told of the reset" attention "$a" 'reset'
    check "once" silent "$a"
    check "B may read after its own reset" drain "$b"
    check "nobody holds the unit now" reserve "$b"
    check "B logs out with the unit reserved" logout b "$portal1"
    check "and A may write: the logout released it" write_block "$a"
    check "B comes back" login b "$portal1"
    check "to its disk" nodes_of_both
    check "B is ready" drain "$b"
}

changes_are_told() {
    check "A asks for descriptor sense" descriptor_sense "$a" 1
    check "B is told: mode parameters changed" attention "$b" 'mode parameters changed'
    check "A is not" silent "$a"
    check "the same again is no change" descriptor_sense "$a" 1
    check "and nobody is told" silent "$b"
    check "A asks for fixed sense again" descriptor_sense "$a" 0
    check "B is told again" attention "$b" 'mode parameters changed'
}
# D_SENSE of the Control mode page, SPC-4 7.5.8: bit 2 of its third byte; PS is reserved in MODE SELECT.
descriptor_sense() {
    local page
    page=$(sg_modes --raw --page=0x0a --dbd "$1" | tail -c 12 | od -An -v -tx1 | tr -s ' \n' ',' | sed 's/^,//;s/,$//')
    page=$(awk -F, -v OFS=, -v on="$2" '{ $1 = "0a"; $3 = on ? "04" : "00"; print }' <<<"$page")
    sg_wr_mode --page=0x0a --contents="$page" --dbd "$1"
}

# ---- Persistent reservations -----------------------------------------------------------------------------------------
pr_out() { local node=$1; shift; sg_persist --no-inquiry --out "$@" "$node"; }
pr_in() { local node=$1; shift; sg_persist --no-inquiry --in "$@" "$node"; }
register() { pr_out "$1" --register-ignore --param-sark="$2"; }
keys_are() {    # keys_are NODE KEY...
    local node=$1; shift
    pr_in "$node" --read-keys | tee /dev/stderr | grep -oi '^ *0x[0-9a-f]*$' | tr -d ' ' | sort |
        diff - <(printf '%s\n' "$@" | sort)
}
nobody_is_registered() { pr_in "$1" --read-keys | tee /dev/stderr | grep -qi 'NO registered reservation keys'; }
held_by() { pr_in "$1" --read-reservation | tee /dev/stderr | grep -qi "key *= *$2"; }
full_status_names_both() {
    local out
    out=$(pr_in "$1" --read-full-status)
    echo "$out"
    grep -q "$host_a" <<<"$out" && grep -q "$host_b" <<<"$out"
}

persistent_reservations() {
    check "A and B are ready" drain "$a"; drain "$b" >/dev/null 2>&1
    check "A registers" register "$a" $key_a
    check "B registers" register "$b" $key_b
    check "both keys are there" keys_are "$a" $key_a $key_b
    check "full status names both initiator ports" full_status_names_both "$b"
    check "capabilities" pr_in "$a" --report-capabilities
    check "A reserves: write exclusive" pr_out "$a" --reserve --param-rk=$key_a --prout-type=1
    check "the reservation is A's" held_by "$b" $key_a
    check "B may read" read_block "$b"
    check "B may not write" conflicts write_block "$b"
    check "B may not reserve" conflicts pr_out "$b" --reserve --param-rk=$key_b --prout-type=1
    check "A releases" pr_out "$a" --release --param-rk=$key_a --prout-type=1
    check "exclusive access, registrants only" pr_out "$a" --reserve --param-rk=$key_a --prout-type=6
    check "B, registered, writes" write_block "$b"
    check "B preempts A" pr_out "$b" --preempt --param-rk=$key_b --param-sark=$key_a --prout-type=5
    check "A is told that its registration is gone" attention "$a" 'registrations preempted'
    check "A writes no more" conflicts write_block "$a"
    check "A may read" read_block "$a"
    check "only B is left" keys_are "$a" $key_b
    check "A logs out" logout a "$portal1"
    check "B logs out" logout b "$portal1"
    check "both come back" login a "$portal1" && check "with B" login b "$portal1" || return
    check "to their disks" nodes_of_both || return
    drain "$a"; drain "$b"
    # A new session of open-iscsi has an ISID of its own: to the target it is another initiator port (SPC-4 5.13.6).
    check "B's registration has outlived its session" keys_are "$a" $key_b
    check "A still may not write" conflicts write_block "$a"
    check "B registers its new port" register "$b" $key_b
    check "B writes again" write_block "$b"
    check "B clears" pr_out "$b" --clear --param-rk=$key_b
    check "nobody is registered" nobody_is_registered "$a"
}

# The service actions that a host seldom uses: registering for another port, for all target ports, for good; handing
# a reservation over.
transport_id_of() {     # transport_id_of HOST: as full status names it, the name and ISID of its port
    pr_in "$a" --read-full-status | tee /dev/stderr | grep -o "$1,i,0x[0-9a-fA-F]*" | head -n 1
}
relative_port() { pr_in "$a" --read-full-status | sed -n 's/.*Relative port address: *0x//p' | head -n 1; }
full_status_says() { pr_in "$1" --read-full-status | tee /dev/stderr | grep -qi "$2"; }
is_refused() { ends_with 5 "$@"; }      # ILLEGAL REQUEST
rest_of_persistent_reservations() {
    local port_b relative
    drain "$a"; drain "$b"
    check "A and B register for a while" register "$a" $key_a && check "B too" register "$b" $key_b
    port_b=$(transport_id_of $host_b) relative=$(relative_port)
    check "full status tells B's port and a relative target port" [ -n "$port_b" -a -n "$relative" ] || return
    check "B unregisters by key zero" pr_out "$b" --register --param-rk=$key_b --param-sark=0
    check "REGISTER with a wrong key conflicts" conflicts pr_out "$a" --register --param-rk=0xbad --param-sark=0xa2
    check "REGISTER changes the key" pr_out "$a" --register --param-rk=$key_a --param-sark=0xa2
    check "it is the new one" keys_are "$b" 0xa2
    check "A unregisters" pr_out "$a" --register --param-rk=0xa2 --param-sark=0
    check "REGISTER for B's port as well (SPEC_I_PT)" pr_out "$a" --register --param-sark=$key_a \
        "--transport-id=$port_b"
    check "both are registered, by one key" keys_are "$b" $key_a $key_a
    check "B works by it" pr_out "$b" --reserve --param-rk=$key_a --prout-type=3
    check "CLEAR" pr_out "$a" --clear --param-rk=$key_a
    check "B is told of it" attention "$b" 'reservations preempted'
    check "REGISTER for all target ports" pr_out "$a" --register --param-sark=$key_a --param-alltgpt
    check "full status says so" full_status_says "$b" 'All target ports bit set'
    check "it is withdrawn" pr_out "$a" --register --param-rk=$key_a --param-sark=0
    check "REGISTER for good (APTPL)" pr_out "$a" --register --param-sark=$key_a --param-aptpl
    check "capabilities say that it is in force" aptpl_is_active
    check "REGISTER AND IGNORE of B" register "$b" $key_b
    check "A reserves" pr_out "$a" --reserve --param-rk=$key_a --prout-type=3
    check "REGISTER AND MOVE hands it to B" pr_out "$a" --register-move --param-rk=$key_a --param-sark=0xb3 \
        "--relative-target-port=$relative" "--transport-id=$port_b"
    check "B holds it" held_by "$a" 0xb3
    check "A reads no more than others" conflicts write_block "$a"
    check "B writes" write_block "$b"
    check "RELEASE by who does not hold it changes nothing" pr_out "$a" --release --param-rk=$key_a --prout-type=3
    check "B still holds it" held_by "$a" 0xb3
    check "RELEASE of another type is refused" is_refused pr_out "$b" --release --param-rk=0xb3 --prout-type=1
    check "B releases" pr_out "$b" --release --param-rk=0xb3 --prout-type=3
    # SPC-4 6.16.4: RLR_C is zero, nothing of ours is ever lost.
    check "REPLACE LOST RESERVATION is refused" is_refused pr_out "$b" --replace-lost --param-rk=0xb3 \
        --param-sark=0xb4 --prout-type=1
    check "B clears all" pr_out "$b" --clear --param-rk=0xb3
    check "A is told of it" attention "$a" 'reservations preempted'
    check "nobody is registered in the end" nobody_is_registered "$a"
    drain "$b"
}
aptpl_is_active() { pr_in "$a" --report-capabilities | tee /dev/stderr | grep -q 'PTPL_A): 1'; }

resets_of_all_kinds() {
    drain "$a"; drain "$b"
    check "sg_reset --device by B" sg_reset --device "$disk_b"
    check "A is told: bus device reset" attention "$a" 'bus device reset function occurred'
    check "nothing more" silent "$a"
    check "B is told too" drain "$b"
    check "sg_reset --target by B" sg_reset --target "$disk_b"
    check "A is told: reset" attention "$a" 'reset'
    check "nothing more of that" silent "$a"
    check "B is ready after it" drain "$b"
    # iscsi_tcp has no host reset of its own: the kernel refuses it, or ends and renews the session.
    sg_reset --host "$disk_b"; echo "sg_reset --host: status $?"
    check "B is ready after sg_reset --host" wait_until 60 drain "$b"
    check "and reads" read_block "$b"
    check "A notices nothing of that, or a reset" drain "$a"
}

# The fence: B ends A's writes in the middle of them. What B reads afterwards does not change any more.
sum_of() { dd if="$1" bs=1M count=64 iflag=direct status=none | sha256sum; }
fence() {
    local fio survivor before after
    check "A registers for the fence" register "$a" $key_a
    check "B registers for the fence" register "$b" $key_b
    check "A reserves: write exclusive, registrants only" pr_out "$a" --reserve --param-rk=$key_a --prout-type=5
    fio --name=fenced --filename="$disk_a" --ioengine=libaio --direct=1 --rw=randwrite --bs=4k --iodepth=32 \
        --size=64m --time_based --runtime=60 >/out/fio-fenced.log 2>&1 &
    fio=$!
    check "A writes" wait_until 60 busy "$disk_a"
    # Beside what A writes, and all the time: B itself notices nothing of the fence.
    fio --name=survivor --filename="$disk_b" --ioengine=libaio --direct=1 --rw=randrw --bs=4k --iodepth=16 \
        --offset=64m --size=32m --verify=crc32c --verify_backlog=32 --verify_fatal=1 --time_based --runtime=25 \
        >/out/fio-survivor.log 2>&1 &
    survivor=$!
    check "B works beside it" wait_until 60 busy "$disk_b"
    check "B preempts A and aborts what it has under way" pr_out "$b" --preempt-abort --param-rk=$key_b \
        --param-sark=$key_a --prout-type=5
    # Whatever B reads from here on was written before the answer.
    before=$(sum_of "$disk_b")
    check "fio ends with an error" ended_badly $fio
    check "for a reservation conflict, not for a time-out" no_time_out
    after=$(sum_of "$disk_b")
    check "no write of A has landed after the answer" [ "$before" = "$after" ]
    check "B's fio finds all its data" wait $survivor
    check "B writes" write_block "$b"
    check "B clears after the fence" pr_out "$b" --clear --param-rk=$key_b
    drain "$a"; drain "$b"
}
busy() { [ "$(awk '{ print $1 + $2 }' "/sys/block/${1##*/}/inflight")" -gt 8 ]; }
ended_badly() { ! wait "$1"; }
no_time_out() { ! dmesg | tail -n +$((messages_before + 1)) | grep -iE 'abort|timing out|timed out|conn error'; }

# ---- Two paths -------------------------------------------------------------------------------------------------------
# multipath finds its paths by what udev knows of them.
start_udev() {
    mkdir -p /run/udev && /lib/systemd/systemd-udevd --daemon && udevadm trigger --subsystem-match=block &&
        udevadm settle --timeout=60
}
multipath_settings() {      # multipath_settings SETTING...
    cat >/etc/multipath.conf <<CONF
defaults {
    find_multipaths no
    user_friendly_names yes
$(printf '    %s\n' "$@")
    path_checker tur
    no_path_retry 12
    polling_interval 1
    reservation_key 0xcafe
}
CONF
}
map_has_paths() { [ "$(dmsetup status "$map" | grep -oE ' [0-9]+:[0-9]+ A ' | wc -l)" = "$1" ]; }
both_paths_make_one_map() {
    multipathd -B || return
    wait_until 60 has_map && wait_until 60 map_has_paths 2
}
has_map() { map=$(dmsetup ls --target multipath 2>/dev/null | awk '/\(/ { print $1; exit }') && [ -n "$map" ]; }
two_paths() {
    local fio
    modprobe -a dm_multipath dm_round_robin dm_service_time
    multipath_settings 'path_grouping_policy multibus'
    check "udev is there" start_udev || return
    check "A logs in through the second portal" login a "$portal2" || return
    check "its disk is there" wait_until 60 path_dev $host_a "$portal2" block || return
    check "B leaves, so that one host's paths remain" logout b "$portal1"
    check "multipath makes one map of the two paths" both_paths_make_one_map ||
        { multipath -v3 2>&1 | tail -40; return; }
    multipath -ll
    check "mpathpersist registers both paths" \
        mpathpersist --out --register-ignore --param-sark=0xcafe "/dev/mapper/$map"
    check "one key for each path" keys_are "$a" 0xcafe 0xcafe
    check "mpathpersist reserves" mpathpersist --out --reserve --param-rk=0xcafe --prout-type=5 "/dev/mapper/$map"
    fio --name=paths --filename="/dev/mapper/$map" --ioengine=libaio --direct=1 --rw=randrw --bs=4k --iodepth=16 \
        --size=32m --verify=crc32c --verify_backlog=32 --verify_fatal=1 --time_based --runtime=20 \
        >/out/fio-paths.log 2>&1 &
    fio=$!
    check "fio works on the map" wait_until 60 busy "/dev/$(basename "$(readlink -f "/dev/mapper/$map")")"
    check "the first path is taken away under it" logout a "$portal1"
    check "fio finds all its data by the other path" wait $fio
    check "one path is left" wait_until 60 map_has_paths 1
    check "the first path comes back" login a "$portal1"
    check "and is used again" wait_until 60 map_has_paths 2
    check "mpathpersist clears" mpathpersist --out --clear --param-rk=0xcafe "/dev/mapper/$map"
    multipath -F
}

# Asymmetric access: the host outside changes which path is the better one, under fio. After two_paths.
port_group_is() {   # port_group_is NODE GROUP STATE
    sg_rtpg --decode "$1" | tee /dev/stderr | grep -iA1 "group id : $2" | grep -qi "$3"
}
# The disks of the priority group that the map uses.
used_disks() {
    multipath -ll "$map" | awk '/status=/ { used = /status=active/ } used && / [0-9]+:[0-9]+:[0-9]+:[0-9]+ / {
        for (i = 1; i <= NF; i++) if ($i ~ /^sd/) print $i }'
}
uses() { [ "$(used_disks)" = "${1##*/}" ]; }
better_path() {
    local fio left right sg
    multipath_settings 'path_grouping_policy group_by_prio' 'prio alua' 'failback immediate'
    multipathd reconfigure
    check "both paths are there" wait_until 60 path_dev $host_a "$portal1" scsi_generic || return
    left=$(path_dev $host_a "$portal1" block) right=$(path_dev $host_a "$portal2" block)
    sg=$(path_dev $host_a "$portal1" scsi_generic)
    check "sg_rtpg: left is the best" port_group_is "$sg" 0xb 'active/optimized'
    check "sg_rtpg: right is not" port_group_is "$sg" 0xc 'active/non optimized'
    check "multipath makes one map of both" both_paths_make_one_map || return
    check "and uses the left path" wait_until 60 uses "$left"
    fio --name=better --filename="/dev/mapper/$map" --ioengine=libaio --direct=1 --rw=randrw --bs=4k --iodepth=16 \
        --size=32m --verify=crc32c --verify_backlog=32 --verify_fatal=1 --time_based --runtime=30 \
        >/out/fio-better.log 2>&1 &
    fio=$!
    touch /out/turn
    check "left goes to standby and right becomes the best" wait_until 60 test -e /out/turned
    check "sg_rtpg tells it" wait_until 60 port_group_is "$sg" 0xc 'active/optimized'
    check "multipath moves to the right path" wait_until 60 uses "$right"
    check "fio finds all its data" wait $fio
    multipath -F
}

scsi_drivers
start_iscsid $host_a
if ! interface a $host_a || ! interface b $host_b; then die "no interfaces"; fi
step "two hosts log in"
check "A logs in" login a "$portal1" || exit 1
check "B logs in" login b "$portal1" || exit 1
check "each has a disk of its own" nodes_of_both || { fail "no disks"; summary; exit 1; }
forget_messages
parts=("${@:5}")
[ ${#parts[@]} -gt 0 ] || parts=(reservations_of_spc2 changes_are_told persistent_reservations
    rest_of_persistent_reservations resets_of_all_kinds fence two_paths better_path)
for part in "${parts[@]}"; do
    step "${part//_/ }"
    $part
done
iscsiadm -m node --logoutall=all >/dev/null 2>&1
stop_iscsid
summary
