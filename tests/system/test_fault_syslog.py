# SPDX-License-Identifier: BSD-3-Clause
"""The log daemon goes away: what it does not get counts as lost, is told, and only once."""

import socket

import pytest
from faults import breaker, dropped, wait_log
from lab import wait_until
from resolver import EVENT_TIMEOUT_S
from syslogging import Listener, UnboundWithSyslog, namespace_missing
from watcher import watching

LOST = "events are dropped and counted until it takes them"


def told(unbound, domain):
    """Wait until the daemon got the event of a domain."""
    name = f'"domain":"{domain}"'.encode()
    wait_until(
        lambda: any(name in line for line in unbound.listener.lines),
        EVENT_TIMEOUT_S,
        f"a line of {domain}",
    )


def stale_socket(path):
    """What a daemon that was killed leaves behind."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as killed:
        killed.bind(str(path))


def test_log_daemon_ends_and_is_started_anew(world, tmp_path):
    if reason := namespace_missing():
        pytest.skip(reason)
    with breaker(tmp_path / "own") as conflicts:
        unbound = conflicts.resolver(
            tmp_path / "unbound",
            world,
            kind_of=UnboundWithSyslog,
            mxclash={"log-syslog": "yes"},
        )
        unbound.listener.read()
        with unbound, watching(unbound, "the log daemon ends"):
            told(unbound, conflicts.open_one(unbound))
            path = unbound.listener.path
            left = path.with_name("left")
            path.rename(left)
            unbound.listener.path = left
            unbound.listener.close()
            # no socket; then one that nobody listens on
            for lost, make in enumerate((lambda: None, lambda: stale_socket(path)), 1):
                make()
                conflicts.open_one(unbound)
                wait_until(lambda: dropped(unbound, "syslog") == lost, EVENT_TIMEOUT_S, "a loss")
            wait_log(unbound, f"mxclash: log-syslog: No such file or directory; {LOST}")
            path.unlink()
            unbound.listener = Listener(path)
            unbound.listener.read()
            told(unbound, conflicts.open_one(unbound))
            wait_log(unbound, "mxclash: log-syslog: is back, 2 events were dropped")
            assert dropped(unbound, "syslog") == 2
            # `started`, and of the openings the first and the last
            assert unbound.metrics()['mxclash_events_total{sink="syslog"}'] == 3
            assert unbound.log.count("mxclash: log-syslog: ") == 2
        assert unbound.process.returncode == 0
    assert b'"event":"stopped"' in unbound.listener.lines[-1]
