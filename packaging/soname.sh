#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Have debian/ name the library's package after the soname.
#
# usage: soname.sh [--check] LIBRARY
# --check  only say whether it does; exit status 1 if not
set -eu
check=
[ "$1" != --check ] || { check=yes; shift; }
now=$(objdump -p "$1" | sed -n 's/^ *SONAME *libmxclash\.so\.\([0-9]*\)$/\1/p')
cd "$(dirname "$0")/.."
was=$(sed -n 's/^Package: libmxclash\([0-9]*\)$/\1/p' debian/control)
[ "$now" != "$was" ] || exit 0
[ -z "$check" ] || {
    echo "the library is libmxclash.so.$now and its package libmxclash$was: say packaging/soname.sh $1" >&2
    exit 1
}
sed -i "s/\blibmxclash$was\b/libmxclash$now/" debian/control docs/installing.md
sed -i "s/\blibmxclash\.so\.$was\b/libmxclash.so.$now/; s/\blibmxclash$was\b/libmxclash$now/" \
    "debian/libmxclash$was.symbols"
for file in debian/libmxclash"$was".*; do
    mv "$file" "debian/libmxclash$now${file#debian/libmxclash"$was"}"
done
