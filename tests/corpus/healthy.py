# SPDX-License-Identifier: BSD-3-Clause
"""Templates of healthy domains: nothing about them may ever be reported.

Each is a function that fills in one domain; its first line says what the domain is, the rest why it
is healthy. WEIGHTS says how many of a hundred there are of each.
"""

from domains import HOSTERS

WEB = "www.edge.cdn-a.test"
# A label with a dot, a space and an octet that is no ASCII, and an owner of nearly 255 octets
# (RFC 1035 2.3.4, RFC 2181 11).
ODD_LABEL = r"a\046b\032\200"
LONG_OWNER = ".".join("l" * 55 for _ in range(3))
RARE = "CNAME NS SOA HTTPS"


def plain(m):
    """Address and MX at the apex: RFC 5321 5.1, the common case."""
    m.zone(m.address("@"), m.mx("@", m.own_mx()), m.address("mail"), m.txt("@", m.spf()))
    m.ask("@", "A MX", f"AAAA TXT {RARE}")


def www_alias(m):
    """CNAME at www, MX at the apex: two owners, RFC 1034 3.6.2 speaks of one."""
    target = m.rng.choice((m.name, WEB, f"{m.rng.randrange(9999)}.edge.cdn-a.test"))
    m.zone(m.address("@"), m.mx("@", m.own_mx()), m.cname("www", target), m.address("mail"))
    m.ask("@", "A MX", "AAAA TXT")
    m.ask("www", "A", "AAAA TXT MX")


def alias_of_mail(m):
    """A mail name that is only a CNAME, its target has MX and SPF: RFC 5321 5.1 follows it. So
    return-path hosts of mass mailers are made."""
    owner = m.rng.choice(("email", "bounce", "em1234", "reply.news", ODD_LABEL, LONG_OWNER))
    m.zone(m.address("@"), m.mx("@", m.own_mx()), m.cname(owner, "return.mailer.test"))
    m.ask(owner, "A MX TXT", "AAAA CNAME")
    m.ask("@", "MX", "A TXT")


def alias_without_mail(m):
    """An alias below the apex whose target has an address and no MX: mail goes to the address by
    RFC 5321 5.1, nothing is hidden."""
    m.zone(m.address("@"), m.mx("@", m.own_mx()), m.cname("shop", "web.cdn-a.test"))
    m.ask("shop", "A MX", "AAAA TXT")
    m.ask("@", "MX")


def alias_asked_often(m):
    """As before, and mail is asked of it again and again: below an apex an alias is lawful however
    much mail goes there."""
    m.zone(m.address("@"), m.cname("crm", "web.cdn-a.test", 1))
    for phase in range(3):
        m.ask("crm", "A MX", "AAAA TXT", phase)


def cdn_chain(m):
    """A chain of CNAMEs through zones and servers of others: RFC 1034 3.6.2 allows each link."""
    m.zone(m.address("@"), m.mx("@", m.own_mx()), m.cname("www", f"{m.name}.edge.cdn-a.test"))
    m.ask("www", "A", "AAAA MX TXT HTTPS")
    m.ask("@", "MX A")


def chain_to_mail(m):
    """A chain at whose end there is an MX: its owner is the last name, not the first."""
    m.zone(
        m.address("@"),
        m.cname("list", m.absolute("mailing")),
        m.cname("mailing", "to-mail.cdn-a.test"),
    )
    m.ask("list", "A MX", "AAAA TXT")
    m.ask("mailing", "MX", "A")


def alias_of_the_next_owner(m):
    """One name is an alias, the name it points to has the MX, both in one answer: two owners."""
    m.zone(m.cname("m", m.absolute("mail")), m.mx("mail", m.own_mx()), m.address("mail"))
    m.ask("m", "A MX", "AAAA TXT")
    m.ask("mail", "A MX", "TXT")


def move_cname_to_mx(m):
    """A name moves from CNAME to MX: never both at the authority at one moment, whatever caches
    still hold (RFC 1034 3.7)."""
    _move(m, "CMM")


def move_mx_to_cname(m):
    """A name moves from MX to CNAME."""
    _move(m, "MCC")


def move_there_and_back(m):
    """From CNAME to MX and back."""
    _move(m, "CMC")


def move_back_and_there(m):
    """From MX to CNAME and back."""
    _move(m, "MCM")


