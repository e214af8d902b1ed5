# SPDX-License-Identifier: BSD-3-Clause
"""docs/operations.md: every block of commands on it works, and every line that the module can write
into Unbound's log is explained.

The blocks are run as they stand, by a shell, on a resolver and a Prometheus of the test's own. Only
the places are others: each that the page names is replaced by the test's. What only a whole machine
has (systemctl, journalctl, sudo) is a small program in front of PATH that does the same for ours.
"""

import json
import os
import re
import shutil
import struct
import subprocess

import dns.rdatatype
import pytest
from lab import BUILD, REPOSITORY, SEARCH_PATH, wait_until
from liar import Liar
from pages import commands
from prometheus import EXAMPLES, prometheus_missing
from resolver import EVENT_TIMEOUT_S

PAGE = REPOSITORY / "docs" / "operations.md"
# Builds a module for another tree: minutes, and build/ would be for that then.
NOT_RUN = "make UNBOUND_SRC=/path/to/your/built/unbound-tree\n"
WORDS_OF_A_MESSAGE = 3


# The blocks of the page by how they begin.
BLOCKS = {
    "install": "sudo make install\n",
    "log folder": "sudo install -d",
    "check and start": "unbound-checkconf /etc/unbound/unbound.conf\nmxclash",
    "is it there": "curl -s http://127.0.0.1:9853/healthz",
    "last event": "tail -n 1",
    "what was confirmed": "jq -r 'select(.event == \"opened\" and .state",
    "what is open": "jq -rs",
    "one domain": "jq -c",
    "ask the authority": "dig +norecurse",
    "facts": "jq -r 'select(.event == \"opened\" and .domain",
    "check Prometheus": "promtool check config",
    "OpenMetrics": "curl -s -H",
    "domains": "curl -s http://127.0.0.1:9853/metrics/domains\n",
    "two numbers": "curl -s http://127.0.0.1:9853/metrics | grep -E",
    "not scraped": "systemctl is-active",
    "sees nothing": "unbound-control stats_noreset | grep '",
    "events dropped": "journalctl -u unbound | grep",
    "reload": "mxclash check-conf && sudo unbound-control reload",
    "probes fail": "unbound-control stats_noreset | grep -E",
    "suspected": "jq -r 'select(.state",
    "most harm": "curl -s http://127.0.0.1:9853/metrics/domains | grep",
    "rotate": "sudo logrotate",
    "upgrade": "build/mxclash check-conf",
    "uninstall": "unbound-checkconf /etc/unbound/unbound.conf\nsudo",
}


def blocks(name):
    """The blocks of commands that begin as this one, without what is not run."""
    found = [one.removeprefix(NOT_RUN) for one in commands(PAGE)]
    return [one for one in found if one.startswith(BLOCKS[name])]


