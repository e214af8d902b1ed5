#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Write the public headers as LuaJIT's ffi.cdef() takes them: declarations only, and numbers as
# constants.
# bool, size_t and the types of stdint.h are known there.
#
# usage: ffi.sh HEADER...    CC honoured
set -eu

echo "/* SPDX-License-Identifier: BSD-3-Clause */"
echo "/* Made from mxclash.h and mxclash-prover.h, where everything is documented. For ffi.cdef() and its like. */"
sed -nE 's/^#define (MXCLASH_[A-Z_0-9]+) +([0-9]+)$/static const int \1 = \2;/p' "$@"
sed '/^#include/d' "$@" | ${CC:-cc} -E -P -U__GNUC__ -U__cplusplus -x c -
