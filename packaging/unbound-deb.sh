#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Rebuild the distribution's Unbound package with dynlib: its own source package, one more configure
# flag for the daemon, a version suffix, and nothing else.
#
# usage: unbound-deb.sh WORK_DIR VERSION
#   WORK_DIR  gets source/ (what apt fetched), tree/ (the built tree), the packages, and headers/:
#             what a module for this build is made with, that is its headers, the server, and the
#             package's version; build.log has all that was said
#   VERSION   as in module/host/unbound/apt-source.sh
# Environment: DEB_BUILD_OPTIONS as everywhere, by default nocheck; DEBFULLNAME and DEBEMAIL sign
# the changelog. Keeps a finished build.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
work=$(mkdir -p "$1" && cd "$1" && pwd)
[ ! -f "$work/done" ] || exit 0
suffix=+mxclash1
export LC_ALL=C.UTF-8 TZ=UTC0
# the distribution's tools, whatever else is first in the path
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
export DEB_BUILD_OPTIONS="${DEB_BUILD_OPTIONS-nocheck}"

: > "$work/build.log"
run() { # say what is done, show its output only if it fails
    echo "unbound: $1 (log: $work/build.log)"
    shift
    "$@" >> "$work/build.log" 2>&1 || {
        status=$?
        tail -n 40 "$work/build.log" >&2
        exit "$status"
    }
}

run "fetching the source package, version: $2" \
    "$here/../module/host/unbound/apt-source.sh" "$work/source" "$2"
rm -rf "$work/tree"
mv "$work/source/tree" "$work/tree"
cp "$work"/source/*.orig.tar.* "$work"
cd "$work/tree"

# The first dh_auto_configure is the daemon's, the second that of libunbound, which stays as it is.
sed '/dh_auto_configure .*-- \\$/{
    x
    s/^/x/
    /^x$/{
        x
        a\
		--with-dynlibmodule \\
        b
    }
    x
}' debian/rules > debian/rules.new
[ "$(diff debian/rules debian/rules.new | grep -c '^[<>]')" = 1 ] || {
    echo "unbound: debian/rules of this package does not say how it is configured" >&2
    exit 1
}
cat debian/rules.new > debian/rules
rm debian/rules.new

of_changelog() { dpkg-parsechangelog -S "$1"; }
version=$(of_changelog Version)$suffix
{
    printf 'unbound (%s) %s; urgency=medium\n\n' "$version" "$(of_changelog Distribution)"
    echo "  * Rebuild with --with-dynlibmodule, so that modules can be loaded."
    printf '\n -- %s <%s>  %s\n\n' "${DEBFULLNAME:-mxclash maintainers}" \
        "${DEBEMAIL:-maintainers@mxclash.example}" \
        "$(date -R -d "@$(($(of_changelog Timestamp) + 1))")" # the same for whoever builds it
    cat debian/changelog
} > debian/changelog.new
mv debian/changelog.new debian/changelog

run "building the package $version, some minutes" dpkg-buildpackage -us -uc
# the build lies in a folder of its own below the source's
rm -rf "$work/headers"
mkdir "$work/headers"
find . \( -path ./b -o -path ./debian \) -prune -o -name '*.h' -exec cp --parents -t "$work/headers" {} +
cd b/unbound
find . -name '*.h' -exec cp --parents -t "$work/headers" {} +
cp unbound "$work/headers"
echo "$version" > "$work/headers/version"
touch "$work/done"
