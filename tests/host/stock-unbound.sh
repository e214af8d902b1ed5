#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Unpack the distribution's own Unbound, and the libraries it names, without installing anything.
#
# usage: stock-unbound.sh FOLDER
# Prints nothing; the server is FOLDER/root/usr/sbin/unbound. Keeps what is there.
set -eu

mkdir -p "$1"
cd "$1"
[ ! -x root/usr/sbin/unbound ] || exit 0
packages=$(apt-cache depends --no-recommends --no-suggests unbound |
    sed -n 's/^ *Depends: \(lib[^<]*\)$/\1/p')
# the sandbox user of apt may not write here
apt-get -qq -o APT::Sandbox::User=root download unbound $packages
for package in ./*.deb; do
    dpkg -x "$package" root.new
done
mv root.new root
