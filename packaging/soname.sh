#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Have debian/ name the library's package after the soname in the Makefile: run once when that changes.
set -eu
cd "$(dirname "$0")/.."
now=$(sed -n 's/.*-soname,libmxclash\.so\.\([0-9]*\).*/\1/p' Makefile)
was=$(sed -n 's/^Package: libmxclash\([0-9]*\)$/\1/p' debian/control)
[ "$now" != "$was" ] || exit 0
sed -i "s/\blibmxclash$was\b/libmxclash$now/" debian/control
for file in debian/libmxclash"$was".*; do
    mv "$file" "debian/libmxclash$now${file#debian/libmxclash"$was"}"
done