def _move(m, path):
    owner = m.rng.choice(("mail", "post", "a.b", ODD_LABEL))
    ttl = m.ttl()
    always = [m.address("@"), m.mx("@", m.own_mx())]
    ways = {
        "C": [*always, m.cname(owner, "return.mailer.test", ttl)],
        "M": [*always, m.mx(owner, m.own_mx(), ttl), f"{owner} {ttl} A 192.0.2.9"],
    }
    m.moving_zone(*(ways[way] for way in path))
    m.domain.behaviour = f"moves {path}"
    for phase in range(3):
        m.ask(owner, m.rng.choice(("A", "MX", "A MX", "A MX")), "AAAA TXT", phase)


def move_of_provider(m):
    """The mailbox moves from one provider to another, MX and SPF at once: the old ones may live on
    in a cache, each set was right in its time."""
    before, after = m.provider_with_set(), m.provider_with_set()
    phases = []
    for provider in (before, after, after):
        phases.append(
            [
                m.address("@"),
                m.mx("@", m.full_set(provider)),
                m.txt("@", m.spf(m.include(provider))),
            ]
        )
    m.moving_zone(*phases)
    for phase in range(3):
        m.ask("@", "MX TXT", "A AAAA", phase)


def dname_subtree(m):
    """DNAME: the CNAME below it is made from it (RFC 6672 3.1) and stands at no name."""
    m.zone(
        m.address("@"),
        f"old {m.ttl()} DNAME new.{m.name}.",
        m.mx("user.new", m.own_mx()),
        m.address("user.new"),
    )
    m.ask("user.old", "A MX", "AAAA TXT")
    m.ask("user.new", "MX", "A TXT")
    m.ask("old", "A", "MX")


def dname_at_apex(m):
    """DNAME and MX at one apex: RFC 6672 2.4 forbids only a CNAME beside a DNAME."""
    m.zone(f"@ {m.ttl()} DNAME web.cdn-b.test.", m.mx("@", m.own_mx()), m.address("@"))
    m.ask("@", "A MX", "TXT")
    m.ask("host", "A MX", "AAAA TXT")


def wildcard_cname(m):
    """A wildcard CNAME, and names of their own with MX: the wildcard does not reach a name that
    exists (RFC 4592 2.2.1)."""
    m.zone(
        m.address("@"),
        m.mx("@", m.own_mx()),
        m.cname("*", "web.cdn-a.test"),
        m.mx("post", m.own_mx()),
    )
    m.ask("@", "A MX", "TXT")
    m.ask(f"any{m.rng.randrange(999)}", "A MX", "AAAA TXT")
    m.ask("post", "A MX", "TXT")


def wildcard_mx(m):
    """A wildcard MX beside a CNAME at another name: the CNAME's name exists, so the wildcard does
    not give it an MX (RFC 1034 4.3.3)."""
    m.zone(m.mx("*", m.own_mx()), m.mx("@", m.own_mx()), m.cname("ftp", "web.cdn-a.test"))
    m.ask(f"any{m.rng.randrange(999)}", "A MX", "TXT")
    m.ask("ftp", "A MX", "TXT")
    m.ask("@", "MX", "A")


def delegated_www(m):
    """www is a zone of its own at a load balancer, which answers every type with a CNAME: not what
    RFC 1034 3.6.2 wants, but no mail is wanted there, so none is lost."""
    m.zone(m.address("@"), m.mx("@", m.own_mx()), "www 3600 NS ns.dns-lb.test.")
    m.zone("answer cname-only", m.cname("@", WEB), apex="www", servers=("lb",))
    m.ask("@", "A MX", "AAAA TXT")
    m.ask("www", "A", "AAAA TXT HTTPS CNAME")
    m.domain.behaviour = "cname-only at www"


def cname_at_apex_without_mail(m):
    """A web-only domain whose apex is a CNAME. Wrong (RFC 1912 2.4), but nobody sends mail there
    and no mail is hidden: not our business."""
    m.zone("answer cname-only", m.cname("@", WEB))
    m.ask("@", "A", "AAAA TXT HTTPS")
    m.ask("www", "A")
    m.domain.behaviour = "cname-only"


