# SPDX-License-Identifier: BSD-3-Clause
"""Slow, greedy and broken HTTP clients: they get little, honest ones are served, DNS goes on.

The bounds are those of module/output/httpd.h; what each costs is in docs/security.md.
"""

import os
import random
import socket
import time

import pytest
from lab import wait_until
from resolver import EVENT_TIMEOUT_S
from rude import GET, Slow, connect, exchange, read_all
from watcher import watching

CONNECTIONS_MAX = 64
TIMEOUT_S = 10
# What a busy machine adds to a deadline.
SLACK_S = 9
FLOOD = 1000
PIPELINED = 10000
# Questions a second while something short is going on.
FAST = 300
# 64 connections with 8 KiB of headers each, their buffers, and what the allocator keeps.
GROWTH_KIB = 8192
# The refused connection that is just being closed; those of queries under way.
DESCRIPTORS = 12


def assert_served(unbound):
    """An honest scraper gets everything, and waits for nobody's deadline."""
    began_s = time.monotonic()
    assert "mxclash_build_info" in unbound.http("/metrics")[2]
    assert time.monotonic() - began_s < SLACK_S


@pytest.fixture
def unbound(world, start):
    one = start(world.upstreams)
    one.ask("split.test", "A")
    one.wait_event(event="opened", domain="split.test")
    assert_served(one)
    return one


def slow_clients(unbound):
    """As many as may be connected at once, of every kind there is."""
    head = b"GET /metrics HTTP/1.1\r\nX: "
    kinds = [
        {"first": b""},
        {"first": b"G", "then": b"E"},
        {"first": head, "then": b"x"},
        {"first": head + b"\r\n", "then": b"Y: z\r\n"},
        {"first": b"GET / HTTP/1.1\r\nContent-Length: 8000\r\n\r\n", "then": b"x"},
        {"first": b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "then": b"1\r\nx\r\n"},
        {"first": b"GET /metr", "then": b"i"},
        {"first": b"\x16\x03\x01\x02", "then": b"\0"},
    ]
    return [Slow(unbound, **kinds[number % len(kinds)]) for number in range(CONNECTIONS_MAX)]


def test_slow_clients_take_every_place_and_lose_it_at_the_deadline(unbound):
    descriptors, resident = unbound.descriptor_count(), unbound.resident_kib()
    with watching(unbound, "slow HTTP clients in every place"):
        slow = slow_clients(unbound)
        # one more is closed at once; it cannot be served now, and is told so
        began_s = time.monotonic()
        for _ in range(20):
            with connect(unbound) as late:
                assert read_all(late) == b""
        assert time.monotonic() - began_s < SLACK_S
        while any([one.stands(time.monotonic()) for one in slow]):
            assert unbound.descriptor_count() <= descriptors + CONNECTIONS_MAX + DESCRIPTORS
            time.sleep(0.05)
            assert time.monotonic() - began_s < TIMEOUT_S + SLACK_S
        # whose request is broken is told at once, the others have all of the time
        assert any(one.lasted_s > TIMEOUT_S - 1 for one in slow)
        assert_served(unbound)
    assert unbound.grown_kib(resident) < GROWTH_KIB
    metrics = unbound.metrics()
    assert metrics['mxclash_http_refused_total{reason="connections"}'] >= 20
    assert metrics['mxclash_http_refused_total{reason="deadline"}'] >= CONNECTIONS_MAX / 2
    wait_until(
        lambda: unbound.descriptor_count() <= descriptors + DESCRIPTORS,
        EVENT_TIMEOUT_S,
        "the descriptors of the slow clients",
    )


def test_a_flood_of_connections_is_over_when_it_is_over(unbound):
    descriptors, resident = unbound.descriptor_count(), unbound.resident_kib()
    with watching(unbound, "flood of HTTP connections"):
        standing = []
        for number in range(FLOOD):
            one = connect(unbound)
            if number % 3 == 0:
                one.sendall(GET % b"/metrics/domains")
            standing.append(one)
            # some hang up at once, some when they get in the way of our own bound
            if number % 2 or len(standing) > 200:
                standing.pop(random.randrange(len(standing))).close()
        for one in standing:
            one.close()
        wait_until(unbound.serves, EVENT_TIMEOUT_S, "the HTTP server")
        assert_served(unbound)
    assert unbound.grown_kib(resident) < GROWTH_KIB
    wait_until(
        lambda: unbound.descriptor_count() <= descriptors + DESCRIPTORS,
        EVENT_TIMEOUT_S,
        "the descriptors of the flood",
    )


