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
demo=iqn.2026-11.io.scstd:demo

url() { echo "iscsi://127.0.0.1:$port/$1"; }     # url TARGET/LUN

names_all_luns() {
    iscsi-ls -s "iscsi://127.0.0.1:$port" | tee "$STAGE_OUT/ls"
    sed -nE 's/^Lun:([0-9]+) +Type:([A-Z_]+).*/\1 \2/p' "$STAGE_OUT/ls" >"$STAGE_OUT/luns"
    grep -q "Target:$demo" "$STAGE_OUT/ls" && printf '%s\n' "0 DIRECT_ACCESS" "1 DIRECT_ACCESS" "2 MEDIA_CHANGER" \
        "3 SEQUENTIAL_ACCESS" "4 SEQUENTIAL_ACCESS" | diff - "$STAGE_OUT/luns"
}
size_of() { iscsi-readcapacity16 -s "$(url "$1")"; }
has_size() { [ "$(size_of "$1")" = "$2" ]; }
inquiry_says_disk() { iscsi-inq "$(url "$1")" | tee /dev/stderr | grep -q 'Peripheral Device Type:DIRECT_ACCESS'; }
# The pages that this tool can read; the guest's sg_vpd reads every page that page 00h lists.
vpd_pages() { iscsi-inq -e 1 -c 0 "$(url "$1")" | sed -nE 's/^Page:0x(00|80|83|b0|b1|b2) .*/\1/p'; }

# An image of exactly the unit's size with data at its ends and in its middle, copied there and back.
image_survives() {  # image_survives TARGET/LUN
    local size image=$STAGE_OUT/image back=$STAGE_OUT/image.back
    size=$(size_of "$1")
    rm -f "$image" "$back"
    truncate -s "$size" "$image"
    dd if=/dev/urandom of="$image" bs=1M count=16 conv=notrunc status=none
    dd if=/dev/urandom of="$image" bs=1M count=8 seek=$((size / 2097152)) conv=notrunc status=none
    dd if=/dev/urandom of="$image" bs=1M count=4 seek=$((size / 1048576 - 4)) conv=notrunc status=none
    qemu-img convert -n -f raw -O raw -t none "$image" "$(url "$1")" &&
        qemu-img compare -f raw -F raw "$image" "$(url "$1")" &&
        qemu-img convert -f raw -O raw "$(url "$1")" "$back" && cmp "$image" "$back" && rm "$image" "$back"
}
# Writes that overlap, of odd sizes, many at a time, flushed; each piece read back with its pattern.
patterns_hold() {   # patterns_hold URL
    qemu-io -f raw -t none \
        -c 'write -P 0x11 0 8M' -c 'write -P 0x22 512 512' -c 'write -P 0x33 4096 1536' -c 'flush' \
        -c 'aio_write -P 0x44 8M 512k' -c 'aio_write -P 0x45 9M 64k' -c 'aio_write -P 0x46 10M 2M' \
        -c 'aio_write -P 0x47 13M 4k' -c 'aio_write -P 0x48 14M 1M' -c 'aio_flush' \
        -c 'write -f -P 0x55 20M 1M' -c 'write -z 21M 1M' \
        -c 'read -P 0x11 0 512' -c 'read -P 0x22 512 512' -c 'read -P 0x11 1024 3072' -c 'read -P 0x33 4096 1536' \
        -c 'read -P 0x11 5632 8382976' -c 'read -P 0x44 8M 512k' -c 'read -P 0x45 9M 64k' -c 'read -P 0x46 10M 2M' \
        -c 'read -P 0x47 13M 4k' -c 'read -P 0x48 14M 1M' -c 'read -P 0x55 20M 1M' -c 'read -P 0 21M 1M' \
        "$1" | tee "$STAGE_OUT/patterns"
    [ "${PIPESTATUS[0]}" = 0 ] && ! grep -qi 'fail\|error\|verif' "$STAGE_OUT/patterns"
}
refused() { ! "$@"; }

