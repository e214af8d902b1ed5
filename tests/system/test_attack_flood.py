# SPDX-License-Identifier: BSD-3-Clause
"""An authority with a million broken domains, and somebody who asks for all of them.

    make check-attack COUNT=1000000

asks for as many; in `make check` it is fewer. Every form of fault has a top-level domain of its
own, in which every name below is delegated and broken; of `mute` no proof is answered. Of the last
two all names belong to one domain: of `one` each is broken, of `alias` each is a lawful alias that
clients want mail of.
"""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from lab import Authority, free_address, port_53_missing
from watcher import watching

COUNT = int(os.environ.get("MXCLASH_FLOOD", "20000"))
# So small that it is full soon.
TABLE_SIZE = 2 << 20
PROBE_RATE = 10
# What is sent is charged when Unbound tells of it, for the first time at the first timeout, within a
# second. What is begun until then owes what it will have sent: the burst and the second's proofs, of
# two questions with two timeouts of two packets each.
OWED = 2 * PROBE_RATE // 2 * (2 * 2 * 2 - 2)
# Unbound's own caches, which grow as well.
SMALL_CACHES = {
    "msg-cache-size": "1m",
    "rrset-cache-size": "1m",
    "key-cache-size": "100k",
    "neg-cache-size": "100k",
    "infra-cache-numhosts": 100,
}
# Beyond what is there after the first questions: caches, queries under way, arenas.
GROWTH_KIB = 16384
# Of module/core/limits/openings.h: what may be opened without a proof, and of one domain.
OPENINGS_RATE, OPENINGS_BURST, OPENINGS_DOMAIN = 10, 1000, 100
# Seconds from a question of the watcher to its answer. One that is asked again takes a second more.
LONGEST_GAP_S = 10
SAMPLE_S = 0.25
# What a question of the flood does: questions, the fault, and the answers of the authority.
PROVIDER_MX = [f"  * 300 MX {n}0 mx{n}.qiye.aliyun.com." for n in (1, 2, 3)]
FORMS = {
    "separate": ("A", ["answer by-type", "* 300 CNAME www.target.", "* 300 MX 5 mx.target."]),
    "both": ("MX", ["answer both", "* 300 CNAME www.target.", "* 300 MX 5 mx.target."]),
    "apex": ("MX", ["answer cname-only", "* 300 CNAME www.target."]),
    "foreign": ("MX", ["* 300 MX 5 mx1.qiye.aliyun.com.", "* 300 MX 9 mail.oldhost.test."]),
    "spf": ("MX+TXT", [*PROVIDER_MX, '* 300 TXT "v=spf1 -all"']),
    "mute": ("A", ["drop MX", "drop CNAME", "* 300 CNAME www.target."]),
    "one": ("MX", ["answer both", "* 300 CNAME www.target.", "* 300 MX 5 mx.target."]),
    "alias": ("MX", ["answer cname-only", "* 300 CNAME www.target."]),
}
ONE_DOMAIN = ("one", "alias")


def suffix(form):
    """What the names of a form stand below."""
    return f"domain.{form}" if form in ONE_DOMAIN else form


def registry_scenario(hoster_address):
    """Delegates what stands in every top-level domain to the hoster."""
    return "".join(
        f"zone {form}\n  {'domain' if form in ONE_DOMAIN else '*'} NS host.{form}.\n"
        f"  host A {hoster_address}\n"
        for form in FORMS
    )


def hoster_scenario():
    zones = ["\n  ".join([f"zone {suffix(form)}", *lines]) for form, (_, lines) in FORMS.items()]
    return "\n".join([*zones, "zone target", "  www A 192.0.2.80", "  mx A 192.0.2.25"]) + "\n"


class Attack:
    """Registry, hoster and resolver, and the flood while it runs."""

    def __init__(self, unbound, servers):
        self.unbound = unbound
        self.servers = servers
        self.began_s = time.monotonic()
        self.scrapes = []

    def flood(self, count, first=0):
        """Ask for so many names, scraping the metrics all the while. What the asker says."""
        kinds = [f"{types}:{suffix(form)}" for form, (types, _) in FORMS.items()]
        command = [sys.executable, "-B", str(Path(__file__).parent / "flood.py")]
        command += [self.unbound.address, str(self.unbound.port), str(first), str(count), *kinds]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as asker:
            while asker.poll() is None:
                self.scrapes.append((self.unbound.metrics(), self.unbound.grown_kib(0)))
                time.sleep(SAMPLE_S)
            return json.loads(asker.stdout.read())

    def seconds(self):
        return time.monotonic() - self.began_s

    def proof_queries(self):
        """Packets that nobody but a proof sends: CNAME, and MX where the flood asked A."""
        asked = Counter()
        for server in self.servers:
            with open(server.folder / "queries", encoding="ascii") as queries:
                for line in queries:
                    name, rdtype, _ = line.split()
                    if rdtype in ("MX", "CNAME") and name.endswith(".mute."):
                        asked["unanswered"] += 1
                        continue
                    asked[rdtype] += rdtype == "CNAME"
                    asked["MX"] += rdtype == "MX" and name.endswith(".separate.")
        return +asked


