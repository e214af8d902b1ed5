# SPDX-License-Identifier: BSD-3-Clause
"""Repair: which answers change, when, and what never changes."""

import itertools
import re
import signal
import socket
import time

import dns.flags
import dns.message
import dns.rcode
import pytest

from asking import (
    OTHER,
    STALE,
    STANDARD,
    chain,
    confirm,
    errors,
    mx_hosts,
    question,
)
from lab import ANSWER_TIMEOUT_S, Authority, exchange, wait_until
from resolver import EVENT_TIMEOUT_S
from test_unchanged import TYPES, assert_same_octets
from world import HEALTHY_OWNERS

SHOP = """\
zone shop.test
  answer {mode}
  {rules}
  @ {cname_ttl} CNAME www.cdn.test.
  @ {mx_ttl} MX 5 mail.host.test.
"""
SHOP_HOSTS = ["mail.host.test."]
# Whoever waits for an authority that does not answer waits longer; what is less is the machine's.
PATIENCE_S = 10


def shop(*, mode="by-type", rules="", cname_ttl=600, mx_ttl=600):
    return SHOP.format(mode=mode, rules=rules, cname_ttl=cname_ttl, mx_ttl=mx_ttl)


def outcomes(unbound):
    """How many MX answers for domains in conflict were hidden, and how many repaired."""
    metrics = unbound.metrics()
    name = 'mxclash_affected_mx_answers_total{{outcome="{}"}}'
    return {outcome: metrics[name.format(outcome)] for outcome in ("hidden", "repaired")}


def ask_at_once(unbound, owner, count, **edns):
    """Ask MX from so many sockets at once, and return the answers. Each thread of Unbound's gets
    its share: the kernel deals the packets out by address and port."""
    query = dns.message.make_query(owner, "MX", **edns)
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    try:
        for number, one in enumerate(sockets):
            one.settimeout(ANSWER_TIMEOUT_S)
            one.connect((unbound.address, unbound.port))
            query.id = number
            one.send(query.to_wire())
        return [dns.message.from_wire(one.recv(65535)) for one in sockets]
    finally:
        for one in sockets:
            one.close()


@pytest.fixture
def own(tmp_path, start, world):
    """own(scenario, **options): an authority for shop.test, and an Unbound that repairs."""
    servers = []

    def build(scenario, mxclash=None, upstreams=None, **options):
        servers.append(Authority(tmp_path / "shop", scenario).start())
        unbound = start(
            {**world.upstreams, "shop.test": servers[-1], **(upstreams or {})},
            mxclash={"repair": "yes", **(mxclash or {})},
            **options,
        )
        return servers[-1], unbound

    yield build
    for server in servers:
        server.stop()


@pytest.mark.parametrize("first", ["A", "MX"])
@pytest.mark.parametrize(
    "domain",
    ["split.test", "sub.split.test", "big.test", "tiny.test", "turned.test"],
)
def test_every_thread_gives_the_mx(delegated, start, domain, first):
    """By type, by type below the apex, by type over TCP, and both in one answer in either order;
    names are minimised on the way down from the root."""
    unbound = start(delegated.upstreams, mxclash={"repair": "yes"}, threads=4)
    for rdtype in (first, "A", "MX"):
        unbound.ask(domain, rdtype)
    unbound.wait_event(domain=domain, kind="cname-and-mx", state="confirmed")
    for command in (None, f"flush {domain}", "flush_zone test", f"flush_type {domain} MX"):
        if command:
            unbound.control(command)
            unbound.ask(domain, first)
        for answer in ask_at_once(unbound, domain, 100):
            assert mx_hosts(answer, domain) == STANDARD
            assert answer.rcode() == dns.rcode.NOERROR
            assert set(chain(answer)) == {f"{domain}."}
    assert outcomes(unbound)["repaired"] >= 400
    answer = question(unbound, domain, "A")
    assert chain(answer) == [f"{domain}.", "www.cdn.test."]


