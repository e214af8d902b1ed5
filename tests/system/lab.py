# SPDX-License-Identifier: BSD-3-Clause
"""Real name servers on loopback, for tests and the demo.

Every server keeps its files in a folder of its own, is ready when it answers, and is stopped by
its own process id. All are context managers:

    with Authority(folder, "zone good.test\\n  @ MX 10 mail.good.test.\\n") as own:
        own.ask("good.test", "MX")

Here are what all servers share and our own authority, which takes a scenario
(tests/authority/scenario.h); authorities.py has the authorities of others, resolver.py Unbound.

What we build is taken from build/; the environment may name another folder (MXCLASH_BUILD) or
single programs (MXCLASH_AUTHORITY, MXCLASH_UNBOUND), as builds with sanitizers.
"""

import ctypes
import errno
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import time
from pathlib import Path

import dns.message
import dns.rdatatype

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("MXCLASH_BUILD", REPOSITORY / "build"))
SCENARIOS = REPOSITORY / "tests" / "authority" / "scenarios"
# Debian keeps servers where only root looks.
# Set by `make check-long`: nothing is made smaller for the sake of time.
LONG = "MXCLASH_LONG" in os.environ
SEARCH_PATH = os.environ.get("PATH", os.defpath) + ":/usr/sbin"

DNS_PORT = 53
START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 60
ANSWER_TIMEOUT_S = 60
POLL_S = 0.01
# Below those that the system gives to whoever connects or sends (ip_local_port_range): such a socket of
# anybody's would take a port before its server has it.
SERVER_PORTS = 10240, 32768
# The id of every query, so that two answers can be compared octet by octet.
QUERY_ID = 4242
PR_SET_PDEATHSIG = 1
# What free_port() gave to somebody who may not have bound it yet.
_given = set()


def size(full, brief):
    """`full` in `make check-long`; in `make check`, which has to be quick, `brief`."""
    return full if LONG else brief


class LabError(Exception):
    """A server does not do what the lab needs; the message says which and why."""


