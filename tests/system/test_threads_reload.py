# SPDX-License-Identifier: BSD-3-Clause
"""Four workers, many clients, scrapes, a rotating log, and reload after reload in the middle of it.

What a race or a use after free needs to show itself: meant for builds with sanitizers, and true in
every build. Each client asks as a stub resolver does, so it gets each of its answers.
"""

import itertools
import random
import struct
import threading
import time
from collections import Counter

import dns.exception
import dns.rcode
from faults import events_of
from lab import size
from world import HEALTHY_OWNERS

THREADS = 4
RELOADS = size(25, 10)
CLIENTS = 6
# Between two reloads: long enough for conflicts to open and close again with the table.
ROUND_S = 0.3
TRY_TIMEOUT_S = 1.5
TRIES = 20
TYPES = ("A", "MX", "TXT", "AAAA", "NS")

BROKEN = ("split.test", "sub.split.test", "firm.test", "turned.test", "hidden.test", "power.test")
# Proofs fail, answers are truncated, names are there only once.
HOSTILE = ("refusing.test", "silent.test", "big.test")
SETTLED = (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)


class Load:
    """Clients and a scraper, each a thread, until done() is called."""

    def __init__(self, unbound):
        self.unbound = unbound
        self.counts = Counter()
        self.lost = []
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._scrape)]
        for seed in range(CLIENTS):
            self._threads.append(threading.Thread(target=self._client, args=(seed,)))

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _count(self, what):
        with self._lock:
            self.counts[what] += 1

    def _answered(self, name, rdtype):
        """Ask as a stub resolver does: again after silence, refusal by the port, and SERVFAIL."""
        for number in range(TRIES):
            try:
                # now and then by TCP, which a reload cuts off
                tcp = number % 4 == 3 or name == "big.test"
                answer = self.unbound.ask(name, rdtype, tcp=tcp, timeout_s=TRY_TIMEOUT_S)
                if answer.rcode() in SETTLED:
                    return True
            # struct.error: a TCP connection that was closed before the answer
            except (OSError, struct.error, dns.exception.DNSException):
                pass
            except Exception as error:  # a thread's own would be lost
                self.lost.append(repr(error))
                return False
            self._count("asked again")
            time.sleep(0.05)
        return False

    def _client(self, seed):
        chosen = random.Random(seed)
        for number in itertools.count():
            if self._done.is_set():
                return
            name = chosen.choice((*BROKEN, *HEALTHY_OWNERS, *HOSTILE, f"n{number}.good.test"))
            rdtype = chosen.choice(TYPES)
            self._count("asked")
            if self._answered(name, rdtype):
                self._count("answered")
            else:
                self.lost.append(f"{name} {rdtype}")

    def _scrape(self):
        for path in itertools.cycle(("/metrics", "/metrics/domains", "/healthz")):
            if self._done.is_set():
                return
            try:
                self._count(f"http {self.unbound.http(path)[0]}")
            except OSError:
                # the server is away during a reload
                self._count("http away")
            time.sleep(0.01)


def test_reloads_under_a_mixed_load(world, start):
    unbound = start(
        world.upstreams,
        threads=THREADS,
        mxclash={"annotate": "yes", "repair": "yes", "probe-rate": "1000"},
    )
    rotated = []
    with Load(unbound) as load:
        for number in range(RELOADS):
            time.sleep(ROUND_S)
            rotated.append(unbound.folder / f"events.{number}")
            unbound.events_path.rename(rotated[-1])
            unbound.reload()
        unbound.wait_event(event="opened", domain="split.test")
    assert unbound.metrics()['mxclash_events_dropped_total{sink="file"}'] == 0
    assert unbound.stop() == 0, unbound.log[-3000:]

    print(f"{RELOADS} reloads: {dict(load.counts)}")
    assert not load.lost
    assert load.counts["asked"] == load.counts["answered"] > RELOADS * CLIENTS
    assert load.counts["http 200"] > RELOADS
    assert {"http 200", "http away"} >= {key for key in load.counts if key.startswith("http")}

    events = events_of([*rotated, unbound.events_path])
    happened = Counter(event["event"] for event in events)
    assert happened["started"] == happened["stopped"] == 1 + RELOADS
    found = {event.get("domain") for event in events if event["event"] == "opened"}
    assert found >= {"split.test", "sub.split.test", "firm.test", "turned.test"}
    assert not found & set(HEALTHY_OWNERS)
