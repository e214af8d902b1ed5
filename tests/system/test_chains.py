# SPDX-License-Identifier: BSD-3-Clause
"""Every order of Unbound's modules that makes sense, crossed with settings that change how a query
goes: each starts, finds the conflict, repairs it, answers every client and finds no other."""

import contextlib
import types
from concurrent.futures import ThreadPoolExecutor

import dns.rcode
import pytest

from asking import STANDARD, chain, mx_hosts, question
from lab import BUILD, Authority, LabError, port_53_missing, wait_until
from resolver import Unbound

HOST = BUILD / "hosts" / "distribution-all"
PROVED_IN_S = 40
REPAIRED_IN_S = 20
CHAINS = (
    "dynlib iterator",
    "dynlib validator iterator",
    "validator dynlib iterator",
    "dns64 dynlib iterator",
    "dns64 dynlib validator iterator",
    "dns64 validator dynlib iterator",
    "respip dynlib iterator",
    "dynlib respip validator iterator",
    "respip dns64 dynlib validator iterator",
    "subnetcache dynlib iterator",
    "dynlib subnetcache iterator",
    "subnetcache dynlib validator iterator",
    "dynlib respip subnetcache validator iterator",
    "respip subnetcache validator dynlib iterator",
    "dns64 subnetcache dynlib validator iterator",
    "dynlib cachedb iterator",
    "cachedb dynlib iterator",
    "dynlib validator cachedb iterator",
    "validator dynlib cachedb iterator",
    "respip validator cachedb dynlib iterator",
    "dns64 dynlib validator cachedb iterator",
    "subnetcache dynlib validator cachedb iterator",
    "dynlib ipsecmod iterator",
    "ipsecmod dynlib validator iterator",
    "ipsecmod respip validator dynlib iterator",
    "dynlib ipsecmod respip validator iterator",
    "python dynlib iterator",
    "dynlib python validator iterator",
    "python dynlib validator cachedb iterator",
    "dns64 python dynlib validator iterator",
    "ours other iterator",
    "other ours validator iterator",
    "python other ours respip validator iterator",
)
SETTINGS = {
    "plain": {},
    "prefetch": {"settings": {"prefetch": "yes", "prefetch-key": "yes"}},
    "expired": {
        "settings": {
            "serve-expired": "yes",
            "serve-expired-client-timeout": 900,
            "qname-minimisation": "no",
        }
    },
    "caps": {"settings": {"use-caps-for-id": "yes", "harden-referral-path": "yes"}},
    "forward": {"kind": "forward"},
    "subnets": {
        "settings": {"send-client-subnet": "127.0.0.0/8", "client-subnet-always-forward": "yes"},
        "needs": "subnetcache",
    },
    # the next two with Unbound's own target-fetch-policy: nameservers are looked up beside
    "named": {},
    "delegated": {},
}
PASSES_ON = """\
def init(id, cfg): return True
def deinit(id): return True
def inform_super(id, qstate, superqstate, qdata): return True
def operate(id, event, qstate, qdata):
    passed = event in (MODULE_EVENT_NEW, MODULE_EVENT_PASS)
    qstate.ext_state[id] = MODULE_WAIT_MODULE if passed else MODULE_FINISHED
    return True
"""

pytestmark = pytest.mark.skipif(
    not (HOST / "empty.so").exists(), reason=f"{HOST} is built by: make all-modules"
)


class Chain(Unbound):
    """An Unbound with every module that takes part, and what each of them needs."""

    def __init__(self, folder, upstreams, order, settings=None, **options):
        self.order = order.split()
        ours = {"ours": "mxclash.so", "dynlib": "mxclash.so", "other": "empty.so"}
        needed = {}
        clauses = list(options.pop("clauses", ()))
        if "ipsecmod" in self.order:
            self.hook = folder / "hook"
            needed |= {"ipsecmod-enabled": "yes", "ipsecmod-hook": f'"{self.hook}"'}
        if "python" in self.order:
            clauses += ["python:", f'  python-script: "{folder / "passes_on.py"}"']
        if "cachedb" in self.order and not clauses:
            clauses += ["cachedb:", '  backend: "testframe"']
        super().__init__(
            folder,
            upstreams,
            modules=" ".join("dynlib" if word in ours else word for word in self.order),
            host=HOST,
            libraries=[HOST / ours[word] for word in self.order if word in ours],
            settings={**needed, **(settings or {})},
            clauses=clauses,
            **options,
        )

    def configure(self):
        (self.folder / "passes_on.py").write_text(PASSES_ON)
        (self.folder / "hook").write_text(f'#!/bin/sh\necho "$1" >> {self.folder / "hooked"}\n')
        (self.folder / "hook").chmod(0o700)
        super().configure()

    def environment(self):
        return {**super().environment(), "PYTHONPATH": str(HOST / "prefix" / "python")}

    @property
    def repairs_all(self):
        """Nothing answers in front of us."""
        words = ["dynlib" if word == "ours" else word for word in self.order]
        return "cachedb" not in words[: words.index("dynlib")]


@pytest.fixture(scope="module")
def named(world, tmp_path_factory):
    """The world, but the nameserver of split.test is known by a name that has to be looked up."""
    zone = f"zone names.test\n  ns 600 A {world.own.address}\n"
    by_name = types.SimpleNamespace(known_by="host", endpoint=f"ns.names.test@{world.own.port}")
    with Authority(tmp_path_factory.mktemp("names"), zone) as names:
        yield {**world.upstreams, "names.test": names, "split.test": by_name}


