# SPDX-License-Identifier: BSD-3-Clause
"""Templates of broken domains: every kind, in every order of questions that can show it, behind
every authority behaviour. Each says what its events must be.

COMBINATIONS lists (template, behaviour, place, minimise, order); what of them nobody could find is
left out, by the model below.
"""

import itertools
from dataclasses import dataclass

from domains import REPAIRS_OF_A_CNAME, Expected

WITH_CNAME = ("by-type", "both", "both-data-first")
# "plain": there is no CNAME at all.
BEHAVIOURS = ("plain", *WITH_CNAME)
PLACES = ("apex", "below")
OWNERS_BELOW = ("lists", "lists", "deep.er", "_mail", r"l\046\200")
ORDERS = (
    *("A MX", "MX A", "A", "AAAA", "TXT", "MX", "CNAME MX", "AAAA MX", "TXT MX A", "MX TXT A"),
    *("TXT MX", "MX TXT", "A MX TXT", "A AAAA TXT MX", "MX AAAA A TXT", "TXT A AAAA MX"),
)
ALWAYS = frozenset(["probe"])
AT_ONCE = frozenset(["same-answer"])


# --- what a resolver can know ---------------------------------------------------------------------


@dataclass
class Foretold:
    """What the questions bring to light. `cname_and_mx` is the set of evidence, one of which it
    must have; empty: nobody can see the pair."""

    cname_and_mx: frozenset
    mx_set: bool
    spf: bool


def foretell(behaviour, place, minimise, order, *, bad_spf):
    """Follow the questions for one owner with CNAME, MX and TXT through a resolver's cache.

    Rules of the resolver: a cached CNAME answers every type; with minimisation a name below the
    apex is asked A before anything else (RFC 9156 2.1). Rules of the module: an apex CNAME, or
    CNAME and MX both seen, or an MX that a client got as a CNAME, or SPF that does not fit, brings
    a proof, which asks MX and CNAME, and TXT only where SPF did not fit by then; after a proof, or
    one answer with both, there is none for `recheck-interval`.
    """
    evidence = set()
    cached = cname = mx = txt = proof = spf = False
    for rdtype in order:
        if behaviour != "plain" and minimise and place == "below":
            cached = True
        if cached:
            proof = proof or rdtype == "MX"
            continue
        shows_cname = behaviour != "plain" and (
            behaviour != "by-type" or rdtype not in ("MX", "TXT")
        )
        if shows_cname and rdtype == "MX":
            evidence |= {"same-answer", "probe"} if proof else {"same-answer"}
        cname = cname or shows_cname
        mx = mx or rdtype == "MX"
        txt = txt or rdtype == "TXT"
        settled = proof or evidence
        spf = spf or (bad_spf and mx and txt and not settled)
        if not evidence:
            proof = proof or spf or (cname and (mx or place == "apex"))
        cached = shows_cname
    if proof and not evidence:
        evidence = {"probe"}
    if behaviour == "plain":
        evidence = set()
    return Foretold(frozenset(evidence), mx or proof, spf)


# --- CNAME targets and what senders meet there (RFC 5321 5.1) -------------------------------------

# Nobody can resolve these, so clients get SERVFAIL: of a loop it can be said that it leads nowhere
# (RFC 1034 5.2.2), of a server that refuses nothing.
LOOP = "loop.cdn-a.test"
DEAD = "dead.cdn-a.test"
TARGETS = {
    "web.cdn-a.test": "implicit-mx",
    "www.edge.cdn-a.test": "implicit-mx",
    "six.cdn-a.test": "implicit-mx",
    "chain.cdn-a.test": "implicit-mx",
    "gone.cdn-a.test": "no-mail-host",
    "text.cdn-a.test": "no-mail-host",
    "null.cdn-a.test": "no-mail-host",
    "to-gone.cdn-a.test": "no-mail-host",
    LOOP: "no-mail-host",
    DEAD: "unknown",
    "return.mailer.test": "wrong-mail-host",
    "to-mail.cdn-a.test": "wrong-mail-host",
}


def _target(m, mx, resolvable=False):
    """A CNAME target and its impact; now and then one with the very same MX set. Where nobody can
    resolve the target Unbound remembers that for five seconds, and asks the owner nothing."""
    if mx and m.chance(15):
        target = f"{m.name.replace('.', '-')[:20]}.same.test"
        lines = m.mx(target + ".", mx, 300)
        m.same_target = lines
        return target, "none"
    target, impact = m.rng.choice(sorted(TARGETS.items()))
    while resolvable and target in (LOOP, DEAD):
        target, impact = m.rng.choice(sorted(TARGETS.items()))
    if target in (LOOP, DEAD):
        m.domain.may_fail = {"", "www", *OWNERS_BELOW}
    return target, impact


