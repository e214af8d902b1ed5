# SPDX-License-Identifier: BSD-3-Clause
"""Every order of Unbound's modules that makes sense, crossed with settings that change how a query
goes: each starts, finds the conflict, repairs it, answers every client and finds no other."""

import contextlib
import os
import socket
import subprocess
import types
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import dns.rcode
import pytest

from asking import STANDARD, chain, mx_hosts, question
from lab import (
    ANSWER_TIMEOUT_S,
    BUILD,
    Authority,
    LabError,
    Server,
    free_address,
    free_port,
    port_53_missing,
    wait_until,
)
from resolver import Unbound

# beside the server that was asked for, see HOST_FEATURES
ASKED_FOR = (BUILD / "unbound").resolve().parent
HOST = ASKED_FOR.with_name(f"{ASKED_FOR.name}-all")
PROVED_IN_S = 60
REPAIRED_IN_S = 60
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
    "forward": {"kind": "forward", "first": True},
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
    zone = f"zone names.test\n  own 600 A {world.own.address}\n"
    by_name = types.SimpleNamespace(known_by="host", endpoint=f"own.names.test@{world.own.port}")
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
            # the second look takes its time: once for each order is enough
            mxclash = {"repair": "yes", **({} if name == "plain" else {"confirm-after": "0"})}
            servers.append(Chain(tmp_path / name, upstreams, order, mxclash=mxclash, **wanted))
        for server in servers:
            # the kernel ends a child with the thread that made it: so not from the pool
            server.launch()
            stack.callback(server.stop)
        for server in servers:
            wait_until(server._ready_or_ended, PROVED_IN_S, f"{server.folder}: {server.log}")
        checks = {server: pool.submit(check, server) for server in servers}
        wait(checks.values())
        failed = {
            server.folder.name: f"{done.exception()!r}\n{server.log[-3000:]}"
            for server, done in checks.items()
            if done.exception()
        }
        assert failed == {}


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


class Redis(Server):
    """A store that outlives the resolver."""

    def command(self):
        options = {
            "bind": self.address,
            "port": str(self.port),
            "save": "",
            "appendonly": "no",
            "dir": str(self.folder),
        }
        words = [word for key, value in options.items() for word in (f"--{key}", value)]
        return ["redis-server", *words]

    def is_ready(self):
        try:
            return self.say("PING").startswith(b"+PONG")
        except OSError:
            return False

    def say(self, *words):
        """One command; the reply as it comes, if it is a short one."""
        request = b"*%d\r\n" % len(words)
        for word in words:
            request += b"$%d\r\n%s\r\n" % (len(word), word.encode())
        with socket.create_connection((self.address, self.port), ANSWER_TIMEOUT_S) as connection:
            connection.sendall(request)
            return connection.recv(65536)


@pytest.mark.parametrize("order", ["dynlib cachedb iterator", "cachedb dynlib iterator"])
def test_only_redis_remembers_the_cname(tmp_path, world, order):
    """After a restart the CNAME comes from the store, without a packet from the authority. It is
    found all the same, and what proves it is not written there."""
    address = free_address()
    zone = "zone store.test\n  answer by-type\n  @ 600 CNAME www.cdn.test.\n  @ 1 MX 5 mx.test.\n"
    redis = Redis(tmp_path / "redis", address, free_port(address))
    with redis, Authority(tmp_path / "own", zone) as own:
        upstreams = {**world.upstreams, "store.test": own}
        clauses = (
            *("cachedb:", '  backend: "redis"', f"  redis-server-host: {address}"),
            f"  redis-server-port: {redis.port}",
        )
        with Chain(tmp_path / "before", upstreams, "cachedb iterator", clauses=clauses) as unbound:
            question(unbound, "store.test", "A")
        with Chain(
            *(tmp_path / "after", upstreams, order),
            clauses=clauses,
            mxclash={"confirm-after": "0"},
        ) as unbound:
            assert mx_hosts(question(unbound, "store.test", "MX"), "store.test") == ["mx.test."]
            assert chain(question(unbound, "store.test", "A"))[0] == "store.test."

            def hidden():
                return chain(question(unbound, "store.test", "MX"))[0] == "store.test." and not (
                    mx_hosts(question(unbound, "store.test", "MX"), "store.test")
                )

            wait_until(hidden, ANSWER_TIMEOUT_S, "the end of the MX")
            assert len(own.queries("store.test", "A")) == 1
            unbound.wait_event(event="opened", domain="store.test", state="confirmed")
            # what proves it is read past the store, and not written there
            assert own.queries("store.test", "CNAME") != []
            assert redis.say("DBSIZE") == b":2\r\n"


def test_a_look_up_that_cachedb_could_answer(tmp_path):
    """A scenario for the replay tester of this host, which must get to its end."""
    scenario = Path(__file__).with_name("look-up-beside-cachedb.rpl").read_text()
    (tmp_path / "mxclash.conf").write_text(
        'log-file: ""\nhttp-listen: ""\nprobe-rate: 1\nconfirm-after: 0\n'
    )
    head = (
        f'dynlib:\n\tdynlib-file: "{HOST}/mxclash.so"\n'
        'server:\n\tmodule-config: "dynlib cachedb iterator"\n'
    )
    (tmp_path / "play.rpl").write_text(scenario.replace("server:\n", head, 1))
    run = subprocess.run(
        [HOST / "testbound", "-p", "play.rpl", "-o", "-vvvv"],
        env={**os.environ, "MXCLASH_CONF": str(tmp_path / "mxclash.conf")},
        capture_output=True,
        timeout=PROVED_IN_S,
        cwd=tmp_path,
        check=False,
    )
    assert run.returncode == 0, run.stderr.decode(errors="replace")[-3000:]
