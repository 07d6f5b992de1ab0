#!/bin/bash
# sequence.sh PORTAL IQN LUN LUN2 ROUNDS: what an administrator does with two LUNs, with the kernel's own initiator:
# discovery, login by CHAP and digests, ext4 on the one and XFS on the other, files with checksums, fio with
# verification, logout, login again, everything still there, and the SCSI commands of sg3_utils.
# Environment: CHAP_USER CHAP_SECRET CHAP_TARGET_USER CHAP_TARGET_SECRET, DIGEST (CRC32C), FIO_SECONDS;
# ADVERTISED: discovery tells an address that the guest can reach; DISCOVERY_CHAP: discovery asks for a secret too;
# AFTER_CRASH: crash.sh was here before.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=sg.sh
. "$(dirname "$0")/sg.sh"
portal=${1:?PORTAL} iqn=${2:?IQN} ext4_lun=${3:?LUN} xfs_lun=${4:?LUN} rounds=${5:-1}
digest=${DIGEST:-CRC32C}

# login none|one-way|mutual [NAME=VALUE...]
login() {
    local settings how=$1; shift
    mapfile -t settings < <(chap_settings "$how")
    iscsi_login "$iqn" "$portal" "${settings[@]}" "node.conn[0].iscsi.HeaderDigest=$digest" \
        "node.conn[0].iscsi.DataDigest=$digest" "$@"
}
discovers() { iscsiadm -m discovery -t sendtargets -p "$portal" | tee /dev/stderr | grep -q " $iqn\$"; }
names_nothing() { ! discovers; }
discovery_by() {    # discovery_by SECRET: what iscsiadm proves itself by, from now on
    sed -i '/^discovery.sendtargets.auth/d' /etc/iscsi/iscsid.conf
    printf '%s\n' "discovery.sendtargets.auth.authmethod = CHAP" \
        "discovery.sendtargets.auth.username = $CHAP_USER" \
        "discovery.sendtargets.auth.password = $1" >>/etc/iscsi/iscsid.conf
}
login_as_found() {
    local setting
    for setting in $(chap_settings one-way); do
        iscsiadm -m node -T "$iqn" -o update -n "${setting%%=*}" -v "${setting#*=}" || return
    done
    iscsiadm -m node -T "$iqn" --login && iscsiadm -m node -T "$iqn" --logout
}

refused() { ! login "$@" && forget "$iqn" "$portal"; }
negotiated() { iscsiadm -m session -P 2 | grep -q "$1Digest: $digest"; }
logged_in_with_digests() { negotiated Header && negotiated Data; }

nodes() {
    wait_lun "$iqn" "$ext4_lun" && ext4_disk=$disk ext4_generic=$generic &&
        wait_lun "$iqn" "$xfs_lun" && xfs_disk=$disk xfs_generic=$generic
}