def test_after_a_reload(world, start):
    """Nothing is known any more, so the conflict must be found again; then it is repaired again."""
    unbound = start(world.upstreams, mxclash={"repair": "yes"}, threads=2)
    for _ in range(2):
        confirmed = len(unbound.events(event="opened", domain="split.test"))
        unbound.ask("split.test", "A")
        unbound.ask("split.test", "MX")
        wait_until(
            lambda: len(unbound.events(event="opened", domain="split.test")) > confirmed,
            ANSWER_TIMEOUT_S,
            "the conflict",
        )
        for answer in ask_at_once(unbound, "split.test", 20):
            assert mx_hosts(answer, "split.test") == STANDARD
        unbound.reload()


@pytest.mark.parametrize("modules", ["iterator", "validator iterator"])
def test_other_questions_get_what_they_always_got(world, start, needs_tinydns, modules):
    """Octet by octet: all types but MX of broken names, and every type of healthy ones."""
    plain = start(world.upstreams, modules=modules)
    ours = start(
        world.upstreams,
        modules=f"dynlib {modules}",
        mxclash={"repair": "yes", "annotate": "yes"},
        threads=2,
    )
    broken = ("split.test", "sub.split.test", "tiny.test", "turned.test")
    for domain in broken:
        for rdtype in ("A", "MX"):
            plain.ask(domain, rdtype)
        confirm(ours, domain)
        ours.ask(domain, "MX")
    for unbound in (plain, ours):
        unbound.control("flush_zone test")
    # first the CNAME comes into both caches, so that it hides the other types
    types = ("A", *(rdtype for rdtype in TYPES if rdtype != "MX"))
    questions = itertools.chain(
        itertools.product(broken, types), itertools.product(HEALTHY_OWNERS, TYPES)
    )
    for owner, rdtype in questions:
        for edns in (False, True):
            assert_same_octets(
                ours.ask(owner, rdtype, edns=edns).octets,
                plain.ask(owner, rdtype, edns=edns).octets,
            )
    assert chain(question(ours, "split.test", "MX")) == ["split.test."]


def test_a_question_without_rd_gets_what_is_in_the_cache(world, start):
    """Only the CNAME is there. To ask past it would make a referral of the answer."""
    unbound = start(
        world.upstreams,
        mxclash={"repair": "yes"},
        settings={"access-control": "127.0.0.0/8 allow_snoop"},
    )
    confirm(unbound, "split.test")
    unbound.control("flush split.test")
    unbound.ask("split.test", "A")
    query = dns.message.make_query("split.test", "MX")
    query.flags &= ~dns.flags.RD
    answer = dns.message.from_wire(exchange(unbound.address, unbound.port, query.to_wire()))
    assert chain(answer)[0] == "split.test." and mx_hosts(answer, "split.test") == []
    assert mx_hosts(question(unbound, "split.test", "MX"), "split.test") == STANDARD


@pytest.mark.parametrize("mode, hosts", [("by-type", SHOP_HOSTS), ("both", [])])
def test_behind_a_forwarder(own, mode, hosts):
    """Whom a forwarder asked is not known. It can be asked past the CNAME, but an MX that it puts
    into one answer with the CNAME is not its own to give: that is reported, and never put back."""
    authority, unbound = own(shop(mode=mode), kind="forward")
    confirm(unbound, "shop.test")
    for command in (None, "flush shop.test", "flush_type shop.test MX", "flush_zone test"):
        if command:
            unbound.control(command)
            unbound.ask("shop.test", "A")
        asked = len(authority.queries("shop.test", "MX"))
        for _ in range(3):
            answer = question(unbound, "shop.test", "MX")
            assert mx_hosts(answer, "shop.test") == hosts
            assert hosts or chain(answer)[0] == "shop.test."
        assert command is None or len(authority.queries("shop.test", "MX")) > asked
    assert (outcomes(unbound)["repaired"] > 0) == bool(hosts)
    assert unbound.events(event="cleared") == []


