# SPDX-License-Identifier: BSD-3-Clause
"""Repair beside what else has a part in a query: other modules, third parties, timeouts."""

import time

import dns.edns
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from asking import chain, confirm, mx_hosts, question
from lab import ANSWER_TIMEOUT_S, Authority, wait_until
from liar import Liar, cname, mx, reply
from resolver import EVENT_TIMEOUT_S
from test_case_of_names import Both
from test_repair import PATIENCE_S, SHOP_HOSTS, own, shop  # noqa: F401

# How long Unbound waits for a server that says nothing, at least.
SLOW_MS = 8000

SUBNET = "192.0.2.0"


def ask_for_subnet(unbound, owner, rdtype, source):
    """Ask for clients of a subnet of so many bits (RFC 7871); 0 is for nobody's."""
    option = dns.edns.ECSOption(SUBNET if source else "0.0.0.0", source, 0)
    query = dns.message.make_query(owner, rdtype, use_edns=0, options=[option])
    return dns.query.udp(query, unbound.address, ANSWER_TIMEOUT_S, unbound.port)


def test_a_third_party_is_asked_no_more_than_without_us(own, tmp_path):  # noqa: F811
    """The conflict cannot be put right, for the MX may not be kept. What the CNAME leads to belongs
    to somebody else, and is cached."""
    victim = "zone victim.test\n  a.b.c 600 A 192.0.2.1\n"
    with Authority(tmp_path / "victim", victim) as other:
        scenario = shop(mode="both", cname_ttl=0, mx_ttl=0)
        _, unbound = own(
            scenario.replace("www.cdn.test.", "a.b.c.victim.test."),
            upstreams={"victim.test": other},
        )
        confirm(unbound, "shop.test")
        for _ in range(2):
            assert chain(question(unbound, "shop.test", "MX"))[0] == "shop.test."
        wait_until(lambda: unbound.events(event="opened"), ANSWER_TIMEOUT_S, "the event")
        asked = len(other.queries())
        for _ in range(10):
            answer = question(unbound, "shop.test", "MX")
            assert answer.rcode() == dns.rcode.NOERROR
            assert chain(answer)[0] == "shop.test."
        assert len(other.queries()) == asked


@pytest.mark.parametrize("modules", ["subnetcache dynlib iterator", "dynlib subnetcache iterator"])
def test_a_query_for_no_subnet_falls_back_too(own, modules):  # noqa: F811
    """It is answered through another query, which nobody but it waits for."""
    authority, unbound = own(
        shop(mx_ttl=1), modules=modules, settings={"client-subnet-always-forward": "yes"}
    )
    confirm(unbound, "shop.test")
    authority.play(shop(mx_ttl=1, rules="refuse *"))

    def falls_back():
        answer = ask_for_subnet(unbound, "shop.test", "MX", 0)
        assert answer.rcode() == dns.rcode.NOERROR
        return chain(answer)[:1] == ["shop.test."] and not mx_hosts(answer, "shop.test")

    wait_until(falls_back, ANSWER_TIMEOUT_S, "the end of the MX")


ZONES = [f"sub{number}.test" for number in range(16)]
NAMES = [f"a.b.{zone}" for zone in ZONES]


def for_the_subnet(query, _tcp):
    """By type, each answer for the subnet of who asks, if that is told."""
    owner, rdtype = query.question[0].name, query.question[0].rdtype
    records = []
    if owner.to_text().lower().removesuffix(".") in NAMES:
        wanted = mx(5, "mail.host.test.") if rdtype == dns.rdatatype.MX else cname("www.cdn.test.")
        records = [(owner, wanted)]
    answer = reply(query, *records)
    told = [o for o in query.options if isinstance(o, dns.edns.ECSOption)]
    answer.use_edns(0, options=[dns.edns.ECSOption(o.address, o.srclen, o.srclen) for o in told])
    return answer.to_wire()


@pytest.mark.parametrize("modules", ["subnetcache dynlib iterator", "dynlib subnetcache iterator"])
def test_the_mx_of_a_subnet_is_not_for_all(world, start, modules):
    """Names are minimised, so an answer is changed on the way, which no cache may keep; if the next
    one is a subnet's, the cache of all may not keep it. One of two servers is told the subnet."""
    with Liar(for_the_subnet) as told, Liar(for_the_subnet) as not_told:
        unbound = start(
            {**world.upstreams, **dict.fromkeys(ZONES, Both(told, not_told))},
            modules=modules,
            mxclash={"repair": "yes", "probe-rate": "1000"},
            settings={"send-client-subnet": told.address, "max-client-subnet-ipv4": "24"},
        )
        for name in NAMES:
            confirm(unbound, name)
        unbound.control("flush_zone test")
        kept = {}
        for name in NAMES:
            answer = ask_for_subnet(unbound, name, "MX", 24)
            assert mx_hosts(answer, name) == SHOP_HOSTS
            kept[name] = [o.scopelen for o in answer.options if isinstance(o, dns.edns.ECSOption)]
        cache = unbound.control("dump_cache").split("\n")
        for_all = {line.split()[0].removesuffix(".") for line in cache if "\tMX\t" in line}
        # what is one subnet's is said to be, and is not for all
        assert {name for name, scope in kept.items() if scope == [24]} & for_all == set()


@pytest.mark.parametrize("timeout_ms", [200])
def test_a_client_waits_no_longer_than_the_operator_says(own, timeout_ms):  # noqa: F811
    """serve-expired-client-timeout: the authority is alive and slow, and there is an answer."""
    authority, unbound = own(
        shop(mx_ttl=1),
        settings={
            "serve-expired": "yes",
            "serve-expired-client-timeout": timeout_ms,
            # so that it may be slow for long before the repair is given up
            "infra-cache-min-rtt": SLOW_MS,
        },
    )
    confirm(unbound, "shop.test")
    unbound.control("flush_type shop.test MX")
    assert mx_hosts(question(unbound, "shop.test", "MX"), "shop.test") == SHOP_HOSTS
    authority.play(shop(mx_ttl=1, rules="drop *"))
    unbound.control("flush_type shop.test MX")
    began = time.monotonic()
    answer = question(unbound, "shop.test", "MX", timeout_s=PATIENCE_S)
    assert time.monotonic() - began < SLOW_MS / 1000
    assert answer.rcode() == dns.rcode.NOERROR
    assert chain(answer)[0] == "shop.test."
    authority.play(shop())
    wait_until(
        lambda: mx_hosts(question(unbound, "shop.test", "MX"), "shop.test"),
        EVENT_TIMEOUT_S,
        "the repair",
    )
