# SPDX-License-Identifier: BSD-3-Clause
"""From a seed to a corpus: domains, their zones, their questions and what is to be reported.

    generate.py [--seed N] [NAME...]

prints what the corpus holds of the domains with these names, for whoever follows up a miss.
"""

import argparse
import itertools
import random
from dataclasses import dataclass, field

import broken
import healthy
from domains import HOSTERS, Domain, Maker, Zone
from providers import read_table

SEED = 3
HEALTHY = 20000
BROKEN = 2000
# At the default probe-rate a proof takes a fifth of a second.
SLOW_HEALTHY = 150
SLOW_BROKEN = 50
SENTINELS = 16
# Parents, all suffixes of the Public Suffix List: what lies below each is somebody else's.
PARENTS = ("test", "example", "cn", "com.cn", "gd.cn", "jp", "ne.jp")
# A registry that is not on the list, and so cannot be told from a domain: all its domains together
# get no more proofs than one (domain_cap.h), so broken ones there may be found late.
UNKNOWN_PARENT = "town.jp"
# How the first label of a domain is made of its number.
SHAPES = ("{0}", "{0}-mail", "the-{0}", "xn--{0}-kva", "9{0}", "{0}" + "y" * 50)

TARGET_ZONES = {
    "cdn-a.test": """
        web     300 A     192.0.2.70
        *.edge  60  CNAME pop.cdn-b.test.
        six     300 AAAA  2001:db8::70
        chain   60  CNAME chain.cdn-b.test.
        text    300 TXT   "no address, no mail"
        null    300 MX    0 .
        null    300 A     192.0.2.71
        to-gone 300 CNAME gone.cdn-b.test.
        to-mail 300 CNAME return.mailer.test.
        loop    300 CNAME loop2.cdn-a.test.
        loop2   300 CNAME loop.cdn-a.test.
        refuse * dead
    """,
    "cdn-b.test": """
        pop     20  A     192.0.2.72
        pop     20  AAAA  2001:db8::72
        web     20  A     192.0.2.73
        chain   20  CNAME web.cdn-a.test.
    """,
    "mailer.test": """
        return  300 MX    10 in.mailer.test.
        return  300 TXT   "v=spf1 a:in.mailer.test -all"
        in      300 A     192.0.2.74
        dmarc   300 TXT   "v=DMARC1; p=none"
        dkim    300 TXT   "v=DKIM1; p="
        acme    300 TXT   "token"
    """,
}


@dataclass
class Corpus:
    """All domains, in the order in which they are asked. `slow` is asked at the default rate of
    proofs, `patient` again and again with a short `recheck-interval`. Sentinels are broken domains
    that prove that the detector is awake and has done all that came before."""

    seed: int
    healthy: list = field(default_factory=list)
    broken: list = field(default_factory=list)
    slow: list = field(default_factory=list)
    patient: list = field(default_factory=list)
    sentinels: list = field(default_factory=list)
    extra_zones: list = field(default_factory=list)

    def zones(self):
        """Every zone but those of the parents."""
        yield from self.extra_zones
        for domain in (*self.domains(), *self.sentinels):
            yield from domain.zones

    def domains(self):
        """Every domain but the sentinels."""
        return itertools.chain(self.healthy, self.broken, self.slow, self.patient)


