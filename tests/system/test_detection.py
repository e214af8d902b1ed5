# SPDX-License-Identifier: BSD-3-Clause
"""What is found, and what is not, with real authorities behind a real Unbound."""

import re
import socket
import threading

import pytest
from lab import Authority, rrset_texts, wait_until
from world import HEALTHY_OWNERS

STANDARD_MX = [
    {"preference": 5, "exchange": "mx1.qiye.aliyun.com"},
    {"preference": 10, "exchange": "mx2.qiye.aliyun.com"},
    {"preference": 15, "exchange": "mx3.qiye.aliyun.com"},
]
ALL_TYPES = ("A", "MX", "TXT", "AAAA", "CNAME", "NS", "SOA")
# Unbound gives up on a server that never answers only after several tries.
SILENCE_TIMEOUT_S = 90
MILLISECOND_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def mx_of(answer, owner):
    """The MX records in an answer that stand at owner itself."""
    found = [rrset for rrset in answer.answer if rrset.name.to_text() == f"{owner}."]
    return sorted(r.to_text() for rrset in found if rrset.rdtype == 15 for r in rrset)


def one_conflict(unbound, domain, **wanted):
    """Wait for the opened event of a domain; check that it is the only event, and confirmed."""
    event = unbound.wait_event(event="opened", domain=domain)
    assert event == {
        **event,
        "kind": "cname-and-mx",
        "state": "confirmed",
        **wanted,
    }
    assert unbound.events(event="opened") == [event]
    return event


def test_by_type_a_then_mx(world, start):
    """The first must-show: A plants the CNAME, and the MX is not seen by clients any more."""
    unbound = start(world.upstreams)
    assert rrset_texts(unbound.ask("split.test", "A"), "A") == ["192.0.2.10"]
    answer = unbound.ask("split.test", "MX")
    assert mx_of(answer, "split.test") == []
    assert rrset_texts(answer, "CNAME") == ["www.cdn.test."]
    assert len(mx_of(world.own.ask("split.test", "MX"), "split.test")) == 3
    event = one_conflict(
        unbound,
        "split.test",
        evidence="probe",
        apex=True,
        zone="split.test",
        cname={"target": "www.cdn.test", "ttl": 600},
        mx=STANDARD_MX,
        authority=world.own.address,
    )
    assert set(event["advice"]) == {
        *("remove-cname", "replace-cname-with-address", "move-cname", "separate-mail-domain"),
        "flatten-cname",
    }
    for key in ("time", "first_seen", "last_seen"):
        assert MILLISECOND_TIME.fullmatch(event[key])
    assert event["host"] == socket.gethostname()


def test_by_type_mx_then_a(world, start):
    unbound = start(world.upstreams)
    assert len(mx_of(unbound.ask("split.test", "MX"), "split.test")) == 3
    unbound.ask("split.test", "A")
    one_conflict(unbound, "split.test", evidence="probe", apex=True, mx=STANDARD_MX)


def test_address_alone_at_an_apex(world, start):
    """Nobody has asked for the MX yet: it is found before the first mail is lost."""
    unbound = start(world.upstreams)
    unbound.ask("split.test", "A")
    one_conflict(unbound, "split.test", evidence="probe", apex=True, mx=STANDARD_MX)


def test_below_the_apex(world, start):
    unbound = start(world.upstreams, settings={"qname-minimisation": "no"})
    assert mx_of(unbound.ask("sub.split.test", "MX"), "sub.split.test")
    unbound.ask("sub.split.test", "A")
    one_conflict(unbound, "sub.split.test", evidence="probe", apex=False, zone="split.test")


def test_below_the_apex_with_minimisation(world, start):
    """Unbound asks A of the whole name before it asks MX (RFC 9156 2.1), gets the CNAME and is
    content: below the apex the MX is lost to every client, and only a proof can see it."""
    unbound = start(world.upstreams, settings={"qname-minimisation": "yes"})
    unbound.ask("sub.split.test", "MX")
    unbound.ask("sub.split.test", "A")
    one_conflict(unbound, "sub.split.test", evidence="probe", apex=False)


