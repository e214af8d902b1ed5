# SPDX-License-Identifier: BSD-3-Clause
"""With the default configuration no answer changes by an octet: the module observes."""

import itertools
import struct

import pytest
from world import HEALTHY_OWNERS

HEADER_OCTETS = 12
# The two resolvers ask an instant apart, and a TTL counts down in whole seconds.
TTL_SLACK_S = 1
OPT = 41

BROKEN_OWNERS = (
    *("split.test", "sub.split.test", "firm.test", "refusing.test", "big.test", "hidden.test"),
    *("turned.test", "power.test", "www.cdn.test", "nowhere.test"),
)
TYPES = ("A", "MX", "TXT", "CNAME", "NS", "SOA", "AAAA", "ANY")


def skip_name(octets, at):
    while octets[at]:
        if octets[at] >= 0xC0:
            return at + 2
        at += octets[at] + 1
    return at + 1


def ttl_places(octets):
    """Where the TTLs stand; that of OPT is none (RFC 6891 6.1.3)."""
    questions, *sections = struct.unpack_from("!4H", octets, 4)
    at = HEADER_OCTETS
    for _ in range(questions):
        at = skip_name(octets, at) + 4
    places = []
    for _ in range(sum(sections)):
        at = skip_name(octets, at)
        rdtype, _, _, length = struct.unpack_from("!HHIH", octets, at)
        if rdtype != OPT:
            places.append(at + 4)
        at += 10 + length
    return places


def assert_same_octets(ours, plain):
    """Equal, but for TTLs that differ by no more than the slack."""
    if ours == plain:
        return
    assert len(ours) == len(plain)
    ours = bytearray(ours)
    for place in ttl_places(plain):
        ttl, wanted = (struct.unpack_from("!I", octets, place)[0] for octets in (ours, plain))
        if abs(ttl - wanted) <= TTL_SLACK_S:
            struct.pack_into("!I", ours, place, wanted)
    assert bytes(ours) == plain


@pytest.mark.parametrize("modules", ["iterator", "validator iterator"])
def test_same_octets_as_without_the_module(world, start, modules):
    plain = start(world.upstreams, modules=modules)
    ours = start(world.upstreams, modules=f"dynlib {modules}")
    owners = (*BROKEN_OWNERS, *HEALTHY_OWNERS, *(["tiny.test"] if world.tinydns else []))
    rounds = itertools.product((TYPES, TYPES[::-1]), (False, True))
    for types, edns in rounds:
        for rdtype, owner in itertools.product(types, owners):
            assert_same_octets(
                ours.ask(owner, rdtype, edns=edns).octets,
                plain.ask(owner, rdtype, edns=edns).octets,
            )
        for unbound in (plain, ours):
            unbound.control("flush_zone .")
    # The module was awake meanwhile.
    ours.wait_event(event="opened", domain="split.test")


def cache_of(unbound):
    """What the cache holds: messages by question, records without TTL."""
    lines = unbound.control("dump_cache").splitlines()
    found = []
    for line in lines:
        words = line.split()
        if words and words[0] == "msg":
            found.append(tuple(words[:4]))
        elif len(words) > 4 and words[2] == "IN":
            found.append((words[0], *words[2:]))
    return sorted(found)


@pytest.mark.parametrize("modules", ["iterator", "validator iterator"])
def test_proofs_and_lookups_leave_nothing_in_the_cache(world, start, modules):
    """Else some record would be older than without us when a client asks for it."""
    plain = start(world.upstreams, modules=modules)
    ours = start(world.upstreams, modules=f"dynlib {modules}")
    for owner in ("split.test", "firm.test", "power.test"):
        for unbound in (plain, ours):
            # so that no client has asked for the target
            unbound.ask(owner, "CNAME")
    for owner in ("split.test", "firm.test"):
        event = ours.wait_event(event="opened", domain=owner, state="confirmed")
        assert event["impact"] == "implicit-mx"
    assert cache_of(ours) == cache_of(plain) != []