def wait_until(condition, timeout_s, what):
    """Poll `condition` until it returns something true, and return that.

    Raises LabError, naming `what`, after `timeout_s` seconds.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise LabError(f"waited {timeout_s} s in vain for {what}")
        time.sleep(POLL_S)


def family(address):
    """The socket family of an address."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def bind_error(address, port):
    """Try UDP and TCP at address and port. Returns None if both are free, else the OSError."""
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(family(address), kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError as error:
                return error
    return None


def free_address(port=0):
    """A random 127.x.y.z where UDP and TCP of `port` are free; 0 stands for any.

    All of 127.0.0.0/8 is loopback on Linux, so an address far from 127.0.0.1 is nobody else's.
    Raises LabError if no such port may be bound at all.
    """
    error = None
    for _ in range(20):
        address = f"127.{random.randint(16, 254)}.{random.randint(0, 254)}.{random.randint(1, 254)}"
        error = bind_error(address, port)
        if not error:
            return address
        if error.errno == errno.EACCES:
            break
    raise LabError(f"port {port} cannot be bound on loopback: {error.strerror}")


def port_53_missing():
    """Why port 53 cannot be used on loopback (tinydns wants root besides), or None if it can."""
    if os.geteuid() != 0:
        return f"port {DNS_PORT} on loopback and tinydns want root"
    try:
        free_address(DNS_PORT)
    except LabError as error:
        return str(error)
    return None


def free_port(address):
    """A port that is free for UDP and TCP at `address`, another one each time.

    A server that wants two would else get one twice, and who then asks for metrics asks a DNS
    server, which waits for the rest of a long message.
    """
    for _ in range(100):
        port = random.randrange(*SERVER_PORTS)
        if (address, port) not in _given and not bind_error(address, port):
            _given.add((address, port))
            return port
    raise LabError(f"no free port at {address}")


def exchange(address, port, query, *, tcp=False, timeout_s=ANSWER_TIMEOUT_S):
    """Send the octets of one query and return those of the answer. Raises TimeoutError."""
    kind = socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM
    with socket.socket(family(address), kind) as connection:
        connection.settimeout(timeout_s)
        connection.connect((address, port))
        if not tcp:
            connection.send(query)
            return connection.recv(65535)
        connection.sendall(struct.pack("!H", len(query)) + query)
        with connection.makefile("rb") as stream:
            (length,) = struct.unpack("!H", stream.read(2))
            return stream.read(length)


def ask(address, port, name, rdtype, *, edns=False, **options):
    """Ask one question with RD set, id QUERY_ID. Returns a dns.message.Message.

    Its attribute `octets` has the answer as it came. Options are those of exchange().
    """
    query = dns.message.make_query(name, rdtype, use_edns=0 if edns else None, id=QUERY_ID)
    octets = exchange(address, port, query.to_wire(), **options)
    answer = dns.message.from_wire(octets)
    answer.octets = octets
    return answer


def rrset_texts(answer, rdtype, section="answer"):
    """The RDATA of all records of a type in a section, as sorted texts."""
    wanted = dns.rdatatype.from_text(rdtype)
    return sorted(
        record.to_text()
        for rrset in getattr(answer, section)
        if rrset.rdtype == wanted
        for record in rrset
    )


def _die_with_parent():
    # Nothing is left behind when the tests are killed outright.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Server:
    """One server process. Subclasses say how it is configured, started and asked."""

    def __init__(self, folder, address, port, *, outlive=False):
        """`folder` is made if missing. With `outlive` the server goes on after the parent."""
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.address = address
        self.port = port
        self.outlive = outlive
        self.process = None

    # For subclasses.

    def configure(self):
        """Write the files that command() needs."""

    def command(self):
        """The command line that stays in the foreground."""
        raise NotImplementedError

    def environment(self):
        """Variables beside those of the parent."""
        return {}

    def is_ready(self):
        """True once the server answers."""
        name, rdtype = self.first_question()
        try:
            return bool(self.ask(name, rdtype, timeout_s=0.2))
        except OSError:
            return False

    def first_question(self):
        """A name and type that the server answers at once."""
        return ".", "NS"

    # For users.

    @property
    def label(self):
        return type(self).__name__

    @property
    def endpoint(self):
        """ADDRESS@PORT."""
        return f"{self.address}@{self.port}"

    @property
    def pid(self):
        return self.process.pid

    @property
    def log_path(self):
        return self.folder / "output"

    @property
    def log(self):
        """What the process wrote to stdout and stderr so far."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def launch(self):
        """Start the process without waiting until it is ready."""
        self.configure()
        program, *arguments = self.command()
        found = shutil.which(program, path=SEARCH_PATH)
        if not found:
            raise LabError(f"{self.label}: {program} is not there")
        with open(self.log_path, "ab") as output:
            self.process = subprocess.Popen(
                [found, *arguments],
                cwd=self.folder,
                env={**os.environ, **self.environment()},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=self.outlive,
                preexec_fn=None if self.outlive else _die_with_parent,
            )

    def start(self):
        """Start and wait until it answers. Raises LabError with its output if it does not."""
        self.launch()
        try:
            wait_until(self._ready_or_ended, START_TIMEOUT_S, f"{self.label} at {self.endpoint}")
        except LabError as error:
            self.stop()
            raise LabError(f"{error}\n{self.log[-3000:]}") from None
        return self

    def _ready_or_ended(self):
        if self.process.poll() is not None:
            raise LabError(f"{self.label} ended with status {self.process.returncode}")
        return self.is_ready()

    def stop(self):
        """End the process and wait for it. Returns its exit status; None if it never ran."""
        if not self.process:
            return None
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise LabError(f"{self.label} did not end in {STOP_TIMEOUT_S} s") from None

    def kill(self):
        """End the process without telling it. Returns its exit status."""
        self.process.kill()
        return self.process.wait()

    def ask(self, name, rdtype, **options):
        """ask() of this module, at this server."""
        return ask(self.address, self.port, name, rdtype, **options)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


class Authority(Server):
    """Our own authority, which can do wrong things. `scenario` is a text or the Path of a file."""

    def __init__(self, folder, scenario, address=None, port=0, **options):
        super().__init__(folder, address or free_address(port), port, **options)
        self.scenario_path = self.folder / "scenario"
        self.scenario_path.write_text(
            scenario.read_text() if isinstance(scenario, Path) else scenario
        )

    def command(self):
        program = os.environ.get("MXCLASH_AUTHORITY", BUILD / "tests" / "authority")
        return [
            str(program),
            *("-a", self.address, "-p", str(self.port), "-l", "queries", "scenario"),
        ]

    def is_ready(self):
        if "listening" not in self.log:
            return False
        self.port = int(self.log.split("@")[1].split()[0])
        return True

    def queries(self, name=None, rdtype=None):
        """The queries so far, oldest first, as (name with last dot, type, udp or tcp)."""
        path = self.folder / "queries"
        # the last line may be half there yet
        lines = path.read_text().split("\n")[:-1] if path.exists() else []
        return [
            query
            for query in (tuple(line.split()) for line in lines)
            if name in (None, query[0], query[0][:-1]) and rdtype in (None, query[1])
        ]

    def play(self, scenario):
        """Go on with another scenario: a text or the Path of a file."""
        before = self.log.count("\n")
        self.scenario_path.write_text(
            scenario.read_text() if isinstance(scenario, Path) else scenario
        )
        self.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.log.count("\n") > before, ANSWER_TIMEOUT_S, "the new scenario")
        line = self.log.splitlines()[-1]
        if line != "reloaded":
            raise LabError(line)
