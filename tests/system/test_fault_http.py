# SPDX-License-Identifier: BSD-3-Clause
"""The place where metrics are served is taken, or not there; later it is free. All at the same
time, because each waits for the same seconds."""

import os
import socket

import pytest
from faults import RETRY_TIMEOUT_S, lived_at_once, wait_log
from lab import ANSWER_TIMEOUT_S, free_address, free_port, wait_until
from resolver import EVENT_TIMEOUT_S, Unbound
from watcher import watching


def listener(family, where):
    taken = socket.socket(family, socket.SOCK_STREAM)
    taken.bind(where)
    taken.listen()
    return taken


def port_taken(folder):
    address = free_address()
    taken = listener(socket.AF_INET, (address, free_port(address)))
    return f"{address}@{taken.getsockname()[1]}", taken.close


def socket_taken(folder):
    """Another process listens there. Its end leaves a stale file."""
    path = folder / "taken"
    return str(path), listener(socket.AF_UNIX, str(path)).close


def file_in_the_way(folder):
    path = folder / "file"
    path.write_text("mine")

    def mend():
        assert path.read_text() == "mine"
        path.unlink()

    return str(path), mend


def folder_missing(folder):
    path = folder / "missing" / "http"
    return str(path), path.parent.mkdir


def link_to_nowhere(folder):
    path = folder / "link"
    path.symlink_to(folder / "missing" / "http")
    return str(path), path.unlink


# Where it is to listen and how that is mended, and what the operator is told.
FAULTS = {
    "port taken": (port_taken, "Address already in use"),
    "socket taken": (socket_taken, "Address already in use"),
    "file in the way": (file_in_the_way, "a file that is no socket is in the way"),
    "folder missing": (folder_missing, "No such file or directory"),
    "link to nowhere": (link_to_nowhere, "a file that is no socket is in the way"),
}


def serves_at(unbound, where):
    """Is the module's HTTP server there?"""
    unbound.http_port = None
    if "@" in where:
        host, port = where.split("@")
        # http() asks at the resolver's own address
        assert host != unbound.address
        with socket.create_connection((host, int(port)), timeout=ANSWER_TIMEOUT_S) as connection:
            connection.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            return connection.recv(4096).startswith(b"HTTP/1.0 200")
    unbound.http_path = where
    return unbound.http("/healthz")[0] == 200


def live_through(name, world, _, folder):
    fault, reason = FAULTS[name]
    where, mend = fault(folder)
    with (
        Unbound(folder / "unbound", world.upstreams, mxclash={"http-listen": where}) as unbound,
        watching(unbound, f"http-listen: {name}"),
    ):
        wait_log(unbound, f"mxclash: http-listen {where}: {reason}; tried again every 5 s")
        mend()
        wait_log(unbound, f"mxclash: http-listen {where}: is back", RETRY_TIMEOUT_S)
        assert serves_at(unbound, where)
        assert unbound.log.count(f"mxclash: http-listen {where}: ") == 2
    assert unbound.process.returncode == 0
    assert not os.path.lexists(where)


lived_through = lived_at_once(live_through, FAULTS)


@pytest.mark.parametrize("name", FAULTS)
def test_http_listen(lived_through, name):
    lived_through[name].result()


def test_stale_socket_file_is_replaced_at_once(world, start, tmp_path):
    """As after a crash."""
    path = tmp_path / "stale"
    listener(socket.AF_UNIX, str(path)).close()
    unbound = start(world.upstreams, mxclash={"http-listen": str(path)})
    assert serves_at(unbound, str(path))
    assert "http-listen" not in unbound.log


def test_address_of_another_machine(world, start):
    """The other listeners serve, and the fault is told once however often it is tried."""
    first = free_address()
    port = free_port(first)
    unbound = start(
        world.upstreams, mxclash={"http-listen": ["192.0.2.77@9853", f"{first}@{port}"]}
    )
    with watching(unbound, "http-listen: address not there"):
        wait_log(unbound, "http-listen 192.0.2.77@9853: Cannot assign requested address; tried")
        assert serves_at(unbound, f"{first}@{port}")
        # a second try, which a reload makes at once, is as patient
        unbound.reload()
        wait_until(lambda: serves_at(unbound, f"{first}@{port}"), EVENT_TIMEOUT_S, "it")
    assert unbound.log.count("192.0.2.77@9853") == 2
