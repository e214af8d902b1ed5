# SPDX-License-Identifier: BSD-3-Clause
"""The packages in a Debian that was booted: systemd starts what is installed, in its sandbox and by
its socket. First the module in its Unbound, then mxclashd beside Debian's own. One story, in its
order.

What the kernel lacks is not tried: AppArmor, and where cgroups have no controllers, MemoryMax= and
TasksMax=.
"""

import json
import re
import subprocess

import pytest
from story import commands, events, give_packages, left_behind, upgrade

BOOTED = True
LOG = "/var/log/unbound-mxclash/mxclash.json"
CONF = "/etc/unbound/mxclash.conf"
SIDECAR_LOG = "/var/log/mxclash/mxclash.json"
SIDECAR_CONF = "/etc/mxclash/mxclash.conf"
SIDECAR_STATE = "/var/lib/mxclash/mxclashd.state"
TOOLS = ["bind9-dnsutils", "curl", "logrotate", "procps"]
METRICS = "curl -sS http://127.0.0.1:9853/metrics"

pytestmark = pytest.mark.usefixtures("authority")


def main_pid(debian, unit):
    return debian.run(f"systemctl show -p MainPID --value {unit}").strip()


def ask(debian, domain="example.com"):
    """As the documentation does it."""
    _, questions, *_ = commands("From the package to the first conflict")
    debian.run(questions.replace("example.com", domain))


def doctor(debian):
    """The findings of `mxclash doctor`, by check."""
    done = subprocess.run([*debian.enter(), "mxclash", "doctor", "--json"], text=True,
                          capture_output=True, check=False)
    return {one["check"]: one for one in json.loads(done.stdout)["findings"]}


def bad(debian):
    return {check for check, one in doctor(debian).items() if one["level"] == "bad"}


def test_module_as_documented(debian):
    """From the package to the first conflict, by the commands of docs/installing.md."""
    give_packages(debian)
    # procps: a unit's reload says /bin/kill, which the smallest Debian lacks
    debian.fetch("/packages/*.deb", *TOOLS)
    debian.run(f"apt-get install -y {' '.join(TOOLS)}")
    install, questions, opened, counted = commands("From the package to the first conflict")
    debian.run(f"cd /packages; {install}")
    assert debian.run("systemctl is-active unbound").strip() == "active"
    assert bad(debian) == set()
    assert debian.run(questions.splitlines()[0]).split()[-1] == "192.0.2.10"
    debian.run(questions.splitlines()[1])
    event = json.loads(debian.wait(opened).splitlines()[0])
    assert (event["domain"], event["kind"], event["state"]) == (
        "example.com", "cname-and-mx", "confirmed")
    assert 'kind="cname-and-mx"} 1\n' in debian.run(counted)
    assert "opened confirmed cname-and-mx example.com" in debian.run("journalctl -u unbound")


def test_a_faulty_configuration_cannot_end_it(debian):
    """The drop-in has systemctl refuse the reload; mended it goes through."""
    conf = debian.path(CONF)
    good = conf.read_text()
    before = main_pid(debian, "unbound")
    conf.write_text(good + "probe: maybe\n")
    debian.run("systemctl reload unbound", fails=True)
    assert "neither yes nor no" in debian.run("journalctl -u unbound")
    assert debian.run("dig @127.0.0.1 +short example.com A").split()[-1] == "192.0.2.10"
    conf.write_text(good + "probe-rate: 7\n")
    started = len(events(debian, LOG, "started"))
    debian.run("systemctl reload unbound")
    debian.wait(f"test $(grep -c '\"started\"' {LOG}) -gt {started} && echo yes")
    assert main_pid(debian, "unbound") == before


def test_book_and_page(debian):
    """Its unit reads the log of Unbound's by its group, and keeps a book that the command shows."""
    start, _ = commands("The book and its page")
    debian.run(start)
    assert "example.com" in debian.wait("mxclash list --json | grep example.com")
    assert "<title>" in debian.run("curl -sS http://127.0.0.1:9854/")
    assert debian.run("stat -c '%U %a' /var/lib/mxclash").split() == ["mxclash", "750"]


