# SPDX-License-Identifier: BSD-3-Clause
"""Somebody who asks a resolver for very many names, as fast as it answers.

    flood.py ADDRESS PORT FIRST COUNT QUESTION...

Each QUESTION is TYPE:SUFFIX; number n asks for the name `nNUMBER` below each suffix in turn. At the
end a line of JSON says how many were asked, answered and lost, and how long it took. A process of
its own, so that it takes nothing from who measures.
"""

import itertools
import json
import random
import selectors
import socket
import struct
import sys
import time

# Questions under way: fewer than Unbound's own bounds.
WINDOW = 200
SOCKETS = 4
RETRY_S = 2
TRIES = 5
SHOWN = 10
TYPES = {"A": 1, "MX": 15, "TXT": 16}
HEADER_RD = 0x0100


def wire(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def query(number, name, rdtype):
    """One question with RD, and an OPT record."""
    header = struct.pack("!6H", number, HEADER_RD, 1, 0, 0, 1)
    return header + wire(name) + struct.pack("!HHBHHIH", TYPES[rdtype], 1, 0, 41, 1232, 0, 0)


def questions(first, count, kinds):
    """All that is to be asked, in order."""
    for number, kind in zip(range(first, first + count), itertools.cycle(kinds)):
        rdtype, suffix = kind.split(":")
        for one in rdtype.split("+"):
            yield f"n{number}.{suffix}", one


def flood(address, port, coming):
    """Ask all. Gives what came of it as a dict."""
    ready = selectors.DefaultSelector()
    sockets = []
    for _ in range(SOCKETS):
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.connect((address, port))
        one.setblocking(False)
        ready.register(one, selectors.EVENT_READ)
        sockets.append(one)
    waiting = {}
    asked = answered = repeated = lost = 0
    failed = []
    began_s = checked_s = time.monotonic()
    more = True
    while more or waiting:
        while more and len(waiting) < WINDOW:
            question = next(coming, None)
            if not question:
                more = False
                break
            number = random.randrange(1 << 16)
            while number in waiting:
                number = random.randrange(1 << 16)
            one = sockets[asked % SOCKETS]
            octets = query(number, *question)
            waiting[number] = [one, octets, time.monotonic(), 1]
            one.send(octets)
            asked += 1
        for key, _ in ready.select(0.1):
            try:
                while True:
                    octets = key.fileobj.recv(65535)
                    question = waiting.pop(octets[0] << 8 | octets[1], None)
                    answered += bool(question)
                    if question and (octets[3] & 15) not in (0, 3):
                        failed.append(question[1][12:-15].decode(errors="replace"))
            except BlockingIOError:
                pass
        now_s = time.monotonic()
        if now_s - checked_s > 0.5:
            checked_s = now_s
            for number, entry in list(waiting.items()):
                if now_s - entry[2] < RETRY_S:
                    continue
                if entry[3] == TRIES:
                    lost += 1
                    del waiting[number]
                    continue
                repeated += 1
                entry[2] = now_s
                entry[3] += 1
                entry[0].send(entry[1])
    return {
        "asked": asked,
        "answered": answered,
        "failed": len(failed),
        "failed_names": failed[:SHOWN],
        "repeated": repeated,
        "lost": lost,
        "seconds": round(time.monotonic() - began_s, 3),
    }


if __name__ == "__main__":
    where, on, begin, number_of, *asked_for = sys.argv[1:]
    print(
        json.dumps(flood(where, int(on), questions(int(begin), int(number_of), asked_for))),
        flush=True,
    )
