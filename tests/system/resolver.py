# SPDX-License-Identifier: BSD-3-Clause
"""Unbound with our module, on loopback, and all that it says: answers, events, metrics, log."""

import os
import socket
from pathlib import Path

from lab import ANSWER_TIMEOUT_S, BUILD, LabError, Server, free_address, free_port, wait_until
from observing import EVENT_TIMEOUT_S, Observer  # noqa: F401

RELOAD_TIMEOUT_S = 60


class Unbound(Observer, Server):
    """One Unbound.

    upstreams  dict from a zone's name to the server that is asked for it and what is below; the
               root, if it is not among them, goes to the first, so that nothing leaves loopback
    modules    Unbound's module-config; without `dynlib` our module is not loaded
    kind       "stub" (the servers are authorities) or "forward"
    first      whether Unbound then resolves by itself what the upstreams do not answer
    settings   further lines of the `server:` clause, as a dict
    mxclash    lines of mxclash.conf that differ from the lab's, as a dict; a list repeats the key
    http       "port", "unix" or None
    host       the folder of another Unbound than build/'s, with a module made for it
    libraries  the files that each `dynlib` of the modules loads; our module if there is one
    clauses    further lines of unbound.conf
    address    where it listens, a random one of loopback's unless said
    port       the port there, 0 for any
    """

    def __init__(
        self,
        folder,
        upstreams,
        *,
        modules="dynlib iterator",
        kind="stub",
        first=False,
        settings=None,
        mxclash=None,
        http="port",
        threads=1,
        host=None,
        libraries=None,
        clauses=(),
        address=None,
        port=0,
        **options,
    ):
        address = address or free_address(port)
        super().__init__(folder, address, port or free_port(address), **options)
        self.upstreams = upstreams
        self.modules = modules
        self.kind = kind
        self.first = first
        self.settings = settings or {}
        self.threads = threads
        self.host = host
        self.libraries = libraries or [host / "mxclash.so" if host else BUILD / "mxclash.so"]
        self.clauses = clauses
        self.events_path = Path((mxclash or {}).get("log-file") or self.folder / "events")
        self.http_path = self.folder / "http"
        self.http_port = free_port(address) if http == "port" else None
        listen = {"port": f"{address}@{self.http_port}", "unix": str(self.http_path), None: ""}
        self.mxclash = {
            "log-file": str(self.events_path),
            "http-listen": listen[http],
            "database": "",
            **(mxclash or {}),
        }
        # one look is enough where the second one is not the subject
        self.mxclash.setdefault("confirm-after", 0)
        # and the harm at the end is no event that a test of conflicts waits for
        self.mxclash.setdefault("tally-interval", 0)

    @property
    def has_module(self):
        return "dynlib" in self.modules

    @property
    def mxclash_conf(self):
        return self.folder / "mxclash.conf"

    def _upstream_clauses(self):
        zones = dict(self.upstreams)
        zones.setdefault(".", next(iter(zones.values())))
        for zone, server in zones.items():
            yield f"{self.kind}-zone:"
            yield f'  name: "{zone}"'
            # an address, or the name of a nameserver that is to be looked up
            yield f"  {self.kind}-{getattr(server, 'known_by', 'addr')}: {server.endpoint}"
            if self.first:
                yield f"  {self.kind}-first: yes"

    def _write_mxclash_conf(self):
        lines = []
        for key, value in self.mxclash.items():
            for one in value if isinstance(value, list) else [value]:
                lines.append(f'{key}: "{one}"')
        self.mxclash_conf.write_text("\n".join(lines) + "\n")

    def configure(self):
        settings = {
            "interface": self.address,
            "port": self.port,
            "outgoing-interface": "127.0.0.1",
            "do-not-query-localhost": "no",
            "access-control": "127.0.0.0/8 allow",
            "do-ip6": "no",
            "username": '""',
            "chroot": '""',
            "directory": f'"{self.folder}"',
            "pidfile": '""',
            "use-syslog": "no",
            "logfile": '""',
            "num-threads": self.threads,
            # Unbound keeps .test for itself unless told not to.
            "local-zone": "test. nodefault",
            "rrset-roundrobin": "no",
            # by default there is no answer to who waited 1.9 s; on a busy machine some do
            "discard-timeout": 0,
            "module-config": f'"{self.modules}"',
            **self.settings,
        }
        lines = ["server:", *(f"  {key}: {value}" for key, value in settings.items())]
        if self.has_module:
            lines += ["dynlib:", *(f'  dynlib-file: "{library}"' for library in self.libraries)]
            self._write_mxclash_conf()
        lines += [
            "remote-control:",
            "  control-enable: yes",
            f'  control-interface: "{self.folder / "control"}"',
            "  control-use-cert: no",
            *self._upstream_clauses(),
            *self.clauses,
        ]
        (self.folder / "unbound.conf").write_text("\n".join(lines) + "\n")

    def command(self):
        program = os.environ.get("MXCLASH_UNBOUND", BUILD / "unbound" / "sbin" / "unbound")
        if self.host:
            program = self.host / "prefix" / "sbin" / "unbound"
        return [str(program), "-d", "-c", str(self.folder / "unbound.conf")]

    def environment(self):
        return {"MXCLASH_CONF": str(self.mxclash_conf)} if self.has_module else {}

    def is_ready(self):
        # Not by a question that goes upstream: that would be the first answer a test sees.
        try:
            return "is running" in self.control("status")
        except OSError:
            return False

    def control(self, command):
        """Say one command as unbound-control does, and return the reply. Raises OSError."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(ANSWER_TIMEOUT_S)
            connection.connect(str(self.folder / "control"))
            connection.sendall(f"UBCT1 {command}\n".encode())
            reply = b""
            while octets := connection.recv(65536):
                reply += octets
        return reply.decode()

    def reload(self):
        """Have Unbound reload, and wait until it runs again."""
        before = self.log.count("start of service")
        reply = self.control("reload")
        if not reply.startswith("ok"):
            raise LabError(f"reload: {reply}")
        wait_until(
            lambda: self.log.count("start of service") > before and self.is_ready(),
            RELOAD_TIMEOUT_S,
            "the reload of Unbound",
        )
