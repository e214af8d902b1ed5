# SPDX-License-Identifier: BSD-3-Clause
"""HTTP clients that mean no good: raw sockets, so that every octet is ours to choose."""

import contextlib
import socket
import time

from lab import ANSWER_TIMEOUT_S

GET = b"GET %s HTTP/1.1\r\nHost: h\r\n\r\n"


def connect(unbound):
    """A connection to the module's HTTP server."""
    one = socket.create_connection((unbound.address, unbound.http_port), ANSWER_TIMEOUT_S)
    # not to keep in our own buffers what the server should have to wait with
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    return one


def read_all(one):
    """All that the server sends until it closes; that it resets at the end is no matter."""
    octets = b""
    with contextlib.suppress(ConnectionResetError):
        while more := one.recv(65536):
            octets += more
    return octets


def exchange(unbound, octets):
    """Send octets, say that no more come, and return all of the reply.

    The server may hang up before it has read everything.
    """
    with connect(unbound) as one:
        with contextlib.suppress(OSError):
            one.sendall(octets)
            one.shutdown(socket.SHUT_WR)
        return read_all(one)


class Slow:
    """One connection that is kept as long as the server lets it, an octet now and then."""

    def __init__(self, unbound, first, then=b""):
        self.one = connect(unbound)
        self.one.sendall(first)
        self.one.setblocking(False)
        self.began_s = self.next_s = time.monotonic()
        self.then = then
        self.lasted_s = None

    def stands(self, now_s):
        """Send the next octet if it is time for it; False once the server has closed."""
        if self.lasted_s is None and not self._go_on(now_s):
            self.lasted_s = now_s - self.began_s
            self.one.close()
        return self.lasted_s is None

    def _go_on(self, now_s):
        try:
            if self.then and now_s >= self.next_s:
                self.next_s += 1
                self.one.send(self.then)
            return bool(self.one.recv(65536))
        except BlockingIOError:
            return True
        except OSError:
            return False
