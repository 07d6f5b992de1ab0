#!/bin/bash
# unit.sh BUILD UNIT: the daemon as systemd runs it (vm-run.sh --systemd): its unit with all its hardening, start,
# readiness, a crash and its restart, a mistake in the configuration, stop.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
build=${1:?BUILD} unit=${2:?UNIT}
url=iscsi://127.0.0.1:3260

install_daemon() {
    useradd --system --home-dir /nonexistent --shell /usr/sbin/nologin scstd
    mkdir -p /usr/lib/scstd /etc/scstd && cp -r "$build"/. /usr/lib/scstd/ &&
        ln -sf /usr/lib/scstd/scstd /usr/bin/scstd && cp "$unit" /etc/systemd/system/scstd.service || return
    cat >/etc/scstd/scstd.yaml <<'YAML'
devices:
  disk: {store: file, path: /var/lib/scstd/disk.img, size: 64MiB}
portals: {local: "127.0.0.1:3260"}
targets: {"iqn.2026-11.io.scstd.test:unit": {luns: {0: disk}}}
YAML
    chown -R scstd:scstd /etc/scstd && chmod 750 /etc/scstd && systemctl daemon-reload
}
main_pid() { systemctl show --property MainPID --value scstd; }
runs_again_as_another() { [ "$(main_pid)" != "$1" ] && [ "$(main_pid)" != 0 ] && systemctl is-active scstd; }
serves() { iscsi-ls -s $url | tee /dev/stderr | grep -q '^Lun:0'; }
writes_and_reads() {
    qemu-io -f raw -c 'write -f -P 0x5a 0 1M' -c 'read -P 0x5a 0 1M' $url/iqn.2026-11.io.scstd.test:unit/0
}
stays_down_after_a_mistake() {
    echo 'targts: {}' >>/etc/scstd/scstd.yaml
    ! systemctl restart scstd
    wait_until 30 systemctl is-failed scstd && [ "$(systemctl show --property ExecMainStatus --value scstd)" = 1 ] &&
        journalctl --unit scstd --no-pager | grep 'targts'
}

check "unit: installed" install_daemon || exit 1
check "unit: systemd finds nothing wrong with it" systemd-analyze verify /etc/systemd/system/scstd.service
check "unit: start waits until it serves" systemctl start scstd || journalctl --unit scstd --no-pager | tail -n 20
check "unit: serves" serves
check "unit: keeps data as its own user" writes_and_reads
pid=$(main_pid)
kill -KILL "$pid"
check "unit: is restarted after a crash" wait_until 90 runs_again_as_another "$pid"
check "unit: serves after the crash" wait_until 60 serves
check "unit: stop drains and succeeds" systemctl stop scstd
check "unit: stopped with status 0" test "$(systemctl show --property Result --value scstd)" = success
check "unit: a mistake in the configuration is told, and not tried again" stays_down_after_a_mistake
systemd-analyze security scstd --no-pager | tail -n 1
journalctl --unit scstd --no-pager >/out/journal
summary