@pytest.mark.parametrize(
    "rule, mode", [("drop", "by-type"), ("refuse", "both"), ("servfail", "by-type")]
)
def test_while_the_authority_fails_the_answer_is_todays(own, rule, mode):
    """And soon enough: the CNAME is cached, so without repair it came at once. When the authority
    is back, so is the MX."""
    authority, unbound = own(shop(mode=mode, mx_ttl=1))
    confirm(unbound, "shop.test")
    assert mx_hosts(question(unbound, "shop.test", "MX"), "shop.test") == SHOP_HOSTS
    authority.play(shop(mode=mode, mx_ttl=1, rules=f"{rule} *"))

    def todays():
        before = time.monotonic()
        answer = question(unbound, "shop.test", "MX")
        assert time.monotonic() - before < PATIENCE_S
        assert answer.rcode() == dns.rcode.NOERROR
        return chain(answer)[0] == "shop.test." and not mx_hosts(answer, "shop.test")

    wait_until(todays, ANSWER_TIMEOUT_S, "the end of the MX")
    # nobody has to wait again, nor is the authority asked again, by the next questions
    asked = len(authority.queries("shop.test", "MX"))
    for _ in range(20):
        assert todays()
    assert len(authority.queries("shop.test", "MX")) == asked
    authority.play(shop(mode=mode))
    wait_until(
        lambda: mx_hosts(question(unbound, "shop.test", "MX"), "shop.test"),
        EVENT_TIMEOUT_S,
        "the repair",
    )


def test_a_slow_server_is_not_waited_for_twice(own):
    """Unbound waits ever longer for a server that did not answer: one long wait is enough."""
    authority, unbound = own(shop(mx_ttl=1), settings={"infra-cache-min-rtt": 4000})
    confirm(unbound, "shop.test")
    authority.play(shop(mx_ttl=1, rules="drop *"))
    hosts = SHOP_HOSTS
    while hosts:
        before = time.monotonic()
        answer = question(unbound, "shop.test", "MX")
        waited = time.monotonic() - before
        hosts = mx_hosts(answer, "shop.test")
    assert chain(answer)[0] == "shop.test."
    # twice is 4 s and 8 s
    assert 3.5 < waited < PATIENCE_S


def test_a_dead_authority(own):
    """The process is gone: its port is unreachable."""
    authority, unbound = own(shop(mx_ttl=1))
    confirm(unbound, "shop.test")
    authority.stop()
    answer = wait_until(
        lambda: not mx_hosts(a := question(unbound, "shop.test", "MX"), "shop.test") and a,
        ANSWER_TIMEOUT_S,
        "the end of the MX",
    )
    assert answer.rcode() == dns.rcode.NOERROR
    assert chain(answer)[0] == "shop.test."


def test_a_target_that_is_dead_does_not_matter(own):
    """The MX in one answer with the CNAME is given without a look at what the CNAME points to."""
    scenario = shop(mode="both", rules="drop * www")
    _, unbound = own(scenario.replace("www.cdn.test.", "www.shop.test."))
    answer = question(unbound, "shop.test", "MX", timeout_s=PATIENCE_S)
    assert mx_hosts(answer, "shop.test") == SHOP_HOSTS
    unbound.wait_event(event="opened", domain="shop.test", state="confirmed")


def test_a_stale_mx_is_served_and_refreshed(own):
    """RFC 8767. Unbound says that the answer is stale, we that there is a conflict."""
    authority, unbound = own(
        shop(mx_ttl=1),
        mxclash={"annotate": "yes"},
        settings={
            "serve-expired": "yes",
            # newer versions wait 1.8 s for a fresh one first
            "serve-expired-client-timeout": "0",
            "ede": "yes",
            "ede-serve-expired": "yes",
        },
    )
    confirm(unbound, "shop.test")
    assert mx_hosts(question(unbound, "shop.test", "MX"), "shop.test") == SHOP_HOSTS
    codes = wait_until(
        lambda: STALE in (c := [code for code, _ in errors(mx_answer(unbound))]) and c,
        ANSWER_TIMEOUT_S,
        "a stale answer",
    )
    assert sorted(codes) == [OTHER, STALE]
    # the refresh goes past the CNAME: what it brings is the MX again
    before = len(authority.queries("shop.test", "MX"))
    wait_until(
        lambda: mx_answer(unbound) and len(authority.queries("shop.test", "MX")) > before,
        ANSWER_TIMEOUT_S,
        "a refresh",
    )
    # and while the authority is gone the stale MX is better than the CNAME
    authority.stop()
    for _ in range(5):
        wait_until(
            lambda: STALE in [code for code, _ in errors(mx_answer(unbound))],
            ANSWER_TIMEOUT_S,
            "a stale answer",
        )


