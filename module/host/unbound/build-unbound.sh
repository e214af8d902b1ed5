#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Build Unbound as the distribution's package builds it, plus dynlib, and its replay tester able to
# load modules.
#
# usage: build-unbound.sh HOST_DIR VERSION [EXTRA_CFLAGS [CONFIGURE_ARGUMENT...]]
#   HOST_DIR  gets package/ (the source), prefix/ (the installed server), testbound
#   VERSION   as in apt-source.sh
# The configure arguments are read out of the package's debian/rules, and the compiler's flags are
# dpkg-buildflags'. A tree without debian/ (upstream's own) takes those of packaged.configure. What
# differs from the package is below in own_arguments, and EXTRA_CFLAGS, which take the place of
# dpkg's.
# Keeps what is there: a source tree in HOST_DIR/package/tree, whoever unpacked it, and
# HOST_DIR/done marks a finished build. Exit status 3: the archives lack this version's source.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
host=$(mkdir -p "$1" && cd "$1" && pwd)
version=$2
extra_cflags=${3:-}
shift "$(($# > 3 ? 3 : $#))"
jobs=$(getconf _NPROCESSORS_ONLN)
[ ! -f "$host/done" ] || exit 0
# the flags that our own make was called with are not Unbound's: it would take them over its own
unset MAKEFLAGS MFLAGS MAKEOVERRIDES

run() { # say what is done, show its output only if it fails
    echo "unbound: $1 (log: build/${host##*/build/}/build.log)"
    shift
    "$@" >> "$host/build.log" 2>&1 || {
        status=$?
        tail -n 40 "$host/build.log" >&2
        exit "$status"
    }
}
: > "$host/build.log"
if [ -f "$host/package/tree/configure" ]; then
    echo "$host/package/tree" > "$host/package.path"
else
    run "fetching the source package, version: $version" \
        sh -c 'tree=$("$1" "$2" "$3") && echo "$tree" > "$2.path"' - \
        "$here/apt-source.sh" "$host/package" "$version"
    sed -n 's/^Unbound .* cannot be fetched$/unbound: &/p' "$host/build.log"
fi
cd "$(cat "$host/package.path")"

# the paths of this build, and no user to change to: the tests run it as whoever they are
own_arguments="--prefix=$host/prefix --sysconfdir=$host/prefix/etc --localstatedir=$host/prefix/var
    --with-dynlibmodule --with-username= --without-pyunbound"

# The arguments of the first dh_auto_configure of debian/rules, the server's, a line each.
packaged_arguments() {
    if [ -f debian/rules ]; then
        make -n -f debian/rules override_dh_auto_configure 2> /dev/null |
            sed -e ':join' -e '/\\$/{N;s/\\\n/ /;b join' -e '}' |
            sed -n 's/^.*dh_auto_configure .*--[[:space:]]//p' | head -n 1 | tr -d '"' | tr -s ' \t' '\n\n'
    else
        grep -v '^#' "$here/packaged.configure"
    fi
}
arguments=$(packaged_arguments)
case $arguments in
*--with-libevent*) ;;
*)
    echo "unbound: debian/rules of this package does not say how it is configured" >&2
    exit 1 ;;
esac
if [ -n "$extra_cflags" ] || ! command -v dpkg-buildflags > /dev/null; then
    cflags="-O2 -g $extra_cflags"
    ldflags=$extra_cflags
else
    export DEB_BUILD_MAINT_OPTIONS=hardening=+all
    cflags="$(dpkg-buildflags --get CPPFLAGS) $(dpkg-buildflags --get CFLAGS)"
    ldflags=$(dpkg-buildflags --get LDFLAGS)
fi
# the distribution's Python, whatever else is first in the path
[ ! -x /usr/bin/python3 ] || export PYTHON=/usr/bin/python3
# where the python module's own files go: not where the system's Python looks
export PYTHON_SITE_PKG="$host/prefix/python"
# the lists are words
# shellcheck disable=SC2086
run "configuring" ./configure $arguments $own_arguments CFLAGS="$cflags" LDFLAGS="$ldflags" "$@"
run "building, one or two minutes" make -j"$jobs"
run "installing under build/" make install
# the tester must export its symbols as the server does, or no module can find them
run "building the replay tester" make -j"$jobs" testbound LDFLAGS="-rdynamic $extra_cflags"
cp testbound "$host/testbound"
touch "$host/done"
