# SPDX-License-Identifier: BSD-3-Clause
"""Somebody who goes on asking while something else breaks, and misses nothing.

    with watching(unbound, "log-file is gone"):
        ...break something, mend it...

Half of the questions are for names that nobody asked before, half for one that the cache has. Each
is asked again as a stub resolver does if no answer comes. At the end the watch fails if a question
was not answered, or not with what the authority says, or if no answer came for too long.
"""

import contextlib
import json
import random
import selectors
import socket
import threading
import time

import dns.exception
import dns.message
import dns.rcode
import dns.rdatatype
from lab import BUILD, family, free_address, wait_until
from resolver import EVENT_TIMEOUT_S

RATE_PER_S = 50
# More than one, so that each of Unbound's threads has some of them.
SOCKETS = 8
# A stub resolver's patience.
RETRY_S = 1
TRIES = 5
# Of what went wrong, so much is told.
SHOWN = 5
# A gap is the time from one answer to the next. Nothing that happens to the module may stop the
# resolver; only a reload does for a moment, and a busy machine. This finds what hangs; how long the
# gaps were is among the figures.
LONGEST_GAP_S = 20
# One line for each watch, for whoever wants the figures.
FIGURES = BUILD / "tests" / "watched"

# What is asked of the world of world.py: the wildcard's owners, and a name for the cache.
FRESH, FRESH_ADDRESS = "wild.test", "192.0.2.10"
CACHED, CACHED_ADDRESS = "mail.good.test", "192.0.2.31"


class Question:
    """One question that waits for its answer."""

    def __init__(self, name, address, connection):
        self.name = name
        self.address = address
        self.connection = connection
        self.tries = 0
        self.sent_s = 0.0


class Watcher:
    """Asks one resolver from a thread of its own, from start() to stop()."""

    def __init__(self, unbound, rate_per_s=RATE_PER_S):
        self.server = (unbound.address, unbound.port)
        self.rate_per_s = rate_per_s
        self.family = family(unbound.address)
        self.source = "::1" if self.family == socket.AF_INET6 else free_address()
        # so that two watches of one resolver ask no name twice
        self.prefix = f"w{random.getrandbits(32):x}"
        self.waiting = {}
        self.asked = self.answered = self.repeated = 0
        self.lost = []
        self.wrong = []
        self.longest_gap_s = 0.0
        self.last_answer_s = time.monotonic()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        """Ask, and come back when the first answer is there: what is watched may be over soon."""
        self.last_answer_s = time.monotonic()
        self._thread.start()
        wait_until(
            lambda: self.answered or self.lost, EVENT_TIMEOUT_S, f"an answer from {self.server}"
        )
        return self

    def stop(self):
        """Ask nothing more, and wait for what was asked."""
        self._stopping.set()
        self._thread.join()

    def figures(self):
        return {
            "asked": self.asked,
            "answered": self.answered,
            "repeated": self.repeated,
            "lost": len(self.lost),
            "wrong": len(self.wrong),
            "longest_gap_s": round(self.longest_gap_s, 3),
        }

    # On the thread.

    def _run(self):
        with contextlib.ExitStack() as stack:
            ready = stack.enter_context(selectors.DefaultSelector())
            sockets = []
            for _ in range(SOCKETS):
                one = stack.enter_context(socket.socket(self.family, socket.SOCK_DGRAM))
                one.bind((self.source, 0))
                one.setblocking(False)
                ready.register(one, selectors.EVENT_READ)
                sockets.append(one)
            due_s = time.monotonic()
            while not self._stopping.is_set() or self.waiting:
                now_s = time.monotonic()
                if now_s >= due_s and not self._stopping.is_set():
                    self._ask(sockets[self.asked % SOCKETS], now_s)
                    due_s = max(due_s + 1 / self.rate_per_s, now_s)
                self._ask_again(now_s)
                for key, _ in ready.select(1 / self.rate_per_s / 2):
                    self._take(key.fileobj)
            self._note_gap(time.monotonic())

    def _ask(self, connection, now_s):
        if self.asked % 2:
            question = Question(CACHED, CACHED_ADDRESS, connection)
        else:
            question = Question(f"{self.prefix}-{self.asked}.{FRESH}", FRESH_ADDRESS, connection)
        number = random.randrange(1 << 16)
        while number in self.waiting:
            number = random.randrange(1 << 16)
        self.waiting[number] = question
        self.asked += 1
        self._send(number, question, now_s)

    def _send(self, number, question, now_s):
        query = dns.message.make_query(question.name, "A", id=number)
        question.tries += 1
        question.sent_s = now_s
        # a server that is not there says so, and is asked again like one that says nothing
        with contextlib.suppress(OSError):
            question.connection.sendto(query.to_wire(), self.server)

    def _ask_again(self, now_s):
        for number, question in list(self.waiting.items()):
            if now_s - question.sent_s < RETRY_S:
                continue
            if question.tries == TRIES:
                self.lost.append(question.name)
                del self.waiting[number]
            else:
                self.repeated += 1
                self._send(number, question, now_s)

    def _take(self, connection):
        try:
            octets = connection.recv(65535)
            answer = dns.message.from_wire(octets)
        except OSError:
            return
        except dns.exception.DNSException as error:
            self.wrong.append(f"{error!r}")
            return
        question = self.waiting.pop(answer.id, None)
        if not question:
            # the second answer to a question that was asked twice
            return
        now_s = time.monotonic()
        self.answered += 1
        self._note_gap(now_s)
        addresses = [
            record.to_text()
            for rrset in answer.answer
            if rrset.rdtype == dns.rdatatype.A
            for record in rrset
        ]
        if answer.rcode() != dns.rcode.NOERROR or addresses != [question.address]:
            self.wrong.append(
                f"{question.name}: {dns.rcode.to_text(answer.rcode())} {' '.join(addresses)}"
            )

    def _note_gap(self, now_s):
        self.longest_gap_s = max(self.longest_gap_s, now_s - self.last_answer_s)
        self.last_answer_s = now_s


