# SPDX-License-Identifier: BSD-3-Clause
"""A day of a resolver in small: domains, and the questions that clients ask about them.

Everything follows from the seed: each variant of a benchmark gets the same questions in the same
order from the same authorities.
"""

import random
from collections import namedtuple

# (name, type) as text; misses are all different, hits and the others repeat some of them.
Trace = namedtuple("Trace", "misses hits a_hits mx_hits")

DOMAINS_A_MISS = 0.4
# Of 100 misses; what is left over goes to the types of OTHERS.
A, AAAA, HTTPS, MX = 55, 25, 8, 2
OTHERS = ("TXT", "TXT", "NS", "PTR", "SOA", "SRV")
# Of names with an address, such a part is an alias; with the other types 40 % of the misses are.
ALIAS_SHARE = 0.455
# Of 1,000 misses so many concern a domain with a CNAME beside its MX.
BROKEN_A_THOUSAND = 1
ONE_TYPE_HITS = 5000
LONG_S = 86400
HOSTS = ("www", "img", "api", "static", "m", "shop", "login", "cdn", "app", "news")
PROVIDER_MX = tuple(f"MX {5 * n} mx{n}.qiye.aliyun.com." for n in (1, 2, 3))
# One HTTPS record: priority 1, the owner's own name, ALPN h2 (RFC 9460), in the form of RFC 3597.
HTTPS_RECORD = "TYPE65 \\# 10 0001000001000302 6832"


class World:
    """Makes domains and their records as questions ask for them."""

    def __init__(self, seed, misses):
        self.random = random.Random(seed)
        self.domains = [f"d{i:05d}.test" for i in range(int(misses * DOMAINS_A_MISS))]
        self.records = {domain: self._apex() for domain in self.domains}
        self.cdn = []
        self.reverse = []
        self.hosts = 0

    def _apex(self):
        return [f"@ {LONG_S} A 192.0.2.{self.random.randint(1, 254)}"]

    def host(self):
        """A new name, mostly with an address, often an alias. Returns it."""
        self.hosts += 1
        domain = self.random.choice(self.domains)
        label = f"{self.random.choice(HOSTS)}{self.hosts}"
        lines = self.records[domain]
        draw = self.random.random()
        if draw < ALIAS_SHARE:
            lines.append(f"{label} {LONG_S} CNAME e{self.hosts}.cdn.test.")
            self._addresses(self.cdn, f"e{self.hosts}")
        elif draw < 0.97:
            self._addresses(lines, label)
        return f"{label}.{domain}"

    def _addresses(self, lines, label):
        for _ in range(self.random.choice((1, 1, 2))):
            lines.append(f"{label} {LONG_S} A 192.0.2.{self.random.randint(1, 254)}")
        if self.random.random() < 0.6:
            lines.append(f"{label} {LONG_S} AAAA 2001:db8::{self.random.randint(1, 65535):x}")
        if self.random.random() < 0.4:
            lines.append(f"{label} {LONG_S} {HTTPS_RECORD}")

    def mail(self, domain):
        """Give a domain its MX."""
        lines = self.records[domain]
        if self.random.random() < 0.25:
            lines.extend(f"@ {LONG_S} {mx}" for mx in PROVIDER_MX)
        else:
            lines.append(f"@ {LONG_S} MX 10 mail.{domain}.")
            lines.append(f"@ {LONG_S} MX 20 mail2.{domain}.")

    def text(self, domain):
        """Give a domain its TXT records."""
        self.records[domain] += [
            f'@ {LONG_S} TXT "v=spf1 include:spf.qiye.aliyun.com ip4:192.0.2.0/24 ~all"',
            f'@ {LONG_S} TXT "site-verification=0123456789abcdefghijk"',
        ]

    def pointer(self):
        """A new name with a PTR record. Returns it."""
        label = f"p{len(self.reverse)}"
        self.reverse.append(f"{label} {LONG_S} PTR host.{self.random.choice(self.domains)}.")
        return f"{label}.rev.test"

    def zones(self):
        """All zones below test as a dict from their names to their records."""
        return {**self.records, "cdn.test": self.cdn, "rev.test": self.reverse}


def make(seed, misses):
    """Returns (World, Trace)."""
    world = World(seed, misses)
    draw = world.random
    asked = []
    without = {"AAAA": [], "HTTPS": []}
    fresh = {kind: draw.sample(world.domains, len(world.domains)) for kind in ("MX", *set(OTHERS))}
    broken = [f"b{i:05d}.test" for i in range(misses * BROKEN_A_THOUSAND // 2000)]
    world.records |= {
        domain: [
            f"@ {LONG_S} CNAME e{number}.cdn.test.",
            *(f"@ {LONG_S} {mx}" for mx in PROVIDER_MX),
        ]
        for number, domain in enumerate(broken)
    }
    world.cdn += [f"e{number} {LONG_S} A 192.0.2.1" for number in range(len(broken))]
    for _ in range(misses - 2 * len(broken)):
        share = draw.random() * 100
        rdtype = next(
            (t for t, least in (("A", A), ("AAAA", A + AAAA), ("HTTPS", A + AAAA + HTTPS),
                                ("MX", A + AAAA + HTTPS + MX)) if share < least),
            None,
        ) or draw.choice(OTHERS)
        if rdtype in without and not without[rdtype]:
            rdtype = "A"
        if rdtype == "A":
            name = world.host()
            for waiting in without.values():
                waiting.append(name)
        elif rdtype in without:
            waiting = without[rdtype]
            name = waiting.pop(draw.randrange(len(waiting)))
        elif rdtype == "PTR":
            name = world.pointer()
        else:
            name = fresh[rdtype].pop()
            if rdtype == "MX":
                world.mail(name)
            elif rdtype == "TXT":
                world.text(name)
        asked.append((name, rdtype))
    # A visitor, and later mail.
    for domain in broken:
        at = draw.randrange(len(asked))
        asked.insert(at, (domain, "A"))
        asked.insert(draw.randrange(at + 1, len(asked) + 1), (domain, "MX"))
    of_type = {t: [q for q in asked if q[1] == t and q[0] not in broken] for t in ("A", "MX")}
    trace = Trace(
        asked,
        [draw.choice(asked) for _ in range(misses)],
        [draw.choice(of_type["A"]) for _ in range(min(misses, ONE_TYPE_HITS))],
        [draw.choice(of_type["MX"]) for _ in range(min(misses, ONE_TYPE_HITS))],
    )
    return world, trace


def scenarios(world, address):
    """The texts for two authorities: the parents, and all domains, which stand at address."""
    zones = world.zones()
    parents = ["zone .", "  test. NS ns.test.", f"  ns.test. A {address}", "zone test"]
    domains = []
    for zone, lines in zones.items():
        parents += [f"  {zone}. {LONG_S} NS ns.{zone}.", f"  ns.{zone}. {LONG_S} A {address}"]
        domains.append(f"zone {zone}")
        if zone[0] == "b":
            domains.append("  answer by-type")
        # for a day as well: an answer that says "no such thing" lives as long as these say
        domains.append(f"  @ {LONG_S} SOA ns hostmaster 1 3600 600 86400 {LONG_S}")
        domains += [f"  @ {LONG_S} NS ns", f"  ns {LONG_S} A {address}"]
        domains += [f"  {line}" for line in lines]
    return "\n".join(parents) + "\n", "\n".join(domains) + "\n"
