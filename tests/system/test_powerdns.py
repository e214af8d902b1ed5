# SPDX-License-Identifier: BSD-3-Clause
"""PowerDNS Recursor as Debian ships it, with the detector inside: conf-examples/powerdns."""

import contextlib
import json
import re
import subprocess
import urllib.request

import dns.flags
import dns.message
import dns.name
import pytest
from lab import (
    BUILD,
    DNS_PORT,
    REPOSITORY,
    Authority,
    exchange,
    free_address,
    free_port,
    rrset_texts,
    wait_until,
)
from observing import EVENT_TIMEOUT_S, SERIES, Observer
from resolver import Unbound
from sidecar import Recursor
from test_sidecar import TYPES, need
from world import HEALTHY_OWNERS

SCRIPT = REPOSITORY / "conf-examples" / "powerdns" / "mxclash.lua"
ANNOTATION = "cname-and-mx: a CNAME at this name hides its MX; remove, replace or move the CNAME"
OPENED = 'mxclash_conflicts_opened_total{kind="cname-and-mx"}'
# Gone from the caches within seconds; the packet cache answers as long, and no script sees that.
BROKEN = """\
zone .
  short.test. NS ns.short.test.
  ns.short.test. A {0}
zone cdn.test
  www 1 A 192.0.2.10
zone short.test
  answer by-type
  @ 1 CNAME www.cdn.test.
  @ 3 MX 5 mx1.qiye.aliyun.com.
"""
NO_CNAME = BROKEN.replace("  @ 1 CNAME www.cdn.test.\n", "  @ 1 A 192.0.2.11\n")
NO_MX = BROKEN.replace("  @ 3 MX 5 mx1.qiye.aliyun.com.\n", "")
NEITHER = NO_CNAME.replace("  @ 3 MX 5 mx1.qiye.aliyun.com.\n", "")


class Inside(Observer, Recursor):
    """A Recursor with the script.

    replaced   texts of the script, and what stands in their place
    own        the operator's script, which ends with ours; None: ours alone
    """

    def __init__(self, folder, root, *, replaced=(), own=None, threads=2, **options):
        super().__init__(folder, root, None, **options)
        self.events_path = self.folder / "events"
        self.http_port = free_port(self.address)
        self.replaced = dict(replaced)
        self.own = own
        self.threads = threads

    @property
    def script_path(self):
        return self.folder / "mxclash.lua"

    def configure(self):
        (self.folder / "hints").write_text(
            f". 3600 IN NS ns.\nns. 3600 IN A {self.root.address}\n")
        text = SCRIPT.read_text()
        for was, now in self.replaced.items():
            assert was in text, was
            text = text.replace(was, now)
        ours = {
            '"/var/log/pdns-recursor/mxclash.json"': f'"{self.events_path}"',
            '"libmxclash.so.1"': f'"{BUILD}/libmxclash.so.1"',
            '"/usr/include/mxclash.ffi.h"': f'"{BUILD}/mxclash.ffi.h"',
        }
        for was, now in ours.items():
            text = text.replace(was, now)
        self.script_path.write_text(text)
        if self.own:
            (self.folder / "own.lua").write_text(f'{self.own}\ndofile "{self.script_path}"\n')

    def command(self):
        settings = {
            "lua-dns-script": self.folder / "own.lua" if self.own else self.script_path,
            "lua-config-file": "",
            "threads": self.threads,
            "webserver": "yes",
            "webserver-address": self.address,
            "webserver-port": self.http_port,
            "webserver-allow-from": "127.0.0.0/8",
        }
        return [*super().command(), *(f"--{key}={value}" for key, value in settings.items())]

    def control(self, *words):
        return subprocess.run(
            ["rec_control", "--socket-dir=.", *words], cwd=self.folder,
            capture_output=True, text=True, timeout=60, check=True).stdout

    def metrics(self, path="/metrics"):
        """Ours of the Recursor's own page, which has metrics of other forms too."""
        with urllib.request.urlopen(f"http://{self.address}:{self.http_port}{path}") as reply:
            lines = reply.read().decode().splitlines()
        matches = [SERIES.match(line) for line in lines if line.startswith("mxclash_")]
        return {
            f"{name}{{{labels}}}" if labels else name: float(value)
            for name, labels, value in (match.groups() for match in matches)
        }


@pytest.fixture(autouse=True)
def installed():
    need("pdns_recursor")


@contextlib.contextmanager
def short_lived(folder, **options):
    """short.test, whose records are soon gone from the cache, and a Recursor."""
    address = free_address(DNS_PORT)
    with Authority(folder / "own", BROKEN.format(address), address, DNS_PORT) as own:
        with Inside(folder / "inside", own, **options) as inside:
            yield own, inside


