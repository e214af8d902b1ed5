# SPDX-License-Identifier: BSD-3-Clause
"""A Debian of its own, in a chroot, with processes and a network of its own that is loopback alone."""

import ctypes
import os
import shutil
import subprocess
import time
from pathlib import Path

from lab import PR_SET_PDEATHSIG, REPOSITORY, SEARCH_PATH, LabError, wait_until

COMMAND_TIMEOUT_S = 1200
ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "DEBIAN_FRONTEND": "noninteractive",
    "LC_ALL": "C.UTF-8",
    "HOME": "/root",
}


def _die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, 9)


class Container:
    """A copy of the base in `folder`. `archives` keeps the packages that were fetched."""

    def __init__(self, base, folder, archives):
        self.base = Path(base)
        self.root = Path(folder)
        self.archives = Path(archives)
        self.keeper = None

    def __enter__(self):
        subprocess.run([REPOSITORY / "packaging" / "chroot.sh", self.base], check=True,
                       timeout=COMMAND_TIMEOUT_S)
        shutil.rmtree(self.root, ignore_errors=True)
        subprocess.run(["cp", "-a", self.base, self.root], check=True)
        self.archives.mkdir(parents=True, exist_ok=True)
        cache = self.root / "var/cache/apt/archives"
        (cache / "partial").mkdir(parents=True, exist_ok=True)
        # who may start services: there is no init system whose word would count
        policy = self.root / "usr/sbin/policy-rc.d"
        policy.write_text("#!/bin/sh\nexit 0\n")
        policy.chmod(0o755)
        # the first process of its pid namespace: with it all others end, and by not caring for its
        # children it leaves none that ended and are not gone
        ready = self.root / "ready"
        setup = (f"mount -t proc proc {self.root}/proc && mount --bind {self.archives} {cache} && "
                 f"mount --bind /dev {self.root}/dev && ip link set lo up && "
                 f"touch {ready} && exec env --ignore-signal=CHLD sleep infinity")
        self.keeper = subprocess.Popen(
            ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-c", setup],
            env={**os.environ, "PATH": SEARCH_PATH}, preexec_fn=_die_with_parent)
        wait_until(lambda: self.keeper.poll() is not None or ready.exists(), 60, "the container")
        if self.keeper.poll() is not None:
            raise LabError("the container does not start")
        ready.unlink()
        return self

    def __exit__(self, *_):
        self.keeper.kill()
        self.keeper.wait()

    @property
    def pid(self):
        """Of the first process in it."""
        children = Path(f"/proc/{self.keeper.pid}/task/{self.keeper.pid}/children").read_text()
        return int(children.split()[0])

    def enter(self, *, inside=True, network=True):
        """What stands in front of a command that is to run in it.

        inside   in its root and among its processes; else only in its network
        network  in its network; else in the machine's, to fetch packages
        """
        words = ["nsenter", f"--target={self.pid}"]
        words += ["--net"] if network else []
        words += ["--mount", "--pid"] if inside else []
        return words + (["chroot", str(self.root)] if inside else [])

    def run(self, command, *, network=True, fails=False):
        """Run a shell command as root. Returns what it printed, stdout and stderr."""
        done = subprocess.run([*self.enter(network=network), "sh", "-c", command], text=True,
                              env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=COMMAND_TIMEOUT_S, check=False)
        if (done.returncode != 0) != fails:
            raise LabError(f"{command}: status {done.returncode}\n{done.stdout[-6000:]}")
        return done.stdout

    def fetch(self, *packages):
        """Fetch packages and what they need, which only the machine's network can."""
        self.run(f"apt-get install -y --download-only {' '.join(packages)}", network=False)

    def pids(self, name):
        """The ids, as it sees them, of its processes with a name."""
        return self.run(f"for p in /proc/[0-9]*; do grep -qsx {name} $p/comm && echo ${{p#/proc/}}; "
                        "done; true").split()

    def path(self, path):
        return self.root / path.lstrip("/")

    def wait(self, command, timeout_s=60):
        """Repeat a command until it succeeds and prints something; returns that."""
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                if out := self.run(command):
                    return out
            except LabError:
                if time.monotonic() > deadline:
                    raise
            if time.monotonic() > deadline:
                raise LabError(f"{command}: prints nothing for {timeout_s} s")
            time.sleep(0.1)
