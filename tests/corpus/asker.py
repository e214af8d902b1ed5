# SPDX-License-Identifier: BSD-3-Clause
"""Asks resolvers many questions at once over UDP, as many clients would.

The questions of one domain are asked one after the other, or all at once; those of many domains at
the same time.
"""

import select
import socket
import struct
import time
from collections import deque

import dns.name

TYPES = {
    **{"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "MX": 15, "TXT": 16, "AAAA": 28, "HTTPS": 65},
    "ANY": 255,
}
# Unbound shares clients out to its threads by their ports.
SOCKETS = 16
# Domains that one resolver is asked about at a time.
WINDOW = 96
# Unbound itself tries a silent server for long.
TRY_TIMEOUT_S = 5
TRIES = 4
HEADER_OCTETS = 12
RD = 0x0100
RCODES = ("NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED")


def _query(query_id, name, rdtype):
    if "\\" in name:
        wire = dns.name.from_text(name.encode()).to_wire()
    else:
        # twenty times as fast, and there are many
        wire = b"".join(bytes([len(x)]) + x.encode() for x in name.split(".")) + b"\0"
    header = struct.pack("!6H", query_id, RD, 1, 0, 0, 0)
    return header + wire + struct.pack("!HH", TYPES[rdtype], 1)


class _Asked:
    """A question under way."""

    __slots__ = ("walk", "question", "tries", "octets", "key")


class _Walk:
    """The questions of one domain in one phase."""

    __slots__ = ("domain", "questions", "next", "open")

    def __init__(self, domain, questions):
        self.domain = domain
        self.questions = questions
        self.next = 0
        self.open = 0


class Asker:
    """Asks one resolver. `failures` are (domain, question, what came)."""

    def __init__(self, address, port, window=WINDOW):
        self.window = window
        self.sockets = []
        for _ in range(SOCKETS):
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.setblocking(False)
            sock.connect((address, port))
            self.sockets.append(sock)
        self.waiting = deque()
        self.active = 0
        self.pending = {}
        self.deadlines = deque()
        self.asked = 0
        self.failures = []

    def close(self):
        for sock in self.sockets:
            sock.close()

    def add(self, domain, questions):
        """Queue the questions of a domain."""
        if questions:
            self.waiting.append(_Walk(domain, questions))

    @property
    def done(self):
        return not self.waiting and not self.active

    def pump(self):
        """Begin what the window has room for, and ask again what was not answered."""
        while self.waiting and self.active < self.window:
            walk = self.waiting.popleft()
            self.active += 1
            for _ in range(len(walk.questions) if walk.domain.burst else 1):
                self._ask_next(walk)
        now = time.monotonic()
        while self.deadlines and self.deadlines[0][0] <= now:
            _, asked = self.deadlines.popleft()
            if self.pending.get(asked.key) is not asked:
                continue
            if asked.tries == TRIES:
                del self.pending[asked.key]
                self._answered(asked, "no answer")
            else:
                self._send(asked)

    def _ask_next(self, walk):
        asked = _Asked()
        asked.walk = walk
        asked.question = walk.questions[walk.next]
        asked.tries = 0
        walk.next += 1
        walk.open += 1
        while True:
            self.asked += 1
            number = self.asked % SOCKETS
            query_id = self.asked // SOCKETS & 0xFFFF
            if (number, query_id) not in self.pending:
                break
        asked.key = (number, query_id)
        asked.octets = _query(query_id, *asked.question)
        self.pending[asked.key] = asked
        self._send(asked)

    def _send(self, asked):
        asked.tries += 1
        self.deadlines.append((time.monotonic() + TRY_TIMEOUT_S, asked))
        try:
            self.sockets[asked.key[0]].send(asked.octets)
        except BlockingIOError:
            pass  # lost, as UDP has it: asked again in time

    def receive(self, sock):
        """Take all answers that a socket has."""
        number = self.sockets.index(sock)
        while True:
            try:
                octets = sock.recv(4096)
            except BlockingIOError:
                return
            if len(octets) < HEADER_OCTETS:
                continue
            query_id, flags = struct.unpack_from("!HH", octets)
            asked = self.pending.pop((number, query_id), None)
            if asked:
                self._answered(asked, RCODES[min(flags & 0xF, 5)])

    def _answered(self, asked, rcode):
        walk = asked.walk
        walk.open -= 1
        owner = asked.question[0].lower()
        relative = owner[: -len(walk.domain.name) - 1]
        if rcode not in ("NOERROR", "NXDOMAIN") and relative not in walk.domain.may_fail:
            self.failures.append((walk.domain, asked.question, rcode))
        if walk.next < len(walk.questions) and not walk.domain.burst:
            self._ask_next(walk)
        elif walk.open == 0 and walk.next == len(walk.questions):
            self.active -= 1


def run(askers, on_turn):
    """Ask until all are done; on_turn() is called several times a second."""
    homes = {sock: asker for asker in askers for sock in asker.sockets}
    poll = select.epoll()
    by_number = {sock.fileno(): sock for sock in homes}
    for number in by_number:
        poll.register(number, select.EPOLLIN)
    try:
        turn = 0
        while not all(asker.done for asker in askers):
            for asker in askers:
                asker.pump()
            for number, _ in poll.poll(0.1):
                sock = by_number[number]
                homes[sock].receive(sock)
            if time.monotonic() > turn:
                on_turn()
                turn = time.monotonic() + 0.2
    finally:
        poll.close()
