# Sourced by the guest scripts: the checks of every stage, and what tests with the real initiator need.
# shellcheck shell=bash
[ -n "${IN_VM:-}" ] || { echo "lib.sh: run me through vm-run.sh" >&2; exit 2; }
# What a check prints is kept on the host. (Sourced code uses the name, which shellcheck cannot see.)
export STAGE_OUT=/out
disk='' generic=''
# shellcheck source=../../stage.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../stage.sh"

step() { printf '\n=== [%4ds] %s\n' "$SECONDS" "$*"; }
# What cannot go on says so and ends; a check that failed is counted already.
die() { fail "$@"; exit 1; }

# please NAME: until the host has done it (run.sh, when_asked)
please() {
    touch "/out/please-$1"
    wait_until 120 [ -e "/out/done-$1" ] || { echo "the host did not $1"; return 1; }
}

# There is no udev in the guest: load the upper-level SCSI drivers yourself, device nodes come from devtmpfs.
scsi_drivers() { modprobe -a sd_mod sg "$@"; }

# Starts the real initiator daemon. It has to run before the first iscsiadm, which else asks systemd for it.
start_iscsid() {
    modprobe iscsi_tcp
    mkdir -p /run/lock/iscsi
    echo "InitiatorName=${1:-iqn.2026-11.io.scstd.test:guest}" >/etc/iscsi/initiatorname.iscsi
    # in a process group of its own: when it ends it signals all of its group
    setsid iscsid -f -d 0 >/tmp/iscsid.log 2>&1 &
    wait_until 60 grep -q ISCSIADM_ABSTRACT_NAMESPACE /proc/net/unix || die "iscsid: $(cat /tmp/iscsid.log)"
}
stop_iscsid() { iscsiadm -k 0; }

# lun_dev IQN LUN CLASS: the node (/dev/sda, /dev/sg0) that a session with IQN brought for that LUN
lun_dev() {
    local session device
    for session in /sys/class/iscsi_session/session*; do
        [ "$(cat "$session/targetname" 2>/dev/null)" = "$1" ] || continue
        for device in "$session"/device/target*/*:"$2/$3"/*; do
            [ ! -e "/dev/${device##*/}" ] || { echo "/dev/${device##*/}"; return 0; }
        done
    done
    return 1
}
# wait_lun IQN LUN: sets disk and generic to its two nodes as soon as both are there
wait_lun() {
    wait_until 60 lun_dev "$1" "$2" block && wait_until 60 lun_dev "$1" "$2" scsi_generic || return
    disk=$(lun_dev "$1" "$2" block) generic=$(lun_dev "$1" "$2" scsi_generic)
    echo "LUN $2: $disk $generic"
}
no_disk_left() { ! lun_dev "$1" "$2" block; }

# iscsi_login IQN PORTAL [NAME=VALUE...]: log in by a static record. A record found by discovery bears the address
# that the target sees itself at: for a target on the host's 127.0.0.1 that is the guest's own loopback.
iscsi_login() {
    local iqn=$1 portal=$2 nv; shift 2
    iscsiadm -m node -T "$iqn" -p "$portal" -o new >/dev/null || return
    for nv in "$@"; do
        iscsiadm -m node -T "$iqn" -p "$portal" -o update -n "${nv%%=*}" -v "${nv#*=}" || return
    done
    iscsiadm -m node -T "$iqn" -p "$portal" --login
}
iscsi_logout() { iscsiadm -m node -T "$1" -p "$2" --logout && forget "$1" "$2"; }
forget() { iscsiadm -m node -T "$1" -p "$2" -o delete; }

# The record's settings for CHAP, by the variables that run.sh gives: none, one-way, mutual.
chap_settings() {
    [ "$1" != none ] || return 0
    printf '%s\n' node.session.auth.authmethod=CHAP "node.session.auth.username=$CHAP_USER" \
        "node.session.auth.password=$CHAP_SECRET"
    [ "$1" != mutual ] || printf '%s\n' "node.session.auth.username_in=$CHAP_TARGET_USER" \
        "node.session.auth.password_in=$CHAP_TARGET_SECRET"
}

# What the kernel says when a device or a connection misbehaved, since the last call of forget_messages.
forget_messages() { messages_before=$(dmesg | wc -l); }
io_complaints() {
    dmesg | tail -n +$((messages_before + 1)) |
        grep -E 'I/O error|conn error|Buffer I/O|rejecting I/O|timing out command|corrupt|EXT4-fs error|XFS.*[Ee]rror'
}
kernel_is_content() { ! io_complaints; }

drop_caches() { sync; echo 3 >/proc/sys/vm/drop_caches; }

# The pattern that the crash must not touch: written, flushed, and after the crash read back.
pattern() {
    fio --name=pattern --filename="$1" --ioengine=libaio --direct=1 --rw=write --bs=64k --iodepth=32 --size=16m \
        --verify=crc32c --verify_fatal=1 --randseed=2 --fsync_on_close=1 "${@:2}"
}