def mx_answer(unbound):
    """The answer to MX of shop.test, which must show the MX."""
    answer = question(unbound, "shop.test", "MX")
    assert mx_hosts(answer, "shop.test") == SHOP_HOSTS
    return answer


def questions_so_far(unbound):
    (line,) = re.findall(r"^total.num.queries=(\d+)", unbound.control("stats_noreset"), re.MULTILINE)
    return int(line)


def test_clients_that_share_a_query_all_get_the_mx(world, start):
    """The authority sleeps while they ask, so that one query is done for all of them."""
    unbound = start(
        world.upstreams,
        mxclash={"repair": "yes", "annotate": "yes"},
        # so that it may sleep for a second before the repair is given up
        settings={"infra-cache-min-rtt": 500},
    )
    confirm(unbound, "split.test")
    unbound.control("flush split.test")
    unbound.ask("split.test", "A")
    asked = len(world.own.queries("split.test", "MX"))
    before = outcomes(unbound)
    arrived = questions_so_far(unbound)
    world.own.process.send_signal(signal.SIGSTOP)
    try:
        query = dns.message.make_query("split.test", "MX", use_edns=0)
        sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(50)]
        for one in sockets:
            one.settimeout(ANSWER_TIMEOUT_S)
            one.connect((unbound.address, unbound.port))
            one.send(query.to_wire())
        wait_until(
            lambda: questions_so_far(unbound) >= arrived + 50, PATIENCE_S, "50 questions to arrive"
        )
    finally:
        world.own.process.send_signal(signal.SIGCONT)
    answers = [one.recv(65535) for one in sockets]
    for one in sockets:
        one.close()
    assert len(set(answers)) == 1
    answer = dns.message.from_wire(answers[0])
    assert mx_hosts(answer, "split.test") == STANDARD
    assert [code for code, _ in errors(answer)] == [OTHER]
    # Unbound may have asked twice, if the authority slept for long
    assert len(world.own.queries("split.test", "MX")) - asked <= 2
    assert outcomes(unbound)["repaired"] - before["repaired"] == 50


def test_a_policy_is_not_repaired(world, start, tmp_path):
    """What a response policy zone says of a name, or of a name server, stays as it says."""
    nsip = ".".join(reversed(world.own.address.split(".")))
    (tmp_path / "policy.zone").write_text(
        "$ORIGIN policy.\n@ 60 SOA ns. h. 1 3600 600 86400 60\n@ 60 NS ns.\n"
        f"firm.test CNAME .\n32.{nsip}.rpz-nsip CNAME good.test.\n"
    )
    policy = {"ede": "yes\nrpz:", "name": "policy", "zonefile": f'"{tmp_path}/policy.zone"'}
    ours, plain = (
        start(
            world.upstreams,
            modules=f"respip {modules}",
            mxclash={"repair": "yes", "annotate": "yes"},
            settings=policy,
        )
        for modules in ("dynlib iterator", "iterator")
    )
    ours.control("rpz_disable policy")
    for domain in ("split.test", "firm.test"):
        confirm(ours, domain)
        assert mx_hosts(question(ours, domain, "MX"), domain)
        ours.control(f"flush {domain}")
    ours.control("rpz_enable policy")
    for domain in ("split.test", "firm.test"):
        for rdtype in ("A", "MX", "A", "MX"):
            answer, wanted = (question(one, domain, rdtype) for one in (ours, plain))
            assert answer.rcode() == wanted.rcode()
            assert chain(answer) == chain(wanted)
            assert mx_hosts(answer, domain) == []
            assert [e for e in errors(answer) if e[0] != OTHER] == errors(wanted)
