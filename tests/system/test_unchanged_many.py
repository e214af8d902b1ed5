# SPDX-License-Identifier: BSD-3-Clause
"""5,000 mixed questions, broken and healthy names: with annotate and repair off no octet differs."""

import random
import time

import dns.flags
import dns.message
import pytest

from lab import exchange
from test_unchanged import BROKEN_OWNERS, TYPES, assert_same_octets
from world import HEALTHY_OWNERS

QUESTIONS = 5000
SEED = 1034
LIMIT_S = 60
# So often both caches are emptied of one name, or of all.
FLUSH_EVERY = 50
# What Unbound answers here hangs on the clock: two Unbounds without us differ as well.
OF_A_DNAME = ("user.old.moved.test", "user.new.moved.test")
# Unbound's clock has seconds. Both resolvers must do a question in the same one, or their caches
# differ, and much later some answers.
MARGIN_S = 0.03


def mixed_questions(owners, count):
    """Octets of so many queries, and whether each goes over TCP; always the same ones."""
    chance = random.Random(SEED)
    for _ in range(count):
        owner = chance.choice(owners)
        if chance.random() < 0.2:
            owner = "".join(chance.choice((c, c.upper())) for c in owner)
        query = dns.message.make_query(
            owner,
            # mail servers ask MX, everybody else addresses
            chance.choice((*TYPES, "MX", "MX", "A", "A", "HTTPS")),
            use_edns=chance.choice((None, 0, 0)),
            payload=chance.choice((512, 1232, 4096)),
            want_dnssec=chance.random() < 0.2,
            id=chance.randrange(65536),
        )
        for flag, share in ((dns.flags.CD, 0.1), (dns.flags.AD, 0.1)):
            if chance.random() < share:
                query.flags |= flag
        if chance.random() < 0.02:
            query.flags &= ~dns.flags.RD
        yield query, chance.random() < 0.05


def ask_both(ours, plain, query, tcp):
    """The answers of both within one second of the clock. If the machine was too slow for that,
    both forget all they know and are asked again."""
    while True:
        left_s = 1 - time.time() % 1
        if left_s < MARGIN_S:
            time.sleep(left_s)
        second = int(time.time())
        answers = [exchange(one.address, one.port, query, tcp=tcp) for one in (ours, plain)]
        if int(time.time()) == second:
            return answers
        for one in (ours, plain):
            one.control("flush_zone .")


@pytest.mark.parametrize(
    "modules, settings",
    [
        ("iterator", {}),
        ("validator iterator", {"ede": "yes", "prefetch": "yes"}),
    ],
    ids=["iterator", "validator"],
)
def test_the_same_octets_5000_times(world, start, modules, settings):
    plain = start(world.upstreams, modules=modules, settings=settings)
    ours = start(world.upstreams, modules=f"dynlib {modules}", settings=settings)
    owners = [*BROKEN_OWNERS, *HEALTHY_OWNERS, *(["tiny.test"] if world.tinydns else [])]
    owners = [owner for owner in owners if owner not in OF_A_DNAME]
    began = time.monotonic()
    for number, (query, tcp) in enumerate(mixed_questions(owners, QUESTIONS)):
        answers = ask_both(ours, plain, query.to_wire(), tcp)
        try:
            assert_same_octets(*answers)
        except AssertionError:
            for answer in answers:
                print(f"question {number}:\n{dns.message.from_wire(answer)}\n")
            raise
        if number % FLUSH_EVERY == FLUSH_EVERY - 1:
            owner = owners[number % len(owners)]
            command = "flush_zone test" if number % 500 == 499 else f"flush {owner}"
            for one in (ours, plain):
                one.control(command)
    assert time.monotonic() - began < LIMIT_S
    # The module was awake meanwhile; its second look may still be under way.
    ours.wait_event(event="opened", domain="split.test", state="confirmed")
    metrics = ours.metrics()
    assert metrics["mxclash_annotated_answers_total"] == 0
    assert metrics['mxclash_affected_mx_answers_total{outcome="repaired"}'] == 0
    assert metrics['mxclash_affected_mx_answers_total{outcome="hidden"}'] > 100
