# SPDX-License-Identifier: BSD-3-Clause
"""The second look, with the default of `confirm-after` and a real Unbound: it is made on time though
nobody asks, and what two copies of a zone show together is told by nobody."""

import itertools
import time

import dns.query
from lab import ANSWER_TIMEOUT_S, Authority, wait_until
from liar import Liar
from resolver import EVENT_TIMEOUT_S

CONFIRM_AFTER_S = 2
DEFAULT = {"confirm-after": CONFIRM_AFTER_S}
BROKEN = """zone shop.test
  answer by-type
  @ 1 CNAME www.cdn.test.
  @ 1 MX 5 mail.host.test.
  @ 1 TXT "v=spf1 mx -all"
"""
MENDED = """zone shop.test
  @ 1 A 192.0.2.10
  @ 1 MX 5 mail.host.test.
"""
# names that move from a CNAME to an A and an MX
NAMES = [f"m{number}" for number in range(3)]
OLD = "zone shop.test\n" + "".join(f"  {name} 60 CNAME www.cdn.test.\n" for name in NAMES)
NEW = """zone cdn.test
  www 60 A 192.0.2.80
zone shop.test
""" + "".join(f"  {name} 60 A 192.0.2.10\n  {name} 60 MX 5 mail.host.test.\n" for name in NAMES)
LOOKS = "mxclash_probes_total"
BOTH = 'mxclash_probes_total{result="both"}'


def turning(servers):
    """One address with servers behind it that take turns, an answer each."""
    turns = itertools.cycle(servers)

    def answer(query, _tcp):
        server = next(turns)
        return dns.query.udp(query, server.address, ANSWER_TIMEOUT_S, server.port).to_wire()

    return Liar(answer)


def test_confirmed_though_nobody_asks_again(tmp_path, start):
    """Two answers, and two more when the time has come: a timer sees to it."""
    with Authority(tmp_path / "own", BROKEN) as own:
        unbound = start({"shop.test": own}, mxclash=DEFAULT)
        unbound.ask("shop.test", "A")
        asked = time.monotonic()
        event = unbound.wait_event(event="opened", domain="shop.test")
        assert time.monotonic() - asked > CONFIRM_AFTER_S - 0.5
        assert (event["kind"], event["state"], event["evidence"]) == (
            "cname-and-mx",
            "confirmed",
            "probe",
        )
        assert event["hides_spf"] is True
        assert unbound.events(event="opened") == [event]
        types = [query[1] for query in own.queries("shop.test")]
        # the client's; the first look, SOA because of the stub; the second one in its order
        assert types[0] == "A" and sorted(types[1:4]) == ["CNAME", "MX", "SOA"]
        assert types[4:] == ["CNAME", "SOA", "MX", "TXT"]


def test_cleared_soon_after_the_next_traffic(tmp_path, start):
    """The end too is looked at twice; no recheck has to be waited for."""
    with Authority(tmp_path / "own", BROKEN) as own:
        unbound = start({"shop.test": own}, mxclash=DEFAULT)
        unbound.ask("shop.test", "A")
        unbound.wait_event(event="opened", domain="shop.test", state="confirmed")
        own.play(MENDED)
        wait_until(
            lambda: unbound.ask("shop.test", "A").answer[0].rdtype == 1,
            EVENT_TIMEOUT_S,
            "the new A record",
        )
        asked = time.monotonic()
        unbound.wait_event(event="cleared", domain="shop.test")
        assert time.monotonic() - asked > CONFIRM_AFTER_S - 0.5


def test_servers_that_take_turns(tmp_path, start):
    """A move that has not reached all servers of an address: a first look meets both copies, one with
    each question. The second one, in its order, meets one of them with both."""
    old, new = Authority(tmp_path / "old", OLD), Authority(tmp_path / "new", NEW)
    with old, new, turning([old, new]) as both:
        # nothing but questions for this zone makes the two take turns
        unbound = start({".": new, "shop.test": both}, mxclash=DEFAULT)
        seen = [0.0, time.monotonic()]

        def no_more_looks():
            found = unbound.metrics()
            looks = sum(value for name, value in found.items() if name.startswith(LOOKS))
            if looks != seen[0]:
                seen[:] = looks, time.monotonic()
            return time.monotonic() - seen[1] > CONFIRM_AFTER_S + 1

        for name in NAMES:
            unbound.ask(f"{name}.shop.test", "MX")
            unbound.ask(f"{name}.shop.test", "A")
            seen[1] = time.monotonic()
            wait_until(no_more_looks, EVENT_TIMEOUT_S, f"the looks at {name} to end")
        assert unbound.metrics()[BOTH] >= 1
        assert unbound.events(kind="cname-and-mx") == []
