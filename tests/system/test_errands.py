# SPDX-License-Identifier: BSD-3-Clause
"""Questions of our own among those of clients: where there is little room, and when all ends."""

import itertools
import socket
import time
import types

import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import pytest
from lab import ANSWER_TIMEOUT_S, Authority, wait_until
from liar import Liar, a, reply
from resolver import EVENT_TIMEOUT_S

ASK_EVERY_S = 0.2
NAMESERVER = dns.name.from_text("ns.late.test")
# Longer than two timeouts of Unbound's at a server that it does not know.
LATE_S = 1.5
# Longer than a test: Unbound waits for a silent server, and nothing else happens. With two minutes
# it would take an unknown server for a dead one.
PATIENCE_MS = 60_000

DOMAINS = [f"d{number}.test" for number in range(20)]
# Of each domain the CNAME question gets no answer, so its proof is under way for long.
SLOW = "zone .\n  test. NS ns.test.\n" + "".join(
    f"zone {domain}\n  answer by-type\n  drop CNAME @\n"
    f"  @ 600 CNAME www.{domain}.\n  @ 600 MX 5 mx.test.\n  www 600 A 192.0.2.1\n"
    for domain in DOMAINS
)


@pytest.fixture
def slow(tmp_path):
    """The servers of the slow domains, as upstreams."""
    with Authority(tmp_path / "slow", SLOW) as own:
        yield {".": own} | dict.fromkeys(DOMAINS, own)


def under_way(unbound):
    """How many questions of ours for a CNAME wait for an answer."""
    return sum(" CNAME IN d" in line for line in unbound.control("dump_requestlist").splitlines())


def statistic(unbound, name):
    """One of Unbound's counts, of all threads together."""
    lines = unbound.control("stats_noreset").splitlines()
    return next(int(value) for key, value in (line.split("=") for line in lines) if key == name)


def misses(unbound):
    """How many questions of clients the cache did not answer."""
    return statistic(unbound, "total.num.cachemiss")


def fill(unbound):
    for domain in DOMAINS:
        unbound.ask(domain, "A")
    wait_until(lambda: under_way(unbound), EVENT_TIMEOUT_S, "a proof that is under way")


def test_room_for_one_query_only(world, start):
    """While a client's query is there, ours have no room; the timer asks them when it is gone."""
    unbound = start(world.upstreams, settings={"num-queries-per-thread": 1})
    unbound.ask("split.test", "A")
    unbound.wait_event(event="opened", domain="split.test", state="confirmed")


def test_proof_that_an_answer_from_the_cache_gives_reason_for(tmp_path, world, start):
    """All that clients ask is cached, so there is no query of theirs to ask a proof from."""
    zone = "zone quiet.test\n  answer by-type\n  @ 600 MX 5 mail.host.test.\n"
    with Authority(tmp_path / "quiet", f"{zone}  @ 600 CNAME www.cdn.test.\n") as quiet:
        unbound = start(
            {**world.upstreams, "quiet.test": quiet}, mxclash={"recheck-interval": "2"}
        )
        unbound.ask("quiet.test", "A")
        unbound.ask("quiet.test", "MX")
        unbound.wait_event(event="opened", domain="quiet.test", state="confirmed")
        quiet.play(f"{zone}  @ 600 A 192.0.2.1\n")
        missed = misses(unbound)

        def cleared():
            unbound.ask("quiet.test", "MX")
            time.sleep(ASK_EVERY_S)
            return unbound.events(event="cleared", domain="quiet.test")

        wait_until(cleared, EVENT_TIMEOUT_S, "the proof")
        assert misses(unbound) == missed


def test_second_look_while_every_question_of_clients_fails(tmp_path, world, start):
    """The CNAME leads to a server that refuses, so no question of a client's has an answer. None of
    them begins the second look, nor keeps it from being made."""
    zones = (
        "zone broken.test\n  answer by-type\n  @ 600 CNAME www.dead.test.\n  @ 600 MX 5 mx.test.\n"
        "zone dead.test\n  servfail *\n"
    )
    with Authority(tmp_path / "own", zones) as own:
        unbound = start(
            {**world.upstreams, "broken.test": own, "dead.test": own},
            settings={"cache-max-negative-ttl": 0},
            mxclash={"confirm-after": 1},
        )
        rdtypes = itertools.cycle(("A", "AAAA", "MX", "TXT"))

        def told():
            answer = unbound.ask("broken.test", next(rdtypes))
            assert answer.rcode() == dns.rcode.SERVFAIL
            return unbound.events(event="opened", domain="broken.test", state="confirmed")

        wait_until(told, EVENT_TIMEOUT_S, "the second look")


