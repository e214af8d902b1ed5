# SPDX-License-Identifier: BSD-3-Clause
"""A Debian of its own, with processes and a network of its own that is loopback alone."""

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


# The root is the folder, and nothing else of the machine is seen but its time and its kernel.
SETUP = """
set -e
mount --make-rprivate /
mount --bind "$1" "$1"
mount --bind "$2" "$1/var/cache/apt/archives"
cd "$1"
mount -t proc proc proc
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=755 tmpfs dev
for name in null zero full random urandom tty; do
    touch dev/$name
    mount --bind /dev/$name dev/$name
done
mkdir dev/pts dev/shm run/machine
for number in 0 1 2; do
    ln -s fd/$number dev/$(echo stdin stdout stderr | cut -d ' ' -f $((number + 1)))
done
ln -s /proc/self/fd dev/fd
ln -s pts/ptmx dev/ptmx
ip link set lo up
"""
# The first process of a pid namespace: with it all others end. By not caring for its children it
# leaves none that ended and are not gone.
NO_INIT = """
touch ready
pivot_root . run/machine
exec chroot . sh -c 'umount -l /run/machine; exec env --ignore-signal=CHLD sleep infinity'
"""
INIT = """
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
touch ready
pivot_root . run/machine
exec env -i container=test PATH="$PATH" chroot . \
    sh -c 'umount -l /run/machine; exec /lib/systemd/systemd --show-status=no'
"""
# they want hardware, users who log in, or a network
MASKED = ["e2scrub_reap.service", "systemd-logind.service", "apt-daily.timer",
          "apt-daily-upgrade.timer"]


class Container:
    """A copy of the base in `folder`. `archives` keeps the packages that were fetched.

    init  it is booted: systemd is its first process, and starts what is installed
    """

    def __init__(self, base, folder, archives, *, init=False):
        self.base = Path(base)
        self.root = Path(folder)
        self.archives = Path(archives)
        self.init = init
        self.keeper = None

    def __enter__(self):
        subprocess.run([REPOSITORY / "packaging" / "chroot.sh", self.base], check=True,
                       timeout=COMMAND_TIMEOUT_S)
        shutil.rmtree(self.root, ignore_errors=True)
        subprocess.run(["cp", "-a", self.base, self.root], check=True)
        self.archives.mkdir(parents=True, exist_ok=True)
        (self.archives / "partial").mkdir(exist_ok=True)
        (self.root / "var/cache/apt/archives").mkdir(parents=True, exist_ok=True)
        # who may start services: without an init system there is nobody whose word would count
        policy = self.root / "usr/sbin/policy-rc.d"
        policy.write_text("#!/bin/sh\nexit 0\n")
        policy.chmod(0o755)
        for unit in MASKED:
            (self.root / "etc/systemd/system" / unit).symlink_to("/dev/null")
        ready = self.root / "ready"
        namespaces = ["--mount", "--net", "--pid"] + (["--cgroup", "--uts"] if self.init else [])
        self.keeper = subprocess.Popen(
            ["unshare", *namespaces, "--fork", "--kill-child", "sh", "-c",
             SETUP + (INIT if self.init else NO_INIT), "-", self.root, self.archives],
            env={**os.environ, "PATH": SEARCH_PATH}, preexec_fn=_die_with_parent)
        wait_until(lambda: self.keeper.poll() is not None or ready.exists(), 60, "the container")
        if self.keeper.poll() is not None:
            raise LabError("the container does not start")
        # its root is its own by now
        wait_until(lambda: Path(f"/proc/{self.pid}/comm").read_text() in ("sleep\n", "systemd\n"),
                   60, "the container's first process")
        ready.unlink()
        if self.init:
            # status 1 says that a unit failed
            state = self.wait("systemctl is-system-running | grep -xE 'running|degraded'").strip()
            if state != "running":
                failed = self.run("systemctl --failed --no-legend --plain")
                self.__exit__()
                raise LabError(f"not all of the container's units start: {failed}")
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
        words += ["--mount", "--pid", "--root"] if inside else []
        words += ["--cgroup", "--uts"] if inside and self.init else []
        return words

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
        return self.run(f"for p in /proc/[0-9]*; do grep -qsx {name} $p/comm && "
                        "echo ${p#/proc/}; done; true").split()

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
