# SPDX-License-Identifier: BSD-3-Clause
"""What is known outlives the process: the state file; and how harm is told: tallies."""

import signal

import pytest
from lab import Authority, wait_until
from resolver import EVENT_TIMEOUT_S, Unbound

HARM = 'mxclash_affected_mx_answers_total{outcome="hidden"}'
OPEN = 'mxclash_conflicts{kind="cname-and-mx",state="confirmed"}'
NEVER = 0
WRITES = 'mxclash_state_writes_total{{result="{}"}}'


def keeping(folder, **mxclash):
    return {"state-file": folder / "state", "tally-interval": NEVER, **mxclash}


def break_it(unbound, asked):
    """split.test is in conflict, and so many clients met it."""
    unbound.ask("split.test", "A")
    unbound.wait_event(event="opened", domain="split.test")
    for _ in range(asked):
        unbound.ask("split.test", "MX")
    unbound.wait_metric(HARM, asked)


def harm_told(unbound):
    """Client MX queries of split.test as the affected domains have them."""
    series = unbound.metrics("/metrics/domains")
    return next(
        value
        for name, value in series.items()
        if name.startswith("mxclash_domain_mx_queries_total") and "split.test" in name
    )


@pytest.mark.parametrize("again", ["reload", "restart"])
def test_a_conflict_is_told_once(world, tmp_path, again):
    """Neither a reload nor a restart tells it anew, and the count goes on."""
    mxclash = keeping(tmp_path, **{"log-file": tmp_path / "log"})
    with Unbound(tmp_path / "one", world.upstreams, mxclash=mxclash) as unbound:
        break_it(unbound, 3)
        if again == "reload":
            unbound.reload()
            assert "state gave 1 domains in conflict, 0 left out" in unbound.log
            unbound.ask("split.test", "A")
            unbound.ask("split.test", "MX")
            wait_until(lambda: harm_told(unbound) == 4, EVENT_TIMEOUT_S, "4 queries")
    if again == "restart":
        with Unbound(tmp_path / "two", world.upstreams, mxclash=mxclash) as unbound:
            assert unbound.metrics()[OPEN] == 1
            unbound.ask("split.test", "A")
            unbound.ask("split.test", "MX")
            wait_until(lambda: harm_told(unbound) == 4, EVENT_TIMEOUT_S, "4 queries")
    assert [e["event"] for e in unbound.events(domain="split.test")] == ["opened"]
    assert len(unbound.events(event="started")) == 2


def test_without_a_state_file_it_is_told_anew(world, tmp_path):
    """What the test above would see if nothing were kept."""
    with Unbound(tmp_path, world.upstreams) as unbound:
        break_it(unbound, 1)
        unbound.reload()
        unbound.ask("split.test", "A")
        wait_until(
            lambda: len(unbound.events(event="opened", domain="split.test")) == 2,
            EVENT_TIMEOUT_S,
            "the second opened",
        )


BROKEN = """zone shop.test
  answer by-type
  @ 60 CNAME www.cdn.test.
  @ 60 MX 5 mx.shop.test.
"""
MENDED = """zone shop.test
  @ 60 A 192.0.2.1
  @ 60 MX 5 mx.shop.test.
"""


def test_a_conflict_that_ended_meanwhile_is_cleared(tmp_path):
    """Who mends his zone while the resolver is down is told of as mended."""
    mxclash = keeping(
        tmp_path, **{"log-file": tmp_path / "log", "recheck-interval": 1, "probe-rate": 100}
    )
    with Authority(tmp_path / "own", BROKEN) as own:
        with Unbound(tmp_path / "one", {"shop.test": own}, mxclash=mxclash) as unbound:
            unbound.ask("shop.test", "A")
            unbound.wait_event(event="opened", domain="shop.test")
        own.play(MENDED)
        with Unbound(tmp_path / "two", {"shop.test": own}, mxclash=mxclash) as unbound:
            assert unbound.metrics()[OPEN] == 1

            def cleared():
                unbound.ask("shop.test", "MX")
                unbound.ask("shop.test", "A")
                return unbound.events(event="cleared", domain="shop.test")

            wait_until(cleared, EVENT_TIMEOUT_S, "cleared")
    assert len(unbound.events(event="opened")) == 1