def backup_of_its_own(m):
    """A provider's full set and a backup of the domain's own: a choice that shows in the name
    (docs/providers.md), so not foreign."""
    provider = m.provider_with_set()
    mx = m.full_set(provider) + [(m.rng.choice((1, 50, 100)), f"backup.{m.name}")]
    m.zone(m.address("@"), m.mx("@", mx), m.txt("@", m.spf(m.include(provider), "mx")))
    m.ask("@", "MX TXT", "A AAAA")
    m.ask("backup", "A")


def filter_in_front(m):
    """A filtering service in front of the mailboxes: never foreign, and which of the provider's
    hosts stay public is the domain's choice (docs/providers.md)."""
    mx = [(10, m.rng.choice(m.filters).host("mx1")), (20, m.rng.choice(m.filters).host("mx2"))]
    provider = m.provider_with_set()
    if m.chance(60):
        mx += [(30 + n, host) for n, host in m.full_set(provider)[:1]]
    m.zone(m.address("@"), m.mx("@", mx), m.txt("@", m.spf("include:spf.filter.example")))
    m.ask("@", "MX TXT", "A AAAA")


def null_mx(m):
    """Null MX: no mail is wanted (RFC 7505); with a CNAME at www."""
    m.zone(m.address("@"), m.mx("@", [(0, ".")]), m.cname("www", WEB), m.txt("@", "v=spf1 -all"))
    m.ask("@", "MX", "A TXT AAAA")
    m.ask("www", "A", "MX")


def null_mx_beside_cname(m):
    """Null MX and CNAME at one owner, answered by type: a fault, but no mail is hidden, since none
    is wanted (RFC 7505 3)."""
    owner = m.rng.choice(("@", "shop"))
    m.zone(f"answer by-type {owner}", m.cname(owner, WEB), m.mx(owner, [(0, ".")]))
    m.ask(owner, "MX" if owner == "shop" else "MX A", "A TXT")
    m.domain.behaviour = "by-type"


def provider_complete(m):
    """A documented set and the documented SPF include: as the provider wants it."""
    provider = m.provider_with_set()
    m.zone(
        m.address("@"),
        m.mx("@", m.full_set(provider)),
        m.txt("@", m.spf(m.include(provider))),
        m.txt("@", "site-verification=1"),
        m.cname("www", WEB),
    )
    m.ask("@", "MX TXT", "A AAAA")
    m.ask("www", "A", "MX")


def provider_without_spf(m):
    """A documented set, no SPF record at all: RFC 7208 asks nobody for one."""
    provider = m.provider_with_set()
    m.zone(m.mx("@", m.full_set(provider)), m.address("@"), m.txt("@", "site-verification=1"))
    m.ask("@", "MX TXT", "A AAAA")


def provider_without_set(m):
    """A provider that gives each domain hosts of its own: no documented set to hold against."""
    provider = m.rng.choice([p for p in m.providers if not p.sets])
    label = m.name.replace(".", "-")[:60]
    m.zone(
        m.mx("@", [(0, provider.host(label))]),
        m.address("@"),
        m.txt("@", m.spf(m.include(provider))),
    )
    m.ask("@", "MX TXT", "A AAAA")


def provider_and_more_hosts(m):
    """The documented set and one more host of the provider's: complete, and not foreign."""
    provider = m.rng.choice([p for p in m.providers if p.sets and p.patterns[0][0] == "*"])
    mx = m.full_set(provider) + [(500, provider.host("extra"))]
    m.zone(m.mx("@", mx), m.address("@"), m.txt("@", m.spf(m.include(provider))))
    m.ask("@", "MX TXT", "A")


def two_editions(m):
    """Hosts of two editions of one service, one of them complete: one family is one service."""
    families = {}
    for provider in m.providers:
        families.setdefault(provider.family, []).append(provider)
    pairs = [f for f in families.values() if len(f) > 1 and any(p.sets for p in f)]
    first, second = m.rng.sample(m.rng.choice(pairs), 2)
    if not first.sets:
        first, second = second, first
    chosen = first.sets or [[]]
    mx = list(m.rng.choice(chosen)) + [(900, second.host("mx9"))]
    includes = [m.include(p) for p in (first, second)]
    m.zone(m.mx("@", mx), m.address("@"), m.txt("@", m.spf(*includes)))
    m.ask("@", "MX TXT", "A")


