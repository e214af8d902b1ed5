# SPDX-License-Identifier: BSD-3-Clause
"""Plays questions to a resolver so that each run does exactly the same.

Each question is sent when the answer to the last has come and the resolver has gone to sleep: else
it would at times find the next question before it waits for one, and save itself a turn.
"""

import os
import re
import socket
import time

import dns.message

TIMEOUT_S = 30
GOOD_RCODES = (0, 3)
PORT_TRIES = 64
# answered by any Unbound itself
LOCAL = "localhost", "A"


def encode(questions):
    """The octets of all queries, with EDNS and ids in a row."""
    cache = {}
    queries = []
    for number, question in enumerate(questions):
        if question not in cache:
            cache[question] = dns.message.make_query(*question, use_edns=0, id=0).to_wire()
        queries.append((number & 0xFFFF).to_bytes(2, "big") + cache[question][2:])
    return queries


class Player:
    """One client with one socket, so that one thread of the resolver gets all its queries."""

    def __init__(self, resolver):
        self.resolver = resolver
        tasks = f"/proc/{resolver.pid}/task"
        self.states = [
            os.open(f"{tasks}/{task}/stat", os.O_RDONLY) for task in os.listdir(tasks)
        ]
        self.socket = self._socket_of_first_thread()

    def _asked_first_thread(self):
        return re.search(r"thread0\.num\.queries=(\d+)", self.resolver.control("stats_noreset"))[1]

    def _socket_of_first_thread(self):
        """The kernel picks a thread by the client's port: find one that goes to the first."""
        for _ in range(PORT_TRIES):
            before = self._asked_first_thread()
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.settimeout(TIMEOUT_S)
            self.socket.connect((self.resolver.address, self.resolver.port))
            self.play(encode([LOCAL]))
            if self._asked_first_thread() != before:
                return self.socket
            self.socket.close()
        raise TimeoutError("the resolver's first thread gets no query")

    def _runs(self):
        # PID (PROGRAM) STATE ...
        states = (os.pread(stat, 256, 0).rpartition(b")")[2][1:2] for stat in self.states)
        return any(state not in b"SI" for state in states)

    def settle(self):
        """Wait until all threads of the resolver sleep. Raises TimeoutError if they do not."""
        deadline = time.monotonic() + TIMEOUT_S
        while self._runs():
            if time.monotonic() > deadline:
                raise TimeoutError("the resolver does not come to rest")

    def play(self, queries):
        """Ask all. Returns how many answers were neither NOERROR nor NXDOMAIN.

        Raises TimeoutError if one does not come.
        """
        bad = 0
        for query in queries:
            self.settle()
            self.socket.send(query)
            answer = self.socket.recv(4096)
            while answer[:2] != query[:2]:
                answer = self.socket.recv(4096)
            bad += answer[3] & 15 not in GOOD_RCODES
        self.settle()
        return bad

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        for stat in self.states:
            os.close(stat)
