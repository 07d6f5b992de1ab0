#!/bin/bash
# slow.sh PORTAL IQN LUN: 128 requests are kept under way while the host makes the store take 20 s for each and later
# makes it quick again. /out/writing tells the host that they are under way, /out/quick the guest that the store is
# quick. The kernel, whose patience is 30 s, must log no abort, and the program must see no error.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
portal=${1:?PORTAL} iqn=${2:?IQN} lun=${3:?LUN}
scsi_drivers
start_iscsid
check "slow: login" iscsi_login "$iqn" "$portal" node.session.cmds_max=128 node.session.queue_depth=128 || exit 1
wait_lun "$iqn" "$lun" || die "slow: no disk"
block=/sys/block/${disk##*/}
check "slow: the kernel's patience is 30 s" [ "$(cat "$block/device/timeout")" = 30 ]

fio --name=deep --filename="$disk" --ioengine=libaio --direct=1 --rw=randrw --bs=4k --iodepth=128 --size=64m \
    --time_based --runtime=1200 >/out/fio-slow.log 2>&1 &
fio=$!
in_flight() { [ "$(awk '{ print $1 + $2 }' "$block/inflight")" -gt 100 ]; }
wait_until 60 in_flight || die "slow: fio does not run: $(cat /out/fio-slow.log)"
touch /out/writing
wait_until 600 [ -e /out/quick ] || die "slow: the host did not make the store quick"

done_now() { awk '{ print $1 + $5 }' "$block/stat"; }
before=$(done_now)
goes_on() { [ $(($(done_now) - before)) -gt 2000 ]; }
check "slow: it goes on quickly when the store is quick again" wait_until 60 goes_on
check "slow: fio still runs" kill -0 $fio
kill -INT $fio
wait $fio
check "slow: fio saw no error" grep -q 'err= 0' /out/fio-slow.log
dmesg >/out/dmesg-slow.log
# What the kernel says of the unit attention of the login is no reset of its own.
no_abort() {
    ! grep -v 'Power-on or device reset occurred' /out/dmesg-slow.log |
        grep -iE 'abort|timing out|timed out|reset|I/O error|recovery'
}
check "slow: the kernel logged no abort" no_abort
check "slow: logout" iscsi_logout "$iqn" "$portal"
summary
