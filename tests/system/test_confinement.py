# SPDX-License-Identifier: BSD-3-Clause
"""The files that confine us, asked of the programs that read them: AppArmor's parser, systemd, and
logrotate, which rotates the log of a resolver that runs.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from lab import BUILD, REPOSITORY, SEARCH_PATH, Authority, wait_until

CONFINEMENT = REPOSITORY / "packaging" / "confinement"
TREE = BUILD / "hosts" / "distribution" / "package.path"


def needs(program):
    return pytest.mark.skipif(not shutil.which(program, path=SEARCH_PATH),
                              reason=f"{program} is not there")


def run(*words, fails=False, **environment):
    done = subprocess.run([str(word) for word in words], text=True, stdout=subprocess.PIPE,
                          env={**os.environ, "PATH": SEARCH_PATH, **environment},
                          stderr=subprocess.STDOUT, timeout=120, check=False)
    assert (done.returncode != 0) == fails, done.stdout
    return done.stdout


@pytest.fixture
def profile(tmp_path):
    """Debian's profile of Unbound with our rules in its place for them."""
    source = Path(TREE.read_text().strip()) / "debian" / "apparmor-profile"
    (tmp_path / "local").mkdir()
    (tmp_path / "abstractions").mkdir()
    shutil.copy(source, tmp_path / "usr.sbin.unbound")
    shutil.copy(CONFINEMENT / "unbound-mxclash.apparmor",
                tmp_path / "abstractions" / "unbound-mxclash")
    (tmp_path / "local" / "usr.sbin.unbound").write_text(
        "include if exists <abstractions/unbound-mxclash>\n")
    return tmp_path / "usr.sbin.unbound"


def parse(profile, *options, **how):
    return run("apparmor_parser", "--skip-kernel-load", "--skip-cache", "--base",
               "/etc/apparmor.d", "--Include", profile.parent, *options, profile, **how)


@needs("apparmor_parser")
def test_apparmor(profile):
    """The parser takes it, and the rules are in what it makes of it."""
    parse(profile)
    rules = parse(profile, "--debug", "--debug")
    for path in ["mxclash.json", "/usr/share/unbound-mxclash/load.conf", "mxclash/mxclash.so",
                 "/usr/share/publicsuffix/"]:
        assert path in rules
    # without the file the line does no harm
    (profile.parent / "abstractions" / "unbound-mxclash").unlink()
    assert "mxclash" not in parse(profile, "--debug", "--debug")


@needs("apparmor_parser")
@pytest.mark.parametrize("page", ["conf-examples/dnstap/unbound.conf", "docs/installing.md"])
def test_apparmor_of_an_unbound_that_sends(profile, page):
    """The line that is said to let it write to the socket does."""
    command = re.search(r"echo '(.*)' >> /etc/apparmor.d/(local/usr.sbin.unbound)",
                        (REPOSITORY / page).read_text())
    assert "/run/mxclash/" not in parse(profile, "--debug", "--debug")
    (profile.parent / command[2]).write_text(command[1] + "\n")
    assert "/run/mxclash/dnstap.sock" in parse(profile, "--debug", "--debug")


@needs("apparmor_parser")
def test_apparmor_of_the_sidecar(tmp_path):
    profile = tmp_path / "usr.sbin.mxclashd"
    shutil.copy(CONFINEMENT / "mxclashd.apparmor", profile)
    rules = parse(profile, "--debug", "--debug")
    for path in ["/var/log/mxclash", "/var/lib/mxclash", "/usr/share/publicsuffix/"]:
        assert path in rules


@needs("apparmor_parser")
def test_a_fault_of_apparmor_is_seen(profile):
    """Else the test above could not fail."""
    with (profile.parent / "abstractions" / "unbound-mxclash").open("a") as rules:
        rules.write("  /no/comma r\n")
    parse(profile, fails=True)


@pytest.fixture
def units(tmp_path):
    """Our units, with programs that are there, and Debian's unit of Unbound with our drop-in."""
    folder = tmp_path / "units"
    dropin = folder / "unbound.service.d"
    dropin.mkdir(parents=True)
    source = Path(TREE.read_text().strip()) / "debian" / "unbound.service"
    programs = {"/usr/sbin/unbound": "/bin/true", "/usr/libexec/unbound-helper": "/bin/true",
                "/usr/bin/mxclash": str(BUILD / "mxclash")}

    def copy(path, to):
        text = path.read_text()
        for was, now in programs.items():
            text = text.replace(was, now)
        to.write_text(re.sub(r"(?m)^Documentation=man:.*\n", "", text))

    copy(source, folder / "unbound.service")
    copy(CONFINEMENT / "unbound.service.d.conf", dropin / "mxclash.conf")
    for unit in CONFINEMENT.glob("*.service"):
        copy(unit, folder / unit.name)
    return folder


