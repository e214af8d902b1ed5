# SPDX-License-Identifier: BSD-3-Clause
"""use-caps-for-id, and servers that change the case of the name: Unbound then asks every address up
to three times, leaves failures out of the comparison and takes one of the answers. What it received
last need not be that one."""

import dns.name
import dns.rcode
import dns.rdatatype
from lab import wait_until
from liar import Liar, cname, mx, reply

ZONES = [f"zone{number}.test" for number in range(25)]
PROVED_IN_S = 60


class Both:
    """Two servers of one zone, as the lines of a stub-zone name them."""

    def __init__(self, *servers):
        self.endpoint = "\n  stub-addr: ".join(server.endpoint for server in servers)


def in_lower_case(answer):
    """The octets of an answer to the name that was asked, in lower case."""
    question = answer.question[0]
    question.name = dns.name.from_text(question.name.to_text().lower())
    return answer.to_wire()


def by_type(query, _tcp):
    owner, rdtype = query.question[0].name, query.question[0].rdtype
    owner = owner.to_text().lower()
    if owner.removesuffix(".") not in ZONES:
        return in_lower_case(reply(query, rcode=dns.rcode.REFUSED))
    record = mx(5, "mail.host.test.") if rdtype == dns.rdatatype.MX else cname("www.cdn.test.")
    return in_lower_case(reply(query, (owner, record)))


def failing(query, _tcp):
    return in_lower_case(reply(query, rcode=dns.rcode.SERVFAIL, aa=False))


def test_one_of_two_servers_fails(world, start):
    """Every zone is told: one proof is enough, save where the right one of them is slow."""
    with Liar(by_type) as right, Liar(failing) as wrong:
        unbound = start(
            {**world.upstreams, **dict.fromkeys(ZONES, Both(right, wrong))},
            settings={"use-caps-for-id": "yes"},
            mxclash={"probe-rate": "10000"},
        )
        for zone in ZONES:
            for rdtype in ("A", "MX"):
                unbound.ask(zone, rdtype)
        wait_until(
            lambda: {e["domain"] for e in unbound.events(event="opened", state="confirmed")}
            >= set(ZONES),
            PROVED_IN_S,
            "a conflict in every zone",
        )
        assert len(unbound.conflicts()) == len(ZONES)
        assert unbound.metrics()['mxclash_probes_total{result="failed"}'] <= len(ZONES) / 5
