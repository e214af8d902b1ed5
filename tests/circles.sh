#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Nothing goes round in a circle: no unit, NAME.c and NAME.h together, uses another that uses it, be it
# by way of others. Once by what they include, and once by the functions and variables that the objects
# take from each other, which a header that is shared by all would hide.
#
# usage: circles.sh OBJECT...
set -eu
export LC_ALL=C
cd "$(dirname "$0")/.."
bad=0

hold() { # how it was looked for; stdin: pairs of units, the first uses the second
    if ! circles=$(tsort 2>&1 >/dev/null); then
        # of one circle tsort names many; the first is the shortest way to see it
        circle=$(printf '%s\n' "$circles" | awk '/a loop/ { if (n++) exit; next } { print "   ", $2 }')
        printf 'check-layers: a circle, %s:\n%s\n' "$1" "$circle" >&2
        return 1
    fi
}

git ls-files 'module/*.[ch]' | xargs grep -HoE '^#include "[^"]+\.h"' | sed -E 's|#include "(.*)"|\1|' |
    awk -F: '{
        from = $1; to = "module/" $2
        # a name without a folder is of the same folder
        if ($2 !~ /\//) { to = from; sub(/[^\/]*$/, $2, to) }
        sub(/\.[ch]$/, "", from); sub(/\.h$/, "", to)
        if (from != to) print from, to
    }' | hold "by what is included" || bad=1

nm -A -P "$@" | awk '{
        unit = $1; sub(/:$/, "", unit); sub(/\.o$/, "", unit); sub(/^.*\/obj\//, "", unit)
        if ($3 == "U") { users[++count] = unit; wanted[count] = $2 }
        else if ($3 ~ /[A-Z]/) definer[$2] = unit
    }
    END { for (i = 1; i <= count; i++)
              if (definer[wanted[i]] && definer[wanted[i]] != users[i])
                  print users[i], definer[wanted[i]] }' | hold "by what is called" || bad=1
[ $bad = 0 ] && echo "check-layers: no circles"
exit $bad