def test_module_unloaded_and_purged(debian):
    unload, _ = commands("Loaded or not")
    debian.run(unload)
    assert "mxclash.so" not in debian.run(f"cat /proc/{main_pid(debian, 'unbound')}/maps")
    debian.run("apt-get purge -y unbound-mxclash mxclash")
    assert debian.run("systemctl is-active unbound").strip() == "active"
    assert debian.run("systemctl show -p LoadState --value mxclash").strip() == "not-found"
    found, _ = left_behind(debian)
    assert found == []
    debian.run("apt-get purge -y unbound")


# --- mxclashd, beside Debian's own Unbound


def test_sidecar_as_documented(debian):
    debian.fetch("unbound")
    debian.run("apt-get install -y unbound")
    assert "dynlib" not in debian.run("unbound -V")
    install, send, opened = commands("Beside a resolver that loads no module")
    debian.run(f"cd /packages; {install}")
    assert debian.run("systemctl is-active mxclashd.socket mxclashd.service").split() == [
        "active", "active"]
    assert debian.run("stat -c '%U %G %a' /run/mxclash/dnstap.sock").split() == [
        "root", "mxclash", "660"]
    # the doctor names the next step
    found = doctor(debian)["dnstap"]
    assert (found["level"], "adduser unbound mxclash" in found["cure"]) == ("bad", True)
    # an authority and a resolver on loopback are this lab's
    with debian.path(SIDECAR_CONF).open("a") as conf:
        conf.write("may-ask: 127.0.0.0/8\nresolver: 127.0.0.1\n")
    debian.run("systemctl reload mxclashd")
    assert debian.wait("journalctl -u mxclashd | grep 'read anew'")
    debian.run(send.splitlines()[0])
    debian.wait("journalctl -u mxclashd | grep 'is connected'")
    assert send.splitlines()[1:] == ["mxclash doctor"]
    assert bad(debian) == set()
    ask(debian)
    event = json.loads(debian.wait(opened).splitlines()[0])
    assert (event["domain"], event["kind"], event["state"], event["evidence"]) == (
        "example.com", "cname-and-mx", "confirmed", "probe")
    assert 'kind="cname-and-mx"} 1\n' in debian.run(METRICS)


def test_sidecar_in_its_sandbox(debian):
    """It has no capability, and may write to its log and state alone."""
    pid = main_pid(debian, "mxclashd")
    status = debian.run(f"cat /proc/{pid}/status")
    assert re.search(r"(?m)^CapBnd:\t0{16}$", status) and re.search(r"(?m)^Seccomp:\t2$", status)
    uid = debian.run("id -u mxclash").strip()
    assert re.search(rf"(?m)^Uid:\t{uid}\t{uid}\t", status)
    assert debian.run(f"stat -c '%U %G %a' {SIDECAR_LOG}").split() == ["mxclash", "mxclash", "640"]
    # a place that its unit makes read-only is found by the doctor, whatever its folder's rights are
    conf = debian.path(SIDECAR_CONF)
    good = conf.read_text()
    debian.run("install -d -m 1777 /srv/log")
    conf.write_text(good.replace(SIDECAR_LOG, "/srv/log/mxclash.json"))
    assert "ReadWritePaths=" in doctor(debian)["log-file"]["cure"]
    conf.write_text(good)


def test_sidecar_keeps_what_is_open(debian):
    """Over a restart and a reload; the resolver sends to the next one by itself."""
    opened = len(events(debian, SIDECAR_LOG, "opened"))
    debian.run("systemctl restart mxclashd")
    debian.wait(f"{METRICS} | grep '^mxclash_conflicts.*cname-and-mx.*confirmed.* 1$'")
    debian.wait(f"{METRICS} | grep '^mxclash_dnstap_senders [1-9]'")
    # out of a cache nothing comes from the authority again
    debian.run("unbound-control flush_zone example.com")
    ask(debian)
    debian.wait(f"{METRICS} | grep -E '^mxclash_dnstap_frames_total.use=.inspected.. [1-9]'")
    assert len(events(debian, SIDECAR_LOG, "opened")) == opened


