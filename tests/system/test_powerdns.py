# SPDX-License-Identifier: BSD-3-Clause
"""The detector inside PowerDNS Recursor, and a thread of its own that proves: conf-examples/powerdns."""

import json
import re
import subprocess
from pathlib import Path

import dns.flags
import dns.message
import dns.name
import pytest
from inside import (
    ANNOTATION,
    NEITHER,
    NO_CNAME,
    NO_MX,
    SUSPECTS,
    Inside,
    ask_until,
    ask_until_opened,
    ede,
    short_lived,
)
from lab import (
    BUILD,
    DNS_PORT,
    REPOSITORY,
    Authority,
    exchange,
    free_address,
    rrset_texts,
    wait_until,
)
from observing import EVENT_TIMEOUT_S
from resolver import Unbound
from test_sidecar import TYPES, need
from world import HEALTHY_OWNERS

OPENED = 'mxclash_conflicts_opened_total{kind="cname-and-mx"}'


@pytest.fixture(autouse=True)
def installed():
    need("pdns_recursor")


def threads_named(inside, name):
    """The status of each thread of that name, as a dict."""
    found = []
    for task in Path(f"/proc/{inside.pid}/task").iterdir():
        if (task / "comm").read_text().strip() == name[:15]:
            lines = (task / "status").read_text().splitlines()
            found.append(dict(line.split(":", 1) for line in lines))
    return found


def test_confirmed_as_the_module_confirms(delegated, tmp_path):
    """An event is the module's, member for member, and nobody has to ask for it to be told; and the
    command reads it."""
    with Unbound(tmp_path / "unbound", delegated.upstreams) as unbound:
        for rdtype in ("A", "MX"):
            unbound.ask("split.test", rdtype)
        theirs = unbound.wait_event(event="opened", domain="split.test")
    with Inside(tmp_path / "inside", delegated.root) as inside:
        for rdtype in ("A", "MX"):
            inside.ask("split.test", rdtype)
        ours = inside.wait_event(event="opened", domain="split.test")
        shown = subprocess.run(
            [BUILD / "mxclash", "list", "--log", inside.events_path],
            capture_output=True, text=True, timeout=60, check=True).stdout
        wait_until(lambda: inside.metrics().get('mxclash_probes_total{result="both"}') == 1,
                   EVENT_TIMEOUT_S, "the count of the proof")
        assert inside.metrics()["mxclash_lua_errors_total"] == 0
    assert (ours["state"], ours["evidence"], ours["impact"]) == ("confirmed", "probe", "implicit-mx")
    assert list(ours) == list(theirs)
    differ = {"time", "first_seen", "last_seen", "mx_queries"}
    assert {key: ours[key] for key in ours if key not in differ} == {
        key: theirs[key] for key in theirs if key not in differ}
    form = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
    assert all(form.fullmatch(ours[key]) for key in ("time", "first_seen", "last_seen"))
    assert "split.test" in shown


def test_one_thread_proves_for_all(delegated, tmp_path):
    """What one thread of the Recursor saw and what another did meet in one engine. No signal comes to
    the thread that proves."""
    server = {"threads": 3, "pdns-distributes-queries": "no", "reuseport": "yes"}
    with Inside(tmp_path / "inside", delegated.root, server=server) as inside:
        for _ in range(4):
            for rdtype in ("A", "MX", "AAAA"):
                inside.ask("split.test", rdtype)
        inside.wait_event(event="opened", domain="split.test", state="confirmed")
        assert len(inside.events(event="opened")) == 1
        (thread,) = threads_named(inside, "mxclash-prover")
        blocked = int(thread["SigBlk"], 16)
        # all but those that no thread can block
        assert [n for n in range(1, 32) if n not in (9, 19) and not blocked >> (n - 1) & 1] == []