@contextlib.contextmanager
def watching(unbound, what, *, longest_gap_s=LONGEST_GAP_S, rate_per_s=RATE_PER_S):
    """Watch while the block runs; `what` names it in the figures. Gives the Watcher."""
    watcher = Watcher(unbound, rate_per_s).start()
    try:
        yield watcher
    finally:
        watcher.stop()
        FIGURES.parent.mkdir(parents=True, exist_ok=True)
        with open(FIGURES, "a", encoding="ascii") as figures:
            figures.write(json.dumps({"what": what, **watcher.figures()}) + "\n")
    assert not watcher.lost, f"{what}: not answered: {watcher.lost[:SHOWN]}\n{unbound.log[-2000:]}"
    assert not watcher.wrong, f"{what}: {watcher.wrong[:SHOWN]}\n{unbound.log[-2000:]}"
    assert watcher.answered == watcher.asked > 0
    assert watcher.longest_gap_s < longest_gap_s, f"{what}: {watcher.figures()}"


def main():
    """Print what was watched, one line each, and the sums."""
    watched = [json.loads(line) for line in FIGURES.read_text().splitlines()]
    columns = ("asked", "answered", "repeated", "lost", "wrong", "longest_gap_s")
    print(f"{'what':<48}" + "".join(f"{column:>15}" for column in columns))
    for one in watched:
        print(f"{one['what']:<48}" + "".join(f"{one[column]:>15}" for column in columns))
    sums = [sum(one[column] for one in watched) for column in columns[:-1]]
    longest = max(one["longest_gap_s"] for one in watched)
    print(f"{len(watched)} watches" + "".join(f", {n} {c}" for c, n in zip(columns, sums)))
    print(f"longest gap {longest} s")


if __name__ == "__main__":
    main()
