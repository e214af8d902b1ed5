# SPDX-License-Identifier: BSD-3-Clause
"""Extended DNS Errors (RFC 8914): who gets one, and what it never does to an answer."""

import itertools
import shutil
import subprocess

import dns.edns
import dns.message
import dns.query
import dns.rcode
import pytest

from asking import OTHER, chain, confirm, errors, mx_hosts, question
from lab import ANSWER_TIMEOUT_S, Authority
from test_repair import ask_at_once, outcomes
from world import HEALTHY_OWNERS

# Answers of all lengths around 512 octets: so many MX records, with names so long. A zone for each
# count: of one zone no more than so many conflicts are proved (docs/detection.md).
COUNTS = (1, 3, 5, 8)
LENGTHS = (2, 10, 20, 25, 30, 34, 38)


def sized_zones(cname):
    lines = []
    for count in COUNTS:
        lines += [f"zone size{count}.test", "  answer by-type"]
        for length in LENGTHS:
            if cname:
                lines.append(f"  n{length} 600 CNAME www.cdn.test.")
            lines += [f"  n{length} 600 MX {i} {'x' * length}.host{i}.test." for i in range(count)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("dnssec", [False, True])
def test_no_answer_is_truncated_because_of_it(tmp_path, start, world, dnssec):
    """What arrives whole without us arrives whole with us, and an error is only put where it
    fits."""
    broken = Authority(tmp_path / "broken", sized_zones(cname=True))
    sound = Authority(tmp_path / "sound", sized_zones(cname=False))
    with broken, sound:
        plain, ours = (
            start(
                {**world.upstreams, **{f"size{count}.test": server for count in COUNTS}},
                modules=modules,
                mxclash={"annotate": "yes", "repair": "yes", "probe-rate": "1000"},
            )
            for server, modules in ((sound, "iterator"), (broken, "dynlib iterator"))
        )
        annotated = 0
        for count, length in itertools.product(COUNTS, LENGTHS):
            owner = f"n{length}.size{count}.test"
            confirm(ours, owner)
            for ask in (
                {"payload": 512},
                {"payload": 600},
                {"payload": 1232},
                {"tcp": True},
                {"edns": False},
            ):
                if ask.get("edns", True):
                    ask["dnssec"] = dnssec
                answer, wanted = (question(one, owner, "MX", **ask) for one in (ours, plain))
                assert answer.flags == wanted.flags
                assert chain(answer) == chain(wanted)
                assert len(mx_hosts(answer, owner)) == len(mx_hosts(wanted, owner))
                if not ask.get("edns", True):
                    assert answer.edns == -1
                annotated += len(errors(answer))
                if ask.get("tcp"):
                    assert [code for code, _ in errors(answer)] == [OTHER]
        assert annotated > 2 * len(COUNTS) * len(LENGTHS)
        assert ours.metrics()["mxclash_annotated_answers_total"] == annotated


def test_room_is_left_for_what_else_the_answer_carries(tmp_path, start, world):
    """The server's name (NSID, RFC 5001), as long as may be: it comes on top of the records."""
    settings = {"nsid": f'"ascii_{"n" * 200}"'}
    broken = Authority(tmp_path / "broken", sized_zones(cname=True))
    sound = Authority(tmp_path / "sound", sized_zones(cname=False))
    nsid = dns.edns.GenericOption(dns.edns.OptionType.NSID, b"")
    with broken, sound:
        plain, ours = (
            start(
                {**world.upstreams, **{f"size{count}.test": server for count in COUNTS}},
                modules=modules,
                settings=settings,
                mxclash={"annotate": "yes", "repair": "yes", "probe-rate": "1000"},
            )
            for server, modules in ((sound, "iterator"), (broken, "dynlib iterator"))
        )
        for count, length in itertools.product(COUNTS[:3], LENGTHS):
            owner = f"n{length}.size{count}.test"
            confirm(ours, owner)
            query = dns.message.make_query(owner, "MX", use_edns=0, payload=512, options=[nsid])
            answer, wanted = (
                dns.query.udp(query, one.address, ANSWER_TIMEOUT_S, one.port)
                for one in (ours, plain)
            )
            assert answer.flags == wanted.flags
            assert len(mx_hosts(answer, owner)) == len(mx_hosts(wanted, owner))
            kept, wanted_kept = (
                [o for o in one.options if o.otype == dns.edns.OptionType.NSID]
                for one in (answer, wanted)
            )
            assert kept == wanted_kept


def test_the_text_holds_nothing_of_the_zone(tmp_path, start, world):
    """Names are not quoted at all, so there is nothing to be escaped."""
    owner = r"\000\255\010evil.names.test"
    zone = (
        "zone names.test\n  answer by-type\n"
        f"  {owner}. 600 CNAME www.cdn.test.\n  {owner}. 600 MX 5 mail.host.test.\n"
    )
    with Authority(tmp_path / "own", zone) as authority:
        unbound = start(
            {**world.upstreams, "names.test": authority}, mxclash={"annotate": "yes"}
        )
        confirm(unbound, owner)
        ((code, text),) = errors(question(unbound, owner, "MX"))
    assert code == OTHER
    assert text.isascii() and text.isprintable() and "test" not in text
    assert text.startswith("cname-and-mx: ") and len(text) < 100


def test_dig_shows_it(world, start):
    unbound = start(world.upstreams, mxclash={"annotate": "yes"})
    confirm(unbound, "split.test")
    if not shutil.which("dig"):
        pytest.skip("dig (bind9-dnsutils) is not there")
    command = ("dig", f"@{unbound.address}", "-p", str(unbound.port), "split.test", "MX")
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "; EDE: 0 (Other): (cname-and-mx: a CNAME at this name hides its MX; " in output


def test_each_client_of_one_query_gets_one(world, start):
    """From 100 sockets at once, in rounds, fresh and from the cache, on all threads."""
    unbound = start(world.upstreams, mxclash={"annotate": "yes"}, threads=4)
    confirm(unbound, "split.test")
    rounds = 5
    before = unbound.metrics()["mxclash_annotated_answers_total"]
    counted = outcomes(unbound)["hidden"]
    for _ in range(rounds):
        unbound.control("flush www.cdn.test")
        unbound.control("flush_type split.test MX")
        for answer in ask_at_once(unbound, "split.test", 100, use_edns=0):
            assert [code for code, _ in errors(answer)] == [OTHER]
            assert chain(answer)[0] == "split.test."
    assert unbound.metrics()["mxclash_annotated_answers_total"] - before == 100 * rounds
    assert outcomes(unbound)["hidden"] - counted == 100 * rounds


@pytest.mark.parametrize("repair", ["no", "yes"])
def test_the_counts_are_right(world, start, repair):
    """mx_queries of the domain, affected answers by outcome, annotated ones: no more, no less."""
    unbound = start(world.upstreams, mxclash={"annotate": "yes", "repair": repair})
    confirm(unbound, "split.test")
    before = unbound.metrics(), unbound.metrics("/metrics/domains")
    for _ in range(7):
        question(unbound, "split.test", "MX")
    for _ in range(3):
        question(unbound, "split.test", "MX", edns=False)
    question(unbound, "split.test", "MX", tcp=True)
    for rdtype in ("A", "AAAA", "TXT", "ANY"):
        question(unbound, "split.test", rdtype, tcp=True)
    for owner in HEALTHY_OWNERS:
        assert errors(question(unbound, owner, "MX")) == []
    after = unbound.metrics(), unbound.metrics("/metrics/domains")

    def grown(page, prefix):
        return {k: v - before[page].get(k, 0) for k, v in after[page].items() if prefix in k}

    shown = "repaired" if repair == "yes" else "hidden"
    wanted = {"hidden": 0, "repaired": 0, shown: 11}
    assert grown(0, "mxclash_affected_mx_answers_total") == {
        f'mxclash_affected_mx_answers_total{{outcome="{outcome}"}}': count
        for outcome, count in wanted.items()
    }
    assert grown(0, "mxclash_annotated_answers_total") == {"mxclash_annotated_answers_total": 8}
    (queries,) = grown(1, 'mxclash_domain_mx_queries_total{domain="split.test"').values()
    assert queries == 11


def test_errors_of_unbounds_own_stay(world, start, tmp_path):
    """A bogus answer says why, with or without us, and we do not add to it."""
    zone = (
        "zone bad.test\n  answer by-type\n  @ 600 CNAME www.cdn.test.\n"
        "  @ 600 MX 5 mail.host.test.\n"
    )
    # a trust anchor for a zone that is not signed: whatever it says is bogus
    settings = {
        "ede": "yes",
        "trust-anchor": '"bad.test. DS 1 13 2 ' + "0" * 64 + '"',
    }
    with Authority(tmp_path / "own", zone) as authority:
        ours, plain = (
            start(
                {**world.upstreams, "bad.test": authority},
                modules=modules,
                mxclash={"annotate": "yes", "repair": "yes"},
                settings=settings,
            )
            for modules in ("dynlib validator iterator", "validator iterator")
        )
        for rdtype in ("A", "MX", "MX"):
            answer, wanted = (question(one, "bad.test", rdtype) for one in (ours, plain))
            assert answer.rcode() == wanted.rcode() == dns.rcode.SERVFAIL
            assert errors(answer) == errors(wanted) != []