def upstreams_of(name, world, request):
    if name == "delegated":
        return request.getfixturevalue("delegated").upstreams
    return request.getfixturevalue("named") if name == "named" else world.upstreams


def ask_all(unbound):
    """What mail servers and browsers ask, of the domain in conflict and of a healthy one."""
    assert chain(question(unbound, "split.test", "A"))[:2] == ["split.test.", "www.cdn.test."]
    for owner, rdtype in (("split.test", "MX"), ("good.test", "MX"), ("www.good.test", "A")):
        assert question(unbound, owner, rdtype).rcode() == dns.rcode.NOERROR
    assert mx_hosts(question(unbound, "good.test", "MX"), "good.test") == ["mail.good.test."]


def check(unbound):
    ask_all(unbound)
    unbound.wait_event(
        PROVED_IN_S, event="opened", domain="split.test", kind="cname-and-mx", state="confirmed"
    )
    if unbound.repairs_all:
        wait_until(
            lambda: mx_hosts(question(unbound, "split.test", "MX"), "split.test") == STANDARD,
            REPAIRED_IN_S,
            f"the repair by {unbound.folder}",
        )
    for command in ("flush_type split.test MX", "flush split.test"):
        unbound.control(command)
        ask_all(unbound)
    assert {event["domain"] for event in unbound.conflicts()} == {"split.test"}
    # nobody but clients gives reason for the operator's hook
    hooked = unbound.folder / "hooked"
    assert not hooked.exists() or "cdn.test" not in hooked.read_text()
    assert not [line for line in unbound.log.splitlines() if "error:" in line]
    unbound.stop()
    assert unbound.process.returncode == 0


@pytest.mark.parametrize("order", CHAINS)
def test_chain(tmp_path, world, request, order):
    """With all settings at once, each in an Unbound of its own: mostly they wait."""
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(len(SETTINGS)) as pool:
        servers = []
        for name, options in SETTINGS.items():
            needs = options.get("needs", "")
            if needs not in order or (name == "delegated" and port_53_missing()):
                continue
            wanted = {key: value for key, value in options.items() if key != "needs"}
            upstreams = upstreams_of(name, world, request)
            servers.append(
                Chain(tmp_path / name, upstreams, order, mxclash={"repair": "yes"}, **wanted)
            )
        for server in servers:
            # the kernel ends a child with the thread that made it: so not from the pool
            server.launch()
            stack.callback(server.stop)
        for server in servers:
            wait_until(server._ready_or_ended, PROVED_IN_S, f"{server.folder}: {server.log}")
        for done in [pool.submit(check, server) for server in servers]:
            done.result()


@pytest.mark.parametrize(
    "order, why",
    [
        ("iterator dynlib", "put dynlib in front of iterator"),
        ("validator iterator dynlib", "put dynlib in front of iterator"),
        ("dynlib dns64 iterator", "put dns64 in front of dynlib"),
    ],
)
def test_an_order_in_which_we_cannot_work_does_not_start(tmp_path, world, order, why):
    server = Chain(tmp_path, world.upstreams, order)
    with pytest.raises(LabError, match=f'error: mxclash: module-config "{order}": .*{why}'):
        server.start()
    assert server.process.returncode == 1


@pytest.mark.parametrize("order", ["validator dynlib iterator", "cachedb dynlib iterator"])
@pytest.mark.parametrize("repair", ["yes", "no"])
def test_an_order_that_limits_repair_is_told(tmp_path, world, order, repair):
    with Chain(tmp_path, world.upstreams, order, mxclash={"repair": repair}) as unbound:
        first = order.split(maxsplit=1)[0]
        told = f"put dynlib in front of {first}" in unbound.log
    assert told == (repair == "yes")


@pytest.mark.parametrize("order", ["dns64 dynlib iterator", "dns64 subnetcache dynlib iterator"])
def test_dns64_keeps_nothing_of_a_proof(tmp_path, world, order):
    """It stores what it sees the end of."""
    with Chain(tmp_path, world.upstreams, order) as unbound:
        ask_all(unbound)
        unbound.wait_event(PROVED_IN_S, event="opened", domain="split.test", state="confirmed")
        cache = unbound.control("dump_cache").splitlines()
        assert not [line for line in cache if line.startswith("split.test.") and "\tMX\t" in line]
        assert mx_hosts(question(unbound, "split.test", "MX"), "split.test") == []


@pytest.mark.parametrize("order", ["ipsecmod dynlib iterator", "dynlib ipsecmod iterator"])
def test_ipsecmod_is_not_led_to_a_target(tmp_path, world, order):
    """What a CNAME leads to has the key of a stranger's; clients ask for MX only."""
    asked = world.own.queries("www.cdn.test", "IPSECKEY")
    with Chain(tmp_path, world.upstreams, order) as unbound:
        unbound.ask("split.test", "MX")
        unbound.ask("split.test", "CNAME")
        event = unbound.wait_event(PROVED_IN_S, event="opened", domain="split.test")
        assert event["impact"] == "implicit-mx"
        assert world.own.queries("www.cdn.test", "IPSECKEY") == asked
