# SPDX-License-Identifier: BSD-3-Clause
"""Senders of dnstap that tear, flood, lie, never read or never write; the good ones are served."""

import contextlib
import random
import socket
import struct
import threading
import time

import pytest
from lab import DNS_PORT, Authority, free_address, wait_until
from observing import EVENT_TIMEOUT_S
from sidecar import Sidecar
from tapping import (
    CLIENT_RESPONSE,
    CONTENT,
    READY,
    RESOLVER_RESPONSE,
    START,
    STOP,
    Sender,
    answer,
    conflict,
    control,
    frame,
    tap,
)

ZONES = 240
# receiver.h
SENDERS_MAX = 256
BEGIN_S, FRAME_S = 10, 60


def zones_text(address):
    """A root, and zones that answer by type, all of one server; d0.test and so on are broken."""
    broken = [f"d{number}.test" for number in range(ZONES)]
    names = [*broken, "good.test", "cdn.test"]
    lines = ["zone ."]
    for name in names:
        lines += [f"  {name}. NS ns.{name}.", f"  ns.{name}. A {address}"]
    lines += ["zone cdn.test", "  www A 192.0.2.1", "  mail A 192.0.2.2"]
    lines += ["zone good.test", "  @ MX 5 mail.cdn.test.", "  @ A 192.0.2.3"]
    for name in broken:
        lines += [f"zone {name}", "  answer by-type", "  @ 600 CNAME www.cdn.test."]
        lines += ["  @ 600 MX 5 mail.cdn.test."]
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """The authority of all of it, which does as a resolver too: so it sees every packet."""
    address = free_address(DNS_PORT)
    folder = tmp_path_factory.mktemp("own")
    with Authority(folder, zones_text(address), address, DNS_PORT) as authority:
        yield authority


@pytest.fixture
def sidecar(own, tmp_path):
    with Sidecar(tmp_path, resolver=own, listen="both", mxclash={"probe-rate": 200}) as one:
        yield one


def still_works(sidecar, domain):
    """A good sender is served."""
    with Sender(sidecar).begin() as good:
        good.tell(conflict(domain))
        sidecar.wait_event(event="opened", domain=domain, state="confirmed")
        good.end()


def test_a_stream_from_begin_to_end(sidecar):
    for tcp in (False, True):
        with Sender(sidecar, tcp=tcp).begin() as sender:
            sender.tell(conflict(f"d{int(tcp)}.test"))
            sender.end()
    with Sender(sidecar) as alone:
        alone.send(control(START, CONTENT))
        alone.tell(conflict("d2.test"))
        alone.send(control(STOP))
        assert alone.is_closed()
    for number in range(3):
        sidecar.wait_event(event="opened", domain=f"d{number}.test", state="confirmed")
    assert sidecar.frames("inspected") == 6
    assert sidecar.ended("stopped") == 3
    assert sidecar.senders() == 0


def test_torn_streams(sidecar):
    """Whatever a stream ends in, nothing of it stays, and what came before it counts."""
    whole = control(READY, CONTENT) + control(START, CONTENT)
    whole += b"".join(map(frame, conflict("d3.test")))
    for cut in range(0, len(whole), 3):
        with Sender(sidecar) as sender:
            sender.send(whole[:cut])
    wait_until(lambda: sidecar.senders() == 0, EVENT_TIMEOUT_S, "no sender")
    still_works(sidecar, "d4.test")


LIES = {
    "a length of 4 GiB": control(START, CONTENT) + struct.pack("!I", 2**32 - 1),
    "a length just too long": control(START, CONTENT) + struct.pack("!I", 2**18 + 1),
    "data before it began": frame(b"data"),
    "another content": control(START, b"protobuf:other"),
    "no content of ours": control(READY, b"protobuf:other", b"x" * 256),
    "ready again and again": control(READY, CONTENT) * 1000,
    "stop at once": control(STOP),
    "a control frame of 4 GiB": struct.pack("!II", 0, 2**32 - 1),
    "an unknown control frame": control(77),
    "HTTP": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "zeros": bytes(4096),
}