def ask_until(inside, rdtypes, condition, what):
    """Ask short.test as people and mail servers do, until it is so."""
    def happens():
        for rdtype in rdtypes:
            inside.ask("short.test", rdtype, edns=True)
        return condition()

    return wait_until(happens, EVENT_TIMEOUT_S, what)


def ask_until_opened(inside):
    found = lambda: inside.events(event="opened", domain="short.test")  # noqa: E731
    return ask_until(inside, ("MX", "A"), found, "the conflict")[0]


def ede(answer):
    """The Extended DNS Errors of an answer, as (code, text)."""
    return [(int(option.code), option.text) for option in answer.options
            if option.otype == 15]


def test_both_in_one_answer(delegated, tmp_path):
    """tinydns has both in one answer; whether an authority gave it the Recursor does not say."""
    with Inside(tmp_path / "inside", delegated.root) as inside:
        inside.ask("tiny.test", "MX")
        inside.ask("tiny.test", "MX", edns=True)
        event = inside.wait_event(event="opened", domain="tiny.test")
    assert event == {
        **event,
        "kind": "cname-and-mx",
        "state": "suspected",
        "evidence": "separate-answers",
        "cname": {"target": "www.cdn.test", "ttl": 600},
        "impact": "unknown",
        "authority": None,
    }
    assert [one["preference"] for one in event["mx"]] == [5, 10, 15]
    assert event["provider"] and event["advice"]


def test_in_separate_answers(tmp_path):
    with short_lived(tmp_path) as (_, inside):
        event = ask_until_opened(inside)
        assert event["state"] == "suspected"
        assert event["mx"] == [{"preference": 5, "exchange": "mx1.qiye.aliyun.com"}]
        assert len(inside.events(event="opened")) == 1


def test_healthy_zones_are_silent(delegated, tmp_path):
    with Inside(tmp_path / "inside", delegated.root) as inside:
        for _ in range(2):
            for owner in HEALTHY_OWNERS:
                for rdtype in TYPES:
                    inside.ask(owner, rdtype)
        # whatever they cause would be in the log before this
        for rdtype in ("MX", "A", "TXT"):
            inside.ask("tiny.test", rdtype)
        inside.wait_event(event="opened", domain="tiny.test")
        assert {event["domain"] for event in inside.events()} == {"tiny.test"}
        assert inside.metrics()["mxclash_lua_errors_total"] == 0


def test_an_event_has_the_members_that_the_modules_has(delegated, tmp_path):
    """And in the same order; and the command reads it."""
    upstreams = delegated.upstreams
    with Unbound(tmp_path / "unbound", upstreams) as unbound:
        unbound.ask("tiny.test", "MX")
        theirs = unbound.wait_event(event="opened", domain="tiny.test")
    with Inside(tmp_path / "inside", delegated.root) as inside:
        inside.ask("tiny.test", "MX")
        inside.ask("tiny.test", "A")
        ours = inside.wait_event(event="opened", domain="tiny.test")
        shown = subprocess.run(
            [BUILD / "mxclash", "list", "--log", inside.events_path],
            capture_output=True, text=True, timeout=60, check=True).stdout
    assert list(ours) == list(theirs)
    same = ("domain", "kind", "mx", "provider", "advice", "host")
    assert {key: ours[key] for key in same} == {key: theirs[key] for key in same}
    form = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
    assert all(form.fullmatch(ours[key]) for key in ("time", "first_seen", "last_seen"))
    assert "tiny.test" in shown


def test_a_cname_that_is_gone_ends_it(tmp_path):
    with short_lived(tmp_path) as (own, inside):
        ask_until_opened(inside)
        own.play(NO_CNAME.format(own.address))
        ask_until(inside, ("A", "MX"), lambda: inside.events(event="cleared"), "the end")


def test_an_mx_question_that_gets_neither_ends_it(tmp_path):
    with short_lived(tmp_path) as (own, inside):
        ask_until_opened(inside)
        own.play(NEITHER.format(own.address))
        ask_until(inside, ("MX",), lambda: inside.events(event="cleared"), "the end")


def test_what_is_not_renewed_ends(tmp_path):
    """The authority answers all with the CNAME now, as a sound one would: nothing shows that the MX is
    gone, and the domain is met all the while."""
    replaced = {"expire_after_s = 172800": "expire_after_s = 60",
                # the least that the engine takes is a minute: for the walk it is a second
                "settings.expire_after_s * 1000": "1000", "WALK_S = 600": "WALK_S = 1"}
    with short_lived(tmp_path, replaced=replaced) as (own, inside):
        ask_until_opened(inside)
        own.play(NO_MX.format(own.address).replace("answer by-type", "answer cname-only"))
        ask_until(inside, ("A",), lambda: inside.events(event="expired"), "the end")


