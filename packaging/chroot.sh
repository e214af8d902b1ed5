#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Make a small Debian of this machine's release in a folder, from the archives this machine uses. It
# has systemd, and can be booted in a container.
#
# usage: chroot.sh FOLDER
# Keeps one that is there. Needs root.
set -eu

folder=$1
[ ! -f "$folder/etc/apt/sources.list.done" ] || [ ! -e "$folder/sbin/init" ] || exit 0
. /etc/os-release
release=${VERSION_CODENAME:?not a Debian release}

# "SITE SUITE" of every part that this machine has of the release's main section
parts=$(apt-get indextargets --format '$(SITE) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    awk -v release="$release" '$3 == "main" && ($2 == release || index($2, release "-") == 1) {
        print $1, $2 }' | sort -u)
site=$(echo "$parts" | awk -v release="$release" '$2 == release { print $1; exit }')
[ -n "$site" ] || {
    echo "chroot: the machine's archives have no $release" >&2
    exit 1
}
rm -rf "$folder"
mkdir -p "${folder%/*}"
debootstrap --variant=minbase --include=ca-certificates,dbus,systemd-sysv "$release" "$folder" "$site"
echo "$parts" | sed 's/^/deb /; s/$/ main/' > "$folder/etc/apt/sources.list"
# how this machine reaches them, and packages that were fetched stay
apt-config dump | grep -iE '^Acquire::(https?|Retries)' > "$folder/etc/apt/apt.conf.d/10machine" || true
chroot "$folder" apt-get -q update
touch "$folder/etc/apt/sources.list.done"
