#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Build the Debian packages of mxclash for one build of Unbound's package.
#
# usage: deb.sh WORK_DIR UNBOUND_HEADERS [TARBALL]
#   WORK_DIR         gets the source package and the packages; build.log has all that was said
#   UNBOUND_HEADERS  as packaging/unbound-deb.sh leaves it
#   TARBALL          of the source; packaging/dist.sh makes one if it is not given
# DEB_BUILD_OPTIONS as everywhere; UPLOT as in the Makefile, none by default.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
UNBOUND_SRC=$(cd "$2" && pwd)
given=${3:+$(realpath "$3")}
rm -rf "$1"
work=$(mkdir -p "$1" && cd "$1" && pwd)
export UNBOUND_SRC LC_ALL=C.UTF-8 TZ=UTC0
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
# what the caller's make has in mind is not meant for this build
unset MAKEFLAGS MAKELEVEL MFLAGS

tarball=${given:-$("$here/dist.sh" "$work")}
name=$(tar tf "$tarball" | sed -n '1s|/.*||p')
cp "$tarball" "$work/${name%-*}_${name##*-}.orig.tar.gz"
rm -f "$work/$name.tar.gz"
cd "$work"
tar xf ./*.orig.tar.gz
cd "$name"
echo "mxclash: building the packages $(dpkg-parsechangelog -S Version) (log: $work/build.log)"
dpkg-buildpackage -us -uc > "$work/build.log" 2>&1 || {
    tail -n 40 "$work/build.log" >&2
    exit 1
}
