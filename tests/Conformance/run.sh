#!/bin/bash
# run.sh: the daemon against initiators that others wrote: libiscsi's tools and its conformance suite, QEMU's block
# layer. What the suite must give is in expected.tsv, and why in docs/conformance.md.
# Environment: STAGE_OUT (folder for all logs), SCSTD (the daemon), CU_SECONDS (limit for each test: 60).
set -u
here=$(cd "$(dirname "$0")" && pwd)
STAGE_OUT=${STAGE_OUT:-$here/../../artifacts/conformance}
rm -rf "$STAGE_OUT"; mkdir -p "$STAGE_OUT" && STAGE_OUT=$(cd "$STAGE_OUT" && pwd)
# shellcheck source=../stage.sh
. "$here/../stage.sh"
target=iqn.2026-11.io.scstd:demo

url() { echo "iscsi://127.0.0.1:$port/$target/$1"; }

names_both_luns() {
    iscsi-ls -s "iscsi://127.0.0.1:$port" | tee "$STAGE_OUT/ls"
    grep -q "Target:$target" "$STAGE_OUT/ls" && [ "$(grep -c '^Lun:' "$STAGE_OUT/ls")" = 2 ]
}
size_of() { iscsi-readcapacity16 -s "$(url "$1")"; }
has_size() { [ "$(size_of "$1")" = "$2" ]; }
inquiry_says_disk() { iscsi-inq "$(url "$1")" | tee /dev/stderr | grep -q 'Peripheral Device Type:DIRECT_ACCESS'; }
vpd_pages() {   # what page 00h lists
    iscsi-inq -e 1 -c 0 "$(url "$1")" | sed -n 's/^Page:\(0x\)\{0,1\}\([0-9a-fA-F]*\).*/\2/p'
}

# An image of exactly the unit's size with data at its ends and in its middle, copied there and back.
image_survives() {  # image_survives LUN
    local size image=$STAGE_OUT/image.$1 back=$STAGE_OUT/image.$1.back
    size=$(size_of "$1")
    truncate -s "$size" "$image"
    dd if=/dev/urandom of="$image" bs=1M count=16 conv=notrunc status=none
    dd if=/dev/urandom of="$image" bs=1M count=8 seek=$((size / 2097152)) conv=notrunc status=none
    dd if=/dev/urandom of="$image" bs=1M count=4 seek=$((size / 1048576 - 4)) conv=notrunc status=none
    qemu-img convert -n -f raw -O raw -t none "$image" "$(url "$1")" &&
        qemu-img compare -f raw -F raw "$image" "$(url "$1")" &&
        qemu-img convert -f raw -O raw "$(url "$1")" "$back" && cmp "$image" "$back" && rm "$image" "$back"
}
# Writes that overlap, of odd sizes, many at a time, flushed; each piece read back with its pattern.
patterns_hold() {   # patterns_hold LUN
    qemu-io -f raw -t none \
        -c 'write -P 0x11 0 8M' -c 'write -P 0x22 512 512' -c 'write -P 0x33 4096 1536' -c 'flush' \
        -c 'aio_write -P 0x44 8M 512k' -c 'aio_write -P 0x45 9M 64k' -c 'aio_write -P 0x46 10M 2M' \
        -c 'aio_write -P 0x47 13M 4k' -c 'aio_write -P 0x48 14M 1M' -c 'aio_flush' \
        -c 'write -f -P 0x55 20M 1M' -c 'write -z 21M 1M' \
        -c 'read -P 0x11 0 512' -c 'read -P 0x22 512 512' -c 'read -P 0x11 1024 3072' -c 'read -P 0x33 4096 1536' \
        -c 'read -P 0x11 5632 8382976' -c 'read -P 0x44 8M 512k' -c 'read -P 0x45 9M 64k' -c 'read -P 0x46 10M 2M' \
        -c 'read -P 0x47 13M 4k' -c 'read -P 0x48 14M 1M' -c 'read -P 0x55 20M 1M' -c 'read -P 0 21M 1M' \
        "$(url "$1")" | tee "$STAGE_OUT/patterns.$1"
    [ "${PIPESTATUS[0]}" = 0 ] && ! grep -qi 'fail\|error\|verif' "$STAGE_OUT/patterns.$1"
}

peers() {
    local lun page
    check "iscsi-ls names the target and both units" names_both_luns
    check "LUN 0 has 256 MiB" has_size 0 268435456
    for lun in 0 1; do
        check "LUN $lun iscsi-readcapacity16" iscsi-readcapacity16 "$(url $lun)"
        check "LUN $lun iscsi-inq" inquiry_says_disk $lun
        for page in $(vpd_pages $lun); do
            check "LUN $lun iscsi-inq page $page" iscsi-inq -e 1 -c $((16#$page)) "$(url $lun)"
        done
        check "LUN $lun qemu-img copies an image there and back" image_survives $lun
        check "LUN $lun qemu-io patterns" patterns_hold $lun
    done
}

suite() {   # suite COLUMN LUN
    echo "suite against LUN $2 ($1)"
    "$here/conformance.py" --expected "$here/expected.tsv" --column "$1" --timeout "${CU_SECONDS:-60}" \
        "$(url "$2")" "$STAGE_OUT/$1.tsv" >"$STAGE_OUT/$1.stdout" 2>&1
    grep -q '^all ' "$STAGE_OUT/$1.stdout" || fail "$1: the suite did not come to its end"
    count_results <"$STAGE_OUT/$1.stdout" >/dev/null
    grep -v '^PASS ' "$STAGE_OUT/$1.stdout"
}

# Whoever says that the suite is wrong says it in the page, by the clause.
explained() {
    local name
    while read -r name; do
        grep -q "${name#*.}" "$here/../../docs/conformance.md" || { echo "$name is not explained"; return 1; }
    done < <(awk -F'\t' 'NR > 1 && /\tFAIL\t/ { print $1 }' "$here/expected.tsv")
}

port=$(free_port)
check "docs/conformance.md explains every failure that is expected" explained
start_daemon daemon --data "$STAGE_OUT/data" --listen "127.0.0.1:$port" || { summary; exit 1; }
peers
descriptors=$(open_descriptors "$daemon_pid")
suite memory 0
suite file 1
quiet() { ! daemon_complaints; }
descriptors_are_back() { [ "$(open_descriptors "$daemon_pid")" -le "$descriptors" ]; }
check "descriptors return to their start ($descriptors)" wait_until 60 descriptors_are_back
check "the daemon logged no error" quiet
stop_daemon
summary