# With the demonstration target: what is there without a configuration.
peers() {
    local lun page unit
    check "iscsi-ls names the target and its units: disks, a changer, drives" names_all_luns
    check "LUN 0 has 256 MiB" has_size $demo/0 268435456
    for lun in 0 1; do
        unit=$demo/$lun
        check "LUN $lun iscsi-readcapacity16" iscsi-readcapacity16 "$(url $unit)"
        check "LUN $lun iscsi-inq" inquiry_says_disk $unit
        for page in $(vpd_pages $unit); do
            check "LUN $lun iscsi-inq page $page" iscsi-inq -e 1 -c $((16#$page)) "$(url $unit)"
        done
        check "LUN $lun qemu-img copies an image there and back" image_survives $unit
        check "LUN $lun qemu-io patterns" patterns_hold "$(url $unit)"
    done
    check "a LUN that is not there is refused" refused iscsi-readcapacity16 "$(url $demo/7)"
    check "a target that is not there is refused" refused iscsi-readcapacity16 "$(url $demo.not/0)"
}

# Targets that differ in who may come and how data travels; on epoll, so that both kernel interfaces are driven.
write_profiles() {
    cat <<YAML
reactors:
  io: epoll
limits:
  login_timeout: 3s
devices:
  plain: {store: memory, size: 64MiB}
  big_blocks: {store: memory, size: 256MiB, block_size: 4096}
  # What the suite needs to try everything: thin, with a medium that can be ejected, and a larger physical block.
  rich: {store: memory, size: 256MiB, thin: yes, removable: yes, physical_block_size: 4KiB}
  thin: {store: memory, size: 64MiB, thin: yes}
  direct: {store: file, path: direct.disk, size: 64MiB, io: direct, write_cache: no}
portals:
  four: 127.0.0.1:$port
  six: "[::1]:$port"
  path2: {address: "127.0.0.1:$path2_port", tag: 2}     # another target port: another path
targets:
  $name:plain: {luns: {0: plain}}
  $name:rich: {luns: {0: rich}}
  $name:thin: {luns: {0: thin}}
  $name:thin-read-only: {luns: {0: {device: thin, read_only: yes}}}
  $name:blocks: {luns: {0: big_blocks}}
  $name:direct: {luns: {0: direct}}
  $name:chap:
    authentication: {users: [{name: alice, secret: alices-secret-1}]}
    luns: {0: plain}
  $name:read-only: {luns: {0: {device: plain, read_only: yes}}}
  $name:asked: {negotiation: {InitialR2T: yes, ImmediateData: no, MaxBurstLength: 16KiB}, luns: {0: plain}}
  $name:pieces:
    negotiation: {MaxRecvDataSegmentLength: 4KiB, FirstBurstLength: 12KiB, MaxOutstandingR2T: 1}
    luns: {0: plain}
  $name:digests: {negotiation: {HeaderDigest: CRC32C}, luns: {0: plain}}
  $name:group:
    groups:
      - {name: friends, initiators: "iqn.2026-11.io.scstd.test:friend*", luns: {0: plain}}
YAML
}
sees() { iscsi-ls -i "$1" "iscsi://127.0.0.1:$port" | grep -q "Target:$2 "; }
profiles() {
    local chap="127.0.0.1:$port/$name:chap/0"
    check "a user with the right secret comes in" iscsi-readcapacity16 "iscsi://alice%alices-secret-1@$chap"
    check "a wrong secret is refused" refused iscsi-readcapacity16 "iscsi://alice%alices-secret-2@$chap"
    check "an unknown user is refused" refused iscsi-readcapacity16 "iscsi://mallory%alices-secret-1@$chap"
    check "nobody comes in without a secret" refused iscsi-readcapacity16 "iscsi://$chap"
    check "IPv6" iscsi-readcapacity16 "iscsi://[::1]:$port/$name:blocks/0"
    check "a write through a read-only LUN is refused" refused qemu-io -f raw -c 'write 0 4096' \
        "$(url "$name:read-only/0")"
    check "a read through a read-only LUN is served" qemu-io -r -f raw -c 'read 0 4096' "$(url "$name:read-only/0")"
    for profile in asked pieces digests direct blocks; do
        check "qemu-io patterns, $profile" patterns_hold "$(url "$name:$profile/0")"
    done
    check "an initiator of the group sees its target" sees iqn.2026-11.io.scstd.test:friend1 "$name:group"
    check "any other does not" refused sees iqn.2026-11.io.scstd.test:other "$name:group"
    check "nor can it log in" refused iscsi-readcapacity16 -i iqn.2026-11.io.scstd.test:other "$(url "$name:group/0")"
}

# What no initiator should say, answered or ended as RFC 7143 allows, while a bystander is served.
malformed() {
    "$here/malformed.py" "127.0.0.1:$port" "$name:plain" >"$STAGE_OUT/malformed.stdout" 2>&1
    count_results <"$STAGE_OUT/malformed.stdout"
    grep -q '^PASS' "$STAGE_OUT/malformed.stdout" || fail "malformed: nothing was judged"
}

suite() {   # suite COLUMN TARGET/LUN [OPTION...]
    local column=$1 unit=$2; shift 2
    echo "suite against $unit ($column)"
    "$here/conformance.py" --expected "$here/expected.tsv" --column "$column" --timeout "${CU_SECONDS:-60}" "$@" \
        "$(url "$unit")" "$STAGE_OUT/$column.tsv" >"$STAGE_OUT/$column.stdout" 2>&1
    grep -q '^all ' "$STAGE_OUT/$column.stdout" || fail "$column: the suite did not come to its end"
    count_results <"$STAGE_OUT/$column.stdout" >/dev/null
    grep -v '^PASS ' "$STAGE_OUT/$column.stdout"
}

# Whoever says that the suite is wrong says it in the page, by the clause.
explained() {
    local name
    while read -r name; do
        grep -q "${name#*.}" "$here/../../docs/conformance.md" || { echo "$name is not explained"; return 1; }
    done < <(awk -F'\t' 'NR > 1 && /\tFAIL\t/ { print $1 }' "$here/expected.tsv")
}

# Each line of mistakes.yaml that says so is reported at its line and a column, and nothing else is; status 1.
mistakes_are_found() {
    local file=$here/mistakes.yaml status line wrong=0
    "$SCSTD" --check "$file" >"$STAGE_OUT/mistakes" 2>&1
    status=$?
    cat "$STAGE_OUT/mistakes"
    while read -r line; do
        grep -q "mistakes.yaml:$line:[0-9]" "$STAGE_OUT/mistakes" || { echo "line $line is not reported"; wrong=1; }
    done < <(grep -n '# mistake:' "$file" | cut -d: -f1)
    [ $status = 1 ] && [ $wrong = 0 ] &&
        [ "$(grep 'mistakes.yaml:[0-9]' "$STAGE_OUT/mistakes" | grep -vc ': warning: ')" = 10 ]
}

settled() {     # every session is over: nothing of it may be left
    returns_to "$before" "$1:"
    check "$1: the daemon logged no error" quiet
}
quiet() { ! daemon_complaints; }

check "docs/conformance.md explains every failure that is expected" explained
check "scstd --check finds ten planted mistakes at their places" mistakes_are_found

port=$(free_port)
if start_daemon demonstration --data "$STAGE_OUT/data" --listen "127.0.0.1:$port"; then
    before=$(held)
    peers
    suite memory $demo/0
    suite file $demo/1
    settled demonstration
    stop_daemon
fi

port=$(free_port) path2_port=$(free_port) name=iqn.2026-11.io.scstd.test
write_profiles >"$STAGE_OUT/profiles.yaml"
check "scstd --check finds nothing wrong with the profiles" "$SCSTD" --check "$STAGE_OUT/profiles.yaml"
if start_daemon profiles --config "$STAGE_OUT/profiles.yaml"; then
    before=$(held)
    profiles
    malformed
    suite blocks $name:blocks/0 --listed-only --second-url "iscsi://127.0.0.1:$path2_port/$name:blocks/0"
    suite rich $name:rich/0 --listed-only --second-url "iscsi://127.0.0.1:$path2_port/$name:rich/0"
    suite thin $name:thin/0 --listed-only
    suite read-only $name:thin-read-only/0 --listed-only
    settled profiles
    stop_daemon
fi
summary
