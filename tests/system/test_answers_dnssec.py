# SPDX-License-Identifier: BSD-3-Clause
"""Repair never goes past DNSSEC: what is given validates, or it is not given."""

import dns.flags
import dns.rcode
import dns.rdatatype
import pytest

from asking import BOGUS, chain, confirm, errors, mx_hosts, question
from authorities import Nsd
from lab import Authority
from signing import is_signature_of, sign, tools_missing

MODULES = "dynlib validator iterator"
EXCHANGES = ["mx1.host.test.", "mx2.host.test."]

pytestmark = pytest.mark.skipif(bool(tools_missing()), reason=tools_missing() or "")


def conflict(owner):
    return [
        f"{owner}. 600 IN CNAME www.cdn.test.",
        f"{owner}. 600 IN MX 5 mx1.host.test.",
        f"{owner}. 600 IN MX 10 mx2.host.test.",
    ]


def head(zone):
    return [
        f"{zone}. 600 IN SOA ns.{zone}. hostmaster.{zone}. 1 3600 600 86400 60",
        f"{zone}. 600 IN NS ns.{zone}.",
        f"ns.{zone}. 600 IN A 127.0.0.1",
    ]


def zone_text(zone, modes, lines):
    """A zone of a scenario: how it is answered, then its records."""
    return "\n".join([f"zone {zone}", *modes, *lines]) + "\n"


class SignedNsd(Nsd):
    """NSD with one zone, signed. `anchor` is the DS of its key."""

    def configure(self):
        super().configure()
        (zone,) = self.zones
        path = self.folder / f"{zone}.zone"
        lines, self.anchor = sign(self.folder / "keys", zone, path.read_text().splitlines())
        path.write_text("\n".join(lines) + "\n")


@pytest.fixture
def signed(tmp_path, start, world):
    """signed(modes, spoil, **options): our authority with signed.test, signed, and an Unbound that
    trusts its key. Returns both."""

    def build(modes=("answer by-type",), spoil=lambda lines: lines, **options):
        lines = head("signed.test") + conflict("signed.test") + conflict("sub.signed.test")
        lines.append("www.signed.test. 600 IN CNAME www.cdn.test.")
        if not any(mode.endswith("by-type") for mode in modes):
            lines = [line for line in lines if not line.startswith("signed.test. 600 IN CNAME")]
        lines, anchor = sign(tmp_path / "keys", "signed.test", lines)
        authority = Authority(
            tmp_path / "signed", zone_text("signed.test", modes, spoil(lines))
        ).start()
        servers.append(authority)
        (tmp_path / "anchors").write_text(anchor + "\n")
        settings = {"trust-anchor-file": f'"{tmp_path / "anchors"}"', **options.pop("settings", {})}
        unbound = start(
            {**world.upstreams, "signed.test": authority},
            modules=MODULES,
            mxclash={"repair": "yes", **options.pop("mxclash", {})},
            settings=settings,
            **options,
        )
        return authority, unbound

    servers = []
    yield build
    for server in servers:
        server.stop()


def is_secure(answer):
    return bool(answer.flags & dns.flags.AD)


def has_signature(answer):
    return any(rrset.rdtype == dns.rdatatype.RRSIG for rrset in answer.answer)


@pytest.mark.parametrize("minimise", ["no", "yes"])
@pytest.mark.parametrize("domain", ["signed.test", "sub.signed.test"])
def test_a_signed_mx_is_given_with_ad(signed, domain, minimise):
    _, unbound = signed(settings={"qname-minimisation": minimise, "verbosity": 2})
    confirm(unbound, domain)
    for _ in range(3):
        answer = question(unbound, domain, "MX", dnssec=True)
        assert mx_hosts(answer, domain) == EXCHANGES
        assert is_secure(answer) and has_signature(answer)
    # who does not ask for signatures gets none, and AD only if it asks for that
    answer = question(unbound, domain, "MX")
    assert mx_hosts(answer, domain) == EXCHANGES
    assert not is_secure(answer) and not has_signature(answer)
    assert is_secure(question(unbound, domain, "MX", flags=dns.flags.AD))
    assert mx_hosts(question(unbound, domain, "MX", flags=dns.flags.CD), domain) == EXCHANGES
    # the alias is what it was
    answer = question(unbound, domain, "A", dnssec=True)
    assert chain(answer) == [f"{domain}.", "www.cdn.test."]
    # and the authority was not taken for one that leaves signatures out
    assert "LAME" not in unbound.log


