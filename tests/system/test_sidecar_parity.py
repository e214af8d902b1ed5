# SPDX-License-Identifier: BSD-3-Clause
"""One truth: thousands of questions over the corpus, asked of Unbound with the module and of Debian's own
beside mxclashd, give the same set of confirmed conflicts."""

import sys
import time

import pytest
from lab import REPOSITORY, port_53_missing, size, wait_until
from sidecar import Sidecar, StockUnbound

sys.path.insert(0, str(REPOSITORY / "tests" / "corpus"))

import asker  # noqa: E402
from generate import generate  # noqa: E402
from stage import SENTINELS_A_BARRIER, Authorities, Resolver  # noqa: E402

QUESTIONS = size(5000, 1000)
HEALTHY, BROKEN = size(2400, 480), size(400, 80)
# proofs must not be what is waited for, in the sidecar least, which asks for the servers too
FAST = {"probe-rate": 5000, "confirm-after": 0}
TIMEOUT_S = 240
QUIET_S = 3


def questions_of(corpus):
    """The domains that stay as they are, with their questions, QUESTIONS in all."""
    count = 0
    domains = []
    for domain in (*corpus.broken, *corpus.healthy):
        if all(len(zone.texts) == 1 for zone in domain.zones) and count < QUESTIONS:
            domain.questions[0] = domain.questions[0][: QUESTIONS - count]
            count += len(domain.questions[0])
            domains.append(domain)
    assert count == QUESTIONS
    return domains


def confirmed(events):
    """The conflicts that stand confirmed in the end."""
    standing = {}
    for event in events:
        if event["event"] in ("opened", "changed"):
            standing[event["domain"], event["kind"]] = event["state"]
        elif event["event"] in ("cleared", "expired"):
            standing.pop((event["domain"], event["kind"]), None)
    return {conflict for conflict, state in standing.items() if state == "confirmed"}


class Standing:
    """What a detector has found, and when that was last something new."""

    def __init__(self, read):
        self.read = read
        self.seen = set()
        self.since = time.monotonic()

    def is_quiet(self):
        found = confirmed(self.read())
        if found != self.seen:
            self.seen, self.since = found, time.monotonic()
        return time.monotonic() - self.since > QUIET_S


@pytest.mark.parametrize("minimise", [True, False], ids=["minimised", "not minimised"])
def test_the_same_conflicts_by_module_and_by_sidecar(tmp_path, minimise):
    if reason := port_53_missing():
        pytest.skip(reason)
    corpus = generate(1, HEALTHY, BROKEN)
    domains = questions_of(corpus)
    names = {domain.name for domain in corpus.sentinels}
    settings = {"qname-minimisation": "yes" if minimise else "no"}
    with Authorities(tmp_path / "authorities", corpus) as authorities:
        module = Resolver(
            tmp_path / "module", authorities, corpus.sentinels, minimise=minimise, mxclash=FAST
        )
        sidecar = Sidecar(tmp_path / "sidecar", mxclash=FAST)
        stock = StockUnbound(
            tmp_path / "stock", authorities.upstreams, sidecar.socket_path, settings=settings
        )
        sidecar.mxclash["resolver"] = stock.endpoint
        with module, sidecar, stock:
            sidecar.wait_senders()
            askers = [asker.Asker(one.address, one.port) for one in (module.unbound, stock)]
            for one in askers:
                for domain in domains:
                    one.add(domain, domain.questions[0])
            asker.run(askers, lambda: None)
            assert [one.asked for one in askers] == [QUESTIONS, QUESTIONS]
            for sentinel in corpus.sentinels[:SENTINELS_A_BARRIER]:
                for one in (module.unbound, stock):
                    one.ask(sentinel.name, "A")
                for one in (module.unbound, sidecar):
                    one.wait_event(event="opened", domain=sentinel.name, timeout_s=TIMEOUT_S)
            by_module = Standing(module.unbound.events)
            by_sidecar = Standing(sidecar.events)
            wait_until(
                lambda: by_module.is_quiet() and by_sidecar.is_quiet(), TIMEOUT_S, "quiet logs"
            )
            dropped = sidecar.metrics()['mxclash_probes_dropped_total{reason="queue-full"}']
    found = {c for c in by_module.seen if c[0] not in names}
    assert len(found) > BROKEN / 2
    by_other = {c for c in by_sidecar.seen if c[0] not in names}
    assert by_other == found, (sorted(found - by_other), sorted(by_other - found), dropped)