@pytest.mark.parametrize("octets", LIES.values(), ids=LIES)
def test_lies_end_the_connection(sidecar, octets):
    with Sender(sidecar) as liar:
        with contextlib.suppress(ConnectionError):
            liar.send(octets)
        assert liar.is_closed()
    assert sidecar.ended("refused") == 1


def test_frames_of_anything(sidecar):
    """Octets that are no dnstap, dnstap whose answers are no DNS: counted, and no more."""
    chance = random.Random(1)
    good = tap(RESOLVER_RESPONSE, answer("d5.test.", "MX"), "d5.test")
    with Sender(sidecar).begin() as sender:
        for _ in range(300):
            sender.tell([chance.randbytes(chance.randrange(1, 400))])
            spoiled = bytearray(good)
            for _ in range(3):
                spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
            sender.tell([bytes(spoiled)])
            sender.tell([tap(RESOLVER_RESPONSE, chance.randbytes(chance.randrange(1, 100)), ".")])
            sender.tell([tap(CLIENT_RESPONSE, chance.randbytes(chance.randrange(1, 100)))])
        # the longest there is, and one without an answer
        sender.tell([tap(RESOLVER_RESPONSE, bytes(65535), "."), tap(RESOLVER_RESPONSE, b"")])
        sender.tell([tap(RESOLVER_RESPONSE, bytes(65536), ".")])
        sender.end()
    assert sidecar.frames("malformed") >= 200
    assert sidecar.conflicts() == []
    still_works(sidecar, "d6.test")


def test_one_that_never_writes_and_one_that_never_ends_a_frame(sidecar):
    with Sender(sidecar), Sender(sidecar).begin() as slow, Sender(sidecar) as quiet:
        slow.tell(conflict("d7.test"))
        slow.send(struct.pack("!I", 1000) + b"begun")
        quiet.begin()
        began = time.monotonic()
        wait_until(lambda: sidecar.ended("deadline") == 1, EVENT_TIMEOUT_S, "the first to end")
        assert time.monotonic() - began >= BEGIN_S - 2
        still_works(sidecar, "d8.test")
        wait_until(lambda: sidecar.ended("deadline") == 2, FRAME_S + 30, "the second to end")
        assert time.monotonic() - began >= FRAME_S - 2
        # one that has begun, and has nothing to say, may take its time
        assert sidecar.senders() == 1
        quiet.tell(conflict("d9.test"))
        sidecar.wait_event(event="opened", domain="d9.test")


def test_one_that_never_reads(sidecar):
    """Our replies are two short ones: they wait in its socket, and nothing of ours waits for it."""
    with Sender(sidecar) as deaf:
        deaf.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        deaf.send(control(READY, CONTENT) + control(START, CONTENT))
        deaf.tell(conflict("d10.test") * 1000)
        deaf.send(control(STOP))
        sidecar.wait_event(event="opened", domain="d10.test", state="confirmed")
        wait_until(lambda: sidecar.ended("stopped") == 1, EVENT_TIMEOUT_S, "its end")


def test_more_senders_than_there_is_room_for(sidecar):
    before_kib = sidecar.resident_kib()
    with contextlib.ExitStack() as stack:
        for _ in range(SENDERS_MAX):
            stack.enter_context(Sender(sidecar)).send(
                control(READY, CONTENT) + control(START, CONTENT) + struct.pack("!I", 200000) + b"x"
            )
        sidecar.wait_senders(SENDERS_MAX)
        with Sender(sidecar) as surplus:
            assert surplus.is_closed()
        assert sidecar.ended("too-many") == 1
        # a claim of 200,000 octets each takes what has come
        assert sidecar.grown_kib(before_kib) < 8192
    wait_until(lambda: sidecar.senders() == 0, EVENT_TIMEOUT_S, "no sender")
    still_works(sidecar, "d11.test")


def test_connections_without_end_do_not_fill_the_log(sidecar):
    for _ in range(1500):
        with Sender(sidecar):
            pass

    def are_over():
        # who came while there was no room was turned away
        return sidecar.ended("closed") + sidecar.ended("too-many") == 1500

    wait_until(are_over, EVENT_TIMEOUT_S, "their end")
    assert sidecar.log.count("\n") < 200
    still_works(sidecar, "d12.test")