def spoil_mx(lines):
    """Make every signature of an MX false, by changing what it signs."""
    return [line.replace("IN\tMX\t5", "IN\tMX\t7") for line in lines]


@pytest.mark.parametrize("domain", ["signed.test", "sub.signed.test"])
def test_a_bogus_mx_is_never_given(signed, domain):
    authority, unbound = signed(spoil=spoil_mx, settings={"ede": "yes"})
    confirm(unbound, domain)
    for flags in (0, 0, dns.flags.CD, 0):
        answer = question(unbound, domain, "MX", dnssec=True, flags=flags)
        # today's answer: the cached CNAME, which is signed, with a target that is not
        assert answer.rcode() == dns.rcode.NOERROR
        assert mx_hosts(answer, domain) == []
        assert chain(answer)[0] == f"{domain}."
    # not at the price of a query upstream for each of the client's
    before = len(authority.queries(domain, "MX"))
    for _ in range(10):
        question(unbound, domain, "MX")
    assert len(authority.queries(domain, "MX")) == before
    assert mxclash_outcomes(unbound)["repaired"] == 0


def mxclash_outcomes(unbound):
    metrics = unbound.metrics()
    return {
        outcome: metrics[f'mxclash_affected_mx_answers_total{{outcome="{outcome}"}}']
        for outcome in ("hidden", "repaired")
    }


def test_without_repair_a_bogus_mx_stays_bogus(signed):
    """What Unbound does by itself, so that the test above shows something."""
    _, unbound = signed(spoil=spoil_mx, settings={"ede": "yes"}, mxclash={"repair": "no"})
    answer = question(unbound, "signed.test", "MX", dnssec=True)
    assert answer.rcode() == dns.rcode.SERVFAIL
    assert BOGUS in [code for code, _ in errors(answer)]


def test_an_answer_with_both_is_not_put_back_in_a_signed_zone(signed):
    """Its CNAME is secure though the whole answer, whose target is unsigned, is not."""
    _, unbound = signed(modes=("answer both sub.signed.test.",))
    domain = "sub.signed.test"
    confirm(unbound, domain)
    for flags in (0, dns.flags.CD):
        answer = question(unbound, domain, "MX", dnssec=True, flags=flags)
        assert mx_hosts(answer, domain) == []
        assert chain(answer)[0] == f"{domain}."
        assert has_signature(answer)


@pytest.mark.parametrize("mode", ["by-type", "both", "both-data-first"])
def test_an_unsigned_zone_below_a_signed_one(tmp_path, start, world, mode):
    """An insecure delegation: nothing to validate, so the MX is given, without AD."""
    domain = "shop.corp.test"
    text = zone_text(domain, [f"answer {mode}"], conflict(domain))
    nsd = SignedNsd(
        tmp_path / "nsd", {"corp.test": "shop 600 NS ns.elsewhere.test.\n@ 600 MX 1 mx.corp.test."}
    )
    with nsd, Authority(tmp_path / "shop", text) as authority:
        (tmp_path / "anchors").write_text(nsd.anchor + "\n")
        unbound = start(
            {**world.upstreams, "corp.test": nsd, domain: authority},
            modules=MODULES,
            mxclash={"repair": "yes"},
            settings={"trust-anchor-file": f'"{tmp_path / "anchors"}"'},
        )
        assert is_secure(question(unbound, "corp.test", "MX", dnssec=True))
        confirm(unbound, domain)
        for flags in (0, dns.flags.CD):
            answer = question(unbound, domain, "MX", dnssec=True, flags=flags)
            assert mx_hosts(answer, domain) == EXCHANGES
            assert not is_secure(answer)
        answer = question(unbound, domain, "A", dnssec=True)
        assert chain(answer) == [f"{domain}.", "www.cdn.test."]
