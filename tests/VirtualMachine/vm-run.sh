#!/bin/bash
# vm-run.sh [options] SCRIPT [args...]
#
# Boots a throw-away Debian kernel under QEMU (software emulation: no KVM, no
# privileges needed), with the host's files as its root, and runs SCRIPT there.
# SCRIPT's output is this command's stdout, its exit status this command's.
#
# The guest sees every host path at the same place (writes go to memory and are
# lost; what the host changes after the guest has read it is not seen), and the
# folder OUT of the host, writable and never cached, at /out: the place to hand
# files over during a run.  The host's loopback services are at 10.0.2.2.
# Kernel modules: plain modprobe in the guest.
#
#   -t SEC       time limit for the whole run (default 600); exit status 124
#   -m MIB       memory (default 2048); files written in the guest live in it
#   -s N         CPUs (default 2)
#   -o OUT       folder for /out (default: a temporary one, removed on success)
#                afterwards: console.log, dmesg, rc, and what SCRIPT left there
#   -e VAR=VAL   environment for SCRIPT (repeatable)
#   -p FILE      file that gets the emulator's process id: killing it is pulling the guest's plug
#   -f PORT:GP   forward host 127.0.0.1:PORT to the guest's port GP (repeatable)
#   -k ARGS      more words for the kernel's command line
#   -q ARGS      more words for QEMU's command line (split at blanks)
#   --systemd    boot systemd as PID 1; SCRIPT runs as a unit after basic.target
#   --shell      no SCRIPT: a shell on this terminal
#   -v           copy the kernel's console to stderr
#
# Exit status 125: the guest ended without reporting one (panic, boot failure).
set -euo pipefail
{   # read as a whole, so that the file may be edited during a run
here=$(dirname "$(readlink -f "$0")")
limit=600 mem=2048 cpus=2 out='' kargs='' qargs='' fwd='' env=() sysd='' pidfile='' shell='' verbose=''
usage() { sed -n '2,/^set -/{/^set -/d;s/^# \{0,1\}//;p}' "$0"; }
while [ $# -gt 0 ]; do
    case $1 in
    -t) limit=$2; shift ;;
    -m) mem=$2; shift ;;
    -s) cpus=$2; shift ;;
    -o) out=$2; shift ;;
    -e) env+=("$2"); shift ;;
    -p) pidfile=$2; shift ;;
    -f) fwd+=",hostfwd=tcp:127.0.0.1:${2%%:*}-:${2##*:}"; shift ;;
    -k) kargs+=" $2"; shift ;;
    -q) qargs+=" $2"; shift ;;
    --systemd) sysd=1 ;;
    --shell) shell=1 ;;
    -v) verbose=1 ;;
    -h | --help) usage; exit 0 ;;
    -*) usage >&2; exit 2 ;;
    *) break ;;
    esac
    shift
done
[ -n "$shell" ] || [ $# -gt 0 ] || { usage >&2; exit 2; }
if [ ! -f "$here/initrd.gz" ] || [ ! -f "$here/k/version" ]; then "$here/vm-prepare.sh" >&2; fi
kver=${KVER:-$(<"$here/k/version")}

keep=1
[ -n "$out" ] || { out=$(mktemp -d /tmp/vm.XXXXXX); keep=''; }
mkdir -p "$out"
out=$(readlink -f "$out")
rm -f "$out"/{rc,dmesg,console.log}

argv=()
if [ $# -gt 0 ]; then
    case $1 in
    */*) argv=("$(readlink -f "$1")" "${@:2}") ;;
    *) argv=("$@") ;; # a command on the guest's PATH
    esac
fi
{
    printf 'VM_CWD=%q\nVM_SHELL=%q\n' "$PWD" "$shell"
    printf 'VM_ARGV=('; [ ${#argv[@]} = 0 ] || printf ' %q' "${argv[@]}"; printf ' )\n'
    for v in ${env[@]+"${env[@]}"}; do printf 'export %s=%q\n' "${v%%=*}" "${v#*=}"; done
} >"$out/vm.env"

init=$here/guest-init.sh
[ -z "$sysd" ] || init=$here/guest-systemd.sh
if [ -n "$shell" ]; then
    console=(-serial mon:stdio)
    limit=0
else
    # the script's output comes over a virtio-serial port, the console goes to a file
    # shellcheck disable=SC2054
    console=(-serial "file:$out/console.log" -monitor none
        -add-fd fd=3,set=1 -chardev file,id=so,path=/dev/fdset/1,append=on
        -device virtio-serial-pci -device virtserialport,chardev=so,name=vm.stdout)
fi

# shellcheck disable=SC2206,SC2054
cmd=(timeout --foreground "$limit" qemu-system-x86_64
    -machine q35 -accel tcg,thread=multi -cpu max -smp "$cpus" -m "$mem"
    -nodefaults -display none -no-reboot
    -kernel "$here/k/boot/vmlinuz-$kver" -initrd "$here/initrd.gz"
    -append "console=ttyS0 quiet log_buf_len=4M panic=-1 net.ifnames=0 mitigations=off vm.dir=$here vm.init=$init$kargs"
    -fsdev local,id=r,path=/,security_model=none,readonly=on,multidevs=remap
    -device virtio-9p-pci,fsdev=r,mount_tag=hostroot
    -fsdev "local,id=o,path=$out,security_model=none"
    -device virtio-9p-pci,fsdev=o,mount_tag=out
    -netdev "user,id=n0$fwd" -device virtio-net-pci,netdev=n0
    -device virtio-rng-pci
    ${pidfile:+-pidfile "$pidfile"}
    "${console[@]}" $qargs)

if [ -n "$shell" ]; then
    exec "${cmd[@]}"
fi
tailpid=''
if [ -n "$verbose" ]; then
    : >"$out/console.log"
    tail -f "$out/console.log" >&2 & tailpid=$!
fi
set +e
"${cmd[@]}" </dev/null 3>&1 | cat
qrc=${PIPESTATUS[0]}
set -e
[ -z "$tailpid" ] || kill "$tailpid"

if [ -f "$out/dmesg" ]; then
    bad=$(grep -cE 'BUG:|Oops|general protection|WARNING: CPU|blocked for more than|kernel BUG' "$out/dmesg") || true
    [ "$bad" = 0 ] || { echo "vm-run: the guest's kernel complained $bad times, see $out/dmesg" >&2; keep=1; }
fi
if [ -f "$out/rc" ]; then
    rc=$(cat "$out/rc")
elif [ "$qrc" = 124 ]; then
    echo "vm-run: time limit of $limit s reached" >&2
    rc=124
else
    echo "vm-run: the guest ended without a status (qemu: $qrc); its console:" >&2
    grep -m1 -A 20 -E 'BUG:|Oops|[Pp]anic' "$out/console.log" >&2 || tail -n 25 "$out/console.log" >&2 || true
    rc=125
fi
if [ -z "$keep" ] && [ "$rc" = 0 ]; then rm -r "$out"; else echo "vm-run: logs in $out" >&2; fi
exit "$rc"
}