fill() {    # fill FOLDER: eight files of random bytes, and their sums beside it
    local n
    for n in 1 2 3 4 5 6 7 8; do head -c $((n * 250000)) /dev/urandom >"$1/file$n" || return; done
    mkdir -p "$1/copy" && cp "$1"/file* "$1/copy/" && (cd "$1" && sha256sum file* copy/*) >"/tmp/sums.$(basename "$1")"
}
sums_hold() { (cd "$1" && sha256sum -c --quiet "/tmp/sums.$(basename "$1")"); }
mount_both() { mount -t ext4 "$ext4_disk" /mnt/ext4 && mount -t xfs "$xfs_disk" /mnt/xfs; }
umount_both() { umount /mnt/ext4 && umount /mnt/xfs; }

# The same job writes and, by --verify_only, reads again after the next login.
fio_file() {
    fio --name=random --filename=/mnt/xfs/fio --ioengine=libaio --direct=1 --rw=randwrite --bs=4k --iodepth=32 \
        --size=32m --verify=crc32c --verify_fatal=1 --randseed=1 "$@"
}
fio_mixed() {
    fio --name=mixed --filename=/mnt/ext4/fio --ioengine=libaio --direct=1 --rw=randrw --bsrange=4k-128k \
        --iodepth=32 --size=64m --verify=crc32c --verify_fatal=1 --verify_backlog=64 --time_based \
        --runtime="${FIO_SECONDS:-15}"
}
# The memory unit is thin, and the file system knows it.
gives_back_blocks() { ! is_thin "$ext4_generic" || fstrim -v /mnt/ext4; }
fsck_both() { fsck.ext4 -fn "$ext4_disk" && xfs_repair -n "$xfs_disk"; }

round() {
    local r="round $1:"
    step "$r discovery"
    if [ -n "${DISCOVERY_CHAP:-}" ]; then
        discovery_by not-the-secret-2
        check "$r discovery with a wrong secret is refused" names_nothing
        discovery_by "$CHAP_SECRET"
    fi
    check "$r discovery" discovers || return
    if [ -n "${ADVERTISED:-}" ]; then
        check "$r the address found by discovery can be reached" login_as_found
    fi
    iscsiadm -m node -o delete >/dev/null 2>&1

    step "$r login"
    check "$r a wrong secret is refused" refused one-way node.session.auth.password=not-the-secret-0
    check "$r a target that does not know its own secret is refused" refused mutual \
        node.session.auth.password_in=not-the-secret-1
    check "$r login, CHAP one way, digests" login one-way || return
    check "$r digests are in force" logged_in_with_digests
    nodes || { fail "$r no disks"; return 1; }
    forget_messages
    if [ -n "${AFTER_CRASH:-}" ] && [ "$1" = 1 ]; then
        check "the pattern flushed before the crash is intact" pattern "$xfs_disk" --verify_only
    fi

    step "$r file systems"
    check "$r mkfs.ext4" mkfs.ext4 -q -F "$ext4_disk" || return
    check "$r mkfs.xfs" mkfs.xfs -q -f "$xfs_disk" || return
    check "$r mount" mount_both || return
    check "$r files on ext4" fill /mnt/ext4
    check "$r files on XFS" fill /mnt/xfs
    check "$r umount" umount_both || return
    drop_caches
    check "$r remount" mount_both || return
    check "$r sums on ext4" sums_hold /mnt/ext4
    check "$r sums on XFS" sums_hold /mnt/xfs

    step "$r fio, queue depth 32"
    check "$r fio random writes, verified" fio_file
    check "$r fio mixed sizes, verified" fio_mixed
    check "$r blocks that are free are unmapped" gives_back_blocks
    check "$r umount after fio" umount_both || return
    check "$r the kernel saw no error" kernel_is_content

    step "$r logout, login again"
    check "$r logout" iscsi_logout "$iqn" "$portal" || return
    check "$r the disks are gone" no_disk_left "$iqn" "$xfs_lun"
    check "$r login, CHAP mutual, digests" login mutual || return
    nodes || { fail "$r no disks after the second login"; return 1; }
    check "$r file systems are consistent" fsck_both
    check "$r mount again" mount_both || return
    check "$r sums on ext4 after the new login" sums_hold /mnt/ext4
    check "$r sums on XFS after the new login" sums_hold /mnt/xfs
    check "$r fio finds its data after the new login" fio_file --verify_only
    check "$r last umount" umount_both || return

    step "$r SCSI commands"
    sg_commands "$r memory:" "$ext4_disk" "$ext4_generic"
    sg_commands "$r file:" "$xfs_disk" "$xfs_generic"
    check "$r the kernel saw no error to the end" kernel_is_content
    sg_resets "$r" "$xfs_disk" "$xfs_generic"
    check "$r last logout" iscsi_logout "$iqn" "$portal"
}

scsi_drivers
modprobe -a ext4 xfs crc32c
mkdir -p /mnt/ext4 /mnt/xfs
start_iscsid
uname -r; iscsiadm --version
for n in $(seq "$rounds"); do
    round "$n" || { fail "round $n was not finished"; break; }
done
stop_iscsid
summary
