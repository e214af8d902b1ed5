#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Holds the direction of dependency: which folder may include which. What stands in no line of the
# table may not, and a folder that has no line is a fault.
set -eu
cd "$(dirname "$0")/.."
bad=0

# folder below module/: what it may include besides mxclash.h, the C library and itself
table='
core/base:
core/dns:       core/base
core/providers: core/base core/dns
core/recall:    core/base core/dns
core/mailbox:   core/base core/dns core/providers core/recall
core/limits:    core/base core/dns
core/cases:     core/base core/dns core/providers core/mailbox core/limits
core/engine:    core/base core/dns core/providers core/recall core/mailbox core/limits core/cases
output:         core/base
ask:
runtime:        core/base core/providers core/engine output ask
advice:         core/providers
book:           output advice
web:            output advice book
cli:            core/providers output runtime ask advice book web
host/unbound:   ask core/engine runtime
prove:          core/base output ask
host/dnstap:    core/base core/dns core/engine output runtime prove
host/inside:    ask core/engine output prove
'

fault() {
    echo "check-layers: $1" >&2
    bad=1
}

for folder in $(git ls-files 'module/*.[ch]' | sed -E 's|^module/(.*)/[^/]*$|\1|' | sort -u); do
    if ! allowed=$(printf '%s' "$table" | grep "^$folder:"); then
        fault "module/$folder has no line in tests/layers.sh"
        continue
    fi
    # what is no file below module/ is of the same folder, or of Unbound's, which is looked for below
    for header in $(cat module/"$folder"/*.[ch] | sed -nE 's/^#include "(.*)"$/\1/p' | sort -u); do
        [ -e "module/$header" ] || continue
        to=${header%/*}
        [ "$to" = "$folder" ] || printf '%s ' "${allowed#*:}" | grep -q " $to " ||
            fault "module/$folder may not include $header"
    done
done

forbid() { # what: where: pattern of an include
    if grep -nE "#include [<\"]($3)" $2; then
        fault "$1"
    fi
}

forbid "core may use libc, xxhash, libpsl and itself only" "module/core/*/*.[ch]" \
    'event2/|jansson|sqlite3|ldns|time\.h|sys/time|sys/stat|fcntl|syslog|unistd'
forbid "of ask, runtime knows addresses only: the resolver's process needs no ldns" \
    "module/runtime/*.[ch] module/ask/address.[ch]" 'ldns|ask/(ask|name|inside)\.h'
forbid "ask is for hosts of every kind" "module/ask/*.[ch]" 'jansson|sqlite3'
forbid "advice is pure: no file, no clock" "module/advice/*.[ch]" \
    'event2/|jansson|sqlite3|time\.h|sys/stat|fcntl|unistd'
forbid "the resolver's process has no book" \
    "$(git ls-files 'module/*.[ch]' | grep -v '^module/book/')" 'sqlite3'
forbid "Unbound's headers belong into module/host/unbound" \
    "$(git ls-files 'module/*.[ch]' 'include/*.h' | grep -v '^module/host/unbound/')" \
    'config\.h"|util/|services/|iterator/|sldns/|dynlibmod/'
forbid "ldns must not come before stdbool.h: take ask/ldns.h" \
    "$(git ls-files 'module/*.[ch]' | grep -v '^module/ask/ldns\.h$')" 'ldns/'
if grep -n '#include <libpsl' module/core/*/*.[ch] | grep -v '/registrable\.c:'; then
    fault "libpsl is registrable.c's"
fi
if grep -nE '\b(printf|fprintf|time|gettimeofday|clock_gettime|open|fopen)\(' module/core/*/*.[ch]; then
    fault "core opens, prints and times nothing"
fi
[ $bad = 0 ] && echo "check-layers: ok"
exit $bad
