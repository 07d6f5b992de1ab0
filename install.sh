#!/bin/bash
# install.sh: builds scstd and installs it for systemd. Run as root; the .NET 10 SDK builds it, its runtime runs it.
#
#   /usr/lib/scstd/              the program, its schema and its pages
#   /usr/bin/scstd, scstctl      links to it and to its control program
#   /etc/scstd/scstd.yaml        the example; one that is there is left alone
#   /lib/systemd/system/scstd.service
#   /var/lib/scstd/              for disk files; the user scstd owns it
#
# Environment: DESTDIR installs below another root (for packages), and then makes no user and tells systemd nothing.
set -eu
cd "$(dirname "$0")"
destination=${DESTDIR:-}
library=$destination/usr/lib/scstd

if [ -z "$destination" ] && [ "$(id -u)" != 0 ]; then
    echo "install.sh: needs root, or DESTDIR" >&2
    exit 1
fi

staged=$(mktemp -d)
trap 'rm -rf "$staged"' EXIT
src/Scstd/Packaging/publish.sh "$staged" src/Scstd src/Scstctl

# What a umask would take away, the daemon's own user would miss.
install -d -m 0755 "$library" "$library/docs" "$destination/usr/bin" "$destination/lib/systemd/system"
install -d -m 0750 "$destination/etc/scstd" "$destination/var/lib/scstd"
cp -r "$staged"/. "$library"
chmod -R u=rwX,go=rX "$library"
install -m 0644 docs/*.md "$library/docs"
install -m 0644 docs/scstd.schema.json "$library"
ln -sfn ../lib/scstd/scstd "$destination/usr/bin/scstd"
ln -sfn ../lib/scstd/scstctl "$destination/usr/bin/scstctl"
install -m 0644 src/Scstd/Packaging/scstd.service "$destination/lib/systemd/system/scstd.service"
if [ -e "$destination/etc/scstd/scstd.yaml" ]; then
    echo "/etc/scstd/scstd.yaml is kept as it is"
else
    install -m 0640 src/Scstd/Packaging/scstd.yaml "$destination/etc/scstd/scstd.yaml"
fi
[ -z "$destination" ] || exit 0

id -u scstd >/dev/null 2>&1 ||
    useradd --system --user-group --home-dir /var/lib/scstd --shell /usr/sbin/nologin scstd
chown -R scstd:scstd /var/lib/scstd
chgrp scstd /etc/scstd /etc/scstd/scstd.yaml

# systemd starts it as its own user and without the environment of a shell: that user must reach the program, and the
# runtime must be found all the same.
if ! runuser -u scstd -- test -x /usr/lib/scstd/scstd; then
    echo "install.sh: the user scstd cannot execute /usr/lib/scstd/scstd: look at the modes of the folders above it" >&2
    exit 1
fi
if ! runuser -u scstd -- env -i /usr/bin/scstd --version >/dev/null 2>&1; then
    echo "install.sh: scstd does not find the .NET runtime by itself, or its user may not read it." >&2
    echo "Write into the file /etc/dotnet/install_location, in one line, the folder that dotnet is in:" >&2
    dirname "$(readlink -f "$(command -v dotnet)")" >&2
    exit 1
fi
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
fi
cat <<'EOF'
scstd is installed. Next:
    edit /etc/scstd/scstd.yaml
    scstd --check /etc/scstd/scstd.yaml
    systemctl enable --now scstd
EOF
