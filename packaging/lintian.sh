#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Ask lintian about packages: errors end it, warnings are shown. What it says of the distribution's
# own package too is not ours.
#
# usage: lintian.sh FOLDER...   each with a .changes
set -eu
status=0
for folder in "$@"; do
    lintian --fail-on error "$folder"/*.changes || status=1
done
exit $status
