# SPDX-License-Identifier: BSD-3-Clause
"""Memory runs out in the module, at one allocation after the other.

A start either fails with one sentence or the server runs; once it runs it goes on, whatever
fails. `make check-malloc` lets every single allocation fail, `make check` some of them.
"""

import contextlib
import itertools
import mmap
import os
import re
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException

import pytest
from faults import RETRY_TIMEOUT_S
from lab import BUILD, Authority, LabError, wait_until
from resolver import EVENT_TIMEOUT_S, Unbound
from watcher import watching

# Each allocation fails, or so many of a start, a reload, an end, and one in so many of those
# through which one server lives.
EACH = "MXCLASH_EACH_MALLOC" in os.environ
SAMPLES = 5
STEP = 1 if EACH else 7
# At once: a start is mostly waiting.
SERVERS = 3
DOMAINS = 1500
# What the sentence speaks of if a start is refused.
REASON = r"memory|thread"
PASSES_NOT_REACHED = 3
SETTLE_S = 0.3
# For a start on a busy machine, of which some stand still for seconds.
START_S = 60


class Account(contextlib.AbstractContextManager):
    """What failing_malloc.c counts, and which call it lets fail."""

    def __init__(self, path):
        self.path = path
        path.write_bytes(bytes(24))
        with open(path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 24)

    def __exit__(self, *_):
        self.memory.close()

    def _get(self, number):
        return struct.unpack_from("Q", self.memory, 8 * number)[0]

    @property
    def calls(self):
        return self._get(0)

    @property
    def failed(self):
        return self._get(2)

    def fail_at(self, call):
        struct.pack_into("Q", self.memory, 8, call)


class Starved(Unbound):
    """An Unbound whose module may find no memory."""

    def __init__(self, folder, upstreams, account, **options):
        mxclash = {"probe-rate": 1000, "ignore-domain": "ignored.test"}
        super().__init__(folder, upstreams, mxclash=mxclash, **options)
        self.account = account

    def environment(self):
        return {
            **super().environment(),
            "LD_PRELOAD": str(BUILD / "tests" / "failing_malloc.so"),
            "FAILING_MALLOC": str(self.account.path),
        }

    def ended_or_ready(self):
        return self.process.poll() is not None or self.is_ready()

    def assert_goes_on(self, names):
        """It answers, its HTTP server too, at once or when it has tried again; and it ends well."""
        open_one(self, names)
        wait_until(self.serves, RETRY_TIMEOUT_S, "the HTTP server")
        assert self.stop() == 0, self.log

    def assert_refused(self):
        """It ended with status 1 and said why in one sentence."""
        assert self.process.wait(START_S) == 1, self.log
        told = [line for line in self.log.splitlines() if " error: mxclash: " in line]
        assert len(told) == 1 and re.search(REASON, told[0]), self.log


@pytest.fixture(scope="module")
def conflicts(world, tmp_path_factory):
    """Upstreams with broken domains, and one name of them after the other."""
    scenario = "zone test\n  answer by-type\n" + "".join(
        f"  d{number} 60 CNAME www.cdn.test.\n  d{number} 60 MX 5 mx.cdn.test.\n"
        for number in range(DOMAINS)
    )
    with Authority(tmp_path_factory.mktemp("own"), scenario) as own:
        names = (f"d{number}.test" for number in itertools.count())
        yield {**world.upstreams, "test": own}, names


def open_one(unbound, names):
    name = next(names)
    assert unbound.ask(name, "A").answer
    unbound.ask(name, "MX")
    return name


def settled(account):
    """The number of calls once nothing is going on any more."""
    before = -1
    while before != account.calls:
        before = account.calls
        time.sleep(SETTLE_S)
    return before


def live_through_start(folder, upstreams, names, call):
    """One start in which a call fails. Returns what came of it."""
    folder.mkdir()
    with Account(folder / "account") as account:
        account.fail_at(call)
        unbound = Starved(folder / "unbound", upstreams, account)
        unbound.launch()
        try:
            wait_until(unbound.ended_or_ready, START_S, f"a start, call {call} failing")
            if unbound.process.poll() is None:
                unbound.assert_goes_on(names)
                assert account.failed == 1
                return "ran"
            unbound.assert_refused()
            return "refused"
        finally:
            unbound.stop()