def test_annotated_where_it_is_wanted(delegated, tmp_path):
    replaced = {"annotate = false": "annotate = true"}
    with Inside(tmp_path / "inside", delegated.root, replaced=replaced) as inside:
        inside.ask("tiny.test", "MX", edns=True)
        inside.wait_event(event="opened", domain="tiny.test")
        inside.control("wipe-cache", "tiny.test$")
        assert ede(inside.ask("tiny.test", "MX", edns=True)) == [(0, ANNOTATION)]
        # from the packet cache, which no script sees
        assert ede(inside.ask("tiny.test", "MX", edns=True)) == [(0, ANNOTATION)]
        assert ede(inside.ask("tiny.test", "A", edns=True)) == []
        assert ede(inside.ask("good.test", "MX", edns=True)) == []
        assert inside.ask("tiny.test", "MX").edns == -1
        assert inside.metrics()["mxclash_annotated_answers_total"] >= 1


def test_no_answer_is_another_by_default(delegated, tmp_path):
    with Inside(tmp_path / "inside", delegated.root) as inside:
        before = inside.ask("tiny.test", "MX", edns=True)
        inside.wait_event(event="opened", domain="tiny.test")
        inside.control("wipe-cache", "tiny.test$")
        after = inside.ask("tiny.test", "MX", edns=True)
        assert ede(before) == ede(after) == []
        assert rrset_texts(after, "CNAME") and rrset_texts(after, "MX")


def test_counters(tmp_path):
    """By the names of our own page, with all threads added up."""
    with short_lived(tmp_path) as (_, inside):
        ask_until_opened(inside)
        ask_until(inside, ("MX",), lambda: inside.metrics().get(OPENED) == 1, "the count")
        ask_until(inside, ("A", "MX"),
                  lambda: inside.metrics()['mxclash_affected_mx_answers_total{outcome="hidden"}'],
                  "a hidden MX")
        found = inside.metrics()
        assert found['mxclash_answers_inspected_total{source="upstream"}'] > 2
        assert found['mxclash_events_total{sink="file"}'] == len(inside.events())
        assert inside.control("get", "mxclash-conflicts-opened-total-cname-and-mx").strip() == "1"
        page = (REPOSITORY / "docs" / "metrics.md").read_text()
        names = {re.match(r"\w+", series)[0] for series in found}
        assert [name for name in names if f"`{name}`" not in page] == []


@pytest.mark.parametrize("replaced", [
    {"local now = now_ms()": "local now = now_ms() + nil"},
    {'"libmxclash.so.1"': '"libmxclash.so.none"'},
    {'"/usr/include/mxclash.ffi.h"': '"/nowhere.h"'},
    {"table_size = 16 * 1024 * 1024": "table_size = 1"},
], ids=["each answer", "no library", "no declarations", "a bad setting"])
def test_an_error_leaves_the_answers_alone(replaced, delegated, tmp_path):
    """It is said once by each thread, and counted."""
    with Inside(tmp_path / "inside", delegated.root, replaced=replaced, threads=1) as inside:
        for _ in range(2):
            for name in ("good.test", "tiny.test"):
                assert rrset_texts(inside.ask(name, "MX"), "MX")
        assert rrset_texts(inside.ask("good.test", "A"), "A") == ["192.0.2.30"]
        assert inside.metrics()["mxclash_lua_errors_total"] >= 1
        said = len(re.findall("mxclash: (?:cannot begin|an answer went out unseen)", inside.log))
        # the thread that answers, and the one that hands out the questions
        assert 1 <= said <= 3
        assert inside.events() == []


def test_a_log_that_cannot_be_written(delegated, tmp_path):
    replaced = {'"/var/log/pdns-recursor/mxclash.json"': '"/nowhere/events"'}
    with Inside(tmp_path / "inside", delegated.root, replaced=replaced) as inside:
        assert rrset_texts(inside.ask("tiny.test", "MX"), "MX")
        assert inside.metrics()['mxclash_events_dropped_total{sink="file"}'] == 1
        assert inside.metrics()["mxclash_lua_errors_total"] == 0
        assert inside.log.count("events are lost") == 1


def test_the_recursors_own_log(delegated, tmp_path):
    replaced = {'log_file = "/var/log/pdns-recursor/mxclash.json"': "log_file = nil"}
    with Inside(tmp_path / "inside", delegated.root, replaced=replaced) as inside:
        inside.ask("tiny.test", "MX")
        line = re.search(r'msg="mxclash: (\{.*?\})" subsystem', inside.log)[1]
        assert json.loads(line.replace('\\"', '"'))["domain"] == "tiny.test"


def test_ignored(delegated, tmp_path):
    replaced = {"ignore = {}": 'ignore = { "other.test", "tiny.test" }'}
    with Inside(tmp_path / "inside", delegated.root, replaced=replaced) as inside:
        for rdtype in ("MX", "A"):
            inside.ask("tiny.test", rdtype)
        assert inside.events() == []
        assert inside.metrics()["mxclash_lua_errors_total"] == 0


