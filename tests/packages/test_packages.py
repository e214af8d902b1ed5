# SPDX-License-Identifier: BSD-3-Clause
"""The packages of the module in a Debian of their own, without an init system: installed, started,
asked, reloaded, rotated, upgraded, unloaded, removed, purged. `make check-packages` builds them and
runs this; it needs root and the machine's archives. The tests are one story, in their order.
"""

import json
import os
import re
import shutil
import subprocess

import pytest
from lab import BUILD, REPOSITORY
from story import PACKAGES, commands, events, give_packages, left_behind, upgrade

LOG = "/var/log/unbound-mxclash/mxclash.json"
STATE = "/var/lib/unbound/mxclash.state"
CONF = "/etc/unbound/mxclash.conf"
LINK = "/etc/unbound/unbound.conf.d/mxclash.conf"
LOCAL_PROFILE = "/etc/apparmor.d/local/usr.sbin.unbound"
UPGRADED = ["mxclash", "unbound-mxclash"]
pytestmark = pytest.mark.usefixtures("authority")


def unbound_pid(debian):
    (pid,) = debian.pids("unbound")
    return pid


def has_module(debian):
    return "/usr/lib/mxclash/mxclash.so" in debian.run(f"cat /proc/{unbound_pid(debian)}/maps")


def test_reproducible(tmp_path_factory):
    """Another folder, another time, another umask: the same octets."""
    folder = BUILD / "deb" / "elsewhere" / "again"
    uplot = (BUILD / "page" / "node_modules" / "uplot").resolve()
    (server,) = PACKAGES.glob("unbound_*.deb")
    (headers,) = [path.parent for path in (BUILD / "deb").glob("unbound-*/headers/version")
                  if f"_{path.read_text().strip()}_" in server.name]
    (tarball,) = (BUILD / "deb" / "mxclash").glob("*.orig.tar.gz")
    subprocess.run(["sh", "-c", 'umask 027; exec "$@"', "-", REPOSITORY / "packaging" / "deb.sh",
                    folder, headers, tarball], check=True,
                   env={**os.environ, "UPLOT": str(uplot) if uplot.exists() else "none",
                        "DEB_BUILD_OPTIONS": "nocheck parallel=2"})
    built = {path.name for path in (BUILD / "deb" / "mxclash").glob("*.deb")}
    assert built == {path.name for path in folder.glob("*.deb")}
    assert len(built) >= 6
    differ = [name for name in sorted(built) if
              (folder / name).read_bytes() != (BUILD / "deb" / "mxclash" / name).read_bytes()]
    assert differ == []


def test_library_for_a_program(tmp_path):
    """What the development package has is enough to build with, and the library's to run with."""
    for name in ["libmxclash[0-9]*", "libmxclash-dev"]:
        (package,) = [path for path in PACKAGES.glob(f"{name}_*.deb")
                      if "-dbgsym" not in path.name]
        subprocess.run(["dpkg-deb", "-x", package, tmp_path], check=True)
    (pc,) = tmp_path.rglob("mxclash.pc")
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "mxclash"], text=True, capture_output=True, check=True,
        env={**os.environ, "PKG_CONFIG_PATH": str(pc.parent),
             "PKG_CONFIG_SYSROOT_DIR": str(tmp_path)}).stdout.split()
    (tmp_path / "program.c").write_text(
        '#include <mxclash.h>\n#include <stdio.h>\n'
        'int main(void) { puts(mxclash_kind_name(mxclash_cname_and_mx)); }\n')
    subprocess.run(["gcc", "-o", tmp_path / "program", tmp_path / "program.c", *flags], check=True)
    told = subprocess.run([tmp_path / "program"], text=True, capture_output=True, check=True,
                          env={"LD_LIBRARY_PATH": str(pc.parent.parent)}).stdout
    assert told == "cname-and-mx\n"


def test_unbound_is_the_distributions_but_for_one_flag(debian):
    """Its package has the files of the distribution's, and its configure line one word more."""
    debian.run("mkdir -p /theirs && cd /theirs && apt-get download unbound && "
               "dpkg-deb -x unbound_*.deb . && rm unbound_*.deb", network=False)
    (package,) = PACKAGES.glob("unbound_*.deb")
    subprocess.run(["dpkg-deb", "-x", package, debian.path("/ours")], check=True)

    def files(root):
        return sorted(str(path.relative_to(root)) for path in root.rglob("*")
                      if not path.is_dir() and ".build-id" not in str(path))

    def line(root):
        octets = (debian.path(root) / "usr/sbin/unbound").read_bytes()
        return re.search(rb"\0(--build=[^\0]*)\0", octets).group(1).decode().split()

    assert files(debian.path("/ours")) == files(debian.path("/theirs"))
    assert [word for word in line("/ours") if word != "--with-dynlibmodule"] == line("/theirs")
    assert "--with-dynlibmodule" in line("/ours")
    debian.run("rm -r /ours /theirs")