@needs("systemd-analyze")
def test_units(units):
    for unit in units.glob("*.service"):
        assert run("systemd-analyze", "verify", "--man=no", unit) == "", unit


@needs("systemd-analyze")
def test_a_fault_of_a_unit_is_seen(units):
    path = units / "mxclash.service"
    path.write_text(path.read_text().replace("ProtectSystem=strict", "ProtectSystem=strictly"))
    assert "protect system" in run("systemd-analyze", "verify", "--man=no", path)


@needs("systemd-analyze")
def test_exposure(units):
    """Sandboxed as well as a service can be that reads a file and listens: 2.0 of 10, and less."""
    for unit in CONFINEMENT.glob("*.service"):
        run("systemd-analyze", "security", "--offline=yes", "--threshold=20",
            units / unit.name)
    # what has no sandbox is far above
    run("systemd-analyze", "security", "--offline=yes", "--threshold=20",
        units / "unbound.service", fails=True)


@needs("systemd-sysusers")
@needs("systemd-tmpfiles")
def test_user_and_folders(tmp_path):
    """In a root of their own."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "passwd").write_text("root:x:0:0:::\nunbound:x:990:990:::\n")
    (tmp_path / "etc" / "group").write_text("root:x:0:\nunbound:x:990:\n")
    run("systemd-sysusers", f"--root={tmp_path}", CONFINEMENT / "mxclash.sysusers")
    assert re.search(r"(?m)^mxclash:x:\d+:\d+:mxclash:/var/lib/mxclash:/usr/sbin/nologin$",
                     (tmp_path / "etc" / "passwd").read_text())
    gid = int(re.search(r"(?m)^mxclash:x:(\d+):", (tmp_path / "etc" / "group").read_text())[1])
    run("systemd-tmpfiles", f"--root={tmp_path}", "--create",
        CONFINEMENT / "unbound-mxclash.tmpfiles")
    made = (tmp_path / "var/log/unbound-mxclash").stat()
    assert oct(made.st_mode)[-4:] == "2750"
    if os.geteuid() == 0:
        assert (made.st_uid, made.st_gid) == (990, gid)


@needs("logrotate")
def test_rotation(start, tmp_path):
    """By the real logrotate, each day of three: no event is lost, and nothing is reloaded."""
    user, group = run("id", "-un").strip(), run("id", "-gn").strip()
    log = tmp_path / "log" / "mxclash.json"
    log.parent.mkdir(mode=0o755)
    rules = tmp_path / "rules"
    rules.write_text((CONFINEMENT / "unbound-mxclash.logrotate").read_text()
                     .replace("/var/log/unbound-mxclash/", f"{log.parent}/")
                     .replace("unbound mxclash", f"{user} {group}"))
    rules.chmod(0o644)
    zones = "".join(f"zone d{day}.test\n  answer by-type\n  @ 600 CNAME www.cdn.test.\n"
                    f"  @ 600 MX 5 mx.d{day}.test.\n" for day in range(3))
    with Authority(tmp_path / "own", zones) as own:
        unbound = start({"test": own}, mxclash={"log-file": str(log)})
        for day in range(3):
            unbound.ask(f"d{day}.test", "A")
            unbound.ask(f"d{day}.test", "MX")
            unbound.wait_event(event="opened", domain=f"d{day}.test")
            run("logrotate", "--force", "--state", tmp_path / "state", rules)
            # made by logrotate, or by the module in the moment before
            wait_until(log.exists, 60, "the new log")
        assert unbound.log.count("start of service") == 1
    told = [line for path in log.parent.glob("mxclash.json*")
            for line in (subprocess.run(["zcat", "-f", path], capture_output=True, text=True,
                                        check=True).stdout.splitlines())]
    assert sorted(re.findall(r'"opened","domain":"(d\d)', "\n".join(
        line.replace(" ", "") for line in told))) == ["d0", "d1", "d2"]
    # the day before is not packed yet: something may have been written to it late
    assert {path.name for path in log.parent.iterdir()} == {
        "mxclash.json", "mxclash.json.1", "mxclash.json.2.gz", "mxclash.json.3.gz"}
