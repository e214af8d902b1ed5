# SPDX-License-Identifier: BSD-3-Clause
"""The resolvers that are measured side by side, alike but for what is compared."""

import os
import socket
import threading
from collections import namedtuple
from pathlib import Path

from lab import BUILD
from resolver import Unbound

# key, what tables call it, module-config, what else differs
Variant = namedtuple("Variant", "key title modules module_file mxclash stock clauses")


def variant(key, title, modules, module_file=None, mxclash=None, stock=False, clauses=()):
    return Variant(key, title, modules, module_file, mxclash, stock, clauses)


BENCH = BUILD / "bench"
STOCK = BENCH / "stock" / "unpacked"
MODULE = BUILD / "mxclash.so"
EMPTY = BENCH / "empty.so"

NONE = variant("none", "no module", "validator iterator")
EMPTY_MODULE = variant("empty", "empty dynlib module", "dynlib validator iterator", EMPTY)
OURS = variant("mxclash", "mxclash, defaults", "dynlib validator iterator", MODULE)
ALL_ON = variant(
    "mxclash-all",
    "mxclash, annotate and repair",
    "dynlib validator iterator",
    MODULE,
    {"annotate": "yes", "repair": "yes"},
)
STOCK_NONE = variant("stock", "Debian's, no module", "validator iterator", stock=True)
PYTHON = variant(
    "stock-python",
    "Debian's, python module",
    "python validator iterator",
    stock=True,
    clauses=("python:", f'  python-script: "{Path(__file__).parent / "observer.py"}"'),
)
DNSTAP = variant(
    "stock-dnstap",
    "Debian's, dnstap",
    "validator iterator",
    stock=True,
    clauses=(
        "dnstap:",
        "  dnstap-enable: yes",
        '  dnstap-socket-path: "{folder}/tap"',
        "  dnstap-bidirectional: no",
        "  dnstap-log-resolver-response-messages: yes",
        "  dnstap-log-client-response-messages: yes",
    ),
)

# What the order of modules changes: the empty one last is never asked to operate.
EMPTY_LAST = variant("empty-last", "empty module, last", "validator iterator dynlib", EMPTY)
OWN_BUILD = (NONE, EMPTY_MODULE, OURS, ALL_ON)
STOCK_BUILD = (STOCK_NONE, PYTHON, DNSTAP)

# Everything asked stays in the cache, so that a hit is a hit.
SETTINGS = {
    "msg-cache-size": "64m",
    "rrset-cache-size": "128m",
    "infra-host-ttl": 86400,
    "so-reuseport": "yes",
}


class Sink:
    """Takes whatever is sent to a unix socket: the other end of dnstap."""

    def __init__(self, path):
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(str(path))
        self.listener.listen()
        self.octets = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._drain, args=(connection,), daemon=True).start()

    def _drain(self, connection):
        with connection:
            while octets := connection.recv(1 << 20):
                self.octets += len(octets)

    def close(self):
        # a thread in accept() is not woken by close() alone
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class Resolver(Unbound):
    """One Unbound of a variant; `wrapper` is what runs it, as valgrind with its options."""

    def __init__(self, folder, upstreams, of, *, wrapper=(), preload=None, **options):
        super().__init__(
            folder,
            upstreams,
            modules=of.modules,
            settings=SETTINGS,
            mxclash=of.mxclash,
            **options,
        )
        self.variant = of
        self.wrapper = wrapper
        self.preload = preload
        self.sink = None

    def configure(self):
        super().configure()
        path = self.folder / "unbound.conf"
        text = path.read_text()
        if self.variant.module_file:
            text = text.replace(str(MODULE), str(self.variant.module_file))
        for line in self.variant.clauses:
            text += line.format(folder=self.folder) + "\n"
        path.write_text(text)
        if "dnstap:" in self.variant.clauses:
            self.sink = Sink(self.folder / "tap")

    def command(self):
        program, *arguments = super().command()
        if self.variant.stock:
            program = str(STOCK / "usr" / "sbin" / "unbound")
        return [*self.wrapper, program, *arguments]

    def environment(self):
        variables = super().environment()
        if self.preload:
            variables["LD_PRELOAD"] = str(self.preload)
        if self.variant.stock:
            variables["PYTHONPATH"] = str(STOCK / "usr" / "lib" / "python3" / "dist-packages")
            variables["LD_LIBRARY_PATH"] = library_path()
        return variables

    def stop(self):
        status = super().stop()
        if self.sink:
            self.sink.close()
            self.sink = None
        return status


def library_path():
    """Where the stock package's own libraries were unpacked."""
    return os.pathsep.join(str(path) for path in (STOCK / "usr" / "lib").glob("*-linux-gnu*"))