def test_installed_as_documented(debian):
    """The commands of docs/installing.md, from the package to the first conflict."""
    give_packages(debian)
    debian.fetch(*(f"/packages/{name}_*.deb" for name in ["unbound", *UPGRADED]),
                 "bind9-dnsutils", "curl", "logrotate")
    debian.run("apt-get install -y bind9-dnsutils curl logrotate")
    install, ask, opened, counted = commands("From the package to the first conflict")
    out = debian.run(f"cd /packages; {install.splitlines()[0]}")
    assert debian.wait("unbound-control status")
    assert has_module(debian), out
    # nothing was asked yet, and no time service keeps the clock
    doctor = debian.run(install.splitlines()[1])
    assert re.findall(r"(?m)^bad .*", doctor) == []
    assert {"server", "module", "build", "configuration", "log-file", "http", "version"} <= set(
        re.findall(r"(?m)^ok    ([a-z-]+):", doctor))
    assert debian.run(ask.splitlines()[0]).split()[-1] == "192.0.2.10"
    debian.run(ask.splitlines()[1])
    event = json.loads(debian.wait(opened).splitlines()[0])
    assert (event["domain"], event["kind"], event["state"]) == (
        "example.com", "cname-and-mx", "confirmed")
    assert 'kind="cname-and-mx"} 1\n' in debian.run(counted)
    assert "ok    answers:" in debian.run(install.splitlines()[1])


def test_whose_files(debian):
    """Unbound writes the log, the group mxclash reads it, nobody else does."""
    assert debian.run(f"stat -c '%U %G %a' /var/log/unbound-mxclash {LOG}").splitlines() == [
        "unbound mxclash 2750", "unbound mxclash 640"]
    assert "setpriv" not in debian.run(
        f"setpriv --reuid=mxclash --regid=mxclash --clear-groups head -c 1 {LOG}")
    debian.run(f"setpriv --reuid=nobody --regid=nogroup --clear-groups cat {LOG}", fails=True)
    assert debian.run(f"cat {LOCAL_PROFILE}").splitlines()[-1] == (
        "include if exists <abstractions/unbound-mxclash>")
    assert debian.run("mxclash check-conf") == f"{CONF}: ok\n"


def test_manual_pages(debian):
    listed = debian.run("dpkg -L mxclash unbound-mxclash")
    for path in ["/usr/share/man/man1/mxclash.1.gz", "/usr/share/man/man5/mxclash.conf.5.gz"]:
        assert path in listed


def test_reload(debian):
    before = unbound_pid(debian)
    started = len(events(debian, LOG, "started"))
    debian.run("unbound-control reload")
    assert debian.wait("unbound-control status")
    assert unbound_pid(debian) == before
    assert len(events(debian, LOG, "started")) == started + 1
    assert "mx1.qiye.aliyun.com" in debian.run("dig @127.0.0.1 +short example.com MX")


def test_rotation_by_logrotate(debian):
    """No reload, and the next event is in the new file: that of a domain which nobody asked yet."""
    opened = len(events(debian, LOG, "opened"))
    before = unbound_pid(debian)
    debian.run("logrotate -f /etc/logrotate.d/unbound-mxclash")
    assert debian.run(f"stat -c '%U %G %a %s' {LOG}").split()[:3] == ["unbound", "mxclash", "640"]
    assert debian.path(f"{LOG}.1").read_text().count('"opened"') == opened
    debian.run("dig @127.0.0.1 shop.example.com A; dig @127.0.0.1 shop.example.com MX")
    assert debian.wait(f"cat {LOG}")
    assert unbound_pid(debian) == before


