# SPDX-License-Identifier: BSD-3-Clause
"""Answers that are huge, broken or about somebody else: little time, no false word, no crash."""

import struct
import subprocess
import time

import dns.flags
import dns.message
import dns.name
import dns.rdatatype
import pytest
from lab import BUILD, QUERY_ID, exchange
from liar import Liar, a, cname, mx, reply
from watcher import watching

HOSTILE = BUILD / "tests" / "hostile_answers"
VICTIM = "victim.test"
PLAIN = {"qname-minimisation": "no"}
# One message takes some milliseconds; this is for a busy machine.
ANSWER_S = 20
FAST = 200
ROUNDS = 2


def hostile(name=None):
    """The octets of a message of tests/bench/hostile_answers.c; without a name, the names."""
    command = [str(HOSTILE), *([name] if name else [])]
    return subprocess.run(command, capture_output=True, check=True).stdout


def truncated(query):
    return reply(query, flags=dns.flags.TC).to_wire()


def test_huge_answers_cost_little(world, start):
    """64 KiB over TCP, full of what is dear to read, again and again."""
    messages = {name: hostile(name) for name in hostile().decode().split()}
    current = {}

    def answer(query, tcp):
        if query.question[0].name != dns.name.from_text(VICTIM):
            return reply(query, rcode=3).to_wire()
        return query.id.to_bytes(2, "big") + current["octets"][2:] if tcp else truncated(query)

    with Liar(answer) as liar:
        # what the watcher asks for leads there
        others = {**world.upstreams, "cdn.test": world.own}
        unbound = start({**others, "test": liar}, settings=PLAIN)
        resident = None
        with watching(unbound, "huge answers", rate_per_s=FAST):
            for _ in range(ROUNDS):
                for name, octets in messages.items():
                    current["octets"] = octets
                    rdtype = struct.unpack("!H", octets[25:27])[0]
                    query = dns.message.make_query(VICTIM, rdtype, id=QUERY_ID)
                    began_s = time.monotonic()
                    exchange(unbound.address, unbound.port, query.to_wire(), tcp=True)
                    assert time.monotonic() - began_s < ANSWER_S, name
                    unbound.control("flush_zone test")
                resident = resident or unbound.resident_kib()
        assert unbound.grown_kib(resident) < 16384
        metrics = unbound.metrics()
        assert metrics["mxclash_table_bytes"] <= metrics["mxclash_table_bytes_limit"]


def head(query, answers, rdtype=None, flags=0x8400):
    """Header and question of an answer that says to have so many records."""
    name = query.question[0].name.to_wire()
    rdtype = rdtype or query.question[0].rdtype
    counts = struct.pack("!6H", query.id, flags, 1, answers, 0, 0)
    return counts + name + struct.pack("!HH", rdtype, 1)


def record(rdtype, rdata, owner=b"\xc0\x0c"):
    return owner + struct.pack("!HHIH", rdtype, 1, 300, len(rdata)) + rdata


CNAME_RDATA = b"\3www\6target\0"
MX_RDATA = b"\0\5\2mx\6target\0"
BOTH = record(5, CNAME_RDATA) + record(15, MX_RDATA)
# The one that must be believed, or the test would show nothing.
WELL_FORMED = "well-formed"


def broken_messages(query):
    """Octets that break RFC 1035, or are no answer to this question, by name."""
    plain = head(query, 2) + BOTH
    at = len(head(query, 2))
    here = struct.pack("!H", 0xC000 | at)
    wrong_id = bytes([plain[0] ^ 0x55]) + plain[1:]
    other = dns.message.make_query("other.test", query.question[0].rdtype)
    other.id = query.id
    return {
        "empty": b"",
        "header-cut": plain[:11],
        "question-cut": plain[: at - 3],
        "records-cut": plain[:-1],
        "record-missing": head(query, 3) + BOTH,
        "owner-points-at-itself": head(query, 1) + record(5, CNAME_RDATA, here),
        "owners-point-at-each-other": head(query, 2)
        + record(5, CNAME_RDATA, struct.pack("!H", 0xC000 | (at + 12 + len(CNAME_RDATA))))
        + record(15, MX_RDATA, here),
        "target-points-forward": head(query, 1) + record(5, struct.pack("!H", 0xC000 | (at + 40))),
        "target-points-past-the-end": head(query, 1) + record(5, b"\xff\xff"),
        "label-of-64": head(query, 1) + record(5, b"\x40" + b"x" * 64 + b"\0"),
        "name-of-256": head(query, 1) + record(5, (b"\x3f" + b"x" * 63) * 4 + b"\0"),
        "rdata-longer-than-the-message": head(query, 1) + BOTH[:10] + b"\xff\xff" + CNAME_RDATA,
        "mx-of-no-octets": head(query, 1) + record(15, b""),
        "mx-without-name": head(query, 1) + record(15, b"\0\5"),
        "two-questions": head(query, 0)[:4]
        + b"\0\2"
        + head(query, 0)[6:]
        + query.question[0].name.to_wire()
        + b"\0\5\0\1",
        "wrong-id": wrong_id,
        "wrong-question": head(other, 2)[:12]
        + other.question[0].name.to_wire()
        + struct.pack("!HH", query.question[0].rdtype, 1)
        + BOTH,
        "a-query": head(query, 2, flags=0x0400) + BOTH,
        "notify": head(query, 2, flags=0xA400) + BOTH,
        "refused": head(query, 2, flags=0x8405) + BOTH,
        "servfail": head(query, 2, flags=0x8402) + BOTH,
        "yxdomain": head(query, 2, flags=0x8406) + BOTH,
        WELL_FORMED: plain,
    }


