#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Unpack the distribution's own Unbound, and what it links against, without installing it.
#
# usage: stock-unbound.sh FOLDER
# Leaves FOLDER/unpacked, whose server is usr/sbin/unbound, or FOLDER/missing, a sentence that says why not.
set -eu

mkdir -p "$1"
cd "$1"
[ ! -x unpacked/usr/sbin/unbound ] || exit 0
rm -rf unpacked missing

if ! command -v apt-get > /dev/null; then
    echo "this system has no apt-get" > missing
    exit 0
fi
fetch() {
    for package in "$@"; do
        apt-get -qq -o APT::Sandbox::User= download "$package" > "$package.log" 2>&1 ||
            echo "not there: $package"
    done
}
fetch unbound python3-unbound
for file in unbound_*.deb; do
    [ -f "$file" ] || continue
    # names only, the first of alternatives
    for package in $(dpkg-deb -f "$file" Depends | sed 's/([^)]*)//g; s/|[^,]*//g; s/,/ /g'); do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null | grep -q '^installed' ||
            fetch "$package"
    done
done
for file in *.deb; do
    [ ! -f "$file" ] || dpkg-deb -x "$file" unpacked
done
if [ ! -x unpacked/usr/sbin/unbound ]; then
    echo "the package unbound cannot be had: $(tail -n 1 unbound.log)" > missing
    exit 0
fi
libraries=$(echo "$PWD"/unpacked/usr/lib/*-linux-gnu*)
lacks=$(LD_LIBRARY_PATH=$libraries ldd unpacked/usr/sbin/unbound | sed -n 's/ => not found//p')
[ -z "$lacks" ] || echo "libraries are missing:" $lacks > missing