# --- MX sets and SPF ------------------------------------------------------------------------------


def _own(m):
    """No provider: nothing can be said of the set."""
    return m.own_mx(), None


def _right(m):
    provider = m.provider_with_set()
    return m.full_set(provider), provider


STRANGER = "mx.stranger.example"


def _behind(m, mx):
    """A stranger's host behind all others, as a leftover stands: in front it may be a gateway."""
    return max(n for n, _ in mx) + m.rng.choice((1, 20, 500)), STRANGER


def _stranger(m):
    """The full set and a stranger's host."""
    mx, provider = _right(m)
    return mx + [_behind(m, mx)], provider


def _of_another_provider(m):
    """The full set, and behind it the host of another provider."""
    mx, provider = _right(m)
    other = m.rng.choice([p for p in m.providers if p.family != provider.family])
    return mx + [(900, other.host("mx1"))], provider


def _stranger_beside_filter(m):
    """A filter may stand there, the stranger may not; behind a filter no set is held against."""
    mx, provider = _right(m)
    mx = [(n + 100, host) for n, host in mx]
    mx += [(10, m.rng.choice(m.filters).host("in")), (300, STRANGER)]
    return mx, provider


def _long_sets(m):
    provider = m.rng.choice(
        [p for p in m.providers if p.sets and all(len(one) > 1 for one in p.sets)]
    )
    return list(m.rng.choice(provider.sets)), provider


def _host_missing(m):
    """One host of the documented set is not there, and no other set of it is complete."""
    while True:
        mx, provider = _long_sets(m)
        mx.pop(m.rng.randrange(len(mx)))
        if not _meets(provider, mx):
            return mx, provider


def _wrong_numbers(m):
    """Preferences that are not the documented ones, or not in the documented order."""
    while True:
        mx, provider = _long_sets(m)
        numbers = [n for n, _ in mx]
        if provider.by_order:
            numbers.reverse()
        else:
            numbers = [n + 1 for n in numbers]
        mx = [(n, host) for n, (_, host) in zip(numbers, mx)]
        if not _meets(provider, mx):
            return mx, provider


def _meets(provider, mx):
    """Is a documented set there in full? (docs/providers.md)"""
    for wanted in provider.sets:
        have = dict((host, n) for n, host in mx)
        if not provider.by_order and all((n, host) in mx for n, host in wanted):
            return True
        if provider.by_order and all(host in have for _, host in wanted):
            pairs = itertools.permutations(wanted, 2)
            if all(have[a] <= have[b] for (m, a), (n, b) in pairs if m < n):
                return True
    return False


def _missing_and_foreign(m):
    mx, provider = _host_missing(m)
    return mx + [_behind(m, mx)], provider


def _spf_other(m, provider):
    """An SPF record that names another provider, or nobody; what it allows is the domain's own."""
    others = [p for p in m.providers if p.spf and not set(p.spf) & set(provider.spf)]
    if m.chance(50):
        terms = ()
    else:
        terms = (m.include(p) for p in m.rng.sample(others, m.rng.randrange(1, 3)))
    terms = ("a", "ip4:192.0.2.1", *terms)
    return " ".join(("v=spf1", *m.rng.sample(terms, len(terms)), "-all"))


def _spf_behind_all(m, provider):
    """The include stands behind `all`, where it is never reached (RFC 7208 5.1)."""
    return f"v=spf1 a -all include:{m.rng.choice(provider.spf)}"


def _spf_redirect_beside_all(m, provider):
    """Beside `all` a redirect is ignored (RFC 7208 6.1)."""
    return f"v=spf1 a redirect={m.rng.choice(provider.spf)} -all"


# --- templates ------------------------------------------------------------------------------------