@pytest.mark.parametrize("rdtype", ["A", "MX"])
def test_broken_answers_open_nothing(world, start, rdtype):
    """Each name gets one kind of broken answer, to every question and over TCP as well."""
    names = sorted(broken_messages(dns.message.make_query("x.test", "A")))

    def answer(query, _tcp):
        name = query.question[0].name
        kind = name.labels[0].decode()
        if len(name.labels) != 4 or kind not in names:
            return reply(query).to_wire()
        return broken_messages(query)[kind]

    with Liar(answer) as liar:
        unbound = start(
            {**world.upstreams, "broken.test": liar},
            settings={**PLAIN, "outbound-msg-retry": 2, "unknown-server-time-limit": 50},
        )
        with watching(unbound, f"broken answers to {rdtype}", rate_per_s=FAST):
            for name in names:
                query = dns.message.make_query(f"{name}.broken.test", rdtype, id=QUERY_ID)
                # what Unbound makes of it is its own affair; that it goes on is ours
                try:
                    exchange(unbound.address, unbound.port, query.to_wire(), timeout_s=0.1)
                except TimeoutError:
                    continue
        well_formed = f"{WELL_FORMED}.broken.test"
        unbound.wait_event(event="opened", domain=well_formed)
        assert {event["domain"] for event in unbound.conflicts()} == {well_formed}
        assert unbound.process.poll() is None


def test_answers_about_others_open_nothing(world, start):
    """Both records of names that the asked server has no say in."""
    bank = dns.name.from_text("bank.test")
    split = [(bank, cname(dns.name.from_text("www.evil.test"))), (bank, mx(5, bank))]

    def answer(query, _tcp):
        name, rdtype = query.question[0].name, query.question[0].rdtype
        own = [(name, a())] if rdtype == dns.rdatatype.A else []
        lie = reply(query, *own, *split)
        lie.authority = list(lie.answer)
        lie.additional = list(lie.answer)
        return lie.to_wire()

    with Liar(answer) as liar:
        unbound = start({**world.upstreams, "evil.test": liar}, settings=PLAIN)
        with watching(unbound, "answers about others", rate_per_s=FAST):
            for number in range(50):
                unbound.ask(f"n{number}.evil.test", ("A", "MX", "TXT", "CNAME")[number % 4])
        assert unbound.conflicts() == []
        assert unbound.metrics()["mxclash_table_entries"] == 0


def test_a_chain_of_a_thousand_aliases(world, start):
    """Each alias of the chain is seen in one answer; every one is lawful."""
    links = [dns.name.from_text(f"c{number}.chain.test") for number in range(1001)]
    records = [(one, cname(other)) for one, other in zip(links, links[1:])] + [(links[-1], a())]
    whole = reply(dns.message.make_query(links[0], "A"), *records).to_wire(max_size=65535)
    rdtype_at = 12 + len(links[0].to_wire())

    def answer(query, tcp):
        if not tcp:
            return truncated(query)
        # the answer is the same to any type
        rdtype = struct.pack("!H", query.question[0].rdtype)
        return query.id.to_bytes(2, "big") + whole[2:rdtype_at] + rdtype + whole[rdtype_at + 2 :]

    with Liar(answer) as liar:
        unbound = start({**world.upstreams, "chain.test": liar}, settings=PLAIN)
        with watching(unbound, "a chain of a thousand aliases", rate_per_s=FAST):
            for rdtype in ("A", "MX", "TXT"):
                began_s = time.monotonic()
                unbound.ask(str(links[0]), rdtype)
                assert time.monotonic() - began_s < ANSWER_S
        assert unbound.conflicts() == []
