#!/bin/bash
# vm-prepare.sh: makes what vm-run.sh boots, beside this script and ignored by git:
#   k/          Debian's kernel package, unpacked (kept if it is there); k/version names it
#   initrd.gz   busybox + the modules needed to reach the root over 9p
# The kernel is the newest linux-image-6.1.0-*-amd64 that the package lists offer; KVER names another.
# Needs: busybox (static), cpio, kmod, dpkg; apt-get download for a missing k/.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")

newest_kernel() {
    apt-cache search --names-only '^linux-image-6\.1\.0-[0-9]+-amd64$' | cut -d' ' -f1 | sort -V | tail -n 1
}

kver=${KVER:-$(cat "$here/k/version" 2>/dev/null || true)}
if [ -z "$kver" ] || [ ! -d "$here/k/lib/modules/$kver/kernel" ]; then
    package=${KVER:+linux-image-$KVER}
    package=${package:-$(newest_kernel)}
    [ -n "$package" ] || { echo "vm-prepare: no linux-image-6.1.0-*-amd64: run apt-get update" >&2; exit 1; }
    kver=${package#linux-image-}
    tmp=$(mktemp -d)
    trap 'rm -r "$tmp"' EXIT
    chmod 755 "$tmp"
    (cd "$tmp" && apt-get -q download "$package")
    dpkg-deb -x "$tmp"/linux-image-*.deb "$here/k"
fi
[ -e "$here/k/lib/modules/$kver/modules.dep.bin" ] || depmod -b "$here/k" "$kver"

bb=$(command -v busybox)
if ldd "$bb" >/dev/null 2>&1; then
    echo "vm-prepare: $bb is not static: apt-get install busybox-static" >&2
    exit 1
fi

w=$(mktemp -d)
trap 'rm -r "$w" ${tmp:+"$tmp"}' EXIT
mkdir -p "$w/bin" "$w/m"
cp "$bb" "$w/bin/busybox"
install -m 755 "$here/initramfs-init" "$w/init"
# modprobe lists every module with what it needs, in insmod's order.
for m in virtio_pci 9pnet_virtio 9p overlay virtio_net virtio_console virtio-rng; do
    modprobe -d "$here/k" -S "$kver" --show-depends "$m"
done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r ko; do
    cp "$ko" "$w/m/"
    basename "$ko" >>"$w/modules.order"
done
(cd "$w" && find . -print0 | cpio --null -o -H newc --quiet | gzip -6) >"$here/initrd.gz"
echo "$kver" >"$here/k/version"
echo "vm-prepare: kernel $kver, $(wc -l <"$w/modules.order") modules in initrd.gz"
