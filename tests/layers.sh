#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Holds the direction of dependency: host -> runtime -> {core, output}.
# Core knows no output, no file, no clock, no log; output knows values, not the docket; only the
# Unbound adapter sees Unbound's headers.
set -eu
cd "$(dirname "$0")/.."
bad=0

forbid() { # what: where: pattern of an include
    if grep -nE "#include [<\"]($3)" $2; then
        echo "check-layers: $1" >&2
        bad=1
    fi
}

forbid "core may use libc, xxhash, libpsl and itself only" "module/core/*.[ch]" \
    'output/|runtime/|host/|event2/|jansson|sqlite3|ldns|time\.h|sys/time|sys/stat|fcntl|syslog|unistd'
forbid "output may not know runtime or host, and of the core only the public header" \
    "module/output/*.[ch]" 'runtime/|host/|core/'
forbid "runtime may not know a host" "module/runtime/*.[ch]" 'host/'
forbid "ask knows libevent, ldns and itself: neither a host nor the detector's insides" \
    "module/ask/*.[ch]" 'core/|output/|runtime/|host/|cli/|book/|web/|advice/|jansson|sqlite3'
forbid "of ask, runtime knows addresses only: the resolver's process needs no ldns" \
    "module/runtime/*.[ch] module/ask/address.[ch]" 'ldns|ask/(ask|name|inside)\.h'
forbid "advice is pure: of the core the providers, no file, no clock, no book" "module/advice/*.[ch]" \
    'book/|output/|runtime/|host/|cli/|web/|event2/|jansson|sqlite3|time\.h|sys/stat|fcntl|unistd'
forbid "the book knows the public header and itself" "module/book/*.[ch]" \
    'core/|runtime/|host/|cli/|web/|advice/'
forbid "the resolver's process has no book" \
    "module/core/*.[ch] module/output/*.[ch] module/runtime/*.[ch] module/host/unbound/*.[ch]" \
    'sqlite3|book/|advice/|web/'
forbid "Unbound's headers belong into module/host/unbound" \
    "module/core/*.[ch] module/output/*.[ch] module/runtime/*.[ch] module/cli/*.[ch] include/*.h" \
    'config\.h"|util/|services/|iterator/|sldns/|dynlibmod/'
if grep -n '#include <libpsl' module/core/*.[ch] | grep -v '/registrable\.c:'; then
    echo "check-layers: libpsl is registrable.c's" >&2
    bad=1
fi
if grep -nE '\b(printf|fprintf|time|gettimeofday|clock_gettime|open|fopen)\(' module/core/*.[ch]; then
    echo "check-layers: core opens, prints and times nothing" >&2
    bad=1
fi
[ $bad = 0 ] && echo "check-layers: ok"
exit $bad