class _Builder:
    def __init__(self, seed):
        self.corpus = Corpus(seed)
        self.providers = read_table()
        self.same_targets = []
        self.number = 0

    def maker(self, rng, template, prefix):
        self.number += 1
        shape = rng.choices(SHAPES, (20, 3, 3, 2, 2, 1))[0]
        parents = (*PARENTS, UNKNOWN_PARENT) if prefix == "h" else PARENTS
        name = f"{shape.format(f'{prefix}{self.number:05d}')}.{rng.choice(parents)}"
        return Maker(rng, name, template.__name__, self.providers)

    def healthy(self, rng, count):
        templates, weights = zip(*healthy.WEIGHTS.items())
        # every template at least once
        chosen = list(templates) + rng.choices(templates, weights, k=count)
        for template in chosen[:count]:
            m = self.maker(rng, template, "h")
            m.domain.minimise = m.chance(70)
            m.domain.burst = m.chance(20)
            template(m)
            m.ask_again()
            m.shuffled()
            yield m.domain

    def broken(self, rng, count, combinations=broken.COMBINATIONS):
        chosen = combinations * (count // len(combinations))
        chosen += rng.sample(combinations, count - len(chosen))
        for combination in chosen:
            template, behaviour, place, minimise, order = combination
            m = self.maker(rng, template, "b")
            m.domain.minimise = minimise
            m.domain.behaviour = f"{behaviour}, {place}"
            m.domain.order = order
            m.same_target = None
            template(m, combination)
            if m.same_target:
                self.same_targets.append(m.same_target)
            yield m.domain

    def slow(self, rng):
        """Of both, asked of one resolver, in one go: what does not change in between."""
        found = [d for d in self.healthy(rng, 2 * SLOW_HEALTHY) if len(d.zones[0].texts) == 1]
        found = found[:SLOW_HEALTHY]
        sample = [d for d in self.broken(rng, 2 * SLOW_BROKEN) if d.minimise]
        found += [d for d in sample if len(d.zones[0].texts) == 1][:SLOW_BROKEN]
        for domain in found:
            domain.minimise = True
            domain.questions = [[q for phase in domain.questions for q in phase], [], []]
        return found

    def sentinel(self, number):
        domain = Domain(f"sentinel-{number}.test", "sentinel", "by-type, apex")
        lines = "answer by-type\n@ 600 CNAME web.cdn-a.test.\n@ 600 MX 5 mx.sentinel.example."
        domain.zones.append(Zone(domain.name, ("a",), (lines,)))
        return domain


def generate(seed=SEED, healthy_count=HEALTHY, broken_count=BROKEN):
    """Make the corpus of a seed. The same arguments give the same corpus."""
    builder = _Builder(seed)
    corpus = builder.corpus
    # A source of its own for each part: a change to one leaves the others as they are.
    corpus.healthy = list(builder.healthy(random.Random(f"{seed} healthy"), healthy_count))
    corpus.broken = list(builder.broken(random.Random(f"{seed} broken"), broken_count))
    corpus.slow = builder.slow(random.Random(f"{seed} slow"))
    patient = broken.COMBINATIONS_IN_TIME
    corpus.patient = list(builder.broken(random.Random(f"{seed} patient"), len(patient), patient))
    for domains in (corpus.healthy, corpus.broken, corpus.slow, corpus.patient):
        random.Random(f"{seed} order").shuffle(domains)
    corpus.sentinels = [builder.sentinel(number) for number in range(SENTINELS)]
    targets = {**TARGET_ZONES, "same.test": "\n".join(builder.same_targets)}
    corpus.extra_zones = [Zone(name, ("targets",), (text,)) for name, text in targets.items()]
    return corpus


def parent_of(name):
    """The parent that a zone is delegated from, or None if its own domain delegates it."""
    parent = name.split(".", 1)[1]
    return parent if parent in (*PARENTS, UNKNOWN_PARENT) else None


SERVERS = (*HOSTERS, "mover", "lb", "targets")


def scenarios(corpus, addresses, phase):
    """What each server serves in a phase: a dict from its key to the text of a scenario.

    `addresses` has one for each of SERVERS, and for `root` and `registry`, who delegate.
    """
    texts = {key: [] for key in (*SERVERS, "root", "registry")}
    parents = (*PARENTS, UNKNOWN_PARENT)
    delegations = {parent: [] for parent in parents}
    for zone in corpus.zones():
        lines = [f"zone {zone.apex}", *(f"@ 3600 NS ns.dns-{key}.test." for key in zone.servers)]
        lines.append(zone.text(phase))
        for key in zone.servers:
            texts[key] += lines
        parent = parent_of(zone.apex)
        if parent:
            servers = (*zone.servers, *zone.lame)
            delegations[parent] += [f"{zone.apex}. NS ns.dns-{key}.test." for key in servers]
    for key in SERVERS:
        glue = f"ns.dns-{key}.test. 3600 A {addresses[key]}"
        texts[key] += [f"zone dns-{key}.test", f"@ 3600 NS ns.dns-{key}.test.", glue]
        delegations["test"] += [f"dns-{key} NS ns.dns-{key}.test.", glue]
    registry = f"ns.registry.test. 3600 A {addresses['registry']}"
    texts["root"] += ["zone .", registry]
    texts["registry"] += ["zone registry.test", "@ 3600 NS ns.registry.test.", registry]
    for parent in parents:
        texts["registry"] += [f"zone {parent}", "@ NS ns.registry.test.", *delegations[parent]]
        if "." not in parent:
            texts["root"].append(f"{parent}. NS ns.registry.test.")
    return {key: "\n".join(lines) + "\n" for key, lines in texts.items()}


def show(domain):
    """Print all that there is to know of a domain."""
    how = "minimised" if domain.minimise else "not minimised"
    print(f"\n{domain.name}: {domain.template}, {domain.behaviour}, {how}")
    for zone in domain.zones:
        for phase, text in enumerate(zone.texts):
            print(f"zone {zone.apex} at {' and '.join(zone.servers)}, phase {phase + 1}\n{text}")
    for phase in domain.phases:
        asked = ", ".join("/".join(question) for question in domain.questions[phase])
        print(f"asked in phase {phase + 1}{' at once' if domain.burst else ''}: {asked}")
    for (owner, kind), expected in domain.expected.items():
        print(f"to be reported: {owner} {kind}: {expected}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    arguments.add_argument("--seed", type=int, default=SEED)
    arguments.add_argument("names", nargs="*")
    options = arguments.parse_args()
    corpus = generate(options.seed)
    print(f"seed {options.seed}: {len(corpus.healthy)} healthy, {len(corpus.broken)} broken")
    for domain in corpus.domains():
        if domain.name in options.names:
            show(domain)


if __name__ == "__main__":
    main()
