#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Ask lintian about the packages: an error or a warning ends it.
#
# usage: lintian.sh UNBOUND_FOLDER MXCLASH_FOLDER   each with a .changes
set -eu

# What the distribution's own package of Unbound has is its own: it names lsb-base, and its helper has
# no manual. What we change is no upload to the distribution by somebody who does not maintain it.
theirs=depends-on-obsolete-package,no-manual-page
theirs=$theirs,no-nmu-in-changelog,source-nmu-has-incorrect-version-number
# There is no request for this package that an upload could close. debian/ lies in the tarball, too.
ours=initial-upload-closes-no-bugs,no-debian-changes

[ "$(id -u)" != 0 ] || set -- "$@" --allow-root
unbound=$1
mxclash=$2
shift 2
lintian "$@" --fail-on error,warning --suppress-tags "$theirs" "$unbound"/*.changes
lintian "$@" --fail-on error,warning --suppress-tags "$ours" "$mxclash"/*.changes
