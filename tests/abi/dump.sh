#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Write down the ABI of a library as abidiff reads it: what the public header shows, and no more.
#
# usage: dump.sh LIBRARY
exec abidw --no-show-locs --no-corpus-path --no-comp-dir-path --drop-private-types \
    --exported-interfaces-only --headers-dir "$(dirname "$0")/../../include" "$1"
