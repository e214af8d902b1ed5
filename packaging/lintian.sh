#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Ask lintian about the packages: an error ends it, warnings are shown.
#
# usage: lintian.sh UNBOUND_FOLDER MXCLASH_FOLDER   each with a .changes
set -eu
# lsb-base is what the distribution's own package of Unbound names
lintian --fail-on error --suppress-tags depends-on-obsolete-package "$1"/*.changes
lintian --fail-on error "$2"/*.changes
