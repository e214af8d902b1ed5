# SPDX-License-Identifier: BSD-3-Clause
"""In the answer: Extended DNS Errors, and the MX that the CNAME hides."""

import dns.edns
import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

from lab import ANSWER_TIMEOUT_S, wait_until

OTHER = 0


def question(unbound, owner, rdtype, *, edns=True, payload=1232, tcp=False, flags=None):
    query = dns.message.make_query(owner, rdtype)
    if edns:
        query.use_edns(payload=payload)
    if flags:
        query.flags |= flags
    send = dns.query.tcp if tcp else dns.query.udp
    return send(query, unbound.address, ANSWER_TIMEOUT_S, unbound.port)


def mx_hosts(answer, owner):
    found = [
        str(rr.exchange)
        for rrset in answer.answer
        if rrset.rdtype == dns.rdatatype.MX and str(rrset.name).rstrip(".").lower() == owner.lower()
        for rr in rrset
    ]
    return sorted(found)


def errors(answer):
    return [(int(o.code), o.text) for o in answer.options if o.otype == dns.edns.OptionType.EDE]


def confirm(unbound, domain):
    unbound.ask(domain, "A")
    unbound.ask(domain, "MX")
    unbound.wait_event(event="opened", domain=domain, kind="cname-and-mx", state="confirmed")


STANDARD = ["mx1.qiye.aliyun.com.", "mx2.qiye.aliyun.com.", "mx3.qiye.aliyun.com."]


@pytest.mark.parametrize("modules", ["dynlib iterator", "dynlib validator iterator"])
@pytest.mark.parametrize("domain", ["split.test", "tiny.test", "turned.test", "sub.split.test"])
def test_repair(needs_tinydns, world, start, domain, modules):
    unbound = start(world.upstreams, mxclash={"repair": "yes"}, modules=modules, threads=4)
    confirm(unbound, domain)
    for _ in range(40):
        assert mx_hosts(question(unbound, domain, "MX"), domain) == STANDARD
    assert mx_hosts(question(unbound, domain.upper(), "MX", tcp=True), domain) == STANDARD
    # the web site is where it was
    address = question(unbound, domain, "A")
    assert [str(rrset.name) for rrset in address.answer] == [f"{domain}.", "www.cdn.test."]
    unbound.control(f"flush {domain}")
    assert mx_hosts(question(unbound, domain, "MX"), domain) == STANDARD
    assert unbound.metrics()['mxclash_affected_mx_answers_total{outcome="repaired"}'] >= 42


def test_repair_costs_one_query_a_ttl(world, start, tmp_path):
    unbound = start(world.upstreams, mxclash={"repair": "yes"})
    confirm(unbound, "split.test")
    assert mx_hosts(question(unbound, "split.test", "MX"), "split.test") == STANDARD
    before = unbound.metrics()['mxclash_answers_inspected_total{source="upstream"}']
    for _ in range(20):
        assert mx_hosts(question(unbound, "split.test", "MX"), "split.test") == STANDARD
    assert unbound.metrics()['mxclash_answers_inspected_total{source="upstream"}'] == before


def test_no_repair_of_what_is_only_suspected(world, start):
    unbound = start(world.upstreams, mxclash={"repair": "yes"})
    unbound.ask("refusing.test", "A")
    unbound.ask("refusing.test", "MX")
    event = unbound.wait_event(event="opened", domain="refusing.test")
    assert event["state"] == "suspected"
    assert mx_hosts(question(unbound, "refusing.test", "MX"), "refusing.test") == []


@pytest.mark.parametrize("domain", ["split.test", "tiny.test", "power.test"])
def test_annotate(needs_tinydns, world, start, domain):
    unbound = start(world.upstreams, mxclash={"annotate": "yes"})
    unbound.ask(domain, "A")
    unbound.ask(domain, "MX")
    kind = unbound.wait_event(event="opened", domain=domain)["kind"]
    for ask in ({}, {"tcp": True}, {"payload": 512}):
        answer = question(unbound, domain, "MX", **ask)
        assert [code for code, _ in errors(answer)] == [OTHER]
        assert errors(answer)[0][1].startswith(f"{kind}: ")
        assert not answer.flags & dns.flags.TC
    # a client that did not ask for EDNS gets none, and other types are left alone
    assert question(unbound, domain, "MX", edns=False).edns == -1
    assert errors(question(unbound, domain, "A")) == []
    assert unbound.metrics()["mxclash_annotated_answers_total"] == 3


def test_healthy_domains_are_not_annotated(world, start):
    unbound = start(world.upstreams, mxclash={"annotate": "yes", "repair": "yes"})
    for _ in range(2):
        assert errors(question(unbound, "good.test", "MX")) == []
    assert unbound.metrics()["mxclash_annotated_answers_total"] == 0


def test_a_dead_authority_leaves_the_answer_as_it_was(world, start, tmp_path):
    """The CNAME is cached, the authority is gone: better the CNAME than a failure."""
    from lab import Authority

    scenario = tmp_path / "shop.scn"
    scenario.write_text(
        "zone shop.test\n  answer by-type\n  @ 600 CNAME www.cdn.test.\n  @ 1 MX 5 mail.host.test.\n"
    )
    with Authority(tmp_path / "shop", scenario) as authority:
        unbound = start({**world.upstreams, "shop.test": authority}, mxclash={"repair": "yes"})
        confirm(unbound, "shop.test")
        wait_until(
            lambda: mx_hosts(question(unbound, "shop.test", "MX"), "shop.test"), 5, "the repair"
        )
    # its MX had a TTL of one second
    answer = wait_until(
        lambda: (a := slow_question(unbound)).answer and not mx_hosts(a, "shop.test") and a,
        40,
        "the answer without the authority",
    )
    assert answer.rcode() == dns.rcode.NOERROR
    assert str(answer.answer[0].name) == "shop.test."


def slow_question(unbound):
    query = dns.message.make_query("shop.test", "MX")
    return dns.query.udp(query, unbound.address, 35, unbound.port)
