#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Nothing goes round in a circle: no object takes a function or variable from one that takes one from
# it, be it by way of others, and no header includes one that includes it. What is taken is what the
# linker sees: a header that all share hides nothing of it.
#
# usage: circles.sh OBJECT...
set -eu
export LC_ALL=C
cd "$(dirname "$0")/.."
bad=0

hold() { # of what; stdin: pairs, the first uses the second
    pairs=$(cat)
    # who finds nothing to look at has looked in the wrong place
    [ -n "$pairs" ] || return 1
    if ! circles=$(printf '%s\n' "$pairs" | tsort 2>&1 >/dev/null); then
        # of one circle tsort names many; the first is the shortest way to see it
        circle=$(printf '%s\n' "$circles" | awk '/a loop/ { if (n++) exit; next } { print "   ", $2 }')
        printf 'check-layers: a circle %s:\n%s\n' "$1" "$circle" >&2
        return 1
    fi
}

git ls-files 'module/*.h' | xargs grep -HoE '^#include "[^"]+"' | sed -E 's|#include "(.*)"|\1|' |
    awk -F: '{
        from = $1; to = "module/" $2
        # a name without a folder is of the same folder, or of the host
        if ($2 !~ /\//) { to = from; sub(/[^\/]*$/, $2, to) }
        print from, to
    }' | hold "of headers" || bad=1

nm -A -P "$@" | awk '{
        unit = $1; sub(/:$/, "", unit); sub(/\.o$/, "", unit); sub(/^.*\/obj\//, "", unit)
        if ($3 == "U") { users[++count] = unit; wanted[count] = $2 }
        else if ($3 ~ /[A-Z]/) definer[$2] = unit
    }
    END { for (i = 1; i <= count; i++)
              if (definer[wanted[i]] && definer[wanted[i]] != users[i])
                  print users[i], definer[wanted[i]] }' | hold "of objects" || bad=1
[ $bad = 0 ] && echo "check-layers: no circles"
exit $bad
