# SPDX-License-Identifier: BSD-3-Clause
"""What the corpus is made of: domains with their zones, questions and expected conflicts.

A template (healthy.py, broken.py) gets a Maker and fills in one Domain.
"""

from dataclasses import dataclass, field

# The world changes twice while it is asked.
PHASES = 3
# Servers of domains. "mover" has every zone that changes, "lb" load balancers, "targets" what
# CNAMEs point to.
HOSTERS = ("a", "b", "c")
TTLS = (0, 1, 60, 300, 600, 3600, 86400, 2**31 - 1)
REPAIRS_OF_A_CNAME = (
    *("remove-cname", "replace-cname-with-address", "move-cname", "separate-mail-domain"),
    "flatten-cname",
)


@dataclass
class Zone:
    """A zone: who serves it, and its lines in each phase (tests/authority/scenario.h). `lame` are
    servers that it is delegated to as well, and that do not know it."""

    apex: str
    servers: tuple
    texts: tuple
    lame: tuple = ()

    def text(self, phase):
        """Its lines in one phase."""
        return self.texts[min(phase, len(self.texts) - 1)]


@dataclass
class Expected:
    """One conflict as its events must leave it. Sets hold what is as good as each other."""

    state: str
    evidence: frozenset
    advice: tuple
    apex: bool
    zone: str
    mx: tuple = ()
    provider: str = None
    cname: tuple = None  # target, TTL in seconds
    impact: frozenset = frozenset(["unknown"])


@dataclass
class Domain:
    """One registered domain. `questions` are (name, type) in the order in which they are asked."""

    name: str
    template: str
    behaviour: str = "healthy"
    order: str = ""
    minimise: bool = True
    zones: list = field(default_factory=list)
    questions: list = field(default_factory=lambda: [[] for _ in range(PHASES)])
    # All questions of a phase at once, in place of one after the other.
    burst: bool = False
    # Questions that may fail, as a loop does.
    may_fail: set = field(default_factory=set)
    # From (owner, kind).
    expected: dict = field(default_factory=dict)

    @property
    def row(self):
        """What it is counted under."""
        return f"{self.template}: {self.behaviour}" if self.expected else self.template

    @property
    def phases(self):
        """The phases in which something is asked."""
        return [phase for phase in range(PHASES) if self.questions[phase]]


class Maker:
    """Fills in one domain. Names given to it are relative to the domain, `@` is its apex."""

    def __init__(self, rng, name, template, providers):
        self.rng = rng
        self.domain = Domain(name, template)
        self.providers = [p for p in providers if not p.is_filter]
        self.filters = [p for p in providers if p.is_filter]
        self.servers = rng.choice((("a",), ("b",), ("c",), ("a", "b"), ("b", "c"), ("c", "a")))
        self.phase = None
        # One TTL for all records, if set.
        self.fixed_ttl = None

    @property
    def name(self):
        return self.domain.name

    def absolute(self, owner):
        return self.name if owner == "@" else f"{owner}.{self.name}"

    def chance(self, of_100):
        return self.rng.randrange(100) < of_100

    def ttl(self, choice=TTLS):
        """A TTL in seconds (RFC 2181 8)."""
        return self.fixed_ttl or self.rng.choice(choice)

    # Zones.

    def zone(self, *lines, apex="@", servers=None, lame=()):
        """A zone that stays as it is."""
        self.domain.zones.append(
            Zone(self.absolute(apex), servers or self.servers, ("\n".join(lines),), lame)
        )

    def moving_zone(self, *phases):
        """A zone with other lines in each phase."""
        texts = tuple("\n".join(lines) for lines in phases)
        self.domain.zones.append(Zone(self.name, ("mover",), texts))

    # Records.

    def address(self, owner):
        return f"{owner} {self.ttl()} A 192.0.2.{self.rng.randrange(1, 255)}"

    def cname(self, owner, target, ttl=None):
        return f"{owner} {self.ttl() if ttl is None else ttl} CNAME {target}."

    def mx(self, owner, mx, ttl=None):
        """Lines for a list of (preference, exchange)."""
        ttl = self.ttl() if ttl is None else ttl
        mx = self.rng.sample(mx, len(mx))
        return "\n".join(f"{owner} {ttl} MX {n} {host.rstrip('.')}." for n, host in mx)

    def txt(self, owner, text):
        """A TXT record, now and then cut into several character-strings (RFC 7208 3.3)."""
        if self.chance(20) and len(text) > 12:
            cut = self.rng.randrange(4, len(text) - 4)
            return f'{owner} {self.ttl()} TXT "{text[:cut]}" "{text[cut:]}"'
        return f'{owner} {self.ttl()} TXT "{text}"'

    def own_mx(self):
        """Mail hosts of the domain's own."""
        hosts = [f"mail.{self.name}", f"mx2.{self.name}", f"backup.{self.name}"]
        return [(10 * (n + 1), host) for n, host in enumerate(hosts[: self.rng.randrange(1, 4)])]

    def spf(self, *terms):
        """An SPF record with those terms among harmless others."""
        others = self.rng.sample(("a", "mx", "ip4:192.0.2.0/24", "ip6:2001:db8::/32"), 2)
        terms = self.rng.sample((*terms, *others), len(terms) + 2)
        return " ".join(("v=spf1", *terms, self.rng.choice(("-all", "~all", "?all"))))

    def include(self, provider):
        """The term that names the provider, where it documents one."""
        if not provider.spf:
            return "a"
        qualifier = self.rng.choice(("", "", "", "+", "?"))
        return f"{qualifier}include:{self.rng.choice(provider.spf)}"

    def provider_with_set(self):
        return self.rng.choice([p for p in self.providers if p.sets])

    def full_set(self, provider):
        """A set that is right for the provider, with other numbers where only order matters."""
        chosen = self.rng.choice(provider.sets)
        if provider.by_order and self.chance(50):
            factor = self.rng.choice((2, 10))
            return [(n * factor, host) for n, host in chosen]
        return list(chosen)

    # Questions.

    def ask(self, owner, must, maybe="", phase=None):
        """Ask the types of `must` and some of `maybe`, in an order that ordered() settles."""
        types = must.split()
        types += [t for t in maybe.split() if self.chance(40)]
        if self.phase is None:
            self.phase = self.rng.randrange(PHASES)
        questions = self.domain.questions[self.phase if phase is None else phase]
        questions += [(self.absolute(owner), rdtype) for rdtype in types]

    def ask_again(self):
        """Repeat some questions: the cache answers them."""
        for questions in self.domain.questions:
            questions += [q for q in list(questions) if self.chance(20)]

    def shuffled(self):
        """Any order of questions; a tenth of the names in mixed case (RFC 4343)."""
        for phase in self.domain.phases:
            questions = self.domain.questions[phase]
            self.rng.shuffle(questions)
            self.domain.questions[phase] = [(self.mixed_case(n), t) for n, t in questions]

    def mixed_case(self, name):
        if not self.chance(10) or "\\" in name:
            return name
        return "".join(self.rng.choice((c.upper(), c)) for c in name)
