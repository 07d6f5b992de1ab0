#!/bin/sh
# Compare scstd with tgt and istgt: the same load, the same core, in turn. `./benchmarks/peers/run.sh --help`
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$root/artifacts/benchmarks

missing='' guest=''
case " $* " in *" --fio-guest "*)
    guest='qemu-system-x86_64:qemu-system-x86 iscsid:open-iscsi fio:fio busybox:busybox-static cpio:cpio kmod:kmod' ;;
esac
for pair in gcc:gcc python3:python3 tgtd:tgt tgtadm:tgt istgt:istgt iscsi-perf:libiscsi-bin qemu-img:qemu-utils \
    perf:linux-perf strace:strace taskset:util-linux $guest; do
    PATH=$PATH:/usr/sbin:/sbin command -v "${pair%%:*}" >/dev/null || missing="$missing ${pair#*:}"
done
# qemu-img reaches iscsi:// through a module of its own package.
ls /usr/lib/*/qemu/block-iscsi.so >/dev/null 2>&1 || missing="$missing qemu-block-extra"
if [ -n "$missing" ]; then
    echo "installing:$missing"
    apt-get update -qq
    # shellcheck disable=SC2086  # a list of package names
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing >/dev/null
fi

mkdir -p "$build"
for folder in "$here/load" "$here/../floor"; do
    gcc -std=gnu11 -O2 -flto -Wall -Wextra -Wno-missing-field-initializers \
        -o "$build/iscsi-$(basename "$folder")" "$folder"/*.c
done
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$here" PATH="$PATH:/usr/sbin:/sbin"
exec python3 -m compare --root "$root" "$@"
