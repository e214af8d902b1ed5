# SPDX-License-Identifier: BSD-3-Clause
"""The domains of the demo: who publishes them, and what becomes of their mail."""

from collections import namedtuple

from lab import SCENARIOS
from world import Cast

MENDED = SCENARIOS / "demo-mended.scn"

# by_type: answered by type, so the module must prove it within a second. healthy: must never be
# reported. needs_tinydns: left out where port 53 cannot be had.
Domain = namedtuple("Domain", "name story why by_type healthy needs_tinydns")


def _domain(name, story, why, *, by_type=False, healthy=False, needs_tinydns=False):
    return Domain(name, story, why, by_type, healthy, needs_tinydns)


CONFLICT = """
    @ 600 CNAME shop.cdn.test.
    @ 600 MX    5 mx1.qiye.aliyun.com.
    @ 600 MX    10 mx2.qiye.aliyun.com.
    @ 600 MX    15 mx3.qiye.aliyun.com.
    @ 600 TXT   "v=spf1 include:spf.qiye.aliyun.com -all"
"""

CAST = Cast(
    scenario=SCENARIOS / "demo.scn",
    own=("cdn.test", "shop.test", "firm.test"),
    tinydns={"tiny.test": CONFLICT},
    powerdns={"power.test": CONFLICT},
    nsd={
        "good.test": """
            @      600 A     192.0.2.30
            @      600 MX    10 mail.good.test.
            mail   600 A     192.0.2.31
            www    600 CNAME shop.cdn.test.
            return 600 CNAME in.mailer.test.
            old    600 DNAME new.good.test.
            sales.new 600 MX 10 mail.good.test.
            sales.new 600 A  192.0.2.32
        """,
        "mailer.test": """
            in     600 MX    10 mx.mailer.test.
            mx     600 A     192.0.2.33
        """,
    },
)

DOMAINS = (
    _domain(
        "shop.test",
        "mailboxes at Alibaba Mail (Standard Edition), web site at a CDN",
        "The authority answers by type: the MX to a question for MX, the CNAME to any other. The"
        " web visitor's question has put the CNAME into the resolver's cache. A CNAME stands for"
        " every type (RFC 1034 3.6.2), so the resolver answers the sender from its cache and"
        " never asks for the MX. The sender follows the CNAME to the web server of the CDN, which"
        " takes no mail. An hour later, with another cache, the same mail may arrive.",
        by_type=True,
    ),
    _domain(
        "firm.test",
        "the same with the Enterprise Edition",
        "As with shop.test: its web visitors hide its MX from its senders.",
        by_type=True,
    ),
    _domain(
        "tiny.test",
        "CNAME and MX beside each other in a tinydns zone",
        "tinydns puts the CNAME and the MX into one answer. No such answer is lawful, so the"
        " resolver keeps the CNAME, which came first, and throws the MX away.",
        needs_tinydns=True,
    ),
    _domain(
        "power.test",
        "CNAME and MX beside each other in a PowerDNS zone",
        "PowerDNS loads the zone without a word and serves the CNAME alone. Its MX stands in the"
        " zone and nobody ever sees it, so all that can be said from outside is that somebody"
        " wants to send mail to a name that is only an alias: suspected.",
    ),
    _domain("good.test", "MX at the apex, and www is a CNAME", "", healthy=True),
    _domain(
        "return.good.test",
        "an alias of a mailer's name, which has the MX: legal",
        "",
        healthy=True,
    ),
    _domain("sales.old.good.test", "moved with a DNAME: legal", "", healthy=True),
)