def test_clients_that_never_read_hold_nobody_up(unbound):
    resident = unbound.resident_kib()
    with watching(unbound, "HTTP clients that never read", rate_per_s=FAST):
        for _ in range(10):
            unread = [connect(unbound) for _ in range(CONNECTIONS_MAX - 1)]
            for one in unread:
                one.sendall(GET % b"/metrics")
            assert_served(unbound)
            for one in unread:
                one.close()
    assert unbound.grown_kib(resident) < GROWTH_KIB


def test_pipelined_requests_get_one_reply(unbound):
    resident = unbound.resident_kib()
    with watching(unbound, "pipelined HTTP requests", rate_per_s=FAST):
        for path in (b"/healthz", b"/metrics", b"/nowhere") * 5:
            reply = exchange(unbound, GET % path * PIPELINED)
            # the server closes with most of them unread, so the reply itself may be lost on the way
            assert reply.count(b"HTTP/1.1 ") <= 1
            assert_served(unbound)
    assert unbound.grown_kib(resident) < GROWTH_KIB


LONG = 1 << 20
BROKEN = {
    "long-path": b"GET /" + b"x" * LONG + b" HTTP/1.1\r\n\r\n",
    "long-query": GET % (b"/metrics?" + b"q" * LONG),
    "long-header": b"GET /metrics HTTP/1.1\r\nX: " + b"x" * LONG + b"\r\n\r\n",
    "many-headers": b"GET /metrics HTTP/1.1\r\n" + b"A: b\r\n" * (LONG // 6) + b"\r\n",
    "long-method": b"G" * LONG,
    "long-body": b"GET /metrics HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % LONG + b"b" * LONG,
    "endless-chunks": b"GET /metrics HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    + b"400\r\n"
    + (b"c" * 1024 + b"\r\n400\r\n") * 1000,
    "chunk-size-huge": b"GET /metrics HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"ffffffffffffffff\r\nx",
    "chunk-size-negative": b"GET /metrics HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nx",
    "length-negative": b"GET /metrics HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    "length-huge": b"GET /metrics HTTP/1.1\r\nContent-Length: 18446744073709551616\r\n\r\n",
    "http-0.9": b"GET /metrics\r\n",
    "http-9.9": b"GET /metrics HTTP/9.9\r\n\r\n",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)) * 2,
    "h2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0",
    "zeros": b"\0" * LONG,
    "random": random.Random(1).randbytes(LONG),
    "line-ends": b"\r\n" * 100000,
    "percent": GET % b"/%2e%2e/%00/metrics%0d%0aX:%20y",
    "absolute": GET % b"http://elsewhere/metrics",
    "authority": b"CONNECT 127.0.0.1:25 HTTP/1.1\r\n\r\n",
    "upgrade": b"GET /metrics HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "expect": b"GET /metrics HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
}


def test_broken_requests_end_soon_and_change_nothing(unbound):
    resident = unbound.resident_kib()
    with watching(unbound, "broken HTTP requests", rate_per_s=FAST):
        for name, octets in BROKEN.items():
            began_s = time.monotonic()
            reply = exchange(unbound, octets)
            assert time.monotonic() - began_s < SLACK_S, name
            # a client's octets never come back to it as a part of the reply's head
            assert b"\nX: y" not in reply, name
            if reply and name not in ("absolute", "expect", "upgrade", "percent", "http-0.9"):
                assert b" 200 " not in reply.split(b"\r\n")[0], name
            assert_served(unbound)
    assert unbound.grown_kib(resident) < GROWTH_KIB
    assert unbound.process.poll() is None


def test_unix_socket_bounds_its_clients_too(world, start):
    unbound = start(world.upstreams, http="unix")
    with watching(unbound, "HTTP clients of a unix socket", rate_per_s=FAST):
        standing = []
        for _ in range(CONNECTIONS_MAX):
            one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            one.settimeout(EVENT_TIMEOUT_S)
            one.connect(str(unbound.http_path))
            standing.append(one)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as late:
            late.settimeout(EVENT_TIMEOUT_S)
            late.connect(str(unbound.http_path))
            assert read_all(late) == b""
        for one in standing:
            one.close()
        wait_until(unbound.serves, EVENT_TIMEOUT_S, "the HTTP server")
    # nobody but owner and group may connect at all
    assert os.stat(unbound.http_path).st_mode & 0o777 == 0o660
