# SPDX-License-Identifier: BSD-3-Clause
"""Questions as a mail server asks them, and what the answers say."""

import dns.edns
import dns.message
import dns.query
import dns.rdatatype

from lab import ANSWER_TIMEOUT_S

# The MX of the broken domains of world.py.
STANDARD = ["mx1.qiye.aliyun.com.", "mx2.qiye.aliyun.com.", "mx3.qiye.aliyun.com."]
# The info code of our Extended DNS Errors, and two of Unbound's own (RFC 8914 4).
OTHER, STALE, BOGUS = 0, 3, 6


def question(
    unbound,
    owner,
    rdtype,
    *,
    edns=True,
    payload=1232,
    dnssec=False,
    tcp=False,
    flags=0,
    timeout_s=ANSWER_TIMEOUT_S,
):
    """Ask one question with RD. Returns a dns.message.Message.

    payload is what EDNS offers, dnssec sets DO, flags are header flags to be set besides.
    """
    query = dns.message.make_query(owner, rdtype)
    if edns:
        query.use_edns(payload=payload)
        query.want_dnssec(dnssec)
    query.flags |= flags
    send = dns.query.tcp if tcp else dns.query.udp
    return send(query, unbound.address, timeout_s, unbound.port)


def mx_hosts(answer, owner):
    """The exchanges of the owner's own MX in an answer, sorted."""
    owner = owner.lower().rstrip(".") + "."
    return sorted(
        str(record.exchange)
        for rrset in answer.answer
        if rrset.rdtype == dns.rdatatype.MX and str(rrset.name).lower() == owner
        for record in rrset
    )


def chain(answer):
    """The owners of an answer's RRsets, signatures left out, in order."""
    return [str(r.name) for r in answer.answer if r.rdtype != dns.rdatatype.RRSIG]


def errors(answer):
    """The Extended DNS Errors of an answer as (code, text)."""
    return [(int(o.code), o.text) for o in answer.options if o.otype == dns.edns.OptionType.EDE]


def confirm(unbound, domain):
    """Ask A, then MX, as the world does, and wait until the conflict is confirmed."""
    unbound.ask(domain, "A")
    unbound.ask(domain, "MX")
    return unbound.wait_event(
        event="opened", domain=domain, kind="cname-and-mx", state="confirmed"
    )
