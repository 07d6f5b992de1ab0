#!/bin/bash
# crash.sh PORTAL IQN LUN: logs in, writes a pattern and flushes it, then keeps writing beyond it until the host pulls
# the plug. /out/writing tells the host that commands are under way.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
portal=${1:?PORTAL} iqn=${2:?IQN} lun=${3:?LUN}
scsi_drivers
start_iscsid
mapfile -t settings < <(chap_settings one-way)
check "crash: login" iscsi_login "$iqn" "$portal" "${settings[@]}" || exit 1
wait_lun "$iqn" "$lun" || die "crash: no disk"
check "crash: a pattern is written and flushed" pattern "$disk" || exit 1

fio --name=endless --filename="$disk" --ioengine=libaio --direct=1 --rw=randwrite --bsrange=4k-256k --iodepth=32 \
    --offset=64m --size=128m --time_based --runtime=600 >/out/fio-endless.log 2>&1 &
in_flight() { [ "$(awk '{ print $2 }' "/sys/block/${disk##*/}/inflight")" -gt 8 ]; }
wait_until 60 in_flight || die "crash: fio does not write: $(cat /out/fio-endless.log)"
touch /out/writing
wait
die "crash: nobody pulled the plug"
