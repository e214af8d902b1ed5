# SPDX-License-Identifier: BSD-3-Clause
"""The servers that the corpus is played on: our own authorities and resolvers with the module."""

import contextlib
import json

from generate import SERVERS, scenarios
from lab import DNS_PORT, Authority, LabError, free_address, port_53_missing, wait_until
from resolver import Unbound

# A barrier waits for so many broken domains, one after the other: what came before them has then
# been proved and told, because proofs are made in the order in which they were asked for.
SENTINELS_A_BARRIER = 3
SENTINEL_TIMEOUT_S = 120
THREADS = 4
# Nothing of the corpus may leave the cache early, else an order of questions is not what it says.
CACHE = {"msg-cache-size": "128m", "rrset-cache-size": "256m"}


class Authorities:
    """All authorities of a corpus. Where port 53 can be had a resolver learns the zone cuts from
    referrals, beginning at the root; else it is told of each zone."""

    def __init__(self, folder, corpus, *, referrals=True):
        self.corpus = corpus
        self.delegated = referrals and not port_53_missing()
        port = DNS_PORT if self.delegated else 0
        keys = (*SERVERS, *(("root", "registry") if self.delegated else ()))
        self.addresses = {"root": None, "registry": None, **{k: free_address(port) for k in keys}}
        self.phase = 0
        texts = scenarios(corpus, self.addresses, self.phase)
        self.servers = {
            key: Authority(folder / key, texts[key], self.addresses[key], port) for key in keys
        }

    @property
    def upstreams(self):
        """What an Unbound needs to find all zones."""
        if self.delegated:
            return {".": self.servers["root"]}
        zones = {zone.apex: self.servers[zone.servers[0]] for zone in self.corpus.zones()}
        return {".": self.servers["targets"], **zones}

    def play(self, phase):
        """Have the zones that move do so."""
        if phase != self.phase:
            self.servers["mover"].play(scenarios(self.corpus, self.addresses, phase)["mover"])
            self.phase = phase

    def addresses_of(self, domain):
        """Where an answer about the domain may come from."""
        return {self.addresses[key] for zone in domain.zones for key in zone.servers}

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            for server in self.servers.values():
                stack.enter_context(server)
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()


class Resolver:
    """One Unbound with the module. `events` are those about domains so far, but for sentinels."""

    def __init__(self, folder, authorities, sentinels, *, minimise=True, mxclash=None):
        self.unbound = Unbound(
            folder,
            authorities.upstreams,
            threads=THREADS,
            settings={**CACHE, "qname-minimisation": "yes" if minimise else "no"},
            mxclash=mxclash,
        )
        self.sentinels = [domain.name for domain in sentinels]
        self.known = set(self.sentinels)
        self.events = []
        self.opened = set()
        self.read_to = 0

    def read_events(self):
        """Read what has been added to the log. Returns `events`."""
        path = self.unbound.events_path
        if path.exists():
            with open(path, "rb") as log:
                log.seek(self.read_to)
                octets = log.read()
            whole = octets[: octets.rfind(b"\n") + 1]
            self.read_to += len(whole)
            for line in whole.splitlines():
                event = json.loads(line)
                if "domain" in event and event["domain"] not in self.known:
                    self.events.append(event)
                if event["event"] == "opened":
                    self.opened.add((event["domain"], event["kind"]))
        return self.events

    def barrier(self):
        """Wait until all that has been asked so far has had its consequences."""
        for _ in range(SENTINELS_A_BARRIER):
            sentinel = self.sentinels.pop()
            self.unbound.ask(sentinel, "A")

            def is_found(name=sentinel):
                self.read_events()
                return (name, "cname-and-mx") in self.opened

            try:
                wait_until(is_found, SENTINEL_TIMEOUT_S, f"the conflict of {sentinel}")
            except LabError as error:
                raise LabError(f"{error}\n{self.unbound.log[-3000:]}") from None

    def __enter__(self):
        self.unbound.start()
        return self

    def __exit__(self, *_):
        self.unbound.stop()
