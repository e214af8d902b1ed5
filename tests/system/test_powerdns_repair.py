# SPDX-License-Identifier: BSD-3-Clause
"""Repair inside PowerDNS Recursor: the MX of a proof, while it is valid, and in no other case."""

import time

import dns.flags
import dns.message
import dns.rdatatype
import pytest
from asking import STANDARD, confirm, errors, mx_hosts, question
from inside import ANNOTATION, NO_CNAME, Inside, ask_until, ask_until_opened, short_lived
from lab import DNS_PORT, Authority, free_address, rrset_texts, wait_until
from observing import EVENT_TIMEOUT_S
from signing import sign, tools_missing
from test_answers_dnssec import conflict, head
from test_sidecar import need
from world import HEALTHY_OWNERS

REPAIR = {"repair": "true"}
REPAIRED = 'mxclash_affected_mx_answers_total{outcome="repaired"}'
HIDDEN = 'mxclash_affected_mx_answers_total{outcome="hidden"}'
# The MX is gone from the caches in seconds, the CNAME is not: from then on it hides the MX.
LASTING = """\
zone .
  short.test. NS ns.short.test.
  ns.short.test. A {0}
zone cdn.test
  www 60 A 192.0.2.10
zone short.test
  answer by-type
  @ 60 CNAME www.cdn.test.
  @ 6 MX 5 mx1.qiye.aliyun.com.
  @ 6 MX 10 mx2.qiye.aliyun.com.
  @ 6 MX 15 mx3.qiye.aliyun.com.
"""


@pytest.fixture(autouse=True)
def installed():
    need("pdns_recursor")


def ttl_of(answer, rdtype):
    """The TTL of the only RRset of that type; None if there is none."""
    wanted = dns.rdatatype.from_text(rdtype)
    return next((rrset.ttl for rrset in answer.answer if rrset.rdtype == wanted), None)


def hidden(answer):
    return bool(rrset_texts(answer, "CNAME")) and not rrset_texts(answer, "MX")


def wait_repaired(inside, owner):
    return wait_until(lambda: rrset_texts(answer := inside.ask(owner, "MX"), "MX") and answer,
                      EVENT_TIMEOUT_S, "a repaired answer")


def test_the_mx_for_as_long_as_it_is_valid(delegated, tmp_path):
    """Its TTL falls; what was asked before the proof is in no packet cache; nothing else changes."""
    with Inside(tmp_path / "inside", delegated.root, settings=REPAIR) as inside:
        before = {rdtype: inside.ask("split.test", rdtype) for rdtype in ("A", "TXT", "CNAME")}
        assert hidden(inside.ask("split.test", "MX"))
        confirm(inside, "split.test")
        answer = wait_repaired(inside, "split.test")
        assert mx_hosts(answer, "split.test") == STANDARD
        assert not rrset_texts(answer, "CNAME") and answer.rcode() == 0
        assert not answer.flags & (dns.flags.AA | dns.flags.AD)
        first = ttl_of(answer, "MX")
        assert 590 <= first <= 600
        time.sleep(2.1)
        assert first - 5 <= ttl_of(inside.ask("split.test", "MX"), "MX") < first
        # a name below it that has the same fault, and was not proved, is not given the apex's
        assert hidden(question(inside, "www.good.test", "MX"))
        for rdtype, was in before.items():
            again = inside.ask("split.test", rdtype)
            assert [str(one) for rrset in again.answer for one in rrset] == [
                str(one) for rrset in was.answer for one in rrset]
        # a name in other letters is the same name; TCP is no other way
        assert mx_hosts(question(inside, "SPLIT.test", "MX", tcp=True), "split.test") == STANDARD
        wait_until(lambda: inside.metrics()[REPAIRED] >= 3, EVENT_TIMEOUT_S, "the count")
        assert inside.metrics()["mxclash_lua_errors_total"] == 0


def test_healthy_answers_are_what_they_are_without(delegated, tmp_path):
    def answers(folder, settings):
        with Inside(folder, delegated.root, settings=settings) as inside:
            confirm(inside, "split.test")
            return {
                (owner, rdtype): sorted(
                    f"{rrset.name} {rrset.rdtype} {one}"
                    for rrset in inside.ask(owner, rdtype).answer for one in rrset)
                for owner in HEALTHY_OWNERS for rdtype in ("MX", "A", "CNAME")
            }

    assert answers(tmp_path / "with", REPAIR) == answers(tmp_path / "without", {})


