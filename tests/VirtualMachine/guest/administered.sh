#!/bin/bash
# administered.sh PORTAL IQN: a host with a file system on LUN 0, under fio, while an administrator freezes, resizes,
# kicks, reloads, replaces, moves, and kills the daemon. It asks the host for each by a file /out/please-NAME, and waits
# for /out/done-NAME. fio must see no error, all data must be there.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
portal=${1:?PORTAL} iqn=${2:?IQN}
mounted=/mnt/administered

# What the kernel says of the unit attentions that it gets (drivers/scsi/scsi_error.c), since forget_messages.
kernel_says() { dmesg | tail -n +$((messages_before + 1)) | grep -qi "$1"; }
is_told() { wait_until 30 kernel_says "$1" || { dmesg | tail -n 20; return 1; }; }

requests_done() { awk '{ print $1 + $5 }' "$block/stat"; }
more_are_done() { [ $(($(requests_done) - requests_before)) -gt "$1" ]; }
goes_on() {     # after what the administrator did
    requests_before=$(requests_done)
    wait_until 90 more_are_done 200 && kill -0 "$fio"
}
stands_still() {
    local before
    # What was under way has come to its end a second after the freeze was answered.
    sleep 1
    before=$(requests_done)
    sleep 2
    [ "$(requests_done)" = "$before" ] && [ "$(awk '{ print $1 + $2 }' "$block/inflight")" -gt 0 ]
}

rescan() { echo 1 >"$block/device/rescan"; }
has_bytes() { [ "$(blockdev --getsize64 "$1")" = "$2" ]; }
grows_online() { rescan && wait_until 30 has_bytes "$disk" $((320 << 20)) && resize2fs "$disk"; }
fs_is_larger() { [ "$(df --output=size -B1M $mounted | tail -n 1)" -gt 270 ]; }
second_disk() { wait_until 30 lun_dev "$iqn" 1 block && second=$(lun_dev "$iqn" 1 block); }
rescan_finds_second() { iscsiadm -m session --rescan && second_disk; }
second_says() { [ "$(dd if="$second" bs=512 count=1 iflag=direct status=none | head -c 5)" = "$1" ]; }
write_second() { printf 'first' | dd of="$second" bs=512 count=1 conv=sync oflag=direct status=none; }
rescan_second() { echo 1 >"/sys/block/${second##*/}/device/rescan"; }
sums_hold() { (cd $mounted && sha256sum -c --quiet /tmp/sums); }
fill() {
    mkdir -p $mounted/files &&
        for n in 1 2 3 4 5 6; do head -c $((n * 500000)) /dev/urandom >$mounted/files/$n || return; done
    (cd $mounted && sha256sum files/* >/tmp/sums) && sync
}
pattern_job() {
    fio --name=kept --filename=$mounted/kept --ioengine=libaio --direct=1 --rw=randwrite --bs=4k --iodepth=16 \
        --size=16m --verify=crc32c --verify_fatal=1 --randseed=5 "$@"
}

scsi_drivers
modprobe -a ext4 crc32c
mkdir -p $mounted
start_iscsid
check "administered: login" iscsi_login "$iqn" "$portal" || exit 1
wait_lun "$iqn" 0 || die "administered: no disk"
block=/sys/block/${disk##*/}
check "administered: ext4" mkfs.ext4 -q -F "$disk" || exit 1
check "administered: mount" mount -t ext4 "$disk" $mounted || exit 1
check "administered: files" fill
check "administered: a pattern is written" pattern_job

fio --name=all-along --filename=$mounted/fio --ioengine=libaio --direct=1 --rw=randrw --bs=4k --iodepth=16 --size=48m \
    --verify=crc32c --verify_backlog=64 --verify_fatal=1 --time_based --runtime=1200 >/out/fio-administered.log 2>&1 &
fio=$!
requests_before=$(requests_done)
wait_until 60 more_are_done 500 || die "administered: fio does not run: $(cat /out/fio-administered.log)"

step "freeze"
check "administered: the host does: freeze" please freeze && check "administered: frozen, all stands still" stands_still
check "administered: the host does: thaw" please thaw && check "administered: thawed, fio goes on" goes_on

step "resize"
forget_messages
check "administered: the host does: resize" please resize &&
    check "administered: the kernel hears of the new capacity" is_told 'capacity data has changed'
check "administered: and sees it, and the file system grows" grows_online
check "administered: it is larger" fs_is_larger
check "administered: fio goes on after the resize" goes_on

step "reload: a second LUN"
forget_messages
check "administered: the host does: reload" please reload &&
    check "administered: the kernel hears of other LUNs" is_told 'LUN assignments on this target have changed'
check "administered: and finds the second" rescan_finds_second
check "administered: fio goes on after the reload" goes_on

step "replace what is behind the second LUN"
check "administered: the first unit keeps a word" write_second
check "administered: and says it" second_says first
forget_messages
check "administered: the host does: replace" please replace
rescan_second
check "administered: the kernel hears of another unit" is_told 'inquiry data has changed'
check "administered: which has another size" wait_until 30 has_bytes "$second" $((24 << 20))
check "administered: and other data" second_says ''
check "administered: fio goes on after the replacement" goes_on

step "move the session to other reactors and back"
check "administered: the host does: move" please move && check "administered: moved to and fro, fio goes on" goes_on

step "kick"
check "administered: the host does: kick" please kick &&
    check "administered: kicked, logged in again by itself, fio goes on" goes_on

step "kill -9, restart"
check "administered: the host does: kill" please kill &&
    check "administered: the daemon killed and started, fio goes on" goes_on

step "the end"
kill -INT $fio
wait $fio
check "administered: fio saw no error" grep -q 'err= 0' /out/fio-administered.log
check "administered: the pattern is there" pattern_job --verify_only
drop_caches
check "administered: the files are there" sums_hold
check "administered: umount" umount $mounted
check "administered: the file system is whole" fsck.ext4 -fn "$disk"
no_error() { ! dmesg | grep -E 'I/O error|EXT4-fs error|Buffer I/O|rejecting I/O'; }
check "administered: the kernel saw no I/O error" no_error
check "administered: logout" iscsi_logout "$iqn" "$portal"
stop_iscsid
summary