def spf_by_way_of_own_name(m):
    """The SPF record includes or redirects to a name of the domain's own, or one made by a macro:
    what stands there may name the provider (RFC 7208 5.2, 6.1, 7)."""
    provider = m.provider_with_set()
    own = f"_spf.{m.name}"
    text = m.rng.choice(
        (
            m.spf(f"include:{own}"),
            f"v=spf1 a redirect={own}",
            m.spf(f"exists:%{{i}}._spf.{m.name}"),
            m.spf("include:%{d2}.spf.example"),
        )
    )
    m.zone(
        m.mx("@", m.full_set(provider)),
        m.address("@"),
        m.txt("@", text),
        m.txt("_spf", m.spf(m.include(provider))),
    )
    m.ask("@", "MX TXT", "A")
    m.ask("_spf", "TXT", "MX")


def spf_redirect(m):
    """The SPF record is handed over to the provider's as a whole (RFC 7208 6.1)."""
    provider = m.rng.choice([p for p in m.providers if p.sets and p.spf])
    text = f"v=spf1 mx redirect={m.rng.choice(provider.spf)}"
    m.zone(m.mx("@", m.full_set(provider)), m.txt("@", text), m.address("@"))
    m.ask("@", "MX TXT", "A")


def spf_of_two_services(m):
    """The provider's include among those of other services."""
    provider = m.provider_with_set()
    others = [m.include(p) for p in m.rng.sample(m.providers, 2)]
    text = m.spf(m.include(provider), *others)
    m.zone(m.mx("@", m.full_set(provider)), m.txt("@", text), m.address("@"))
    m.ask("@", "MX TXT", "A AAAA")


def no_such_name(m):
    """NXDOMAIN and NODATA, MX asked too: RFC 2308, nothing is there to clash."""
    m.zone(m.address("@"), m.mx("@", m.own_mx()), m.address("host"))
    m.ask("missing", "MX A", "TXT AAAA")
    m.ask("host", "MX", "A TXT AAAA")


def no_mail_at_all(m):
    """An address and no MX: implicit MX (RFC 5321 5.1)."""
    m.zone(m.address("@"), m.cname("www", m.name))
    m.ask("@", "A MX", "AAAA TXT")
    m.ask("www", "A MX")


def exchange_is_an_alias(m):
    """The MX names a host that is a CNAME. RFC 2181 10.3 forbids it, but the owner of the MX and
    the owner of the CNAME are two names, and mail arrives."""
    m.zone(m.mx("@", [(10, m.absolute("mail"))]), m.cname("mail", "in.mailer.test"), m.address("@"))
    m.ask("@", "MX A", "TXT")
    m.ask("mail", "A", "AAAA MX")


def flattened(m):
    """A provider that flattens the CNAME at the apex: seen are A, MX and HTTPS (RFC 9460 2.4.2)."""
    rdata = b"\0\0" + b"".join(bytes([len(x)]) + x.encode() for x in (*WEB.split("."), ""))
    https = f"@ {m.ttl()} TYPE65 \\# {len(rdata)} {rdata.hex()}"
    m.zone(m.address("@"), m.mx("@", m.own_mx()), https)
    m.ask("@", "A MX HTTPS", "AAAA TXT")


def verification_names(m):
    """CNAMEs at _dmarc, DKIM selectors and the like: aliases of TXT records (RFC 6376 3.6.2.1)."""
    m.zone(
        m.address("@"),
        m.mx("@", m.own_mx()),
        m.cname("_dmarc", "dmarc.mailer.test"),
        m.cname("s1._domainkey", "dkim.mailer.test"),
        m.cname("_acme-challenge", "acme.mailer.test"),
    )
    m.ask("_dmarc", "TXT", "MX")
    m.ask("s1._domainkey", "TXT", "MX A")
    m.ask("@", "MX", "TXT A")
    m.ask("_domainkey", "A")


def subdomain_with_mail(m):
    """Mail at a name below the apex, an alias beside it and one below it."""
    m.zone(
        m.address("@"),
        m.mx("lists", m.own_mx()),
        m.address("lists"),
        m.cname("web.lists", "web.cdn-a.test"),
        m.cname("listsweb", "web.cdn-a.test"),
    )
    m.ask("lists", "A MX", "TXT AAAA")
    m.ask("web.lists", "A MX")
    m.ask("listsweb", "A MX")


