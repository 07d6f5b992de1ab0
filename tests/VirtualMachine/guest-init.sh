#!/bin/bash
# PID 1 of the guest, after the initramfs: runs the command that vm-run.sh left
# in /out/vm.env, reports its status and powers off.  Under systemd it is a
# unit's program instead of PID 1, and systemd powers off.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root LANG=C.UTF-8 TERM=${TERM:-dumb} IN_VM=1
# shellcheck disable=SC1091
. /out/vm.env   # VM_ARGV VM_CWD VM_SHELL and the -e variables

if [ -n "$VM_SHELL" ]; then
    (cd "$VM_CWD" && setsid -c bash -l) <>/dev/ttyS0 >&0 2>&1
    echo 0 >/out/rc
else
    # the virtio-serial port that is the host's stdout
    port=/dev/console
    for n in /sys/class/virtio-ports/*; do
        [ "$(<"$n/name")" != vm.stdout ] || port=/dev/${n##*/}
    done
    # A pipe between, since the port can be opened only once (think of /dev/stderr).
    mkfifo /run/vm.stdout
    cat /run/vm.stdout >"$port" & cat=$!
    (cd "$VM_CWD" && exec "${VM_ARGV[@]}") </dev/null >/run/vm.stdout 2>&1
    rc=$?
    # what is still in the pipe; not for ever, a daemon may keep it open
    for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 $cat 2>/dev/null && sleep 0.1; done
    dmesg >/out/dmesg
    echo $rc >/out/rc
fi
[ $$ != 1 ] || busybox poweroff -f