def _mail_events(m, owner, mx, provider, foretold, wrong, cname, ttl, impact):
    """What a domain with these faults must be reported for."""
    common = {
        "apex": owner == "@",
        "zone": m.name,
        "mx": tuple(sorted(mx)),
        "provider": provider.tag if provider else None,
    }
    expected = m.domain.expected
    name = m.absolute(owner)
    if foretold.cname_and_mx:
        expected[name, "cname-and-mx"] = Expected(
            "confirmed",
            foretold.cname_and_mx,
            REPAIRS_OF_A_CNAME,
            cname=(cname, ttl),
            impact=frozenset([impact]),
            **common,
        )
    advice = {"foreign-mx": "remove-foreign-mx", "incomplete-mx": "complete-mx"}
    for kind in wrong:
        suspected = kind == "foreign-mx" and any(host == STRANGER for _, host in mx)
        state = "suspected" if suspected else "confirmed"
        expected[name, kind] = Expected(state, AT_ONCE, (advice[kind],), **common)
    if foretold.spf:
        expected[name, "spf-missing"] = Expected("confirmed", ALWAYS, ("fix-spf",), **common)


def _mail_domain(m, combination, sets, wrong, bad_spf, in_time=False):
    """A domain with an MX set from `sets`, whose faults are `wrong`, and one of the SPF records of
    `bad_spf` if there are any. `in_time`: it is asked until all is found."""
    _, behaviour, place, minimise, order = combination
    owner = "@" if place == "apex" else m.rng.choice(OWNERS_BELOW)
    mx, provider = m.rng.choice(sets)(m)
    while bad_spf and not provider.spf:
        mx, provider = m.rng.choice(sets)(m)
    if bad_spf:
        spf = m.rng.choice(bad_spf)(m, provider)
    else:
        spf = m.spf(m.include(provider)) if provider else m.spf()
    foretold = foretell(behaviour, place, minimise, order.split(), bad_spf=bool(bad_spf))
    if in_time:
        foretold = Foretold(foretold.cname_and_mx and AT_ONCE | ALWAYS, True, bool(bad_spf))
    ttl = m.ttl((300, 600, 3600, 86400))
    lines = [m.mx(owner, mx, m.ttl((300, 3600))), m.txt(owner, spf)]
    target = impact = None
    if behaviour == "plain":
        lines.append(m.address(owner))
    else:
        # the same set at the target would be as wrong there
        target, impact = _target(m, () if wrong else mx, in_time)
        lines += [f"answer {behaviour} {owner}", m.cname(owner, target, ttl)]
    if place == "below":
        lines += [m.address("@"), m.mx("@", m.own_mx())]
    if m.chance(5):
        lines.append("truncate *")
    m.zone(*lines)
    _ask_in_order(m, owner, order)
    _mail_events(m, owner, mx, provider, foretold, wrong, target, ttl, impact)


def _ask_in_order(m, owner, order, phase=0):
    """Ask the owner in that order, and questions for other names in between."""
    questions = [(m.mixed_case(m.absolute(owner)), rdtype) for rdtype in order.split()]
    for _ in range(m.rng.randrange(3)):
        other = (f"www.{m.name}", m.rng.choice(("A", "AAAA", "MX")))
        questions.insert(m.rng.randrange(len(questions) + 1), other)
    m.domain.questions[phase] += questions


def cname_and_mx(m, combination):
    """CNAME and MX at one owner: RFC 1034 3.6.2, RFC 1912 2.4, RFC 2181 10.1."""
    _mail_domain(m, combination, (_own, _right), (), ())


def foreign_mx(m, combination):
    """Hosts in the MX set that are not the provider's: mail goes astray (the seeds' step 2.1)."""
    sets = (_stranger, _of_another_provider, _stranger_beside_filter)
    _mail_domain(m, combination, sets, ("foreign-mx",), ())


def incomplete_mx(m, combination):
    """Not the set that the provider documents (the seeds' step 2.1)."""
    _mail_domain(m, combination, (_host_missing, _wrong_numbers), ("incomplete-mx",), ())


def spf_missing(m, combination):
    """The SPF record lacks the provider's include (the seeds' step 2.3)."""
    bad = (_spf_other, _spf_other, _spf_behind_all, _spf_redirect_beside_all)
    _mail_domain(m, combination, (_right,), (), bad)


def foreign_and_incomplete_mx(m, combination):
    """A set that lacks a host of the provider's and has a stranger's."""
    _mail_domain(m, combination, (_missing_and_foreign,), ("foreign-mx", "incomplete-mx"), ())


def foreign_mx_and_spf_missing(m, combination):
    """A stranger's host and an SPF record without the include."""
    _mail_domain(m, combination, (_stranger,), ("foreign-mx",), (_spf_other,))


