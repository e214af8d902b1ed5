# SPDX-License-Identifier: BSD-3-Clause
"""Reload after reload while clients ask and conflicts open: nothing is left behind."""

import os

import pytest
from faults import breaker, events_of
from lab import wait_until
from resolver import EVENT_TIMEOUT_S, Unbound
from watcher import watching

# `make check-reloads` asks for more.
LONG = "MXCLASH_RELOADS" in os.environ
RELOADS = int(os.environ.get("MXCLASH_RELOADS", "6"))
THREADS = [1, 4] if LONG else [4]
# The allocator's arena fills up in the first ones.
WARM_UP_RELOADS = 100 if LONG else 4
# What all further ones may add: half of one table of 16 MiB, however many there are.
GROWTH_KIB = 8192
# A reload takes the sockets away for a moment, a long one on a busy machine.
LONGEST_GAP_S = 20
# Between two reloads the resolver works: so many questions are answered.
ANSWERS = 5


class OneArena(Unbound):
    """An Unbound whose memory does not depend on which thread happens to allocate."""

    def environment(self):
        return {**super().environment(), "MALLOC_ARENA_MAX": "1"}


@pytest.mark.parametrize("threads", THREADS)
def test_reloads_under_load(world, tmp_path, threads):
    with (
        breaker(tmp_path / "own") as conflicts,
        conflicts.resolver(
            tmp_path / "unbound", world, kind_of=OneArena, threads=threads
        ) as unbound,
        watching(
            unbound,
            f"{WARM_UP_RELOADS + RELOADS} reloads, {threads} threads",
            longest_gap_s=LONGEST_GAP_S,
        ) as watcher,
    ):
        before = threads_held = descriptors_held = None
        for number in range(WARM_UP_RELOADS + RELOADS):
            if number == WARM_UP_RELOADS:
                before = unbound.resident_kib()
            answered = watcher.answered + ANSWERS
            wait_until(
                lambda answered=answered: watcher.answered >= answered, EVENT_TIMEOUT_S, "answers"
            )
            domain = conflicts.open_one(unbound)
            assert unbound.http("/metrics")[0] == 200
            if number == WARM_UP_RELOADS:
                # by now all is there that a reload brings: the writer opens its log when it starts
                wait_until(
                    lambda domain=domain: unbound.events(event="opened", domain=domain),
                    EVENT_TIMEOUT_S,
                    "the log",
                )
                threads_held = unbound.thread_count()
                descriptors_held = unbound.descriptor_count()
            unbound.reload()
            # told before the table went
            assert unbound.events(event="opened", domain=domain)
        # a descriptor comes and goes with each question that is under way
        wait_until(
            lambda: unbound.thread_count() == threads_held
            and unbound.descriptor_count() <= descriptors_held,
            EVENT_TIMEOUT_S,
            f"{threads_held} threads and {descriptors_held} descriptors",
        )
        grown = unbound.resident_kib() - before
        print(f"{threads} threads, {RELOADS} reloads: {before} KiB and {grown} more")
        assert grown < GROWTH_KIB
    assert len([e for e in events_of([unbound.events_path]) if e["event"] == "stopped"]) == (
        1 + WARM_UP_RELOADS + RELOADS
    )
