#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Install the Debian packages that a goal needs and this machine lacks.
#
# usage: install.sh GOAL...   with GOAL one of build, demo, check, bench, packages
# NO_INSTALL=1 only names what is missing and fails. Uses sudo when not root. Services that come
# with a package are not started, now or with the machine: the tests start their own on loopback.
set -eu

build="gcc make libc6-dev dpkg-dev libssl-dev libexpat1-dev libevent-dev libjansson-dev
    libxxhash-dev libsqlite3-dev libmicrohttpd-dev libpsl-dev publicsuffix libldns-dev bison flex
    pkg-config libnghttp2-dev libprotobuf-c-dev protobuf-c-compiler libsystemd-dev python3-dev swig
    libfstrm-dev"
servers="nsd pdns-server pdns-backend-sqlite3 tinydns python3 python3-dnspython"
check="libcmocka-dev prometheus python3-prometheus-client python3-yaml mandoc curl jq logrotate
    bind9-dnsutils ldnsutils python3-pytest python3-pytest-xdist clang clang-format g++ luajit abigail-tools
    libclang-rt-dev clang-tidy cppcheck llvm valgrind libhiredis-dev redis-server
    chromium fonts-dejavu-core fonts-wqy-zenhei apparmor systemd openssl
    unbound bind9 pdns-recursor fstrm-bin
    postgresql postgresql-common python3-psycopg2 rsyslog rsyslog-relp victoria-metrics"
packages="autoconf debhelper debootstrap dh-apparmor dh-python iproute2 libcmocka-dev libpython3-dev
    libtool lintian nettle-dev python3-pytest"

wanted=
for goal in "$@"; do
    case $goal in
    build) wanted="$wanted $build" ;;
    demo) wanted="$wanted $build $servers" ;;
    check) wanted="$wanted $build $servers $check" ;;
    bench) wanted="$wanted $build $servers $check dnsperf gnuplot-nox" ;;
    packages) wanted="$wanted $build $servers $packages" ;;
    *) echo "install.sh: no goal is called $goal" >&2; exit 2 ;;
    esac
done

if ! command -v dpkg-query > /dev/null; then
    echo "This system has no dpkg. mxclash needs what Debian calls:" $wanted >&2
    echo "If they are here under other names, go on with NO_DEPS=1." >&2
    exit 1
fi
# it would push out another mail server, so then its test is left out
case $wanted in
*"$check"*)
    if ! dpkg-query -W -f '${db:Status-Status} ${Provides}\n' |
        grep -q '^installed .*mail-transport-agent'; then
        wanted="$wanted postfix"
    fi
    # it may be here from elsewhere, and then Debian's does not come beside it
    command -v npm > /dev/null || wanted="$wanted npm" ;;
esac
missing=
for package in $wanted; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null) || status=
    [ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if [ -n "${NO_INSTALL:-}" ]; then
    echo "missing packages:$missing" >&2
    exit 1
fi
echo "installing:$missing"
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo

# invoke-rc.d and deb-systemd-invoke both ask this file whether a service may start
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    trap '$sudo rm -f $policy' EXIT INT TERM
    printf '#!/bin/sh\nexit 101\n' | $sudo tee $policy > /dev/null
    $sudo chmod 755 $policy
fi
mkdir -p build
log=build/install.log
# a package that not every Debian has: the tests that need it say so, and are left out
leave_out_if_unknown() {
    apt-cache show "$1" > /dev/null 2>&1 || missing=$(printf '%s ' $missing | sed "s/\b$1 //")
}
if ! { $sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq update &&
    leave_out_if_unknown victoria-metrics &&
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \
        $missing; } > $log 2>&1; then
    tail -n 20 $log >&2
    exit 1
fi

# A package's service is enabled though it was not started. Two name servers and a Prometheus that
# come up with the machine are not what somebody wanted who typed `make check`.
command -v systemctl > /dev/null || exit 0
for package in $missing; do
    services=$(dpkg -L "$package" |
        sed -n 's|^\(/usr\)\?/lib/systemd/system/\([^/@]*\.service\)$|\2|p')
    [ -z "$services" ] || $sudo systemctl disable $services >> $log 2>&1 ||
        echo "still enabled, see build/install.log: "$services >&2
done