def spf_missing_in_time(m, combination):
    """As spf_missing, where the CNAME, or another fault, was proved before the SPF record was seen:
    the next proof, after `recheck-interval`, asks TXT as well."""
    m.fixed_ttl = 1
    sets, wrong = m.rng.choice((((_right,), ()), ((_stranger,), ("foreign-mx",))))
    _mail_domain(m, combination, sets, wrong, (_spf_other,), in_time=True)


def cname_at_apex(m, combination):
    """The apex is a CNAME and its authority answers even MX with it, although somebody asks for
    its mail: suspected (docs/detection.md)."""
    _, _, _, _, order = combination
    target, impact = _target(m, ())
    ttl = m.ttl((300, 3600))
    owner = m.rng.choice(("@", "@", "@", "www"))
    lines = ["answer cname-only", m.cname("@", target, ttl)]
    if owner == "@":
        # as PowerDNS: the MX is in the zone and never shown
        m.zone(*lines, m.mx("@", m.own_mx()))
    else:
        m.zone(m.address("@"), m.mx("@", m.own_mx()), "www 3600 NS ns.dns-lb.test.")
        m.zone(*lines, apex="www", servers=("lb",))
    questions = [(m.mixed_case(m.absolute(owner)), rdtype) for rdtype in order.split()]
    m.domain.questions[0] += questions
    # whether the question or the proof comes first is not settled
    evidence = {"separate-answers", "probe"}
    _apex_event(m, m.absolute(owner), "suspected", evidence, target, ttl, impact)


def cname_at_apex_after_mx(m, combination):
    """As before, and the MX that stood there before the CNAME was seen, when nothing was wrong: that
    left a fingerprint, which confirms nothing (docs/detection.md)."""
    _, _, _, _, order = combination
    target, impact = _target(m, ())
    m.moving_zone(
        [m.address("@"), m.mx("@", m.own_mx(), 3600)],
        ["answer cname-only", m.cname("@", target, 600)],
    )
    m.domain.questions[0].append((m.name, "MX"))
    m.domain.questions[1] += [(m.name, rdtype) for rdtype in order.split()]
    _apex_event(m, m.name, "suspected", {"probe"}, target, 600, impact)


def _apex_event(m, owner, state, evidence, target, ttl, impact):
    # no MX of its own is known, so the target's is no other one
    impact = "unknown" if impact == "wrong-mail-host" else impact
    m.domain.expected[owner, "cname-at-apex"] = Expected(
        state,
        frozenset(evidence),
        REPAIRS_OF_A_CNAME,
        apex=True,
        zone=owner,
        cname=(target, ttl),
        impact=frozenset([impact]),
    )


def _combinations():
    def mail(template, *, bad_mx=False, bad_spf=False, behaviours=BEHAVIOURS):
        rest = itertools.product(behaviours, PLACES, (True, False), ORDERS)
        for behaviour, place, minimise, order in rest:
            found = foretell(behaviour, place, minimise, order.split(), bad_spf=bad_spf)
            if bad_spf and not found.spf or bad_mx and not found.mx_set:
                continue
            if not (bad_mx or bad_spf or found.cname_and_mx):
                continue
            yield template, behaviour, place, minimise, order

    yield from mail(cname_and_mx, behaviours=WITH_CNAME)
    yield from mail(foreign_mx, bad_mx=True)
    yield from mail(incomplete_mx, bad_mx=True)
    yield from mail(spf_missing, bad_spf=True)
    yield from mail(foreign_and_incomplete_mx, bad_mx=True)
    yield from mail(foreign_mx_and_spf_missing, bad_mx=True, bad_spf=True)
    for minimise in (True, False):
        for order in ORDERS:
            if "MX" in order.split():
                yield cname_at_apex, "cname-only", "apex", minimise, order
        for order in ("A MX", "AAAA MX", "A AAAA MX MX", "TXT A MX"):
            yield cname_at_apex_after_mx, "cname-only", "apex", minimise, order


def _combinations_in_time():
    """What shows SPF and MX, in whatever order: below the apex not with minimisation, as a CNAME
    then answers both."""
    for behaviour, place, minimise in itertools.product(BEHAVIOURS, PLACES, (True, False)):
        if behaviour == "plain" or place == "apex" or not minimise:
            for order in ("TXT MX", "MX TXT", "TXT A MX", "MX A TXT"):
                yield spf_missing_in_time, behaviour, place, minimise, order


COMBINATIONS = list(_combinations())
COMBINATIONS_IN_TIME = list(_combinations_in_time())
