#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Make the source tarball of a release, the same octets each time.
#
# usage: dist.sh FOLDER
# In a git work tree: what HEAD has. In an unpacked tarball: what lies there. Prints the path.
set -eu

out=$(mkdir -p "$1" && cd "$1" && pwd)
cd "$(dirname "$0")/.."
name=mxclash-$(sed -n 's/^#define MXCLASH_VERSION "\(.*\)"/\1/p' include/mxclash.h)
file=$out/$name.tar.gz
if [ -e .git ]; then
    changed=$(git status --porcelain | wc -l)
    [ "$changed" = 0 ] || echo "dist: $changed files are not committed, and so not in it" >&2
    git -c tar.umask=0022 archive --format=tar --prefix="$name/" HEAD
else
    # all files of a tarball of ours have the time of the commit
    tar -c --sort=name --owner=root:0 --group=root:0 --mode=u+rwX,go+rX,go-w \
        --mtime="@$(stat -c %Y CHANGELOG.md)" --exclude=./build --exclude=__pycache__ \
        --transform="s|^\.|$name|" .
fi | gzip -9n > "$file.new"
mv "$file.new" "$file"
echo "$file"