def test_a_query_that_unbound_left_for_later(tmp_path, world, start):
    """To make room Unbound throws a question away that another one waits for, finds that the new
    one is under way already, and runs nothing. The one that waited runs when next something does,
    and where all servers are silent that is our timer: it is not a new one."""
    with (
        Authority(tmp_path / "silent", "zone left.test\n  drop *\n") as silent,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as clients,
    ):
        unbound = start(
            {**world.upstreams, "left.test": silent},
            settings={
                "num-queries-per-thread": 3,
                "jostle-timeout": 0,
                "unknown-server-time-limit": PATIENCE_MS,
            },
        )
        clients.settimeout(ANSWER_TIMEOUT_S)
        clients.connect((unbound.address, unbound.port))

        def send(name, rdclass):
            query = dns.message.make_query(name, "A", rdclass)
            clients.send(query.to_wire())
            return query

        # each waits for the same question in class IN, and a client can share that; of room for
        # three, two are nobody's to take
        waiting = send("one.left.test", dns.rdataclass.ANY)
        send("two.left.test", dns.rdataclass.ANY)
        # gives reason for questions of ours, for which there is no room: from now on the timer goes
        unbound.ask("split.test", "A")
        send("one.left.test", dns.rdataclass.IN)
        assert statistic(unbound, "total.requestlist.overwritten") == 0
        send("two.left.test", dns.rdataclass.IN)
        answer = dns.message.from_wire(clients.recv(65535))
        assert statistic(unbound, "total.requestlist.overwritten") == 1
    # nobody else could have been answered; Unbound gives up a class whose question failed
    assert waiting.is_response(answer)
    assert answer.rcode() == dns.rcode.SERVFAIL
    # a wrong event gets the same answer, and a line in the log
    assert " error: " not in unbound.log


def test_clients_have_the_room(slow, start):
    """Proofs to dead servers take half of the room for queries and no more."""
    settings = {"num-queries-per-thread": 8}
    unbound = start(slow, settings=settings, mxclash={"probe-rate": 1000})
    fill(unbound)
    for _ in range(200):
        # the last one found room for its two questions when there were four
        assert under_way(unbound) <= 4 + 1
        unbound.ask("d0.test", "A")


@pytest.mark.parametrize("end", ["reload", "flush_requestlist", "stop"])
def test_end_with_proofs_under_way(slow, start, end):
    unbound = start(slow, mxclash={"probe-rate": 1000}, threads=2)
    fill(unbound)
    if end == "reload":
        unbound.reload()
    elif end == "flush_requestlist":
        unbound.control(end)
        assert unbound.metrics()['mxclash_probes_dropped_total{reason="host"}'] > 0
    if end != "stop":
        assert unbound.ask("d0.test", "A")
    unbound.stop()
    assert unbound.process.returncode == 0


def test_a_clients_resolution_does_not_share_the_end_of_ours(tmp_path, world, start):
    """What a CNAME leads to is a nameserver's name as well, and its server is silent for a while.
    We give up early; a client whose domain needs that nameserver waits on, as without us."""
    began, addresses = [], []

    def late(query, _tcp):
        name, rdtype = query.question[0].name, query.question[0].rdtype
        if name == NAMESERVER and rdtype == dns.rdatatype.A:
            began.append(time.monotonic())
            late_enough = began[-1] - began[0] > LATE_S
            return reply(query, (name, a(addresses[0]))).to_wire() if late_enough else None
        return reply(query).to_wire()

    zones = (
        "zone broken.test\n  answer by-type\n  @ 600 CNAME ns.late.test.\n  @ 600 MX 5 mx.test.\n"
        "zone served.test\n  www 600 A 192.0.2.1\n"
    )
    with Authority(tmp_path / "own", zones) as own, Liar(late) as liar:
        addresses.append(own.address)
        by_name = types.SimpleNamespace(known_by="host", endpoint=f"ns.late.test@{own.port}")
        unbound = start(
            {**world.upstreams, "late.test": liar, "broken.test": own, "served.test": by_name},
            settings={"discard-timeout": 0, "qname-minimisation": "no"},
        )
        unbound.ask("broken.test", "MX")
        unbound.ask("broken.test", "CNAME")
        wait_until(lambda: began, EVENT_TIMEOUT_S, "a look-up of the target")
        answer = unbound.ask("www.served.test", "A", timeout_s=4 * LATE_S)
        assert answer.rcode() == dns.rcode.NOERROR
