# SPDX-License-Identifier: BSD-3-Clause
"""How many packets our questions are, where an authority makes Unbound send many for each.

Two authorities do: `mute` lets the questions of proofs drop, `deep` has names of so many labels that
a resolver that minimises names (RFC 9156) asks step by step. A third, `plain`, answers at once.
"""

import time
from collections import Counter

import pytest
from lab import Authority, size, wait_until
from resolver import EVENT_TIMEOUT_S

RATE = 10
ATTACK_S = size(20, 10)
# New names of the attacker a second: more proofs than the rate allows.
NAMES_PER_S = 4
# What is sent is charged when Unbound tells of it, for the first time at the first timeout, within a
# second. The proofs of that second owe what they will have sent beyond their two questions: of each
# question two timeouts, of two packets each.
OWED = RATE // 2 * (2 * 2 * 2 - 2)
SCENARIO = """
zone .
  test. NS ns.test.
zone cdn.test
  www 600 A 192.0.2.10
zone mute
  drop MX
  drop CNAME
  * 300 CNAME www.cdn.test.
zone deep
  answer by-type
  * 300 CNAME www.cdn.test.
  * 300 MX 5 mx.cdn.test.
zone alias
  answer cname-only
  * 300 CNAME www.cdn.test.
zone plain
  answer by-type
  * 300 CNAME www.cdn.test.
  * 300 MX 5 mx.cdn.test.
"""
FORMS = {
    "mute": "x.d{number}.mute",
    "deep": "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.d{number}.deep",
}


@pytest.fixture
def authority(tmp_path):
    with Authority(tmp_path / "authority", SCENARIO) as own:
        yield own


@pytest.fixture
def begin(authority, start):
    """begin(key=value...): an Unbound with these lines of mxclash.conf, that knows the target."""

    def begin_one(**mxclash):
        upstreams = {zone: authority for zone in (".", "cdn.test", "mute", "deep", "alias", "plain")}
        unbound = start(upstreams, mxclash=mxclash)
        unbound.ask("www.cdn.test", "A")
        unbound.ask("www.cdn.test", "MX")
        return unbound

    return begin_one


def meet(unbound, name):
    """A client of mail: it makes a suspect, and asks the authority A only, each name once."""
    unbound.ask(name, "A")
    unbound.ask(name, "MX")


def packets_of_proofs(authority, suffix):
    """All but the first A of each name, which is a client's."""
    asked = Counter(
        (name, rdtype) for name, rdtype, _ in authority.queries() if name.endswith(f".{suffix}.")
    )
    return sum(asked.values()) - sum(rdtype == "A" for _, rdtype in asked)


@pytest.mark.parametrize("form", FORMS)
def test_packets_keep_the_rate(authority, begin, form):
    unbound = begin(**{"probe-rate": RATE})
    began_s = time.monotonic()
    number = 0
    while (passed_s := time.monotonic() - began_s) < ATTACK_S:
        if number < passed_s * NAMES_PER_S:
            meet(unbound, FORMS[form].format(number=number))
            # now and then somebody else's domain
            if number in (2, 10):
                meet(unbound, f"x.d{number}.plain")
            number += 1
        time.sleep(0.01)
    packets = packets_of_proofs(authority, form) + packets_of_proofs(authority, "plain")
    took_s = time.monotonic() - began_s
    print({"packets": packets, "seconds": took_s})
    assert packets <= RATE * (took_s + 1) + OWED
    assert packets >= RATE * took_s / 3, "too few packets: the test shows nothing"
    for number in (2, 10):
        unbound.wait_event(
            20, event="opened", domain=f"x.d{number}.plain", state="confirmed", evidence="probe"
        )


def test_a_proof_does_not_follow_the_alias(authority, begin):
    """What the target of a lawful alias has, clients ask and no proof."""
    unbound = begin()
    before = len(authority.queries("www.cdn.test"))
    for number in range(5):
        meet(unbound, f"x.d{number}.alias")
    wait_until(
        lambda: unbound.metrics()['mxclash_probes_total{result="cname-only"}'] == 5,
        EVENT_TIMEOUT_S,
        "5 proofs",
    )
    wait_until(
        lambda: "alias." not in unbound.control("dump_requestlist"), EVENT_TIMEOUT_S, "their ends"
    )
    assert len(authority.queries("www.cdn.test")) == before