def test_beside_a_script_of_the_operators(delegated, tmp_path):
    own = """
        function preresolve(dq)
            if dq.qname:equal("mine.test") then
                dq:addAnswer(pdns.A, "192.0.2.99")
                return true
            end
            return false
        end
        function postresolve(dq)
            if dq.qname:equal("tiny.test") then dq.rcode = pdns.REFUSED return true end
            return false
        end
    """
    with Inside(tmp_path / "inside", delegated.root, own=own) as inside:
        assert rrset_texts(inside.ask("mine.test", "A"), "A") == ["192.0.2.99"]
        assert inside.ask("tiny.test", "MX").rcode() == 5
        # what it saw is the answer from before
        inside.wait_event(event="opened", domain="tiny.test")


def test_a_policys_cname_is_nobodys_fault(tmp_path):
    """A response policy puts a CNAME where the domain has an MX: it is the operator's own."""
    zone = tmp_path / "rpz"
    zone.write_text("$ORIGIN rpz.\n@ 300 SOA ns. op. 1 60 60 600 60\n@ 300 NS ns.\n"
                    "32.11.2.0.192.rpz-ip CNAME www.cdn.test.\n")
    address = free_address(DNS_PORT)

    class WithPolicy(Inside):
        def configure(self):
            super().configure()
            (self.folder / "config.lua").write_text(f'rpzFile("{zone}", {{policyName="wall"}})\n')

        def command(self):
            return [*super().command(), f"--lua-config-file={self.folder / 'config.lua'}"]

    with Authority(tmp_path / "own", NO_CNAME.format(address), address, DNS_PORT) as own:
        with WithPolicy(tmp_path / "inside", own) as inside:
            for _ in range(3):
                inside.control("wipe-cache", "short.test$")
                inside.ask("short.test", "MX")
                assert rrset_texts(inside.ask("short.test", "A"), "CNAME") == ["www.cdn.test."]
                inside.ask("short.test", "MX")
            assert inside.events() == []


def test_what_is_bogus_is_nobodys_word(delegated, tmp_path):
    """The lab's root is not signed, and the Recursor knows the real one's key. A client that wants no
    validation (CD) gets the records."""
    class Validating(Inside):
        def command(self):
            return [*super().command(), "--dnssec=validate"]

        def is_ready(self):
            return "Listening for HTTP requests" in self.log

    query = dns.message.make_query("tiny.test", "MX", flags=dns.flags.RD | dns.flags.CD, want_dnssec=True)
    with Validating(tmp_path / "inside", delegated.root) as inside:
        for _ in range(2):
            octets = exchange(inside.address, inside.port, query.to_wire())
            assert rrset_texts(dns.message.from_wire(octets), "MX")
            inside.control("wipe-cache", "tiny.test$")
        assert inside.ask("tiny.test", "MX").rcode() == 2
        assert inside.metrics()["mxclash_lua_errors_total"] == 0
        assert inside.events() == []


def test_names_of_any_octets(tmp_path):
    """What the Recursor writes as text is read again as it was."""
    labels = (bytes(range(63)), bytes(range(64, 127)), bytes(range(127, 190)), bytes(range(224, 256)))
    null_mx = NO_CNAME.replace("5 mx1.qiye.aliyun.com.", "0 .")
    address = free_address(DNS_PORT)
    with Authority(tmp_path / "own", null_mx.format(address), address, DNS_PORT) as own:
        with Inside(tmp_path / "inside", own) as inside:
            assert rrset_texts(inside.ask("short.test", "MX"), "MX") == ["0 ."]
            for label in labels:
                inside.ask(dns.name.Name((label, b"short", b"test", b"")), "MX")
            longest = dns.name.Name((b"x" * 63, b"y" * 63, b"z" * 63, b"w" * 50, b"short", b"test", b""))
            assert len(longest.to_wire()) == 255
            inside.ask(longest, "MX")
            inside.ask(".", "NS")
            assert inside.metrics()["mxclash_lua_errors_total"] == 0


def test_loaded_again(delegated, tmp_path):
    """Each engine is a new one, so what is open is found again."""
    with Inside(tmp_path / "inside", delegated.root) as inside:
        for count in range(1, 4):
            inside.ask("tiny.test", "MX")
            wait_until(lambda: len(inside.events(event="opened")) == count,  # noqa: B023
                       EVENT_TIMEOUT_S, "it to be opened again")
            inside.control("reload-lua-script", str(inside.script_path))
            inside.control("wipe-cache", "tiny.test$")
        assert inside.metrics()["mxclash_lua_errors_total"] == 0