def test_who_may_not_be_asked_is_not(delegated, tmp_path):
    """By default nobody on loopback is, and do_not_ask is stronger than may_ask: then nothing is
    confirmed. Both were seen, so it is told."""
    named = {"may_ask": '{ "127.0.0.0/8" }', "do_not_ask": f'{{ "{delegated.own.address}" }}'}
    for number, settings in enumerate(({"may_ask": "{}"}, named)):
        with Inside(tmp_path / str(number), delegated.root, settings=settings) as inside:
            for rdtype in ("MX", "A"):
                inside.ask("sub.split.test", rdtype)
            inside.control("wipe-cache", "sub.split.test$")
            before = len(delegated.own.queries("sub.split.test"))
            for rdtype in ("A", "MX"):
                inside.ask("sub.split.test", rdtype)
            wait_until(lambda: inside.metrics().get('mxclash_probes_total{result="failed"}'),  # noqa: B023
                       EVENT_TIMEOUT_S, "the proof to fail")
            # the Recursor's own, of each client's question
            assert len(delegated.own.queries("sub.split.test")) <= before + 2
            assert inside.events(state="confirmed") == []


def test_a_proof_clears_it(tmp_path):
    with short_lived(tmp_path, settings={"recheck_interval_s": "1"}) as (own, inside):
        assert ask_until_opened(inside)["state"] == "confirmed"
        own.play(NO_CNAME.format(own.address))
        cleared = lambda: inside.events(event="cleared", kind="cname-and-mx")  # noqa: E731
        ask_until(inside, ("A", "MX"), cleared, "the end")
        told = inside.events(kind="cname-and-mx")
        assert [event["event"] for event in told] == ["opened", "cleared"]


def test_suspected_of_one_answer(delegated, tmp_path):
    """tinydns has both in one answer; whether an authority gave it the Recursor does not say."""
    with Inside(tmp_path / "inside", delegated.root, settings=SUSPECTS) as inside:
        inside.ask("tiny.test", "MX")
        inside.ask("tiny.test", "MX", edns=True)
        event = inside.wait_event(event="opened", domain="tiny.test")
        assert threads_named(inside, "mxclash-prover") == []
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


def test_suspected_of_separate_answers(tmp_path):
    with short_lived(tmp_path, settings=SUSPECTS) as (_, inside):
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


def test_a_cname_that_is_gone_ends_it(tmp_path):
    with short_lived(tmp_path, settings=SUSPECTS) as (own, inside):
        ask_until_opened(inside)
        own.play(NO_CNAME.format(own.address))
        ask_until(inside, ("A", "MX"), lambda: inside.events(event="cleared"), "the end")


def test_an_mx_question_that_gets_neither_ends_it(tmp_path):
    with short_lived(tmp_path, settings=SUSPECTS) as (own, inside):
        ask_until_opened(inside)
        own.play(NEITHER.format(own.address))
        ask_until(inside, ("MX",), lambda: inside.events(event="cleared"), "the end")


def test_what_is_not_renewed_ends(tmp_path):
    """The authority answers all with the CNAME now, as a sound one would: nothing shows that the MX is
    gone, and the domain is met all the while."""
    # the least that the engine takes is a minute: for the walk it is a second
    replaced = {"settings.expire_after_s * 1000": "1000", "WALK_S = 600": "WALK_S = 1"}
    settings = {**SUSPECTS, "expire_after_s": "60"}
    with short_lived(tmp_path, settings=settings, replaced=replaced) as (own, inside):
        ask_until_opened(inside)
        own.play(NO_MX.format(own.address).replace("answer by-type", "answer cname-only"))
        ask_until(inside, ("A",), lambda: inside.events(event="expired"), "the end")


def test_annotated_where_it_is_wanted(delegated, tmp_path):
    with Inside(tmp_path / "inside", delegated.root, settings={"annotate": "true"}) as inside:
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
    {"ffi.load(settings.library)": 'ffi.load("libmxclash.so.none")'},
    {"ffi.load(settings.prover_library)": 'ffi.load("libmxclash-prover.so.none")'},
    {"ipairs(settings.declarations)": 'ipairs { "/nowhere.h" }'},
    {"options.table_size = settings.table_size": "options.table_size = 1"},
    {"texts(settings.do_not_ask)": 'texts { "10.0.0.0/33" }'},
], ids=["each answer", "no library", "no prover", "no declarations", "a bad setting", "a bad net"])
def test_an_error_leaves_the_answers_alone(replaced, delegated, tmp_path):
    """It is said once by each thread, and counted."""
    with Inside(tmp_path / "inside", delegated.root, replaced=replaced, server={"threads": 1}) as inside:
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
    with Inside(tmp_path / "inside", delegated.root, settings={"log_file": '"/nowhere/events"'}) as inside:
        assert rrset_texts(inside.ask("tiny.test", "MX"), "MX")
        wait_until(lambda: inside.metrics()['mxclash_events_dropped_total{sink="file"}'] == 1,
                   EVENT_TIMEOUT_S, "the event that is lost")
        assert inside.metrics()["mxclash_lua_errors_total"] == 0
        assert inside.log.count("events are lost") == 1