def loop(m):
    """Two aliases of each other: a dead end (RFC 1034 3.6.2), no MX anywhere."""
    m.zone(m.cname("a", m.absolute("b")), m.cname("b", m.absolute("a")), m.mx("@", m.own_mx()))
    m.ask("a", "A MX")
    m.ask("b", "MX")
    m.ask("@", "MX")
    m.domain.may_fail = {"a", "b"}


def dangling(m):
    """An alias of a name that does not exist: a fault, and no mail is hidden by it."""
    m.zone(m.address("@"), m.mx("@", m.own_mx()), m.cname("old", "gone.cdn-a.test"))
    m.ask("old", "A MX", "TXT")
    m.ask("@", "MX")


def alias_of_dead_target(m):
    """An alias whose target's server refuses every question: mail waits, but no MX is hidden."""
    m.zone(m.address("@"), m.mx("@", m.own_mx()), m.cname("old", "dead.cdn-a.test"))
    m.ask("old", "A MX", "TXT")
    m.ask("@", "MX")
    m.domain.may_fail = {"old"}


def lame_server(m):
    """One of two servers does not know the zone (RFC 1912 2.8): what it refuses says nothing."""
    lame = next(server for server in HOSTERS if server not in m.servers)
    lines = (m.address("@"), m.mx("@", m.own_mx()), m.cname("www", WEB))
    m.zone(*lines, lame=(lame,))
    m.ask("@", "A MX", "TXT AAAA")
    m.ask("www", "A MX", "TXT")


def mx_fails_at_an_alias(m):
    """A load balancer that knows addresses only: an alias, and SERVFAIL to MX. No MX was ever
    seen, so nothing says that one is hidden."""
    verb = m.rng.choice(("servfail", "refuse", "nxdomain"))
    m.zone(f"{verb} MX lb", m.cname("lb", "web.cdn-a.test"), m.mx("@", m.own_mx()))
    m.ask("lb", "A MX", "AAAA")
    m.ask("@", "MX")
    m.domain.behaviour = f"{verb} MX"
    m.domain.may_fail = {"lb"}


def only_over_tcp(m):
    """Every answer is truncated over UDP (RFC 7766 5): the alias and the MX of two owners."""
    m.zone("truncate *", m.mx("@", m.own_mx()), m.address("@"), m.cname("www", WEB))
    m.ask("@", "A MX", "TXT")
    m.ask("www", "A MX")
    m.domain.behaviour = "truncate *"


def address_question_gets_any(m):
    """ANY is asked of an alias and of an apex with MX (RFC 8482): each has what is lawful."""
    m.zone(m.address("@"), m.mx("@", m.own_mx()), m.cname("www", "web.cdn-a.test"))
    m.ask("@", "ANY MX", "A TXT")
    m.ask("www", "ANY MX", "A TXT")


WEIGHTS = {
    plain: 8,
    www_alias: 10,
    alias_of_mail: 8,
    alias_without_mail: 4,
    alias_asked_often: 2,
    cdn_chain: 6,
    chain_to_mail: 3,
    alias_of_the_next_owner: 3,
    move_cname_to_mx: 3,
    move_mx_to_cname: 3,
    move_there_and_back: 3,
    move_back_and_there: 3,
    move_of_provider: 1,
    dname_subtree: 3,
    dname_at_apex: 2,
    wildcard_cname: 4,
    wildcard_mx: 2,
    delegated_www: 4,
    cname_at_apex_without_mail: 1,
    backup_of_its_own: 3,
    filter_in_front: 3,
    null_mx: 2,
    null_mx_beside_cname: 1,
    provider_complete: 5,
    provider_without_spf: 1,
    provider_without_set: 2,
    provider_and_more_hosts: 1,
    two_editions: 1,
    spf_by_way_of_own_name: 2,
    spf_redirect: 1,
    spf_of_two_services: 1,
    no_such_name: 2,
    no_mail_at_all: 2,
    exchange_is_an_alias: 2,
    flattened: 1,
    verification_names: 2,
    subdomain_with_mail: 2,
    loop: 0.3,
    dangling: 1,
    alias_of_dead_target: 0.3,
    lame_server: 1,
    mx_fails_at_an_alias: 0.3,
    only_over_tcp: 0.3,
    address_question_gets_any: 1,
}
