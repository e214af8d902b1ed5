#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Fetch and unpack Unbound's source package from the archives this machine already uses.
#
# usage: apt-source.sh WORK_DIR VERSION
#   WORK_DIR  gets apt's lists, the package's files and the unpacked tree; nothing else is touched
#   VERSION   upstream version as 1.17.1, or "distribution" for this release's newest
# Prints the path of the unpacked tree. Exit status 3: no such source can be had; what to do is said.
set -eu

work=$(mkdir -p "$1" && cd "$1" && pwd)
version=$2
. /etc/os-release
release=${VERSION_CODENAME:?not a Debian release}

# The machine's binary sources as "URI suite keyring", from both of apt's formats.
machine_sources() {
    for file in /etc/apt/sources.list.d/*.sources; do
        [ -f "$file" ] || continue
        awk '
            function flush(    i, j, n, m, u, s) {
                if (types ~ /deb/ && enabled != "no") {
                    n = split(uris, u, " "); m = split(suites, s, " ")
                    for (i = 1; i <= n; i++) for (j = 1; j <= m; j++) print u[i], s[j], key
                }
                types = uris = suites = key = enabled = ""
            }
            /^#/ { next }
            /^[ \t]*$/ { flush(); next }
            tolower($1) == "types:" { types = $0 }
            tolower($1) == "enabled:" { enabled = tolower($2) }
            tolower($1) == "uris:" { $1 = ""; uris = $0 }
            tolower($1) == "suites:" { $1 = ""; suites = $0 }
            tolower($1) == "signed-by:" { key = $2 }
            END { flush() }' "$file"
    done
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -f "$file" ] || continue
        awk '$1 == "deb" {
            key = ""
            if (match($0, /signed-by=[^] ]+/)) key = substr($0, RSTART + 10, RLENGTH - 10)
            sub(/\[[^]]*\]/, "")
            print $2, $3, key }' "$file"
    done
}

# Which suites to look in: this release's own; for a version asked by name every release's.
suites_for() { # suite of the machine
    case $1 in
    "$release" | "$release-security")
        if [ "$version" = distribution ]; then
            echo "$1"
        else
            for other in bookworm trixie sid; do
                case $1 in
                *-security) [ "$other" = sid ] || echo "$other-security" ;;
                *) echo "$other" ;;
                esac
            done
        fi ;;
    "$release-updates") [ "$version" != distribution ] || echo "$1" ;;
    esac
}

mkdir -p "$work/parts" "$work/lists/partial" "$work/cache"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
machine_sources | sort -u | while read -r uri suite key; do
    for wanted in $(suites_for "$suite"); do
        signed=${key:-$keyring}
        case $signed in /*) [ -f "$signed" ] || signed= ;; *) signed= ;; esac
        printf 'Types: deb-src\nURIs: %s\nSuites: %s\nComponents: main\n' "$uri" "$wanted"
        [ -z "$signed" ] || printf 'Signed-By: %s\n' "$signed"
        echo
    done
done > "$work/parts/unbound.sources"
[ -s "$work/parts/unbound.sources" ] || {
    echo "no package source for $release found: unpack a release's source as $work/tree, or set" \
        "UNBOUND_SRC=DIR to a tree of your own that is built" >&2
    exit 3
}

apt_here() {
    tool=$1
    shift
    "$tool" -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$work/parts" \
        -o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" \
        -o APT::Sandbox::User= -o Acquire::Retries=3 "$@"
}
apt_here apt-get -qq update >&2 || echo "the archives' lists cannot be fetched" >&2
packaged=$(apt_here apt-cache showsrc --only-source unbound | sed -n 's/^Version: //p' | sort -ruV)
cd "$work"
# an archive's index can name what the archive has no more or not yet: then the next older one
fetched=
known=
for found in $packaged; do
    upstream=${found#*:}
    upstream=${upstream%-*}
    [ "$version" = distribution ] || [ "$upstream" = "$version" ] || continue
    known=$found
    if apt_here apt-get -qq source --download-only "unbound=$found" >&2; then
        fetched=$found
        break
    fi
    echo "Unbound $found is listed, and cannot be fetched" >&2
done
[ -n "$known" ] || {
    echo "no packaged Unbound $version found; packaged are:" ${packaged:-none} >&2
    echo "another release: unpack its source as $work/tree" >&2
    exit 3
}
[ -n "$fetched" ] || {
    echo "no source package of Unbound $version can be fetched: unpack a release's source as" \
        "$work/tree, or set UNBOUND_SRC=DIR to a tree of your own that is built" >&2
    exit 3
}
rm -rf "$work/tree.new" "$work/tree"
# apt has checked the files against the signed index
dpkg-source --no-check -x "unbound_${fetched#*:}.dsc" "$work/tree.new" >&2
# a tree is whole, or build-unbound.sh would take what an interrupted run left
mv "$work/tree.new" "$work/tree"
echo "$work/tree"
