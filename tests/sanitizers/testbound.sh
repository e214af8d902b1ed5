#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Stands where the tests look for Unbound's replay tester, and runs it under memcheck.
#
# usage: testbound.sh OPTION...
#   MXCLASH_TESTBOUND  the real one
#   MXCLASH_REPORTS    the folder of reports; a file without a word in it is none
# keep-debuginfo: Unbound unloads us before it ends, and a leak should still name our function.
exec valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite \
    --errors-for-leak-kinds=definite --keep-debuginfo=yes --num-callers=30 \
    --log-file="$MXCLASH_REPORTS/report.%p" "$MXCLASH_TESTBOUND" "$@"
