# SPDX-License-Identifier: BSD-3-Clause
"""The HTTP server of `mxclash serve`: whom it answers, and what many and slow clients can do."""
import contextlib
import grp
import os
import pathlib
import re
import socket
import stat
import subprocess
import time

import pytest

from lab import free_port, wait_until
from rude import read_all
from serving import Answer, Serve, UnixConnection, event

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = ["/", "/healthz", "/metrics", "/api/v1/summary", "/api/v1/conflicts"]
# module/web/http.h
CONNECTIONS_OF_ONE = 64
IDLE_S = 5
DEADLINE_S = 15


@pytest.fixture(scope="module")
def serving(tmp_path_factory):
    with Serve(tmp_path_factory.mktemp("http"), [event("example.com")],
               conf="page-host: resolver1.example.net\n") as serve:
        yield serve.wait_total(1)


def raw(serving, octets, timeout_s=30):
    """What comes back for these octets until the end."""
    with socket.create_connection(("127.0.0.1", serving.port), timeout=timeout_s) as client:
        client.sendall(octets)
        return read_all(client)


def metric(serving, name):
    text = serving.get("/metrics").body.decode()
    return float(re.search(rf"(?m)^{re.escape(name)} (\S+)$", text).group(1))


# --- what is answered ------------------------------------------------------------------------------

@pytest.mark.parametrize("path", PAGES)
def test_get_and_head(serving, path):
    got, headed = serving.get(path), serving.get(path, method="HEAD")
    assert got.status == headed.status == 200
    assert headed.body == b"" and len(got.body) > 0
    if path in ("/", "/healthz"):
        assert headed.headers["Content-Length"] == str(len(got.body))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"])
@pytest.mark.parametrize("path", ["/", "/api/v1/conflicts", "/nothing"])
def test_other_methods(serving, method, path):
    answer = serving.get(path, method=method)
    assert answer.status == 405 and answer.headers["Allow"] == "GET, HEAD"
    assert answer.json["error"]["code"] == "method"
    assert not any(name.lower().startswith("access-control") for name in answer.headers)


@pytest.mark.parametrize("path", PAGES + ["/nothing", "/api/v1/conflicts?x=1"])
def test_headers(serving, path):
    headers = serving.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'") and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy and "http" not in policy and "*" not in policy
    assert not any(name.lower().startswith("access-control") for name in headers)


def test_the_page_names_nothing_outside(serving):
    page = serving.get("/").body.decode()
    assert not re.search(r"(?i)\b(src|href)\s*=\s*[\"']?(https?:)?//", page)
    assert not re.search(r"(?i)@import|url\(|importScripts|\bimport\(", page)
    # uPlot is in it, with its licence
    assert "uPlot" in page and "Permission is hereby granted, free of charge" in page


def test_metrics(serving):
    text = serving.get("/metrics")
    assert text.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert metric(serving, "mxclash_serve_events_total") >= 1
    checked = subprocess.run(["promtool", "check", "metrics"], input=text.body, check=False,
                             capture_output=True, timeout=60)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    documented = set(re.findall(r"`(mxclash_serve_\w+)`", (ROOT / "docs/api.md").read_text()))
    assert documented == set(re.findall(r"(?m)^# TYPE (\w+) ", text.body.decode()))


def test_replies_are_counted(serving):
    before = metric(serving, 'mxclash_serve_http_replies_total{class="4xx"}')
    serving.get("/nothing")
    assert metric(serving, 'mxclash_serve_http_replies_total{class="4xx"}') == before + 1


# --- whom ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:9854", "localhost", "LocalHost:1",
                                  "[::1]:9854", "192.0.2.7", "resolver1.example.net",
                                  "Resolver1.Example.Net.:80"])
@pytest.mark.parametrize("path", PAGES)
def test_own_names(serving, host, path):
    assert serving.get(path, headers={"Host": host}).status == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:9854", "127.0.0.1.evil.example",
                                  "localhost.evil.example", "1.2.3", "0x7f000001", "[::1", "[]",
                                  ":9854", "resolver1", "a.resolver1.example.net",
                                  "127.0.0.1 evil.example", "x" * 300])
@pytest.mark.parametrize("path", PAGES)
def test_rebound_names(serving, host, path):
    answer = serving.get(path, headers={"Host": host})
    assert answer.status == 421, answer.body
    assert answer.json["error"]["code"] == "host" and b"example.com" not in answer.body


@pytest.mark.parametrize("site", ["cross-site", "same-site", "anything"])
def test_pages_of_other_sites(serving, site):
    for mode in ("cors", "no-cors", "websocket", ""):
        answer = serving.get("/api/v1/conflicts",
                             headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode})
        assert answer.status == 403 and b"example.com" not in answer.body
    assert serving.get("/", headers={"Sec-Fetch-Site": site,
                                     "Sec-Fetch-Mode": "navigate"}).status == 200


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_the_page_itself(serving, site):
    assert serving.get("/api/v1/conflicts", headers={"Sec-Fetch-Site": site}).status == 200


