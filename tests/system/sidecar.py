# SPDX-License-Identifier: BSD-3-Clause
"""mxclashd on loopback, and the resolvers as distributions ship them, which send it dnstap."""

import contextlib
import os
import subprocess
import tempfile
import time
from pathlib import Path

from lab import (
    ANSWER_TIMEOUT_S,
    BUILD,
    DNS_PORT,
    POLL_S,
    REPOSITORY,
    Server,
    free_address,
    free_port,
    wait_until,
)
from observing import Observer
from resolver import Unbound

WAITS = "waits for dnstap senders"
EXAMPLES = REPOSITORY / "conf-examples" / "dnstap"


def example(name, tap):
    """What conf-examples/dnstap has for a resolver, with another socket."""
    return (EXAMPLES / name).read_text().replace("/run/mxclash/dnstap.sock", str(tap))


def read_files(config, paths):
    """Run mxclashd --read. Returns its exit status, its standard output, and the most memory in KiB
    that it was seen to have; not what wait4() tells, which counts what its parent had at the fork."""
    program = os.environ.get("MXCLASH_SIDECAR", BUILD / "mxclashd")
    command = [str(program), "--config", str(config)]
    for path in paths:
        command += ["--read", str(path)]
    most = 0
    with (
        tempfile.TemporaryFile("w+") as told,
        subprocess.Popen(command, stdout=told) as process,
    ):
        while process.poll() is None:
            with contextlib.suppress(OSError, StopIteration):
                with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
                    line = next(line for line in status if line.startswith("VmHWM"))
                if os.readlink(f"/proc/{process.pid}/exe") == os.path.realpath(program):
                    most = max(most, int(line.split()[1]))
            time.sleep(POLL_S)
        told.seek(0)
        return process.returncode, told.read(), most


class Sidecar(Observer, Server):
    """One mxclashd.

    mxclash   lines of mxclash.conf that differ from the lab's, as a dict; a list repeats the key
    resolver  the server that names authorities' servers; None: nobody is named
    listen    "unix", "tcp", "both" or None
    """

    def __init__(self, folder, *, mxclash=None, resolver=None, listen="unix", **options):
        address = free_address()
        super().__init__(folder, address, free_port(address), **options)
        self.events_path = self.folder / "events"
        self.http_port = free_port(address)
        self.socket_path = self.folder / "tap"
        places = {
            "unix": [str(self.socket_path)],
            "tcp": [self.endpoint],
            "both": [str(self.socket_path), self.endpoint],
            None: [],
        }
        self.mxclash = {
            "log-file": str(self.events_path),
            "http-listen": f"{address}@{self.http_port}",
            "dnstap-listen": places[listen],
            "may-ask": "127.0.0.0/8",
            "confirm-after": 0,
            **({"resolver": resolver.endpoint} if resolver else {}),
            **(mxclash or {}),
        }

    @property
    def config_path(self):
        return self.folder / "mxclash.conf"

    def configure(self):
        lines = []
        for key, value in self.mxclash.items():
            for one in value if isinstance(value, list) else [value]:
                lines.append(f'{key}: "{one}"')
        self.config_path.write_text("\n".join(lines) + "\n")

    def command(self):
        program = os.environ.get("MXCLASH_SIDECAR", BUILD / "mxclashd")
        return [str(program), "--config", str(self.config_path)]

    def launch(self):
        # the log is one for all its starts
        self.starts = self.log.count(WAITS)
        super().launch()

    def is_ready(self):
        return self.log.count(WAITS) > self.starts

    def frames(self, use):
        """How many frames became what."""
        return self.metrics()[f'mxclash_dnstap_frames_total{{use="{use}"}}']

    def senders(self):
        return self.metrics()["mxclash_dnstap_senders"]

    def wait_senders(self, least=1):
        wait_until(lambda: self.senders() >= least, ANSWER_TIMEOUT_S, f"{least} senders")

    def ended(self, end):
        """How many connections ended so."""
        return self.metrics()[f'mxclash_dnstap_connections_ended_total{{end="{end}"}}']


class StockUnbound(Unbound):
    """Unbound as Debian ships it. `tap` is where it sends dnstap, a path or ADDRESS@PORT."""

    def __init__(self, folder, upstreams, tap, **options):
        text = example("unbound.conf", tap)
        if not isinstance(tap, Path):
            path = f'    dnstap-socket-path: "{tap}"'
            text = text.replace(path, f"    dnstap-ip: {tap}\n    dnstap-tls: no")
        clauses = text.splitlines()
        super().__init__(
            folder, upstreams, modules="iterator", http=None, clauses=clauses, **options
        )

    def command(self):
        return ["/usr/sbin/unbound", "-d", "-c", str(self.folder / "unbound.conf")]


class _FromTheRoot(Server):
    """A resolver that is told of a small root alone."""

    def __init__(self, folder, root, tap, address=None, **options):
        address = address or free_address()
        super().__init__(folder, address, free_port(address), **options)
        self.root = root
        self.tap = tap

    def configure(self):
        assert self.root.port == DNS_PORT
        (self.folder / "hints").write_text(
            f". 3600 IN NS ns.\nns. 3600 IN A {self.root.address}\n"
        )

    def first_question(self):
        # not of a zone of the tests
        return "nothing-of-this-name.", "A"


class Named(_FromTheRoot):
    """BIND 9 as Debian ships it. It listens at addresses that an interface has, and no others."""

    def __init__(self, folder, root, tap, **options):
        super().__init__(folder, root, tap, address="127.0.0.1", **options)

    def configure(self):
        super().configure()
        (self.folder / "named.conf").write_text(
            f"""
            options {{
                directory "{self.folder}";
                listen-on port {self.port} {{ {self.address}; }};
                listen-on-v6 {{ none; }};
                query-source address 127.0.0.1;
                pid-file none;
                session-keyfile none;
                recursion yes;
                allow-query {{ any; }};
                allow-recursion {{ any; }};
                dnssec-validation no;
                empty-zones-enable no;
                notify no;
                fstrm-set-reopen-interval 1;
                {example("named.conf", self.tap)}
            }};
            controls {{ }};
            zone "." {{ type hint; file "{self.folder}/hints"; }};
            """
        )

    def command(self):
        return ["named", "-4", "-g", "-n", "1", "-c", str(self.folder / "named.conf")]


class Recursor(_FromTheRoot):
    """PowerDNS Recursor as Debian ships it."""

    def configure(self):
        super().configure()
        (self.folder / "recursor.lua").write_text(example("recursor.lua", self.tap))

    def command(self):
        settings = {
            "config-dir": self.folder,
            # it runs there; the whole path may be too long for a socket
            "socket-dir": ".",
            "local-address": self.address,
            "local-port": self.port,
            "query-local-address": "127.0.0.1",
            "hint-file": self.folder / "hints",
            "lua-config-file": self.folder / "recursor.lua",
            "dont-query": "",
            "daemon": "no",
            "write-pid": "no",
            "disable-syslog": "yes",
            "dnssec": "off",
            "threads": 1,
            "security-poll-suffix": "",
            "serve-rfc1918": "no",
        }
        return ["pdns_recursor", *(f"--{key}={value}" for key, value in settings.items())]
