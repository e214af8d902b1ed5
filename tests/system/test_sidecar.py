# SPDX-License-Identifier: BSD-3-Clause
"""Resolvers as Debian ships them, which load no module: mxclashd sees what they send as dnstap."""

import shutil

import pytest
from lab import (
    DNS_PORT,
    SEARCH_PATH,
    Authority,
    LabError,
    free_address,
    rrset_texts,
    wait_until,
)
from observing import EVENT_TIMEOUT_S
from sidecar import Named, Recursor, Sidecar, StockUnbound
from world import HEALTHY_OWNERS

TYPES = ("A", "MX", "TXT", "AAAA", "CNAME", "NS", "SOA")
BROKEN = ("split.test", "firm.test", "big.test")


def need(program):
    if not shutil.which(program, path=SEARCH_PATH):
        raise LabError(f"{program} is not there: .ci/install.sh check installs it")


def make(kind, folder, world, tap):
    """A resolver of a kind that sends dnstap to `tap`."""
    if kind == "unbound":
        need("unbound")
        return StockUnbound(folder, world.upstreams, tap)
    if kind == "bind":
        need("named")
        return Named(folder, world.root, tap)
    need("pdns_recursor")
    return Recursor(folder, world.root, tap)


KINDS = ("unbound", "bind", "powerdns")


@pytest.fixture(params=KINDS)
def observed(request, delegated, tmp_path):
    """A resolver of each kind, and the mxclashd that it sends to."""
    sidecar = Sidecar(tmp_path / "sidecar")
    resolver = make(request.param, tmp_path / "resolver", delegated, sidecar.socket_path)
    # it is told to ask the resolver that it observes: there is no other in the lab
    sidecar.mxclash["resolver"] = resolver.endpoint
    with sidecar, resolver:
        sidecar.wait_senders()
        yield request.param, resolver, sidecar


def test_conflicts_are_confirmed(observed, delegated):
    _, resolver, sidecar = observed
    for domain in BROKEN:
        resolver.ask(domain, "A")
        resolver.ask(domain, "MX")
    for domain in BROKEN:
        event = sidecar.wait_event(event="opened", domain=domain)
        assert event == {
            **event,
            "kind": "cname-and-mx",
            "state": "confirmed",
            "evidence": "probe",
            "apex": True,
            "zone": domain,
            "cname": {"target": "www.cdn.test", "ttl": 600},
            "authority": delegated.own.address,
        }
        assert event["mx"]
    opened = sidecar.events(event="opened")
    assert sorted(event["domain"] for event in opened) == sorted(BROKEN)


def test_healthy_zones_are_silent(observed):
    _, resolver, sidecar = observed
    for owner in HEALTHY_OWNERS:
        for rdtype in TYPES:
            resolver.ask(owner, rdtype)
    # whatever they cause would be in the log before this
    resolver.ask("split.test", "A")
    resolver.ask("split.test", "MX")
    event = sidecar.wait_event(event="opened", domain="split.test")
    assert sidecar.events(event="opened") == [event]
    assert sidecar.frames("malformed") == 0


def test_harm_is_counted_where_clients_answers_are_sent(observed):
    """Of PowerDNS Recursor only answers from upstream come: it counts no harm."""
    kind, resolver, sidecar = observed
    resolver.ask("split.test", "A")
    resolver.ask("split.test", "MX")
    sidecar.wait_event(event="opened", domain="split.test")
    # out of the cache, which only the client's answer shows
    for _ in range(3):
        assert rrset_texts(resolver.ask("split.test", "MX"), "MX") == []
    hidden = 'mxclash_affected_mx_answers_total{outcome="hidden"}'
    if kind == "powerdns":
        assert sidecar.frames("client") == 0
        assert sidecar.metrics()[hidden] == 0
    else:
        sidecar.wait_metric(hidden, 3)
        series = 'mxclash_domain_mx_queries_total{domain="split.test"'
        domains = sidecar.metrics("/metrics/domains")
        assert [value for name, value in domains.items() if name.startswith(series)][0] >= 3


def test_a_conflict_is_cleared_when_it_is_mended(tmp_path):
    """The cure is seen by proofs of our own."""
    broken = (
        "zone .\n  mended.test. NS ns.mended.test.\n  ns.mended.test. A {0}\n"
        "zone cdn.test\n  www 1 A 192.0.2.10\n"
        "zone mended.test\n  answer by-type\n"
        "  @ 1 CNAME www.cdn.test.\n  @ 1 MX 5 mail.cdn.test.\n"
    )
    mended = broken.replace("  @ 1 CNAME www.cdn.test.\n", "  @ 1 A 192.0.2.11\n")
    address = free_address(DNS_PORT)
    with Authority(tmp_path / "own", broken.format(address), address, DNS_PORT) as own:
        sidecar = Sidecar(tmp_path / "sidecar", mxclash={"recheck-interval": 1})
        resolver = StockUnbound(tmp_path / "resolver", {".": own}, sidecar.socket_path)
        sidecar.mxclash["resolver"] = resolver.endpoint
        with sidecar, resolver:
            sidecar.wait_senders()
            resolver.ask("mended.test", "A")
            resolver.ask("mended.test", "MX")
            sidecar.wait_event(event="opened", domain="mended.test", state="confirmed")
            own.play(mended.format(address))

            def is_cleared():
                resolver.ask("mended.test", "A")
                resolver.ask("mended.test", "MX")
                return sidecar.events(event="cleared", domain="mended.test")

            wait_until(is_cleared, EVENT_TIMEOUT_S, "the end of the conflict")


def test_over_tcp_and_by_two_senders(delegated, tmp_path):
    """One mxclashd for two resolvers, one by a unix socket, one over TCP on loopback."""
    sidecar = Sidecar(tmp_path / "sidecar", listen="both")
    first = StockUnbound(tmp_path / "first", delegated.upstreams, sidecar.socket_path)
    second = StockUnbound(tmp_path / "second", delegated.upstreams, sidecar.endpoint)
    sidecar.mxclash["resolver"] = [first.endpoint, second.endpoint]
    with sidecar, first, second:
        sidecar.wait_senders(2)
        # what each saw alone is a conflict together
        first.ask("sub.split.test", "MX")
        second.ask("sub.split.test", "A")
        event = sidecar.wait_event(event="opened", domain="sub.split.test")
        assert (event["state"], event["apex"], event["zone"]) == ("confirmed", False, "split.test")


def test_a_resolver_that_was_there_first_finds_it(delegated, tmp_path):
    """Neither needs the other to start, or to stay: each is started again under the other."""
    sidecar = Sidecar(tmp_path / "sidecar")
    resolver = StockUnbound(tmp_path / "resolver", delegated.upstreams, sidecar.socket_path)
    sidecar.mxclash["resolver"] = resolver.endpoint
    with resolver:
        resolver.ask("good.test", "MX")
        with sidecar:
            sidecar.wait_senders()
        assert not sidecar.socket_path.exists()
        with sidecar:
            sidecar.wait_senders()
            resolver.ask("firm.test", "A")
            resolver.ask("firm.test", "MX")
            sidecar.wait_event(event="opened", domain="firm.test", state="confirmed")
            resolver.stop()
            wait_until(lambda: sidecar.senders() == 0, EVENT_TIMEOUT_S, "no sender")
            resolver.start()
            sidecar.wait_senders()
