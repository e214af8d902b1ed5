#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Make the tarball twice, and from it alone build, test, install and uninstall.
#
# usage: distcheck.sh WORK_DIR UNBOUND_TREE UNBOUND_BINARY
set -eu

here=$(cd "$(dirname "$0")" && pwd)
rm -rf "$1"
work=$(mkdir -p "$1" && cd "$1" && pwd)
tree=$2
binary=$3
unset MAKEFLAGS MAKELEVEL MFLAGS

fault() {
    echo "distcheck: $1" >&2
    exit 1
}
same() { # what, file, file
    cmp -s "$2" "$3" || fault "$1 is not the same twice"
}
files() { # folder
    (cd "$1" && find . -path ./build -prune -o ! -type d -printf '%p %m %l\n' | sort)
}

# what users and packagers are told is of this version
cd "$here/.."
version=$(sed -n 's/^#define MXCLASH_VERSION "\(.*\)"/\1/p' include/mxclash.h)
sed -n '/^## /{p;q}' CHANGELOG.md | grep -qwF "$version" ||
    fault "the first section of CHANGELOG.md is not that of $version"
head -n 1 debian/changelog | grep -qF "($version-" || fault "debian/changelog does not begin with $version"

first=$("$here/dist.sh" "$work/first")
same "the tarball" "$first" "$("$here/dist.sh" "$work/second")"
tar xf "$first" -C "$work"
name=$(basename "$first" .tar.gz)
cd "$work/$name"
files . > "$work/before"

# one made from the unpacked tarball holds the same
again=$(packaging/dist.sh "$work/again")
mkdir "$work/unpacked"
tar xf "$again" -C "$work/unpacked"
diff -r . "$work/unpacked/$name" || fault "a tarball made from the tarball differs"

ours() {
    make -s NO_DEPS=1 WERROR=-Werror UNBOUND_SRC="$tree" UNBOUND_BINARY="$binary" \
        DESTDIR="$work/installed" "$@" > "$work/log" 2>&1 || {
        tail -n 40 "$work/log" >&2
        fault "make $* fails"
    }
}
ours all
ours check-unit
ours install
for program in "bin/mxclash version" "sbin/mxclashd --version"; do
    told=$("$work/installed/usr/local/"$program) # two words
    [ "${told#* }" = "$version" ] || fault "the installed $program says $told"
done
grep -qxF "Version: $version" "$work/installed/usr/local/lib/pkgconfig/mxclash.pc" ||
    fault "the installed mxclash.pc is of another version"
test -f "$work/installed/usr/local/lib/mxclash/mxclash.so" || fault "no module was installed"
ours uninstall
left=$(find "$work/installed" ! -type d)
[ -z "$left" ] || fault "uninstall left $left"
files . | diff "$work/before" - || fault "the build writes outside of build/"
echo "distcheck: ok, $(sha256sum "$first" | cut -d ' ' -f 1)  ${first##*/}"
