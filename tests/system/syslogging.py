# SPDX-License-Identifier: BSD-3-Clause
"""A /dev/log of our own: Unbound in a mount namespace whose /dev has a log that leads to us."""

import contextlib
import os
import socket
import subprocess
import threading

from lab import POLL_S
from resolver import Unbound

# A small /dev: what a server needs, and the log. exec keeps the process id.
SMALL_DEV = """
mount -t tmpfs tmpfs "$1" && for one in null zero random urandom; do
    : > "$1/$one" && mount --bind "/dev/$one" "$1/$one" || exit 1
done && ln -s "$2" "$1/log" && mount --move "$1" /dev && shift 2 && exec "$@"
"""


def namespace_missing():
    """Why no /dev of our own can be had here, or None."""
    if os.geteuid() != 0:
        return "a /dev/log of our own wants root"
    tried = subprocess.run(
        ["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, text=True
    )
    return tried.stderr.strip() if tried.returncode else None


class Listener:
    """The log daemon. It hangs until it is told to read()."""

    def __init__(self, path):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.settimeout(POLL_S)
        self.lines = []
        self._stopping = threading.Event()
        self._thread = None

    def read(self):
        """From now on take what comes, into lines, as octets."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                self.lines.append(self.socket.recv(65535))

    def close(self):
        self._stopping.set()
        if self._thread:
            self._thread.join()
        self.socket.close()
        self.path.unlink()


class UnboundWithSyslog(Unbound):
    """An Unbound whose /dev/log is a Listener of ours."""

    def __init__(self, folder, upstreams, **options):
        super().__init__(folder, upstreams, **options)
        self.listener = Listener(self.folder / "syslog")

    def command(self):
        (self.folder / "dev").mkdir(exist_ok=True)
        program, *arguments = super().command()
        return [
            *("unshare", "-m", "sh", "-c", SMALL_DEV, "sh"),
            *(str(self.folder / "dev"), str(self.listener.path)),
            *(os.path.abspath(program), *arguments),
        ]

    def stop(self):
        status = super().stop()
        self.listener.close()
        return status