def test_one_answer_with_both(needs_tinydns, world, start):
    """tinydns: Unbound throws the MX away, the raw packet had it."""
    unbound = start(world.upstreams)
    assert mx_of(unbound.ask("tiny.test", "MX"), "tiny.test") == []
    one_conflict(
        unbound,
        "tiny.test",
        evidence="same-answer",
        cname={"target": "www.cdn.test", "ttl": 600},
        mx=STANDARD_MX,
        authority=world.tinydns.address,
    )


def test_one_answer_with_both_mx_first(world, start):
    unbound = start(world.upstreams)
    unbound.ask("turned.test", "MX")
    one_conflict(unbound, "turned.test", evidence="same-answer", mx=STANDARD_MX)


def test_powerdns_apex_cname(world, start):
    """PowerDNS never shows the MX that its zone has: all that can be said is that mail is asked."""
    unbound = start(world.upstreams)
    unbound.ask("power.test", "A")
    unbound.ask("power.test", "MX")
    event = unbound.wait_event(event="opened", domain="power.test")
    assert event == {
        **event,
        "kind": "cname-at-apex",
        "state": "suspected",
        "apex": True,
        "cname": {"target": "www.cdn.test", "ttl": 600},
        "mx": [],
        "authority": world.powerdns.address,
    }
    assert unbound.events(event="opened") == [event]


def test_apex_cname_that_nobody_sends_mail_to(world, start):
    unbound = start(world.upstreams)
    unbound.ask("power.test", "A")
    unbound.ask("hidden.test", "A")
    unbound.wait_metric('mxclash_probes_total{result="cname-only"}', 2)
    assert unbound.conflicts() == []


@pytest.mark.parametrize("kind", ["world", "delegated"])
def test_healthy_zones_are_silent(kind, start, request):
    """NSD serves only what is legal; all of it is asked, in every order that matters."""
    servers = request.getfixturevalue(kind)
    unbound = start(servers.upstreams)
    for types in (ALL_TYPES, ALL_TYPES[::-1]):
        for owner in HEALTHY_OWNERS:
            for rdtype in types:
                unbound.ask(owner, rdtype)
        unbound.control("flush_zone test.")
    # Whatever they cause would be in the log before this.
    unbound.ask("split.test", "A")
    one_conflict(unbound, "split.test")
    probes = {k: v for k, v in unbound.metrics().items() if k.startswith("mxclash_probes_total")}
    # A lawful alias that senders ask the MX of is proved to be one; nothing else is asked about.
    assert {k for k, v in probes.items() if v} == {
        'mxclash_probes_total{result="both"}',
        'mxclash_probes_total{result="cname-only"}',
    }
    assert probes['mxclash_probes_total{result="both"}'] == 1


VARIANTS = {
    "four threads": {"threads": 4},
    "validator": {"modules": "dynlib validator iterator"},
    "no minimisation": {"settings": {"qname-minimisation": "no"}},
    "minimisation": {"settings": {"qname-minimisation": "yes"}},
    "strict minimisation": {
        "settings": {"qname-minimisation": "yes", "qname-minimisation-strict": "yes"}
    },
    "caps for id": {"settings": {"use-caps-for-id": "yes"}},
    "tcp upstream": {"settings": {"tcp-upstream": "yes"}},
    "serve expired": {"settings": {"serve-expired": "yes", "prefetch": "yes"}},
}


@pytest.mark.parametrize("options", VARIANTS.values(), ids=VARIANTS)
def test_variants_with_stub_zones(world, start, options):
    unbound = start(world.upstreams, **options)
    unbound.ask("split.test", "A")
    unbound.ask("split.test", "MX")
    one_conflict(unbound, "split.test", evidence="probe", apex=True, mx=STANDARD_MX)


# tinydns has no TCP.
UDP_VARIANTS = {name: options for name, options in VARIANTS.items() if name != "tcp upstream"}