@pytest.fixture
def attack(world, start, tmp_path):
    if reason := port_53_missing():
        pytest.skip(reason)
    registry_address, hoster_address = free_address(53), free_address(53)
    with (
        Authority(
            tmp_path / "registry", registry_scenario(hoster_address), registry_address, 53
        ) as registry,
        Authority(tmp_path / "hoster", hoster_scenario(), hoster_address, 53) as hoster,
    ):
        unbound = start(
            {**world.upstreams, **{form: registry for form in FORMS}, "target": hoster},
            mxclash={"table-size": TABLE_SIZE, "probe-rate": PROBE_RATE, "log-host": "no"},
            # else it asks A of the names of one domain, and never sees both at once
            settings={**SMALL_CACHES, "qname-minimisation": "no"},
            threads=2,
        )
        unbound.ask("n0.separate", "A")
        unbound.wait_event(event="opened", domain="n0.separate")
        yield Attack(unbound, [registry, hoster])


def test_a_million_broken_domains(attack):
    unbound = attack.unbound
    attack.flood(1000, first=10**9)
    resident = unbound.grown_kib(0)
    with watching(unbound, f"{COUNT} broken domains", longest_gap_s=LONGEST_GAP_S) as watcher:
        asked = attack.flood(COUNT)
    took_s = attack.seconds()
    metrics = unbound.metrics()
    print(json.dumps({"flood": asked, "watched": watcher.figures(), "seconds": round(took_s, 1)}))

    # The resolver answers everybody, also who asks for the attacker's names.
    assert asked["lost"] == 0
    assert asked["failed"] == 0, asked["failed_names"]
    assert asked["answered"] == asked["asked"] >= COUNT
    # Memory: the table at every moment, the process at the end.
    for scraped, _ in attack.scrapes:
        assert scraped["mxclash_table_bytes"] <= scraped["mxclash_table_bytes_limit"] == TABLE_SIZE
    growth = max(kib for _, kib in attack.scrapes) - resident
    print(json.dumps({"growth_kib": growth, "entries": metrics["mxclash_table_entries"]}))
    assert growth < GROWTH_KIB
    # Proofs: what the authority got, which is not what we say we sent.
    proofs = attack.proof_queries()
    allowed = PROBE_RATE * (took_s + 1) + OWED
    print(json.dumps({"proof_queries": proofs, "allowed": allowed}))
    assert sum(proofs.values()) <= allowed
    assert proofs["CNAME"] >= PROBE_RATE / 2 * took_s / 8, "no proofs: the test shows nothing"
    # The log: what proofs found, and so much a second beside.
    opened = unbound.events(event="opened")
    proofs_made = sum(value for name, value in metrics.items() if "mxclash_probes_total{" in name)
    assert len(opened) <= proofs_made + OPENINGS_BURST + OPENINGS_RATE * (took_s + 1)
    assert sum(e["domain"].endswith(".domain.one") for e in opened) <= OPENINGS_DOMAIN
    assert not any(e["domain"].endswith(".alias") for e in opened)
    assert metrics['mxclash_conflicts_delayed_total{reason="rate-limit"}'] > COUNT / 100
    assert metrics['mxclash_conflicts_delayed_total{reason="domain-limit"}'] > 0
    assert metrics['mxclash_events_dropped_total{sink="file"}'] == 0
    print(json.dumps({"opened": len(opened), "log_octets": unbound.events_path.stat().st_size}))
    # Whatever was opened is open, cleared, expired, or was given up and is counted.
    for kind in ("cname-and-mx", "cname-at-apex", "foreign-mx", "incomplete-mx", "spf-missing"):
        ended = sum(
            metrics[f'mxclash_conflicts_{how}_total{{kind="{kind}"}}']
            for how in ("cleared", "expired", "evicted")
        )
        now = sum(
            metrics[f'mxclash_conflicts{{kind="{kind}",state="{state}"}}']
            for state in ("suspected", "confirmed")
        )
        assert metrics[f'mxclash_conflicts_opened_total{{kind="{kind}"}}'] == ended + now
    assert unbound.http("/metrics/domains")[2].count("mxclash_domain_mx_queries_total{") <= 100
