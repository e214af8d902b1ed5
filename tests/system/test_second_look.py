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
# the scenarios of one move, at each name of a zone
OLD = "zone {0}\n  answer cname-only\n  @ 60 CNAME www.cdn.test.\n"
NEW = "zone {0}\n  @ 60 A 192.0.2.10\n  @ 60 MX 5 mail.host.test.\n"
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
        assert unbound.conflicts() == [event]
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
    zones = [f"d{number}.test" for number in range(4)]
    old = Authority(tmp_path / "old", "".join(OLD.format(zone) for zone in zones))
    new = Authority(tmp_path / "new", "".join(NEW.format(zone) for zone in zones))
    with old, new, turning([old, new]) as both:
        unbound = start({zone: both for zone in zones}, mxclash=DEFAULT)

        def looks():
            found = unbound.metrics()
            return sum(value for name, value in found.items() if name.startswith(LOOKS))

        for zone in zones:
            before, before_both = looks(), unbound.metrics()[BOTH]
            unbound.ask(zone, "MX")
            unbound.ask(zone, "A")
            wait_until(lambda: looks() > before, EVENT_TIMEOUT_S, "the first look")
            if unbound.metrics()[BOTH] > before_both:
                wait_until(lambda: looks() > before + 1, EVENT_TIMEOUT_S, "the second look")
        assert unbound.metrics()[BOTH] >= 1
        assert unbound.events(kind="cname-and-mx") == []