def test_off_by_default(delegated, tmp_path):
    with Inside(tmp_path / "inside", delegated.root) as inside:
        confirm(inside, "split.test")
        inside.control("wipe-cache", "split.test$")
        inside.ask("split.test", "A")
        assert hidden(inside.ask("split.test", "MX"))


def test_a_proof_keeps_it_going_and_the_cure_ends_it(tmp_path):
    """The MX lives 6 s, and is repaired with for longer: it is proved anew before it ends. Mended, the
    answer is the authority's, and the conflict is told as over."""
    settings = {**REPAIR, "recheck_interval_s": "3600"}
    with short_lived(tmp_path, LASTING, settings=settings) as (own, inside):
        assert ask_until_opened(inside)["state"] == "confirmed"
        wait_repaired(inside, "short.test")
        until = time.monotonic() + 7
        while time.monotonic() < until:
            answer = inside.ask("short.test", "MX")
            assert mx_hosts(answer, "short.test") == STANDARD
            assert 0 < ttl_of(answer, "MX") <= 6
            time.sleep(0.2)
        own.play(NO_CNAME.replace("5 mx1.qiye.aliyun.com.", "5 mail.short.test.").format(own.address))
        inside.control("wipe-cache", "short.test$")
        cleared = lambda: inside.events(event="cleared", kind="cname-and-mx")  # noqa: E731
        ask_until(inside, ("A", "MX"), cleared, "the end")
        inside.control("wipe-cache", "short.test$")
        assert mx_hosts(inside.ask("short.test", "MX"), "short.test") == ["mail.short.test."]


def test_no_longer_than_it_is_valid(tmp_path):
    """The authority is gone: what the proof has shown ends with its TTL, and the CNAME is back."""
    with short_lived(tmp_path, LASTING, settings=REPAIR) as (own, inside):
        ask_until_opened(inside)
        assert ttl_of(wait_repaired(inside, "short.test"), "MX") <= 6
        own.stop()
        wait_until(lambda: hidden(inside.ask("short.test", "MX")), EVENT_TIMEOUT_S, "the CNAME again")
        wait_until(lambda: inside.metrics()[HIDDEN] >= 1, EVENT_TIMEOUT_S, "the count")


def test_what_is_suspected_is_not_repaired(delegated, tmp_path):
    with Inside(tmp_path / "inside", delegated.root, settings={**REPAIR, "probe": "false"}) as inside:
        inside.ask("tiny.test", "MX")
        inside.ask("tiny.test", "MX", edns=True)
        inside.wait_event(event="opened", domain="tiny.test", state="suspected")
        inside.control("wipe-cache", "tiny.test$")
        inside.ask("tiny.test", "A")
        assert hidden(inside.ask("tiny.test", "MX"))


def test_where_the_target_cannot_be_resolved(tmp_path):
    """Without repair that is SERVFAIL, as of any dead name."""
    dead = free_address(DNS_PORT)
    text = LASTING.replace("zone cdn.test\n  www 60 A 192.0.2.10\n",
                           f"  dead.test. NS ns.dead.test.\n  ns.dead.test. A {dead}\n"
                           ).replace("www.cdn.test.", "www.dead.test.")
    with short_lived(tmp_path, text, settings=REPAIR, server={"network-timeout": 300}) as (_, inside):
        ask_until_opened(inside)
        assert mx_hosts(wait_repaired(inside, "short.test"), "short.test") == STANDARD
        assert inside.ask("short.test", "A").rcode() == 2


@pytest.mark.parametrize("dnssec", ["off", "process-no-validate"])
def test_who_validates_by_itself(dnssec, delegated, tmp_path):
    """No signature stands beside the MX, and the zone may have them: DO and CD get the CNAME. Without
    RD a client asks for what the cache has."""
    with Inside(tmp_path / "inside", delegated.root, settings=REPAIR, server={"dnssec": dnssec}) as inside:
        confirm(inside, "split.test")
        wait_repaired(inside, "split.test")
        assert hidden(question(inside, "split.test", "MX", dnssec=True))
        assert hidden(question(inside, "split.test", "MX", flags=dns.flags.CD))
        assert mx_hosts(question(inside, "split.test", "MX"), "split.test") == STANDARD
        query = dns.message.make_query("split.test", "MX")
        query.flags &= ~dns.flags.RD
        assert hidden(dns.query.udp(query, inside.address, 10, inside.port))
        assert inside.metrics()["mxclash_lua_errors_total"] == 0


