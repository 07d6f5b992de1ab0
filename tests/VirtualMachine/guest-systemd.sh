#!/bin/bash
# PID 1 after the initramfs with vm-run.sh --systemd: makes systemd's default
# target the command of vm-run.sh, after basic.target (journald, udev, sockets;
# none of the services that the host has enabled for multi-user.target), and
# becomes systemd.
u=/run/systemd/system
mkdir -p $u
cat >$u/vm-script.service <<E
[Unit]
Description=the command given to vm-run.sh
Requires=basic.target
After=basic.target
SuccessAction=poweroff-immediate
FailureAction=poweroff-immediate
[Service]
Type=oneshot
ExecStart=/bin/bash $(dirname "$0")/guest-init.sh
TimeoutStartSec=infinity
E
cat >$u/vm.target <<E
[Unit]
Description=vm-run.sh
Requires=basic.target vm-script.service
AllowIsolate=yes
E
# what the host has hooked into the early targets and a test does not want
for n in timers.target open-iscsi.service iscsid.socket systemd-timesyncd.service \
    systemd-pstore.service systemd-remount-fs.service \
    proc-sys-fs-binfmt_misc.automount systemd-binfmt.service; do
    ln -sf /dev/null $u/$n
done
# the rule that empties /tmp at boot would walk and hide all of the host's /tmp
mkdir -p /run/tmpfiles.d && ln -sf /dev/null /run/tmpfiles.d/tmp.conf
rm -f /.dockerenv /run/.containerenv    # else systemd takes this for a container
mount -t cgroup2 cgroup2 /sys/fs/cgroup 2>/dev/null
exec /lib/systemd/systemd --unit=vm.target --show-status=no
