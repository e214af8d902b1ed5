# SPDX-License-Identifier: BSD-3-Clause
"""The process has few descriptors left, and HTTP clients hold on to what they get."""

import contextlib
import resource
import socket
import time

from lab import wait_until
from resolver import EVENT_TIMEOUT_S
from watcher import watching

# More than the server takes at once (HTTPD_CONNECTIONS_MAX), and what the process may open when
# they come: less than that.
CLIENTS = 80
LEFT = 32
HOLD_S = 3


def test_greedy_http_clients_and_few_descriptors(world, start):
    """The resolver needs a socket for each question that it asks: it gets them."""
    unbound = start(world.upstreams)
    limit = unbound.descriptor_count() + LEFT
    resource.prlimit(unbound.pid, resource.RLIMIT_NOFILE, (limit, limit))
    with contextlib.ExitStack() as clients, watching(unbound, "descriptors: few, HTTP clients"):
        for _ in range(CLIENTS):
            one = clients.enter_context(socket.socket())
            one.settimeout(EVENT_TIMEOUT_S)
            one.connect((unbound.address, unbound.http_port))
        time.sleep(HOLD_S)
        clients.close()
        wait_until(unbound.serves, EVENT_TIMEOUT_S, "the HTTP server")
