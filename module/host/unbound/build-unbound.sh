#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Build Unbound with dynlib, and its replay tester able to load modules.
#
# usage: build-unbound.sh HOST_DIR VERSION [EXTRA_CFLAGS [CONFIGURE_ARGUMENT...]]
#   HOST_DIR  gets package/ (the source), prefix/ (the installed server), testbound
#   VERSION   as in apt-source.sh
# Keeps what is there: a source tree in HOST_DIR/package/tree that was not fetched by us, and
# HOST_DIR/done marks a finished build.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
host=$(mkdir -p "$1" && cd "$1" && pwd)
version=$2
extra_cflags=${3:-}
shift "$(($# > 3 ? 3 : $#))"
jobs=$(getconf _NPROCESSORS_ONLN)
[ ! -f "$host/done" ] || exit 0

run() { # say what is done, show its output only if it fails
    echo "unbound: $1 (log: build/${host##*/build/}/build.log)"
    shift
    "$@" >> "$host/build.log" 2>&1 || {
        tail -n 40 "$host/build.log" >&2
        exit 1
    }
}
: > "$host/build.log"
if [ -f "$host/package/tree/configure" ] && [ ! -d "$host/package/lists" ]; then
    echo "$host/package/tree" > "$host/package.path"
else
    run "fetching the source package, version: $version" \
        sh -c '"$1" "$2" "$3" | tail -n 1 > "$2.path" && [ -s "$2.path" ]' - \
        "$here/apt-source.sh" "$host/package" "$version"
    sed -n 's/^Unbound .* cannot be fetched$/unbound: &/p' "$host/build.log"
fi
cd "$(cat "$host/package.path")"
run "configuring" ./configure --prefix="$host/prefix" --with-dynlibmodule --with-libevent \
    --with-pthreads --with-chroot-dir= --with-username= --disable-rpath --disable-flto \
    CFLAGS="-O2 -g $extra_cflags" "$@"
run "building, one or two minutes" make -j"$jobs"
run "installing under build/" make install
# the tester must export its symbols as the server does, or no module can find them
run "building the replay tester" make -j"$jobs" testbound LDFLAGS="-rdynamic $extra_cflags"
cp testbound "$host/testbound"
touch "$host/done"
