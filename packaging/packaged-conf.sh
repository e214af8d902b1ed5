#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The example of mxclash.conf as a package installs it: what was found goes to files that the package
# provides for. Everything else stays as by default.
#
# usage: packaged-conf.sh EXAMPLE
set -eu
sed -e 's|^#log-file: ""$|log-file: "/var/log/unbound-mxclash/mxclash.json"|' \
    -e 's|^#state-file: ""$|state-file: "/var/lib/unbound/mxclash.state"|' "$1"
