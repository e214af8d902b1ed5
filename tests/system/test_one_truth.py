# SPDX-License-Identifier: BSD-3-Clause
"""One truth: the same zones and questions make the same events on every host that docs/hosts.md calls
tried, but for what its table says that a host cannot know."""

import contextlib
import time

import pytest
from authorities import delegations
from inside import Inside
from lab import DNS_PORT, Authority, free_address
from observing import EVENT_TIMEOUT_S
from resolver import Unbound
from sidecar import Named, Recursor, Sidecar, StockUnbound
from test_hosts_page import rows
from test_sidecar import need

ZONES = """\
zone cdn.test
  www 60 A 192.0.2.10

# broken: at the apex, below it, and both in one answer
zone broken.test
  answer by-type
  @ 600 CNAME www.cdn.test.
  @ 600 MX 5 mx.mail.test.
  sub 600 CNAME www.cdn.test.
  sub 600 MX 5 mx1.qiye.aliyun.com.
  sub 600 MX 10 mx2.qiye.aliyun.com.
  sub 600 MX 15 mx3.qiye.aliyun.com.
zone joined.test
  answer both
  @ 600 CNAME www.cdn.test.
  @ 600 MX 5 mx.mail.test.
# two providers in one set
zone foreign.test
  @ 600 A 192.0.2.11
  @ 600 MX 5 mx1.qiye.aliyun.com.
  @ 600 MX 10 aspmx.l.google.com.

# sound: a mail domain with a www beside it, an alias of a mailer's, names that a DNAME or a wildcard makes
zone good.test
  @ 600 A 192.0.2.12
  @ 600 MX 5 mail.good.test.
  mail 600 A 192.0.2.13
  www 600 CNAME www.cdn.test.
  email 600 CNAME return.mailer.test.
zone mailer.test
  return 600 MX 5 mail.mailer.test.
  mail 600 A 192.0.2.14
zone moved.test
  old 600 DNAME new.moved.test.
  user.new 600 MX 5 mail.good.test.
  user.new 600 A 192.0.2.15
zone wild.test
  * 600 CNAME www.cdn.test.
  post 600 MX 5 mail.good.test.

# what becomes of these: see LATER
zone mended.test
  {mended}
zone apex.test
  {apex}
"""
FIRST = {
    "mended": "answer by-type\n  @ 1 CNAME www.cdn.test.\n  @ 1 MX 5 mx.mail.test.",
    "apex": "@ 1 A 192.0.2.16\n  @ 1 MX 5 mx1.qiye.aliyun.com.",
}
# the CNAME became an address; and all is answered with a CNAME where the mailbox was
LATER = {
    "mended": "@ 1 A 192.0.2.17\n  @ 1 MX 5 mx.mail.test.",
    "apex": "answer cname-only\n  @ 1 CNAME www.cdn.test.",
}
LATER_DOMAINS = ("mended.test", "apex.test")
SOUND = ("good.test", "www.good.test", "email.good.test", "return.mailer.test", "user.old.moved.test",
         "user.new.moved.test", "any.wild.test", "post.wild.test")
BROKEN = ("broken.test", "sub.broken.test", "joined.test", "foreign.test", *LATER_DOMAINS)

CNAME_STEPS = ["remove-cname", "replace-cname-with-address", "move-cname", "separate-mail-domain",
               "flatten-cname"]


def conflict(domain, *, event="opened", **differs):
    """An event as every host is to tell it: by default of a cname-and-mx that a proof has shown."""
    apex = domain.count(".") == 1
    return {
        "event": event,
        "domain": domain,
        "kind": "cname-and-mx",
        "state": "confirmed",
        "evidence": "probe",
        "apex": apex,
        "zone": domain.split(".", domain.count(".") - 1)[-1],
        "cname": "www.cdn.test",
        "mx": ["mx.mail.test"],
        "provider": None,
        "impact": "implicit-mx",
        "authority": True,
        "authorities_differ": False,
        "advice": CNAME_STEPS,
        **differs,
    }


ALIBABA = {"provider": "alibaba-mail-standard", "evidence": "same-answer", "cname": None,
           "impact": "unknown", "authorities_differ": None}
MIXED = {**ALIBABA, "mx": ["mx1.qiye.aliyun.com", "aspmx.l.google.com"]}
FIRST_TRUTH = [
    conflict("broken.test"),
    conflict("sub.broken.test", provider="alibaba-mail-standard",
             mx=[f"mx{number}.qiye.aliyun.com" for number in (1, 2, 3)]),
    conflict("joined.test", evidence="same-answer"),
    conflict("foreign.test", **MIXED, kind="foreign-mx", advice=["remove-foreign-mx"]),
    conflict("foreign.test", **MIXED, kind="incomplete-mx", advice=["complete-mx"]),
    conflict("mended.test"),
    conflict("apex.test", **ALIBABA, kind="incomplete-mx", mx=["mx1.qiye.aliyun.com"],
             advice=["complete-mx"]),
]
LATER_TRUTH = [
    conflict("mended.test", event="cleared"),
    conflict("apex.test", event="cleared", kind="incomplete-mx"),
    conflict("apex.test", kind="cname-at-apex", mx=[], authorities_differ=None),
]


