#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Run a command whose processes watch themselves; fail if one of them left a report.
#
# usage: run.sh asan|tsan|memcheck FOLDER COMMAND...
#   FOLDER  what was built with the sanitizer, as build/asan; for memcheck a folder of its own.
#           Reports go to FOLDER/reports
# A pytest among the commands takes the plugin sanitizer_reports.py: it fails the test during which a
# report came.
set -eu

kind=$1
folder=$(cd "$2" && pwd)
shift 2
here=$(cd "$(dirname "$0")" && pwd)
reports=$folder/reports
rm -rf "$reports"
mkdir -p "$reports"

# every process writes its report to a file of its own, and ends with a status that no test expects
common="log_path=$reports/report:exitcode=99:print_suppressions=0"
# the folders where the tests look for what we build, see lab.py, test_replay.py and test_cli.py
case $kind in
asan)
    export ASAN_OPTIONS="$common:detect_leaks=1:detect_stack_use_after_return=1:\
strict_string_checks=1:check_initialization_order=1"
    export UBSAN_OPTIONS="$common:print_stacktrace=1"
    export MXCLASH_BUILD="$folder" HOST_DIR="$folder/unbound/.." MXCLASH_COMMAND="$folder/mxclash" ;;
tsan)
    export TSAN_OPTIONS="$common:history_size=6:second_deadlock_stack=1:\
suppressions=$here/tsan.supp"
    export MXCLASH_BUILD="$folder" HOST_DIR="$folder/unbound/.." MXCLASH_COMMAND="$folder/mxclash" ;;
memcheck)
    export HOST_DIR="$folder" ;;
*)
    echo "run.sh: $kind is none of asan, tsan, memcheck" >&2
    exit 2 ;;
esac
export MXCLASH_SANITIZER="$kind" MXCLASH_REPORTS="$reports" PYTHONPATH="$here"

status=0
"$@" || status=$?
for report in "$reports"/*; do
    [ -s "$report" ] || continue
    status=1
    echo "== $report" >&2
    head -n 60 "$report" >&2
done
exit $status