def test_killed_at_once(world, tmp_path):
    """A process that is killed leaves the state of the last write; a half one is never read."""
    mxclash = keeping(tmp_path, **{"log-file": tmp_path / "log"})
    with Unbound(tmp_path / "one", world.upstreams, mxclash=mxclash) as unbound:
        break_it(unbound, 2)
        unbound.reload()
        whole = (tmp_path / "state").read_bytes()
        unbound.process.send_signal(signal.SIGKILL)
        unbound.process.wait()
        assert (tmp_path / "state").read_bytes() == whole
    (tmp_path / "state.new").write_bytes(whole[:-3])
    with Unbound(tmp_path / "two", world.upstreams, mxclash=mxclash) as unbound:
        assert unbound.metrics()[OPEN] == 1
        assert harm_told(unbound) == 2


def test_a_bad_file_is_set_aside_and_said_once(world, tmp_path):
    (tmp_path / "state").write_text("something else\n")
    with Unbound(tmp_path / "one", world.upstreams, mxclash=keeping(tmp_path)) as unbound:
        break_it(unbound, 1)
        assert unbound.log.count("is not whole: it is set aside as") == 1
    assert (tmp_path / "state.bad").read_text() == "something else\n"
    assert (tmp_path / "state").read_bytes().startswith(b"mxclash state 1\n")


def test_no_room_for_the_file(world, tmp_path):
    """A folder that is not there stops nothing; it is said, and counted."""
    mxclash = keeping(tmp_path / "missing")
    with Unbound(tmp_path / "one", world.upstreams, mxclash=mxclash) as unbound:
        break_it(unbound, 1)
        unbound.reload()
        assert "state cannot be written, and is tried again: No such file" in unbound.log
        assert unbound.log.count("cannot be written") == 1
        # the load that is running now has not tried yet
        assert unbound.metrics()[WRITES.format("failed")] == 0
        unbound.ask("split.test", "A")
        unbound.wait_event(event="opened", domain="split.test")


def test_harm_is_told_from_time_to_time(world, tmp_path):
    mxclash = {"tally-interval": 1}
    with Unbound(tmp_path, world.upstreams, mxclash=mxclash) as unbound:
        break_it(unbound, 5)
        wait_until(
            lambda: unbound.events(event="tally", domain="split.test", mx_queries=5),
            EVENT_TIMEOUT_S,
            "a tally of 5",
        )
        told = unbound.events(event="tally")
        # nobody asked meanwhile: nothing is told
        unbound.ask("www.healthy.test", "A")
        assert unbound.events(event="tally") == told
        unbound.ask("split.test", "MX")
        tally = unbound.wait_event(event="tally", domain="split.test", mx_queries=6)
    opened = unbound.events(event="opened", domain="split.test")[0]
    assert {key: tally[key] for key in ("kind", "state", "provider", "first_seen", "host")} == {
        key: opened[key] for key in ("kind", "state", "provider", "first_seen", "host")
    }
    assert set(tally) == set("time event domain kind state provider first_seen last_seen".split()) | {
        "mx_queries",
        "host",
    }


def test_harm_before_a_restart_is_told_after_it(world, tmp_path):
    mxclash = {"state-file": tmp_path / "state", "log-file": tmp_path / "log"}
    with Unbound(tmp_path / "one", world.upstreams, mxclash={**mxclash, "tally-interval": 86400}) as one:
        break_it(one, 3)
    assert one.events(event="tally") == []
    with Unbound(tmp_path / "two", world.upstreams, mxclash={**mxclash, "tally-interval": 1}) as two:
        two.wait_event(event="tally", domain="split.test", mx_queries=3)


def test_no_tallies_with_0(world, tmp_path):
    with Unbound(tmp_path, world.upstreams, mxclash={"tally-interval": 0}) as unbound:
        break_it(unbound, 2)
    assert unbound.events(event="tally") == []
