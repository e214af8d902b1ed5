# SPDX-License-Identifier: BSD-3-Clause
"""What a process with the detector in it says: events, metrics, HTTP; and what it holds."""

import http.client
import json
import os
import re
import socket

from lab import ANSWER_TIMEOUT_S, LabError, wait_until

EVENT_TIMEOUT_S = 60
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


class Observer:
    """Beside lab.Server: the detector's side of a process.

    A subclass has `events_path`, and `http_port` (None for none) or `http_path`.
    """

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
