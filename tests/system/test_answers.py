# SPDX-License-Identifier: BSD-3-Clause
"""In the answer: Extended DNS Errors, and the MX that the CNAME hides."""

import dns.flags
import pytest

from asking import OTHER, STANDARD, confirm, errors, mx_hosts, question


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
    """Out of a cache behind which nobody sees."""
    cache = start(world.upstreams, modules="iterator")
    unbound = start({".": cache}, kind="forward", mxclash={"repair": "yes"})
    unbound.ask("split.test", "MX")
    unbound.ask("split.test", "A")
    event = unbound.wait_event(event="opened", domain="split.test")
    assert event["state"] == "suspected"
    unbound.control("flush_type split.test MX")
    assert mx_hosts(question(unbound, "split.test", "MX"), "split.test") == []


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