def test_the_recursors_own_log(delegated, tmp_path):
    told = lambda: re.search(r'msg="mxclash: (\{.*?\})" subsystem', inside.log)  # noqa: E731
    with Inside(tmp_path / "inside", delegated.root, settings={"log_file": "nil"}) as inside:
        inside.ask("tiny.test", "MX")
        line = wait_until(told, EVENT_TIMEOUT_S, "the line")[1]
        assert json.loads(line.replace('\\"', '"'))["domain"] == "tiny.test"


def test_ignored(delegated, tmp_path):
    ignore = {"ignore": '{ "other.test", "tiny.test" }'}
    with Inside(tmp_path / "inside", delegated.root, settings=ignore) as inside:
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
    config = f'rpzFile("{zone}", {{policyName="wall"}})\n'
    with Authority(tmp_path / "own", NO_CNAME.format(address), address, DNS_PORT) as own:
        with Inside(tmp_path / "inside", own, config=config) as inside:
            for _ in range(3):
                inside.control("wipe-cache", "short.test$")
                inside.ask("short.test", "MX")
                assert rrset_texts(inside.ask("short.test", "A"), "CNAME") == ["www.cdn.test."]
                inside.ask("short.test", "MX")
            assert inside.events() == []


def test_what_is_bogus_is_nobodys_word(delegated, tmp_path):
    """The lab's root is not signed, and the Recursor knows the real one's key. A client that wants no
    validation (CD) gets the records."""
    query = dns.message.make_query("tiny.test", "MX", flags=dns.flags.RD | dns.flags.CD, want_dnssec=True)
    with Inside(tmp_path / "inside", delegated.root, server={"dnssec": "validate"}) as inside:
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
    """With the same settings the detector goes on, with others it is a new one; nothing is left over."""
    with Inside(tmp_path / "inside", delegated.root) as inside:
        def reload():
            inside.control("reload-lua-script", str(inside.script_path))
            inside.control("wipe-cache", "tiny.test$")
            inside.ask("tiny.test", "MX")

        inside.ask("tiny.test", "MX")
        inside.wait_event(event="opened", domain="tiny.test")
        held = inside.thread_count(), inside.descriptor_count()
        for _ in range(10):
            reload()
        assert len(inside.events(event="opened")) == 1
        for count in (2, 3):
            inside.settings["expire_after_s"] = str(1000 + count)
            inside.write_script()
            reload()
            wait_until(lambda: len(inside.events(event="opened")) == count,  # noqa: B023
                       EVENT_TIMEOUT_S, "it to be opened again")
        wait_until(lambda: (inside.thread_count(), inside.descriptor_count()) <= held,
                   EVENT_TIMEOUT_S, "what the old ones held to be given back")
        assert len(threads_named(inside, "mxclash-prover")) == 1
        # each step of the counters is there once, whoever told it
        wait_until(lambda: inside.metrics()[OPENED] == 3, EVENT_TIMEOUT_S, "the count")
        assert inside.metrics()["mxclash_lua_errors_total"] == 0
        inside.settings["probe"] = "false"
        inside.write_script()
        reload()
        wait_until(lambda: threads_named(inside, "mxclash-prover") == [], EVENT_TIMEOUT_S, "its end")


def test_it_ends_with_the_recursor(delegated, tmp_path):
    """By its own command, which takes everything down in order, with a proof under way."""
    with Inside(tmp_path / "inside", delegated.root, settings={"probe_rate": "1"}) as inside:
        inside.ask("tiny.test", "MX")
        inside.control("quit-nicely")
        assert inside.process.wait(30) == 0
        assert "AddressSanitizer" not in inside.log and "terminate" not in inside.log
