# SPDX-License-Identifier: BSD-3-Clause
"""Authorities that together publish a small world of domains, and the world of the system tests."""

from collections import namedtuple

from authorities import Nsd, PowerDns, Tinydns, delegations
from lab import DNS_PORT, SCENARIOS, Authority, free_address

# Who publishes what. scenario is the Path of a file for our own authority and own the names of its
# zones; the others are zones as authorities.py wants them.
Cast = namedtuple("Cast", "scenario own tinydns powerdns nsd")

CONFLICT = """\
@ 600 CNAME www.cdn.test.
@ 600 MX 5 mx1.qiye.aliyun.com.
@ 600 MX 10 mx2.qiye.aliyun.com.
@ 600 MX 15 mx3.qiye.aliyun.com."""

SYSTEM = Cast(
    scenario=SCENARIOS / "system.scn",
    own=(
        *("cdn.test", "split.test", "firm.test", "refusing.test", "silent.test", "big.test"),
        *("hidden.test", "turned.test"),
    ),
    # Answers with the CNAME and the MX together.
    tinydns={"tiny.test": CONFLICT},
    # Answers with the CNAME alone.
    powerdns={"power.test": CONFLICT},
    # Loads no zone with a CNAME beside other data: whatever it serves is legal.
    nsd={
        "good.test": """
            @     600 MX    10 mail.good.test.
            @     600 A     192.0.2.30
            mail  600 A     192.0.2.31
            www   600 CNAME www.cdn.test.
        """,
        "alias.test": """
            @     600 A     192.0.2.32
            email 600 CNAME return.mailer.test.
        """,
        "mailer.test": """
            return 600 MX   10 in.mailer.test.
            return 600 TXT  "v=spf1 a:in.mailer.test -all"
            in     600 A    192.0.2.33
        """,
        "moved.test": """
            old      600 DNAME new.moved.test.
            user.new 600 MX    10 mail.good.test.
            user.new 600 A     192.0.2.34
        """,
        "wild.test": """
            *     600 CNAME www.cdn.test.
            post  600 MX    10 mail.good.test.
        """,
    },
)
# Owners that are legal and look like a conflict, or nearly so.
HEALTHY_OWNERS = (
    *("good.test", "mail.good.test", "www.good.test", "alias.test", "email.alias.test"),
    *("return.mailer.test", "user.old.moved.test", "user.new.moved.test", "some.wild.test"),
    *("post.wild.test", "nothing.good.test"),
)


class World:
    """All authorities of a cast. `upstreams` is what a resolver needs to find them.

    With `delegated` all stand on port 53 and a resolver is told of the root alone: it learns the
    zone cuts from referrals. Without, a resolver is told of each zone; only tinydns stands on port
    53 then, and `tinydns=False` leaves it out.
    """

    def __init__(self, folder, cast, *, delegated, tinydns=True, **options):
        port = DNS_PORT if delegated else 0
        self.delegated = delegated
        self.own = Authority(folder / "own", cast.scenario, None, port, **options)
        self.powerdns = PowerDns(folder / "powerdns", cast.powerdns, None, port, **options)
        self.nsd = Nsd(folder / "nsd", cast.nsd, None, port, **options)
        self.tinydns = None
        self.root = None
        self.home = {
            **{zone: self.own for zone in cast.own},
            **{zone: self.powerdns for zone in cast.powerdns},
            **{zone: self.nsd for zone in cast.nsd},
        }
        if tinydns:
            self.tinydns = Tinydns(folder / "tinydns", cast.tinydns, **options)
            self.home |= {zone: self.tinydns for zone in cast.tinydns}
        if delegated:
            address = free_address(port)
            zones = (
                f"zone .\n  test. NS ns.test.\n  ns.test. A {address}\n"
                f"{delegations('test', self.home)}"
            )
            self.root = Authority(folder / "root", zones, address, port, **options)
        every = (self.root, self.own, self.tinydns, self.powerdns, self.nsd)
        self.servers = [server for server in every if server]

    @property
    def upstreams(self):
        return {".": self.root} if self.delegated else {".": self.own, **self.home}

    def server_of(self, name):
        """The authority that publishes name."""
        labels = name.split(".")
        zones = (".".join(labels[skip:]) for skip in range(len(labels)))
        return next(self.home[zone] for zone in zones if zone in self.home)

    def __enter__(self):
        try:
            for server in self.servers:
                server.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for server in self.servers:
            server.stop()