def test_upgrade(debian, tmp_path):
    """What the operator wrote and what was found survive; the new module runs."""
    conf = debian.path(CONF)
    conf.write_text(conf.read_text() + "probe-rate: 7\n")
    written = conf.read_bytes()
    log = debian.path(LOG).read_bytes()
    before = unbound_pid(debian)
    opened = len(events(debian, LOG, "opened"))
    assert debian.path(STATE).stat().st_size > 0
    upgrade(debian, "+again1", tmp_path, *UPGRADED)
    assert debian.run("dpkg-query -W -f '${Version}' unbound-mxclash").endswith("+again1")
    assert debian.wait("unbound-control status")
    assert unbound_pid(debian) != before
    assert has_module(debian)
    assert conf.read_bytes() == written
    assert debian.path(LOG).read_bytes().startswith(log)
    assert re.findall(r"(?m)^bad .*", debian.run("mxclash doctor")) == []
    # what was open is open, and not told again
    debian.run("dig @127.0.0.1 example.com A; dig @127.0.0.1 example.com MX")
    assert 'kind="cname-and-mx",state="confirmed"} 2\n' in debian.run(
        "curl -s http://127.0.0.1:9853/metrics")
    assert len(events(debian, LOG, "opened")) == opened


def test_unloaded_and_loaded_again(debian, tmp_path):
    """Who unloads it has it so after an upgrade, until it is loaded as documented."""
    unload, load = commands("Loaded or not")
    debian.run(unload)
    assert debian.wait("unbound-control status")
    assert not has_module(debian)
    assert "bad   module:" in subprocess.run(
        [*debian.enter(), "mxclash", "doctor"], text=True, capture_output=True, check=False).stdout
    upgrade(debian, "+again2", tmp_path, *UPGRADED)
    assert not debian.path(LINK).is_symlink()
    assert not has_module(debian)
    debian.run(load)
    assert debian.wait("unbound-control status")
    assert has_module(debian)


def test_newer_unbound_is_kept_back(debian):
    """The distribution's, which has no dynlib, can only come if the module goes."""
    version = debian.run("apt-cache madison unbound | head -n 1 | cut -d '|' -f 2").strip()
    assert "+mxclash" not in version
    out = debian.run(f"apt-get -s install unbound={version} --allow-downgrades")
    assert re.search(r"(?m)^Remv unbound-mxclash ", out), out


def test_removed_and_back(debian):
    """Unbound goes on without it; configuration and log stay; back again it is loaded."""
    log = debian.path(LOG).read_bytes()
    debian.run("apt-get remove -y unbound-mxclash")
    assert not debian.path(LINK).is_symlink()
    assert debian.wait("unbound-control status")
    assert "mxclash" not in debian.run(f"cat /proc/{unbound_pid(debian)}/maps")
    assert "192.0.2.10" in debian.run("dig @127.0.0.1 +short example.com A")
    assert "probe-rate: 7" in debian.path(CONF).read_text()
    assert debian.path(LOG).read_bytes().startswith(log)
    debian.run("cd /packages && apt-get install -y ./unbound-mxclash_*+again2.deb")
    assert debian.wait("unbound-control status")
    assert has_module(debian)


def test_a_chain_of_ones_own_is_left_alone(debian):
    """The package says what to do, and Unbound runs as before."""
    own = debian.path("/etc/unbound/unbound.conf.d/own.conf")
    debian.run("apt-get purge -y unbound-mxclash")
    own.write_text('server:\n    module-config: "respip validator iterator"\n')
    out = debian.run("cd /packages && apt-get install -y ./unbound-mxclash_*+again2.deb")
    assert 'not loaded: module-config is "respip validator iterator"' in out
    assert not debian.path(LINK).is_symlink()
    assert "is running" in debian.run("unbound-control status")
    # as it says: dynlib into the chain, and the module as load.conf has it
    own.write_text('server:\n    module-config: "dynlib respip validator iterator"\n'
                   'dynlib:\n    dynlib-file: "/usr/lib/mxclash/mxclash.so"\n')
    debian.run("service unbound restart")
    assert debian.wait("unbound-control status")
    assert has_module(debian)
    out = debian.run("apt-get remove -y unbound-mxclash")
    assert f"still named in {own.relative_to(debian.root)}" in out.replace(" /", " ")
    own.unlink()
    debian.run("cd /packages && apt-get install -y ./unbound-mxclash_*+again2.deb")


def test_purge_leaves_nothing(debian):
    """No file by our name, no word of ours in a file of /etc; but the user, as Debian has it."""
    debian.run("unbound-control reload") # which writes the state
    assert debian.wait(f"ls {STATE}")
    assert debian.wait("unbound-control status")
    debian.run("apt-get purge -y unbound-mxclash mxclash")
    assert debian.wait("unbound-control status")
    found, named = left_behind(debian)
    assert found == []
    assert {name.rstrip("-") for name in named} <= {
        "/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow"}
    debian.run("deluser --quiet mxclash") # as the documentation says
    assert "mxclash" not in debian.run("cat /etc/passwd /etc/group /etc/gshadow")
    debian.run("apt-get purge -y unbound")
    assert debian.pids("unbound") == []