def live_through_reload(folder, upstreams, names, call):
    """As live_through_start(), with a call of a reload, counted from its begin."""
    folder.mkdir()
    with Account(folder / "account") as account:
        with Starved(folder / "unbound", upstreams, account) as unbound:
            wait_until(lambda: unbound.events(event="started"), EVENT_TIMEOUT_S, "the start")
            account.fail_at(account.calls + call)
            with contextlib.suppress(OSError, LabError):
                unbound.control("reload")
            wait_until(
                lambda: unbound.process.poll() is not None
                or unbound.log.count("start of service") == 2
                and unbound.is_ready(),
                START_S,
                f"a reload, call {call} failing",
            )
            if unbound.process.poll() is None:
                unbound.assert_goes_on(names)
                return "ran" if account.failed else "not reached"
            unbound.assert_refused()
            return "refused"


def live_through_stop(folder, upstreams, names, call):
    """The same with a call of the end."""
    folder.mkdir()
    with Account(folder / "account") as account:
        with Starved(folder / "unbound", upstreams, account) as unbound:
            open_one(unbound, names)
            settled(account)
            account.fail_at(account.calls + call)
            assert unbound.stop() == 0, unbound.log
            return "ran" if account.failed else "not reached"


def count_calls(folder, upstreams):
    """How many allocations a start makes, a reload, and an end."""
    with Account(folder / "account") as account:
        with Starved(folder / "unbound", upstreams, account) as unbound:
            start = settled(account)
            unbound.reload()
            reloaded = settled(account)
        return start, reloaded - start, account.calls - reloaded


@pytest.mark.parametrize("phase", ["start", "reload", "stop"])
def test_no_memory(conflicts, tmp_path, phase):
    upstreams, names = conflicts
    counts = dict(zip(("start", "reload", "stop"), count_calls(tmp_path, upstreams)))
    live = {
        "start": live_through_start,
        "reload": live_through_reload,
        "stop": live_through_stop,
    }[phase]
    # from the end, where a failure need not end all
    calls = range(counts[phase], 0, -1 if EACH else -(counts[phase] // SAMPLES))
    with ThreadPoolExecutor(SERVERS) as pool:
        found = list(
            pool.map(lambda call: live(tmp_path / str(call), upstreams, names, call), calls)
        )
    print({what: found.count(what) for what in sorted(set(found))}, "of", counts[phase])
    # what is there to fail does fail
    assert found.count("not reached") * 5 <= len(found) + 4


def test_no_memory_while_it_runs(conflicts, tmp_path):
    """The resolver goes on, and the next conflict is found, told and counted as ever."""
    upstreams, names = conflicts
    with Account(tmp_path / "account") as account:
        unbound = Starved(tmp_path / "unbound", upstreams, account)
        with unbound, watching(unbound, "no memory, one call after the other"):
            in_vain = failing = 0
            while in_vain < PASSES_NOT_REACHED:
                failing += STEP
                before = account.failed
                account.fail_at(account.calls + failing)
                first = open_one(unbound, names)
                for path in ("/metrics", "/metrics/domains"):
                    with contextlib.suppress(OSError, LabError, HTTPException):
                        unbound.metrics(path)
                wait_until(
                    lambda first=first, before=before: account.failed > before
                    or unbound.events(event="opened", domain=first),
                    EVENT_TIMEOUT_S,
                    f"call {failing} of a conflict",
                )
                account.fail_at(0)
                in_vain = 0 if account.failed > before else in_vain + 1
                after = open_one(unbound, names)
                unbound.wait_event(event="opened", domain=after, state="confirmed")
                assert unbound.metrics()['mxclash_conflicts_opened_total{kind="cname-and-mx"}']
                assert unbound.metrics("/metrics/domains")
        print(f"calls that failed: {account.failed}")
        assert account.failed >= 100 // STEP
    assert unbound.process.returncode == 0
