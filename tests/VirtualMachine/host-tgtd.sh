#!/bin/bash
# host-tgtd.sh PORT -- COMMAND...: runs COMMAND while Debian's tgtd serves on 127.0.0.1:PORT the target
# iqn.2026-11.io.scstd.test:yardstick with LUN 1 and LUN 2, 512 MiB each (XFS wants over 300). It shows whether a
# script of ours finds the fault in the target or has one itself.
# CHAP_USER and CHAP_SECRET, if set, are asked for; by CHAP_TARGET_USER and CHAP_TARGET_SECRET it proves itself.
set -euo pipefail
port=$1; shift 2
dir=/dev/shm/host-tgtd.$port ctl=$((port % 1000 + 1000))    # own control socket, so several can run
mkdir -p "$dir"
adm() { tgtadm -C $ctl --lld iscsi "$@"; }

tgtd -f -C $ctl --iscsi portal=127.0.0.1:"$port" >"$dir/log" 2>&1 &
pid=$!
stop() {    # tgtd ignores SIGTERM: it has to be told
    adm --op delete --mode target --tid 1 --force || true
    tgtadm -C $ctl --op delete --mode system || kill -9 $pid
    wait $pid || true
    rm -r "$dir"
}
trap stop EXIT
for _ in $(seq 50); do adm --op show --mode sys >/dev/null 2>&1 && break; sleep 0.1; done

adm --op new --mode target --tid 1 -T iqn.2026-11.io.scstd.test:yardstick
for lun in 1 2; do
    truncate -s 512M "$dir/disk$lun"
    adm --op new --mode logicalunit --tid 1 --lun $lun -b "$dir/disk$lun"
done
for digest in HeaderDigest DataDigest; do
    adm --op update --mode target --tid 1 --name $digest --value CRC32C,None
done
if [ -n "${CHAP_USER:-}" ]; then
    adm --op new --mode account --user "$CHAP_USER" --password "$CHAP_SECRET"
    adm --op bind --mode account --tid 1 --user "$CHAP_USER"
fi
if [ -n "${CHAP_TARGET_USER:-}" ]; then
    adm --op new --mode account --user "$CHAP_TARGET_USER" --password "$CHAP_TARGET_SECRET"
    adm --op bind --mode account --tid 1 --user "$CHAP_TARGET_USER" --outgoing
fi
adm --op bind --mode target --tid 1 -I ALL
"$@"