def known_to(row, truth):
    """What a host can know of it, by its row of the page."""
    sees, zone, harm, proves = row[:4]
    assert proves.endswith("asks"), "nothing would be confirmed"
    found = [dict(event) for event in truth]
    if sees.endswith("as a cache's"):
        # whose word it is is not told: a set says nothing by itself, nor is it kept that there was one, and
        # of both in one answer a proof has to decide
        found = [event for event in found if event["kind"].startswith("cname-")]
        for event in found:
            event["evidence"] = "probe"
            if event["kind"] == "cname-at-apex":
                # wanted it is after ten minutes
                event["state"] = "suspected"
    if zone != "yes":
        # what is told without a proof is told of no zone
        for event in found:
            if event["evidence"] == "same-answer":
                event["zone"] = event["apex"] = None
    if harm == "no":
        # it opens where mail is wanted
        found = [event for event in found if event["kind"] != "cname-at-apex"]
    return found


def told(events):
    """What events say, a later word on an opened conflict put into it. Of an end only that it came."""
    found = []
    for event in events:
        if event["event"] in ("started", "stopped"):
            continue
        one = {
            **{key: event[key] for key in FIRST_TRUTH[0]},
            "cname": event["cname"] and event["cname"]["target"],
            "mx": [mx["exchange"] for mx in event["mx"]],
            "authority": bool(event["authority"]),
        }
        if event["event"] == "changed":
            opened = next(was for was in reversed(found) if key_of(was)[1:] == key_of(one)[1:])
            opened.update(one, event="opened")
        else:
            found.append(one)
    return by_key(found)


def key_of(event):
    return event["event"], event["domain"], event["kind"]


def by_key(events):
    """An end tells what the case knows by then, which is the host's timing: it counts that it came."""
    found = {key_of(event): event if event["event"] == "opened" else None for event in events}
    assert len(found) == len(events), events
    return found


def differences(found, wanted):
    """Line by line, for a person."""
    lines = [f"{key}: {word}" for word, these, those in
             (("too much", found, wanted), ("missing", wanted, found)) for key in these if key not in those]
    for key in found.keys() & wanted.keys():
        one, other = found[key] or {}, wanted[key] or {}
        lines += [f"{key}: {member} is {one[member]}, not {other[member]}"
                  for member in one if one[member] != other[member]]
    return sorted(lines)


FAST = {"confirm-after": 0, "recheck-interval": 1, "probe-rate": 1000}


@contextlib.contextmanager
def module(folder, root):
    with Unbound(folder / "unbound", {".": root}, mxclash=FAST) as unbound:
        yield unbound, unbound


def beside(make, *programs):
    """A host whose resolver sends dnstap to mxclashd."""
    @contextlib.contextmanager
    def both(folder, root):
        for program in programs:
            need(program)
        sidecar = Sidecar(folder / "sidecar", mxclash=FAST)
        resolver = make(folder / "resolver", root, sidecar.socket_path)
        sidecar.mxclash["resolver"] = resolver.endpoint
        with sidecar, resolver:
            sidecar.wait_senders()
            yield resolver, sidecar

    return both


@contextlib.contextmanager
def inside(folder, root):
    need("pdns_recursor")
    with Inside(folder / "inside", root, settings={"recheck_interval_s": "1"}) as recursor:
        yield recursor, recursor


# by the names of the page
HOSTS = {
    "Unbound with the module": module,
    "Unbound as Debian ships it, dnstap":
        beside(lambda folder, root, tap: StockUnbound(folder, {".": root}, tap), "unbound"),
    "BIND 9, dnstap": beside(Named, "named"),
    "PowerDNS Recursor, dnstap": beside(Recursor, "pdns_recursor"),
    "PowerDNS Recursor, the script inside": inside,
}


def test_every_host_that_is_tried_is_here():
    assert {host for host, row in rows().items() if row[-1] != "untested"} == set(HOSTS)


@pytest.mark.parametrize("host", HOSTS)
def test_the_same_events(host, tmp_path):
    names = [line.split()[1] for line in ZONES.splitlines() if line.startswith("zone ")]
    own = Authority(tmp_path / "own", ZONES.format(**FIRST), free_address(DNS_PORT), DNS_PORT)
    root = Authority(
        tmp_path / "root",
        f"zone .\n  test. NS ns.test.\n  ns.test. A {own.address}\n{delegations('test', dict.fromkeys(names, own))}",
        free_address(DNS_PORT), DNS_PORT)
    first, later = (known_to(rows()[host], truth) for truth in (FIRST_TRUTH, LATER_TRUTH))
    with own, root, HOSTS[host](tmp_path, root) as (resolver, observer):
        def ask(domains):
            for domain in domains:
                # an MX that comes after the CNAME is in the cache is seen by nobody
                for rdtype in ("MX", "A", "MX"):
                    resolver.ask(domain, rdtype)

        def wait_for(wanted):
            """Ask as people go on to do, until all of it was told."""
            keys = {key_of(event) for event in wanted}
            deadline = time.monotonic() + EVENT_TIMEOUT_S
            while missing := keys - {key_of(e) for e in observer.events() if "domain" in e}:
                assert time.monotonic() < deadline, (missing, told(observer.events()))
                ask(LATER_DOMAINS)

        # whatever the sound ones cause would be told before the others are
        ask(SOUND)
        ask(BROKEN)
        wait_for(first)
        own.play(ZONES.format(**LATER))
        wait_for(later)
        if found := differences(told(observer.events()), by_key(first + later)):
            pytest.fail("\n".join(found), pytrace=False)