def test_floods_leave_room_for_others(sidecar):
    """Three that send as fast as they can: a fourth is heard, and memory stays."""
    stop = threading.Event()
    dull = [tap(RESOLVER_RESPONSE, answer("x.test.", "A", "x.test. 60 A 192.0.2.9"), "test")] * 500
    with Sender(sidecar).begin() as warm:
        warm.tell(dull * 10)
        warm.end()
    before_kib = sidecar.resident_kib()

    def flood():
        with Sender(sidecar).begin() as sender, contextlib.suppress(OSError):
            while not stop.is_set():
                sender.tell(dull)

    floods = [threading.Thread(target=flood) for _ in range(3)]
    for one in floods:
        one.start()
    try:
        still_works(sidecar, "d13.test")
    finally:
        stop.set()
        for one in floods:
            one.join()
    assert sidecar.grown_kib(before_kib) < 8192


def test_a_full_disk_stops_no_frame(own, tmp_path):
    with Sidecar(tmp_path, resolver=own, mxclash={"log-file": "/dev/full"}) as sidecar:
        with Sender(sidecar).begin() as sender:
            sender.tell(conflict("d14.test") * 5000)
            sender.end()
        assert sidecar.frames("inspected") == 10000
        wait_until(lambda: "confirmed cname-and-mx d14.test" in sidecar.log, EVENT_TIMEOUT_S, "it")
        sidecar.wait_metric('mxclash_events_dropped_total{sink="file"}', 1)


TIMES = {"the beginning": 0, "long ago": 1, "the end of time": 2**63, "far ahead": 253402300799}


@pytest.mark.parametrize("seconds", TIMES.values(), ids=TIMES)
def test_times_of_frames_do_not_count(sidecar, seconds):
    """Frames may come in any order, from clocks that go wrong: ours counts."""
    with Sender(sidecar).begin() as sender:
        sender.tell(conflict("d15.test", seconds=seconds)[::-1])
        event = sidecar.wait_event(event="opened", domain="d15.test", state="confirmed")
        assert event["first_seen"][:10] == time.strftime("%Y-%m-%d", time.gmtime())
        sender.end()


def test_what_a_sender_made_up_is_not_confirmed(sidecar):
    """Two answers say that a healthy domain is broken: its authority says that it is not."""
    with Sender(sidecar).begin() as sender:
        sender.tell(conflict("good.test"))
        sidecar.wait_metric('mxclash_probes_total{result="mx-only"}', 1)
        still_works(sidecar, "d16.test")
    assert sidecar.events(domain="good.test") == []


def test_all_packets_keep_to_the_rate(own, tmp_path):
    """To find the servers, to prove, to look up: whatever is sent counts, at any moment."""
    rate = 20
    with Sidecar(tmp_path, resolver=own, mxclash={"probe-rate": rate}) as sidecar:
        before = len(own.queries())
        began = time.monotonic()
        with Sender(sidecar).begin() as sender:
            for number in range(20, ZONES):
                sender.tell(conflict(f"d{number}.test"))
            while (passed := time.monotonic() - began) < 8:
                sent = len(own.queries()) - before
                # a second's worth may come at once
                assert sent <= rate * (time.monotonic() - began + 1) + 1
                time.sleep(0.2)
        # and it is used
        assert sent > rate * passed / 2


def test_loopback_is_not_asked_unless_allowed(own, tmp_path):
    """Whose nameserver is on loopback has us ask nobody."""
    with Sidecar(tmp_path, resolver=own, mxclash={"may-ask": "192.0.2.0/24"}) as sidecar:
        before = len(own.queries())
        with Sender(sidecar).begin() as sender:
            sender.tell(conflict("d17.test"))
            sidecar.wait_metric('mxclash_probes_total{result="failed"}', 1)
            event = sidecar.wait_event(event="opened", domain="d17.test")
            assert event["state"] == "suspected"
        # the resolver was, which the operator named: for the zones above and their servers
        assert not [q for q in own.queries()[before:] if q[0] == "d17.test."]