@pytest.mark.parametrize("options", UDP_VARIANTS.values(), ids=UDP_VARIANTS)
def test_variants_with_referrals(delegated, start, options):
    """The zone cut is learnt from a referral, as in the wild."""
    unbound = start(delegated.upstreams, **options)
    for domain in ("split.test", "firm.test", "tiny.test", "power.test"):
        unbound.ask(domain, "A")
        unbound.ask(domain, "MX")
    for domain in ("split.test", "firm.test", "tiny.test"):
        event = unbound.wait_event(event="opened", domain=domain)
        assert (event["state"], event["apex"], event["zone"]) == ("confirmed", True, domain)
    event = unbound.wait_event(event="opened", domain="power.test")
    assert (event["kind"], event["state"]) == ("cname-at-apex", "suspected")
    assert len(unbound.conflicts()) == 4


def test_many_clients_on_four_threads_open_each_conflict_once(world, start):
    unbound = start(world.upstreams, threads=4)
    domains = ("split.test", "firm.test", "turned.test", "big.test")

    def client():
        for _ in range(10):
            for domain in domains:
                unbound.ask(domain, "MX")
                unbound.ask(domain, "A")

    clients = [threading.Thread(target=client) for _ in range(8)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    for domain in domains:
        unbound.wait_event(domain=domain, state="confirmed")
    assert sorted(e["domain"] for e in unbound.conflicts()) == sorted(domains)


def test_tcp_upstream_sees_tcp_only(world, start):
    before = len(world.own.queries())
    unbound = start(world.upstreams, settings={"tcp-upstream": "yes"})
    unbound.ask("split.test", "A")
    one_conflict(unbound, "split.test", evidence="probe")
    assert {query[2] for query in world.own.queries()[before:]} == {"tcp"}


def test_truncated_answers_show_nothing_and_tcp_shows_all(world, start):
    unbound = start(world.upstreams)
    unbound.ask("big.test", "A")
    one_conflict(unbound, "big.test", evidence="probe", mx=STANDARD_MX)


def test_forwarded_to_the_authority(world, start):
    """A forward-zone's name is no zone cut: there is no apex to be known."""
    unbound = start(world.upstreams, kind="forward")
    unbound.ask("split.test", "MX")
    unbound.ask("split.test", "A")
    one_conflict(unbound, "split.test", evidence="probe", apex=True, mx=STANDARD_MX)


def test_forwarded_to_a_cache_is_suspected_only(world, start):
    """A cache may tell of an MX and a CNAME that were never there together."""
    cache = start(world.upstreams, modules="iterator")
    unbound = start({".": cache}, kind="forward")
    unbound.ask("split.test", "MX")
    unbound.ask("split.test", "A")
    event = unbound.wait_event(event="opened", domain="split.test")
    assert (event["state"], event["evidence"]) == ("suspected", "separate-answers")
    assert unbound.events(event="opened") == [event]


def test_hearsay_is_believed_when_repeated_after_its_ttl(tmp_path, start):
    """Without AA: what is still told when all that was told before has run out, is no echo."""
    scenario = """zone shop.test
  answer by-type
  no-aa *
  @ 2 CNAME www.cdn.test.
  @ 2 MX 5 mail.host.test.
"""
    with Authority(tmp_path / "own", scenario) as own:
        unbound = start({"shop.test": own}, kind="forward", mxclash={"recheck-interval": 1})
        unbound.ask("shop.test", "MX")
        unbound.ask("shop.test", "A")
        first = unbound.wait_event(domain="shop.test")
        assert (first["event"], first["state"]) == ("opened", "suspected")

        def confirmed():
            unbound.ask("shop.test", "MX")
            unbound.ask("shop.test", "A")
            return unbound.events(event="changed", domain="shop.test", state="confirmed")

        assert wait_until(confirmed, 20, "the changed event")[0]["evidence"] == "probe"


def test_a_move_is_no_conflict(tmp_path, start):
    """MX before, CNAME after, never both: the proof sees what the cache cannot."""
    before = "zone moved.test\n  @ 600 MX 5 mail.host.test.\n"
    after = "zone moved.test\n  @ 600 CNAME www.cdn.test.\n"
    with Authority(tmp_path / "own", before) as own:
        unbound = start({"moved.test": own})
        unbound.ask("moved.test", "MX")
        own.play(after)
        unbound.ask("moved.test", "A")
        unbound.wait_metric('mxclash_probes_total{result="cname-only"}', 1)
        assert unbound.events(kind="cname-and-mx") == []


@pytest.mark.parametrize("domain", ["refusing.test", "silent.test"])
def test_no_answer_to_the_type_cname(world, start, domain):
    """The type that showed the CNAME is asked instead."""
    unbound = start(world.upstreams)
    unbound.ask(domain, "MX")
    unbound.ask(domain, "A")
    event = unbound.wait_event(SILENCE_TIMEOUT_S, event="opened", domain=domain)
    assert (event["state"], event["evidence"]) == ("confirmed", "probe")
    assert unbound.metrics()['mxclash_probes_total{result="failed"}'] == 1
    assert unbound.events(event="opened") == [event]


def test_probe_no_only_suspects_and_never_asks(tmp_path, start):
    """Suspected once both were met as of one time; what is met first begins the case only."""
    scenario = """zone shop.test
  answer by-type
  @ 1 CNAME www.cdn.test.
  @ 1 MX 5 mail.host.test.
"""
    with Authority(tmp_path / "own", scenario) as own:
        unbound = start({"shop.test": own}, mxclash={"probe": "no"})

        def opened():
            unbound.ask("shop.test", "MX")
            unbound.ask("shop.test", "A")
            return unbound.events(event="opened", domain="shop.test")

        event = wait_until(opened, 20, "the opened event")[0]
        assert (event["state"], event["evidence"]) == ("suspected", "separate-answers")
        assert "CNAME" not in [query[1] for query in own.queries("shop.test")]


def test_probe_asks_each_type_once(world, start):
    before = len(world.own.queries("split.test"))
    unbound = start(world.upstreams)
    for _ in range(5):
        unbound.ask("split.test", "A")
        unbound.ask("split.test", "MX")
    one_conflict(unbound, "split.test")
    asked = [query[1] for query in world.own.queries("split.test")[before:]]
    # SOA, for a stub's name tells no zone cut
    assert sorted(asked) == ["A", "CNAME", "MX", "SOA"]


def test_ignored_domains_are_neither_reported_nor_asked(world, start):
    before = len(world.own.queries())
    unbound = start(world.upstreams, mxclash={"ignore-domain": ["split.test", "turned.test"]})
    for domain in ("split.test", "sub.split.test", "turned.test"):
        unbound.ask(domain, "MX")
        unbound.ask(domain, "A")
    unbound.ask("firm.test", "A")
    one_conflict(unbound, "firm.test")
    probed = [query[0] for query in world.own.queries(rdtype="CNAME")[before:]]
    assert "split.test." not in probed


def test_repair_clears_the_conflict(tmp_path, start):
    broken = """zone shop.test
  answer by-type
  @ 1 CNAME www.cdn.test.
  @ 1 MX 5 mail.host.test.
"""
    mended = "zone shop.test\n  @ 1 A 192.0.2.10\n  @ 1 MX 5 mail.host.test.\n"
    with Authority(tmp_path / "own", broken) as own:
        unbound = start({"shop.test": own}, mxclash={"recheck-interval": 1})
        unbound.ask("shop.test", "A")
        unbound.wait_event(event="opened", domain="shop.test", state="confirmed")
        own.play(mended)

        def cleared():
            unbound.ask("shop.test", "A")
            unbound.ask("shop.test", "MX")
            return unbound.events(event="cleared", domain="shop.test")

        assert wait_until(cleared, 20, "the cleared event")[0]["kind"] == "cname-and-mx"
        metrics = unbound.metrics()
        assert metrics['mxclash_conflicts_cleared_total{kind="cname-and-mx"}'] == 1
        assert metrics['mxclash_conflicts{kind="cname-and-mx",state="confirmed"}'] == 0


def test_lost_mx_answers_are_counted(world, start):
    unbound = start(world.upstreams)
    unbound.ask("split.test", "A")
    one_conflict(unbound, "split.test")
    for _ in range(3):
        assert mx_of(unbound.ask("split.test", "MX"), "split.test") == []
    assert unbound.metrics()['mxclash_affected_mx_answers_total{outcome="hidden"}'] == 3
    domains = unbound.metrics("/metrics/domains")
    lost = [v for k, v in domains.items() if k.startswith("mxclash_domain_mx_queries_total{")]
    assert lost == [3]