# --- bad requests ----------------------------------------------------------------------------------

@pytest.mark.parametrize("octets, status", [
    (b"GET / HTTP/1.1\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\n\r\n", 413),
    (b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 999999999\r\n"
     b"Expect: 100-continue\r\n\r\n", 405),
    (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n", 413),
    (b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 414),
    (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * 20000 + b"\r\n\r\n", 431),
    (b"GET http://evil.example/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", 400),
    (b"GET * HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", 400),
])
def test_bad_requests(serving, octets, status):
    answer = raw(serving, octets)
    assert answer.startswith(b"HTTP/1.1 %d " % status), answer[:300]
    assert b"100 Continue" not in answer
    assert serving.get("/healthz").status == 200


def test_octets_that_are_no_request(serving):
    for octets in (b"\0" * 5000, b"\r\n" * 5000, b"\x16\x03\x01\x02\x00\x01\x00", b"GET", b""):
        with socket.create_connection(("127.0.0.1", serving.port), timeout=30) as client:
            client.sendall(octets)
            client.shutdown(socket.SHUT_WR)
            read_all(client)
    assert serving.get("/healthz").status == 200


# --- many and slow ---------------------------------------------------------------------------------

def test_one_address_has_a_bound(serving):
    wait_until(lambda: metric(serving, "mxclash_serve_http_connections") == 1, 30, "quiet")
    refused = metric(serving, "mxclash_serve_http_refused_total")
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(socket.create_connection(("127.0.0.1", serving.port)))
                   for _ in range(CONNECTIONS_OF_ONE + 20)]

        def closed():
            count = 0
            for client in clients:
                client.setblocking(False)
                try:
                    count += client.recv(1) == b""
                except BlockingIOError:
                    pass
                except ConnectionResetError:
                    count += 1
            return count >= 20
        wait_until(closed, IDLE_S - 1, "closed connections")
    wait_until(lambda: metric(serving, "mxclash_serve_http_connections") == 1, 30, "quiet")
    assert metric(serving, "mxclash_serve_http_refused_total") >= refused + 20
    assert serving.get("/healthz").status == 200


def test_silence_ends(serving):
    begun = time.monotonic()
    assert raw(serving, b"GET / HT") == b""
    assert IDLE_S - 1 < time.monotonic() - begun < DEADLINE_S


def test_dripping_ends(serving):
    before = metric(serving, "mxclash_serve_http_deadlines_total")
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", serving.port), timeout=30) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        with contextlib.suppress(OSError):
            for i in range(60):
                client.sendall(b"X: %d\r\n" % i)
                client.settimeout(0.5)
                with contextlib.suppress(TimeoutError):
                    if client.recv(1000) == b"":
                        break
    assert DEADLINE_S - 1 < time.monotonic() - begun < DEADLINE_S + 10
    assert metric(serving, "mxclash_serve_http_deadlines_total") == before + 1


def test_a_reader_that_stops_ends(serving):
    """The reply does not fit into what the system keeps for a socket."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", serving.port))
        client.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 100)
        wait_until(lambda: metric(serving, "mxclash_serve_http_connections") == 1,
                   DEADLINE_S + 20, "the end of the connection")


def test_a_connection_serves_many(serving):
    with socket.create_connection(("127.0.0.1", serving.port), timeout=30) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 20
                       + b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        assert read_all(client).count(b"HTTP/1.1 200 OK") == 21


# --- where -----------------------------------------------------------------------------------------

def test_a_unix_socket(tmp_path):
    path = tmp_path / "page.sock"
    group = grp.getgrgid(os.getgid()).gr_name if os.getuid() else "www-data"
    with Serve(tmp_path / "serve", [event("example.com")], listen=[str(path)],
               conf=f"page-group: {group}\n"):
        wait_until(path.exists, 30, "the socket")
        made = path.stat()
        wait_until(lambda: path.stat().st_gid == grp.getgrnam(group).gr_gid, 5, "its group")
        assert stat.S_ISSOCK(made.st_mode) and stat.S_IMODE(made.st_mode) == 0o660
        for host in ("anything.example", "localhost"):
            connection = UnixConnection(path)
            with contextlib.closing(connection):
                connection.request("GET", "/healthz", headers={"Host": host})
                assert Answer(connection.getresponse()).status == 200
    assert not path.exists()


def test_a_port_that_is_taken(tmp_path):
    port = free_port("127.0.0.1")
    serve = Serve(tmp_path / "serve", [event("example.com")], listen=[f"127.0.0.1@{port}"])
    serve.port = port
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        serve.start()
        wait_until(lambda: "Address already in use" in serve.output.read_text(), 30, "the fault")
    try:
        serve.wait_total(1)
        assert "is back" in serve.output.read_text()
        assert serve.output.read_text().count("Address already in use") == 1
    finally:
        serve.stop()