class Machine:
    """What the page's commands find: our resolver, in the place of a machine's."""

    def __init__(self, folder, unbound, authority):
        self.unbound = unbound
        self.folder = folder
        self.programs = folder / "programs"
        self.prefix = folder / "prefix"
        self.restarted = folder / "restarted"
        self.programs.mkdir(parents=True)
        http = f"http://{unbound.address}:{unbound.http_port}"
        self.places = {
            "/etc/unbound/": f"{unbound.folder}/",
            "/var/log/unbound/mxclash.json": str(unbound.events_path),
            "/var/log/unbound": str(unbound.folder),
            "/etc/logrotate.d/": f"{folder}/",
            "/etc/prometheus/": f"{EXAMPLES}/",
            "http://127.0.0.1:9853": http,
            "@192.0.2.53": f"-p {authority.port} @{authority.address}",
            "@127.0.0.1": f"-p {unbound.port} @{unbound.address}",
            "example.com": "split.test",
            "-o unbound -g unbound": f"-o {os.getuid()} -g {os.getgid()}",
        }
        control = f"{BUILD}/unbound/sbin/unbound-control -c {unbound.folder}/unbound.conf"
        self.program("sudo", 'exec "$@"')
        # what is built, and for which Unbound, is not this test's to change
        self.program("make", f'exec {shutil.which("make")} -o all "$@"')
        self.program("systemctl", f'echo "$*" >> {self.restarted}')
        self.program("journalctl", f"cat {unbound.log_path}")
        self.program("unbound-control", f'exec {control} "$@"')

    def told(self, **event):
        """The log has one more line, like that of split.test but for these fields."""
        last = self.unbound.events(domain="split.test")[-1]
        with self.unbound.events_path.open("a") as log:
            log.write(json.dumps({**last, **event}) + "\n")

    def program(self, name, text):
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def environment(self):
        # a make that runs these tests is not the one that is run here
        kept = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
        path = f"{self.programs}:{BUILD}/unbound/sbin:{BUILD}:{SEARCH_PATH}"
        ours = {"PATH": path, "NO_DEPS": "1", "PREFIX": str(self.prefix)}
        return {**kept, **ours, "MXCLASH_CONF": str(self.unbound.mxclash_conf)}

    def run(self, name):
        """Run a block of the page. Returns what it wrote; it must not fail."""
        text = blocks(name)[0]
        # a longer place comes before its beginning
        for place in sorted(self.places, key=len, reverse=True):
            text = text.replace(place, self.places[place])
        done = subprocess.run(
            ["sh", "-e", "-c", text],
            cwd=REPOSITORY,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=EVENT_TIMEOUT_S,
            check=False,
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture
def machine(world, start, tmp_path):
    """A resolver that has found split.test."""
    unbound = start(world.upstreams)
    unbound.ask("split.test", "A")
    unbound.wait_event(event="opened", domain="split.test")
    unbound.ask("split.test", "MX")
    return Machine(tmp_path / "machine", unbound, world.own)


def test_log_folder(machine):
    folder = machine.folder / "logs"
    machine.places["/var/log/unbound"] = str(folder)
    machine.run("log folder")
    assert folder.stat().st_mode & 0o777 == 0o750


def test_load(machine):
    assert "no errors" in (done := machine.run("check and start")) and ": ok" in done
    assert machine.restarted.read_text() == "restart unbound\n"
    told = machine.run("is it there")
    assert re.match(r'ok\nmxclash_build_info\{version="[\d.]+",host="unbound",', told)


def test_read_the_log(machine):
    assert '"event": "opened"' in machine.run("last event")
    confirmed = machine.run("what was confirmed")
    assert [line.split("\t")[1:] for line in confirmed.splitlines()] == [
        ["split.test", "cname-and-mx", "implicit-mx"]
    ]
    machine.told(domain="other.test", state="suspected")
    assert machine.run("what was confirmed") == confirmed
    about = machine.run("one domain")
    assert about.count('"event":"opened"') == 1 and "other.test" not in about


def test_what_is_open(machine):
    def listed():
        return [line.split("\t")[:3] for line in machine.run("what is open").splitlines()]

    split = ["split.test", "cname-and-mx", "confirmed"]
    other = ["other.test", "cname-and-mx", "suspected"]
    assert listed() == [split]
    machine.told(domain="other.test", state="suspected", mx_queries=7)
    assert listed() == [other, split]
    machine.told(event="cleared")
    assert listed() == [other]
    machine.told(domain="other.test", event="changed", state="confirmed", mx_queries=9)
    machine.told(event="opened", kind="spf-missing")
    assert [line[1:] for line in listed()] == [split[1:], ["spf-missing", "confirmed"]]


def test_tell_the_owner(machine):
    asked = machine.run("ask the authority")
    assert "mx1.qiye.aliyun.com." in asked and "www.cdn.test." in asked
    facts = machine.run("facts")
    assert facts.splitlines()[1:] == [
        "CNAME www.cdn.test",
        "MX 5 mx1.qiye.aliyun.com",
        "MX 10 mx2.qiye.aliyun.com",
        "MX 15 mx3.qiye.aliyun.com",
        "advice: remove-cname, replace-cname-with-address, move-cname, separate-mail-domain, "
        "flatten-cname",
    ]


def test_watch(machine):
    if reason := prometheus_missing():
        pytest.skip(reason)
    assert "SUCCESS" in machine.run("check Prometheus")
    assert machine.restarted.read_text() == "reload prometheus\n"
    assert machine.run("OpenMetrics") == "# EOF\n"
    assert 'domain="split.test"' in machine.run("domains")
    numbers = machine.run("two numbers")
    assert 'mxclash_events_dropped_total{sink="file"} 0\n' in numbers
    assert 'mxclash_conflicts{kind="cname-and-mx",state="confirmed"} 1\n' in numbers


def test_what_to_do_when_an_alert_fires(machine):
    found = machine.run("not scraped")
    assert found.startswith("ok\n") and "mxclash: opened confirmed cname-and-mx split.test" in found
    asked = machine.run("sees nothing")
    assert "total.num.queries=2\n" in asked and 'source="upstream"} ' in asked
    assert "total.num.recursivereplies=" in machine.run("probes fail")
    machine.told(domain="one.test", state="suspected", authority="192.0.2.1")
    machine.told(domain="two.test", state="suspected", authority="192.0.2.1")
    assert machine.run("suspected").split() == ["2", "192.0.2.1"]
    most = machine.run("most harm")
    assert most.startswith('mxclash_domain_mx_queries_total{domain="split.test",')


def question_alone(query, answers):
    """The octets of a reply without any record, whose header says that there are so many."""
    question = query.question[0]
    octets = struct.pack("!HHHHHH", query.id, 0x8400, 1, answers, 0, 0)
    return octets + question.name.to_wire() + struct.pack("!HH", question.rdtype, question.rdclass)


def forward_pointer(query):
    """An MX whose host is said to stand further on, where it does: RFC 1035 4.1.4 has it before."""
    octets = question_alone(query, 2)
    head = b"\xc0\x0c" + struct.pack("!HHIH", dns.rdatatype.MX, 1, 60, 4) + b"\0\5"
    other = b"\xc0\x0c" + struct.pack("!HHIH", dns.rdatatype.MX, 1, 60, 7) + b"\0\6"
    pointer = struct.pack("!H", 0xC000 | len(octets + head + other) + 2)
    return octets + head + pointer + other + b"\2mx\xc0\x0c"


def missing_record(query):
    return question_alone(query, 1)


@pytest.mark.parametrize("malformed, counted", [(forward_pointer, 1), (missing_record, 0)])
def test_which_malformed_answers_are_counted(world, start, malformed, counted):
    """What Unbound takes though it is malformed. What it refuses itself does not come to us."""
    with Liar(lambda query, _tcp: malformed(query)) as liar:
        unbound = start({**world.upstreams, "broken.test": liar})
        unbound.control("verbosity 4")
        unbound.ask("broken.test", "MX")
        assert unbound.metrics()["mxclash_malformed_answers_total"] == counted
        assert ("parse error on reply packet" in unbound.log) == (not counted)


def test_see_why_events_are_dropped(machine):
    machine.program("journalctl", "echo 'mxclash: log-file /x: No space left on device; ...'")
    found = machine.run("events dropped")
    assert "No space left" in found and "events" in found


def test_reload(machine):
    before = machine.unbound.log.count("start of service")
    assert ": ok\n" in machine.run("reload")
    machine.unbound.wait_event(event="stopped")
    wait_until(
        lambda: machine.unbound.log.count("start of service") > before,
        EVENT_TIMEOUT_S,
        "the reload of Unbound",
    )


def test_rotate(machine):
    """With the page's own file for logrotate, but for the user."""
    if not shutil.which("logrotate", path=SEARCH_PATH):
        pytest.skip("logrotate is not there")
    example = re.search(r"^    /var/log/[^\n]* \{\n.*?^    \}\n", PAGE.read_text(), re.M | re.S)
    text = example[0].replace("unbound unbound", "")
    (machine.folder / "mxclash").write_text(
        text.replace("/var/log/unbound/mxclash.json", str(machine.unbound.events_path))
    )
    (machine.folder / "mxclash").chmod(0o644)
    # its memory of what was rotated, and that a test's folder is nobody else's to write into
    state = machine.folder / "state"
    program = shutil.which("logrotate", path=SEARCH_PATH)
    machine.program("logrotate", f'exec {program} --state {state} "$@"')
    before = machine.unbound.events_path.read_text()
    listed = machine.run("rotate")
    moved = machine.unbound.events_path.with_name("events.1")
    assert moved.read_text() == before
    assert str(moved) in listed
    machine.unbound.ask("turned.test", "MX")
    machine.unbound.wait_event(event="opened", domain="turned.test")


def test_install_upgrade_uninstall(machine):
    """The module of a running server is replaced under it, which goes on, and loads the new one."""
    if os.environ.get("MXCLASH_SANITIZER"):
        pytest.skip("make install takes what the usual build made")
    machine.places["build/mxclash"] = str(BUILD / "mxclash")
    machine.run("install")
    module = machine.prefix / "lib" / "mxclash" / "mxclash.so"
    doc = machine.prefix / "share" / "doc" / "mxclash"
    manuals = sorted(path.name for path in (machine.prefix / "share" / "man").rglob("*.[1-9]"))
    assert {"mxclash.1", "mxclash.7", "mxclash.conf.5"} <= set(manuals)
    assert (doc / "docs" / "operations.md").read_text() == PAGE.read_text()
    for example in (REPOSITORY / "conf-examples").rglob("*.*"):
        assert (doc / example.relative_to(REPOSITORY)).is_file(), example

    unbound = machine.unbound
    unbound.stop()
    unbound.libraries = [module]
    unbound.start()

    def loaded():
        with open(f"/proc/{unbound.pid}/maps", encoding="ascii") as maps:
            return {line.split(maxsplit=5)[5].strip() for line in maps if str(module) in line}

    assert loaded() == {str(module)}
    told = machine.run("upgrade")
    assert ": ok" in told and machine.restarted.read_text() == "restart unbound\n"
    # the file under the server is another one now; it goes on with what it has
    assert loaded() == {f"{module} (deleted)"}
    assert unbound.ask("good.test", "MX").answer
    unbound.reload()
    assert loaded() == {str(module)}
    unbound.stop()

    machine.run("uninstall")
    assert [path for path in machine.prefix.rglob("*") if path.is_file()] == []


def test_every_block_has_a_name():
    """And the tests above run those that have one."""
    named = [one for name in BLOCKS for one in blocks(name)]
    assert sorted(one.removeprefix(NOT_RUN) for one in commands(PAGE)) == sorted(named)
    for name in BLOCKS:
        assert len(set(blocks(name))) == 1, name


# --- the lines of the log ---


def literals(text):
    """The strings of a C source, those that follow one another joined."""
    string = r'"(?:[^"\\\n]|\\.)*"'
    for found in re.finditer(rf"{string}(?:\s*(?:PRIu64\s*)?{string})*", text):
        yield "".join(re.findall(rf"{string}", found[0])).replace('""', "").strip('"')


def messages():
    """What the module can say in the host's log, or refuse a start with, as format strings."""
    for folder in ("host/unbound", "host/dnstap", "output", "runtime"):
        for path in (REPOSITORY / "module" / folder).rglob("*.c"):
            text = path.read_text()
            yield from (one for one in literals(text) if one.startswith("mxclash: "))
            for call in re.findall(r"snprintf\(error, [A-Z_a-z]+,(.*?)\);", text, re.DOTALL):
                if "config" not in path.name and path.name != "provider_file.c":
                    yield from list(literals(call))[:1]


def fixed_parts(message):
    """The words of a format string that are always the same."""
    parts = re.split(r"%[-+ #0-9.*]*(?:zu|[a-z])|\\\"|PRI\w+", message.removeprefix("mxclash: "))
    return [part.strip(" :;,.()") for part in parts if len(part.split()) >= WORDS_OF_A_MESSAGE]


def test_every_line_is_explained():
    page = " ".join(PAGE.read_text().split())
    found = sorted(set(messages()))
    assert len(found) > 20
    parts = [(part, message) for message in found for part in fixed_parts(message)]
    assert len(parts) > 15
    assert [both for both in parts if both[0] not in page] == []
