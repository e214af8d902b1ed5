# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of faults share: conflicts whenever one is wanted, and a log that stays whole."""

import contextlib
import itertools
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from lab import Authority, wait_until
from resolver import EVENT_TIMEOUT_S, Unbound

DOMAINS = 2000
# A sink that failed is tried again after this (REPORT_RETRY_S, HTTPD_RETRY_S), and a bit.
RETRY_TIMEOUT_S = 5 + EVENT_TIMEOUT_S


class Breaker:
    """Domains with a CNAME and an MX in one answer: each opens a conflict once its MX is asked."""

    def __init__(self, own):
        self.own = own
        self.numbers = itertools.count()

    def resolver(
        self, folder, world, *, settings=None, mxclash=None, kind_of=Unbound, **options
    ):
        """An Unbound that finds them, and tells of each at once: it asks for the MX itself, so it
        gets both in one answer, and it neither proves a conflict nor looks up its impact."""
        return kind_of(
            folder,
            {**world.upstreams, "test": self.own},
            settings={"qname-minimisation": "no", **(settings or {})},
            mxclash={"probe": "no", **(mxclash or {})},
            **options,
        )

    def open_one(self, unbound):
        """Ask of a domain that nobody asked of before. Returns its name."""
        name = f"d{next(self.numbers)}.test"
        unbound.ask(name, "MX")
        return name


@contextlib.contextmanager
def breaker(folder):
    """The Breaker and its authority, while the block runs."""
    scenario = "zone test\n  answer both\n" + "".join(
        f"  d{number} 60 CNAME www.cdn.test.\n  d{number} 60 MX 5 mx.cdn.test.\n"
        for number in range(DOMAINS)
    )
    with Authority(folder, scenario) as own:
        yield Breaker(own)


def lived_at_once(live_through, names):
    """A fixture for a module: live_through(name, world, conflicts, folder) of each name, all at the
    same time, for most of a fault is waiting. Gives what came of each as a dict of futures."""

    @pytest.fixture(scope="module")
    def lived(world, tmp_path_factory):
        folders = {name: tmp_path_factory.mktemp("fault") for name in names}

        def live(name):
            return live_through(name, world, conflicts, folders[name])

        with (
            breaker(tmp_path_factory.mktemp("own")) as conflicts,
            ThreadPoolExecutor(len(names)) as pool,
        ):
            yield {name: pool.submit(live, name) for name in names}

    return lived


def line_count(*paths):
    """How many lines log files have; one may be in the making, or a file not be there."""
    return sum(path.read_bytes().count(b"\n") for path in paths if path.exists())


def events_of(paths):
    """The events of log files in order; one may not be there. Every line must be whole."""
    found = []
    for path in paths:
        text = path.read_text() if path.exists() else ""
        assert text == "" or text.endswith("\n"), f"{path} ends inside a line"
        found += [json.loads(line) for line in text.splitlines()]
    return found


def opened_in(paths):
    """The domains of the `opened` events of log files, in order."""
    return [event["domain"] for event in events_of(paths) if event["event"] == "opened"]


def wait_opened(unbound, *domains):
    """Wait until the log says of each domain that its conflict opened."""
    for domain in domains:
        unbound.wait_event(event="opened", domain=domain)


def wait_log(unbound, text, timeout_s=EVENT_TIMEOUT_S):
    """Wait until Unbound's own log has a text."""
    wait_until(lambda: text in unbound.log, timeout_s, f"`{text}` in the log")


def dropped(unbound, sink="file"):
    """How many events a sink lost."""
    return unbound.metrics()[f'mxclash_events_dropped_total{{sink="{sink}"}}']
