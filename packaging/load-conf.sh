#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# What loads the module in an Unbound whose chain of modules is the default of its build.
#
# usage: load-conf.sh CONFIG_H   of that build
set -eu
chain="validator iterator"
! grep -q '^#define CLIENT_SUBNET 1$' "$1" || chain="subnetcache $chain"
cat << END
# /etc/unbound/unbound.conf.d/mxclash.conf is a link to here while mxclash is loaded.
server:
    module-config: "dynlib $chain"
dynlib:
    dynlib-file: "/usr/lib/mxclash/mxclash.so"
END