@pytest.mark.skipif(bool(tools_missing()), reason=tools_missing() or "")
def test_dnssec(tmp_path):
    """In a signed zone the answer stays; in one that is known to be none it is repaired, for whoever
    asks, and never with AD."""
    address = free_address(DNS_PORT)
    lines = [line.replace("127.0.0.1", address) for line in head("signed.test")]
    lines, anchor = sign(tmp_path / "keys", "signed.test", [*lines, *conflict("sub.signed.test")])
    zones = "".join(f"  {name}. NS ns.{name}.\n  ns.{name}. A {address}\n"
                    for name in ("signed.test", "plain.test"))
    text = "\n".join([
        f"zone .\n{zones}zone cdn.test\n  www 60 A 192.0.2.10", "zone signed.test", "answer by-type",
        *lines, "zone plain.test", "answer by-type", *conflict("sub.plain.test"), ""])
    trust = f'clearDS(".")\naddDS("signed.test", "{anchor.split(maxsplit=3)[3]}")\n'
    with Authority(tmp_path / "own", text, address, DNS_PORT) as own:
        # the authority does not prove that a name has no type, as a minimised question needs
        server = {"dnssec": "validate", "qname-minimization": "no"}
        with Inside(tmp_path / "inside", own, settings=REPAIR, config=trust, server=server) as inside:
            for domain in ("sub.signed.test", "sub.plain.test"):
                confirm(inside, domain)
            for want in (False, True):
                answer = wait_until(
                    lambda: mx_hosts(found := question(  # noqa: B023
                        inside, "sub.plain.test", "MX", dnssec=want), "sub.plain.test") and found,  # noqa: B023
                    EVENT_TIMEOUT_S, "a repaired answer")
                assert not answer.flags & dns.flags.AD
                answer = question(inside, "sub.signed.test", "MX", dnssec=want, flags=dns.flags.AD)
                assert hidden(answer) and answer.rcode() == 0


def test_a_policy_of_the_operators_is_stronger(tmp_path):
    """Before the Recursor resolves it, a name is held against the policies: what they say stays."""
    zone = tmp_path / "rpz"
    zone.write_text("$ORIGIN rpz.\n@ 300 SOA ns. op. 1 60 60 600 60\n@ 300 NS ns.\n"
                    "short.test CNAME .\n")
    with short_lived(tmp_path, LASTING, settings=REPAIR, config="") as (_, inside):
        ask_until_opened(inside)
        wait_repaired(inside, "short.test")
        inside.config_path.write_text(f'rpzFile("{zone}", {{policyName="wall"}})\n')
        inside.control("reload-lua-config")
        assert inside.ask("short.test", "MX").rcode() == 3


def test_with_the_annotation(delegated, tmp_path):
    with Inside(tmp_path / "inside", delegated.root,
                settings={**REPAIR, "annotate": "true"}) as inside:
        confirm(inside, "split.test")
        wait_repaired(inside, "split.test")
        answer = question(inside, "split.test", "MX")
        assert mx_hosts(answer, "split.test") == STANDARD
        assert errors(answer) == [(0, ANNOTATION)]


def test_an_error_in_the_midst_leaves_the_answer(delegated, tmp_path):
    replaced = {'        dq.rcode = NOERROR\n': '        error "in the midst"\n'}
    with Inside(tmp_path / "inside", delegated.root, settings=REPAIR, replaced=replaced) as inside:
        confirm(inside, "split.test")
        failed = lambda: (answer := inside.ask("split.test", "MX")) and inside.metrics()[  # noqa: E731
            "mxclash_lua_errors_total"] and answer
        answer = wait_until(failed, EVENT_TIMEOUT_S, "the error")
        assert hidden(answer) and rrset_texts(answer, "A") == []
        assert answer.answer[0].ttl > 0


def test_beside_a_script_of_the_operators(delegated, tmp_path):
    """Its postresolve is not called for an answer that was repaired, but for all others."""
    own = """
        function postresolve(dq)
            if dq.qtype == pdns.MX then dq.rcode = pdns.REFUSED return true end
            return false
        end
    """
    with Inside(tmp_path / "inside", delegated.root, settings=REPAIR, own=own) as inside:
        confirm(inside, "split.test")
        wait_repaired(inside, "split.test")
        assert inside.ask("good.test", "MX").rcode() == 5
