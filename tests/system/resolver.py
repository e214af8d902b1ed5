# SPDX-License-Identifier: BSD-3-Clause
"""Unbound with our module, on loopback, and all that it says: answers, events, metrics, log."""

import http.client
import json
import os
import re
import socket
from pathlib import Path

from lab import ANSWER_TIMEOUT_S, BUILD, LabError, Server, free_address, free_port, wait_until

EVENT_TIMEOUT_S = 60
RELOAD_TIMEOUT_S = 60
SERIES = re.compile(r"^([a-z_:]+)(?:\{(.*)\})? (\S+)$")


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Unbound(Server):
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

    # What the module says.

    def events(self, **wanted):
        """The events of the log so far whose fields are as wanted."""
        if not self.events_path.exists():
            return []
        lines = self.events_path.read_text().split("\n")[:-1]
        found = [json.loads(line) for line in lines]
        return [e for e in found if all(e.get(key) == value for key, value in wanted.items())]

    def wait_event(self, timeout_s=EVENT_TIMEOUT_S, **wanted):
        """The first event whose fields are as wanted. Raises LabError if none comes."""
        try:
            return wait_until(lambda: self.events(**wanted), timeout_s, f"an event {wanted}")[0]
        except LabError as error:
            seen = "\n".join(json.dumps(event) for event in self.events())
            raise LabError(f"{error}; the log has\n{seen}\n{self.log[-2000:]}") from None

    def conflicts(self):
        """All events that are about a domain."""
        return [e for e in self.events() if e["event"] not in ("started", "stopped")]

    def http(self, path, method="GET", headers=None):
        """Ask the module's HTTP server. Returns (status, headers, text)."""
        if self.http_port:
            connection = http.client.HTTPConnection(
                self.address, self.http_port, timeout=ANSWER_TIMEOUT_S
            )
        else:
            connection = UnixConnection(str(self.http_path), ANSWER_TIMEOUT_S)
        try:
            connection.request(method, path, headers=headers or {})
            response = connection.getresponse()
            return response.status, response.headers, response.read().decode()
        finally:
            connection.close()

    def serves(self):
        """Whether the module's HTTP server answers; it may be away, or full."""
        try:
            return self.http("/healthz")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def metrics(self, path="/metrics"):
        """The series as a dict from `name` or `name{labels}` to a float."""
        status, _, text = self.http(path)
        if status != 200:
            raise LabError(f"{path} gave {status}: {text}")
        series = {}
        for line in text.splitlines():
            if line and not line.startswith("#"):
                match = SERIES.match(line)
                if not match:
                    raise LabError(f"{path} has a line that is no series: {line}")
                name, labels, value = match.groups()
                series[f"{name}{{{labels}}}" if labels else name] = float(value)
        return series

    def wait_metric(self, name, least, timeout_s=EVENT_TIMEOUT_S):
        """Wait until a series is at least so much, and return it."""
        return wait_until(
            lambda: (value := self.metrics().get(name, 0)) >= least and value,
            timeout_s,
            f"{name} to be {least}",
        )

    # What the process holds.

    def thread_count(self):
        return len(os.listdir(f"/proc/{self.pid}/task"))

    def descriptor_count(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def resident_kib(self):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

    def grown_kib(self, before_kib):
        """What the resident set has grown; 0 with a sanitizer, which keeps what was freed."""
        return 0 if os.environ.get("MXCLASH_SANITIZER") else self.resident_kib() - before_kib
