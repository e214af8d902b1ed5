# SPDX-License-Identifier: BSD-3-Clause
"""`mxclash check` as tests run it, and small worlds of delegations for it."""

import contextlib
import json

from lab import DNS_PORT, Authority, free_address
from test_cli import run, write

# Authorities of the tests are on loopback, which is never asked unless this is said.
# Nothing leaves loopback: where no other resolver is named, nobody resolves.
ALONE = "confirm-after: 0\nresolver: 127.0.0.1@9\n"
LAB = "may-ask: 127.0.0.0/8\nmay-ask: ::1\n" + ALONE


def check(folder, domain, *options, conf=LAB):
    """Check a domain. Returns the status and what --json tells."""
    path = write(folder, conf)
    status, out, err = run("check", domain, "--json", *options, MXCLASH_CONF=str(path))
    assert err == ""
    told = json.loads(out)
    assert told["domain"] == domain
    assert status == {"healthy": 0, "conflict": 1, "unknown": 2}[told["result"]]
    return status, told


def show(folder, domain, *options, conf=LAB, **environment):
    """Check a domain. Returns the status and what people read."""
    path = write(folder, conf)
    status, out, err = run("check", domain, *options, MXCLASH_CONF=str(path), **environment)
    assert err == ""
    return status, out


def kinds(told):
    return [conflict["kind"] for conflict in told["conflicts"]]


def tags(told):
    return sorted({remark["tag"] for remark in told["remarks"]})


class Delegations:
    """A root that delegates each zone to addresses of one's own, all on port 53.

    zones  dict from a zone's name to a list of scenarios, one for each of its servers; None in the
           place of a scenario is a server that is not there
    """

    def __init__(self, folder, zones):
        self._stack = contextlib.ExitStack()
        self._folder = folder
        self.addresses = {}
        self.servers = {}
        self._zones = zones
        self.root = None

    @property
    def option(self):
        return ("--root", self.root.endpoint)

    def _lines(self, zone):
        for number, address in enumerate(self.addresses[zone]):
            yield f"  {zone}. NS ns{number}.{zone}.\n  ns{number}.{zone}. A {address}\n"

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            for zone, scenarios in self._zones.items():
                self.addresses[zone] = [free_address(DNS_PORT) for _ in scenarios]
                self.servers[zone] = [
                    scenario
                    and stack.enter_context(
                        Authority(self._folder / f"{zone}{i}", scenario,
                                  self.addresses[zone][i], DNS_PORT)
                    )
                    for i, scenario in enumerate(scenarios)
                ]  # fmt: skip
            text = "zone .\n" + "".join(line for zone in self._zones for line in self._lines(zone))
            self.root = stack.enter_context(
                Authority(self._folder / "root", text, free_address(DNS_PORT), DNS_PORT)
            )
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._stack.close()
