#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Check how what we ship is linked: hardened as docs/building.md says, and exporting only what it must.
#
# usage: elf.sh MODULE LIBRARY PROVER PROGRAM...   of the two libraries, what its header shows
set -eu
export LC_ALL=C

status=0
fault() { # file, what is wrong
    echo "check-elf: $1: $2" >&2
    status=1
}
has() { # text, pattern
    printf '%s\n' "$1" | grep -Eq -- "$2"
}
exports() { # file
    nm -D --defined-only "$1" | awk '$2 != "A" { print $NF }' | sort | tr '\n' ' '
}

check() { # file, now or lazy: whether all it needs is bound at the start, a function in it
    headers=$(readelf -lW "$1")
    dynamic=$(readelf -dW "$1")
    has "$headers" '^ *GNU_RELRO ' || fault "$1" "no RELRO"
    has "$headers" '^ *GNU_STACK .* RW +0x' || fault "$1" "an executable stack"
    ! has "$headers" '^ *LOAD .* RWE ' || fault "$1" "a segment that is writable and executable"
    ! has "$dynamic" 'TEXTREL' || fault "$1" "relocations in its text"
    ! has "$dynamic" '\((RPATH|RUNPATH)\)' || fault "$1" "a search path of its own for libraries"
    [ "$2" = lazy ] || has "$dynamic" 'BIND_NOW|Flags:.* NOW' || fault "$1" "no BIND_NOW"
    nm -D "$1" | grep -q ' U __stack_chk_fail' || fault "$1" "no stack protector"
    nm -D "$1" | grep -q ' U __.*printf_chk' || fault "$1" "no FORTIFY_SOURCE"
    # Debian's crti.o is not marked for it, so no file is: see whether our code has it
    ! has "$(readelf -hW "$1")" 'Machine:.*X86-64' ||
        has "$(objdump -d --no-show-raw-insn --disassemble="$3" "$1")" 'endbr64' ||
        fault "$1" "no control-flow protection"
}

module=$1
library=$2
prover=$3
shift 3

# Unbound must be able to load a module of another build, or it could not say that it is one.
check "$module" lazy operate
[ "$(exports "$module")" = "clear deinit get_mem inform_super init operate " ] ||
    fault "$module" "exports $(exports "$module")"
# Unbound loads modules with RTLD_GLOBAL: such a call would reach the function of whichever is first.
for symbol in $(readelf -rW "$module" | awk '{ print $5 }'); do
    case $symbol in
    clear | deinit | get_mem | inform_super | init | operate)
        fault "$module" "calls its own $symbol by name"
        ;;
    esac
done

# The resolver's process is to have no more in it than the module needs: the book is another's.
! has "$(readelf -dW "$module" "$library")" 'NEEDED.*(sqlite|microhttpd|ldns)' ||
    fault "$module" "a library of the operator's command is linked in"

check_library() { # file, header, version of its symbols, a function in it
    check "$1" now "$4"
    declared=$(grep -Eo '\bmxclash_[a-z_0-9]+\(' "$2" | tr -d '(' | sort -u)
    exported=$(exports "$1" | tr ' ' '\n')
    for symbol in $exported; do
        printf '%s\n' "$declared" | grep -qx "${symbol%@@"$3"_[0-9]*}" || fault "$1" "exports $symbol"
    done
    for symbol in $declared; do
        # who is named in a comment of the second header is the first one's
        [ "$1" = "$library" ] || ! grep -q "\b$symbol(" include/mxclash.h || continue
        printf '%s\n' "$exported" | grep -qx "$symbol@@$3_[0-9]*" ||
            fault "$1" "does not export $symbol with a version"
    done
    soname=$(basename "$1").1
    has "$(readelf -dW "$1")" "SONAME.*\[$soname\]" || fault "$1" "another soname than $soname"
}
check_library "$library" include/mxclash.h MXCLASH mxclash_inspect
check_library "$prover" include/mxclash-prover.h MXCLASH_PROVER mxclash_prover_go
# A thread of it may run when a host lets go of it.
has "$(readelf -dW "$prover")" 'NODELETE' || fault "$prover" "it can be unloaded"
has "$(readelf -dW "$prover")" 'NEEDED.*libmxclash\.so\.1\]' ||
    fault "$prover" "it has the detector from somewhere else"

for program in "$@"; do
    check "$program" now main
    has "$(readelf -dW "$program")" 'Flags:.* PIE' || fault "$program" "no position-independent program"
done
[ $status != 0 ] || echo "check-elf: ok"
exit $status
