# SPDX-License-Identifier: BSD-3-Clause
"""Signals at bad moments: the process ends soon, cleanly, and says so in its log."""

import signal
import subprocess
import time

import pytest
from lab import Authority, wait_until
from resolver import EVENT_TIMEOUT_S, Unbound
from watcher import watching

STOP_S = 60
# A process that goes on for so long has missed the signal.
MISSED_S = 1
# What a watch sees at least.
ANSWERS = 20
# After what time of a reload the process is told to end.
DELAYS_S = (0, 0.01, 0.03, 0.1)
SLOW_DOMAINS = [f"slow{number}.test" for number in range(8)]
# The CNAME question of each proof waits for an answer that never comes.
SLOW = "".join(
    f"zone {domain}\n  answer by-type\n  drop CNAME @\n"
    f"  @ 600 CNAME www.{domain}.\n  @ 600 MX 5 mx.cdn.test.\n  www 600 A 192.0.2.1\n"
    for domain in SLOW_DOMAINS
)


@pytest.fixture(scope="module")
def upstreams(world, tmp_path_factory):
    with Authority(tmp_path_factory.mktemp("slow"), SLOW) as own:
        yield world.upstreams | dict.fromkeys(SLOW_DOMAINS, own)


def begin_proofs(unbound):
    authority = unbound.upstreams[SLOW_DOMAINS[0]]
    before = len(authority.queries(rdtype="CNAME"))
    for domain in SLOW_DOMAINS:
        unbound.ask(domain, "A")
    wait_until(lambda: len(authority.queries(rdtype="CNAME")) > before, EVENT_TIMEOUT_S, "a proof")


def assert_ends(unbound, runs=None):
    """It ends in time, as it should, and the log has as many ends as starts: so many, if told."""
    try:
        status = unbound.process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        raise AssertionError(f"it runs after {STOP_S} s\n{unbound.log[-2000:]}") from None
    assert status == 0, unbound.log[-2000:]
    events = [event["event"] for event in unbound.events()]
    runs = runs or events.count("started")
    assert events.count("started") == events.count("stopped") == runs >= 1
    assert events[-1] == "stopped"


def terminate_surely(unbound):
    """Unbound, also without a module, misses a signal that comes just when it leaves its loop."""
    unbound.process.terminate()
    try:
        unbound.process.wait(MISSED_S)
    except subprocess.TimeoutExpired:
        unbound.process.terminate()


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("signals", [[signal.SIGTERM], [signal.SIGTERM] * 2, [signal.SIGINT]])
def test_end_during_proofs(upstreams, start, threads, signals):
    unbound = start(upstreams, threads=threads, mxclash={"probe-rate": 1000})
    with watching(unbound, f"proofs under way, {threads} threads") as watcher:
        begin_proofs(unbound)
        wait_until(lambda: watcher.answered >= ANSWERS, EVENT_TIMEOUT_S, f"{ANSWERS} answers")
    for number in signals:
        unbound.process.send_signal(number)
    assert_ends(unbound, runs=1)


@pytest.mark.parametrize("threads", [1, 4])
def test_hangup_during_proofs(upstreams, start, threads):
    """It is a reload for Unbound."""
    unbound = start(upstreams, threads=threads, mxclash={"probe-rate": 1000})
    with watching(unbound, f"SIGHUP during proofs, {threads} threads"):
        for run in (2, 3):
            begin_proofs(unbound)
            unbound.process.send_signal(signal.SIGHUP)
            wait_until(
                lambda run=run: len(unbound.events(event="started")) == run,
                EVENT_TIMEOUT_S,
                "the reload",
            )
    unbound.process.terminate()
    assert_ends(unbound, runs=3)


@pytest.mark.parametrize("first", ["reload", "hangup"])
def test_end_during_a_reload(upstreams, tmp_path, first):
    for number, delay_s in enumerate(DELAYS_S):
        folder = tmp_path / str(number)
        with Unbound(folder, upstreams, threads=2, mxclash={"probe-rate": 1000}) as unbound:
            begin_proofs(unbound)
            if first == "reload":
                unbound.control("reload")
            else:
                unbound.process.send_signal(signal.SIGHUP)
            time.sleep(delay_s)
            terminate_surely(unbound)
            # it may end before it begins to reload, or after
            assert_ends(unbound)