def test_sidecar_log_is_rotated(debian):
    before = main_pid(debian, "mxclashd")
    debian.run("logrotate -f /etc/logrotate.d/mxclashd")
    assert debian.run(f"stat -c '%U %G %a' {SIDECAR_LOG}").split() == ["mxclash", "mxclash", "640"]
    ask(debian, "shop.example.com")
    assert "shop.example.com" in debian.wait(f"grep opened {SIDECAR_LOG}")
    assert main_pid(debian, "mxclashd") == before


def test_sidecar_book(debian):
    """The unit of the book reads mxclashd's configuration and log, as documented."""
    start, other = commands("The book and its page")
    debian.run(other)
    debian.run(start)
    listed = debian.wait("MXCLASH_CONF=/etc/mxclash/mxclash.conf mxclash list --json | grep shop")
    assert "shop.example.com" in listed


def test_sidecar_is_upgraded(debian, tmp_path):
    """Configuration, log, state and book survive, and the resolver is sending again."""
    conf = debian.path(SIDECAR_CONF)
    conf.write_text(conf.read_text() + "probe-rate: 7\n")
    written = conf.read_bytes()
    log = debian.path(SIDECAR_LOG).read_bytes()
    before = main_pid(debian, "mxclashd")
    resolver = main_pid(debian, "unbound")
    upgrade(debian, "+again1", tmp_path, "mxclash", "mxclashd")
    assert debian.run("dpkg-query -W -f '${Version}' mxclashd").endswith("+again1")
    assert main_pid(debian, "mxclashd") not in ("0", before)
    assert main_pid(debian, "unbound") == resolver
    assert conf.read_bytes() == written
    assert debian.path(SIDECAR_LOG).read_bytes().startswith(log)
    debian.wait(f"{METRICS} | grep '^mxclash_dnstap_senders [1-9]'")
    assert 'kind="cname-and-mx",state="confirmed"} 2\n' in debian.run(METRICS)
    assert "shop.example.com" in debian.run("MXCLASH_CONF=/etc/mxclash/mxclash.conf mxclash list")
    assert bad(debian) == set()


def test_sidecar_is_not_there(debian):
    """The resolver answers on, the doctor says what is to be done, and then all is as it was."""
    debian.run("systemctl stop mxclashd.socket mxclashd.service")
    debian.run("unbound-control flush_zone example.com")
    assert debian.run("dig @127.0.0.1 +short example.com A").split()[-1] == "192.0.2.10"
    found = doctor(debian)["server"]
    assert (found["level"], found["text"]) == ("bad", "no mxclashd runs")
    assert debian.run(re.search("systemctl start [^;]*", found["cure"])[0]) == ""
    debian.wait(f"{METRICS} | grep '^mxclash_dnstap_senders [1-9]'")


def test_sidecar_removed_and_purged(debian):
    """Removed, configuration and log stay; purged, nothing but the user does."""
    log = debian.path(SIDECAR_LOG).read_bytes()
    debian.run("apt-get remove -y mxclashd")
    assert debian.pids("mxclashd") == []
    assert debian.path(SIDECAR_LOG).read_bytes().startswith(log)
    assert "probe-rate: 7" in debian.path(SIDECAR_CONF).read_text()
    debian.run("unbound-control flush_zone example.com")
    assert debian.run("dig @127.0.0.1 +short example.com A").split()[-1] == "192.0.2.10"
    debian.run("rm /etc/unbound/unbound.conf.d/dnstap.conf; systemctl restart unbound")
    debian.run("cd /packages && apt-get install -y ./mxclashd_*+again1.deb")
    assert debian.run("systemctl is-active mxclashd").strip() == "active"
    debian.run("apt-get purge -y mxclashd mxclash mxclash-doc && rm -r /srv/log "
               "/etc/systemd/system/mxclash.service.d")
    found, named = left_behind(debian)
    assert found == []
    assert {name.rstrip("-") for name in named} <= {
        "/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow"}
    assert debian.run("systemctl --failed --no-legend --plain") == ""
