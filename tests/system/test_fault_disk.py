# SPDX-License-Identifier: BSD-3-Clause
"""The disk of the log file is full, and has room again."""

import contextlib
import errno
import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from faults import RETRY_TIMEOUT_S, breaker, dropped, line_count, opened_in
from lab import wait_until
from resolver import EVENT_TIMEOUT_S
from watcher import watching

DISK_OCTETS = 64 << 10
# A disk that is mounted already may be filled up if it is no larger.
SHARED_DISK_OCTETS_MAX = 256 << 20
SHARED_MEMORY = "/dev/shm"
BLOCK_OCTETS = 4096
ASK_EVERY_S = 0.1


@contextlib.contextmanager
def small_disk(folder):
    """The Path of a folder on a disk that is soon full.

    A container that may mount nothing has a small one of its own.
    """
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_OCTETS}", "mxclash-test", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode == 0:
        try:
            yield folder
        finally:
            subprocess.run(["umount", str(folder)], check=True)
        return
    if not os.path.isdir(SHARED_MEMORY):
        pytest.skip(f"no disk to fill: {mounted.stderr.strip()}")
    if shutil.disk_usage(SHARED_MEMORY).free > SHARED_DISK_OCTETS_MAX:
        pytest.skip(f"{SHARED_MEMORY} is large, and {mounted.stderr.strip()}")
    with tempfile.TemporaryDirectory(dir=SHARED_MEMORY) as shared:
        yield Path(shared)


def fill(path):
    """Make a file that takes all the room there is."""
    octets = bytes(BLOCK_OCTETS)
    with open(path, "ab", buffering=0) as ballast:
        while octets:
            try:
                ballast.write(octets)
            except OSError as error:
                assert error.errno == errno.ENOSPC
                octets = octets[: len(octets) // 2]


def test_full_disk(world, tmp_path):
    """No line is ever left half written, and it is known how many are not there."""
    with contextlib.ExitStack() as stack:
        disk = stack.enter_context(small_disk(tmp_path / "disk"))
        conflicts = stack.enter_context(breaker(tmp_path / "own"))
        log = disk / "events"
        unbound = stack.enter_context(
            conflicts.resolver(tmp_path / "unbound", world, mxclash={"log-file": str(log)})
        )
        stack.enter_context(watching(unbound, "disk full"))
        asked = []

        def ask_until(condition, timeout_s, what):
            def asked_and_seen():
                asked.append(conflicts.open_one(unbound))
                time.sleep(ASK_EVERY_S)
                return condition()

            wait_until(asked_and_seen, timeout_s, what)

        def said(text):
            return lambda: text in unbound.log

        complaint = f"mxclash: log-file {log}: No space left on device; events are dropped"
        ask_until(lambda: line_count(log) > 1, EVENT_TIMEOUT_S, "a line")
        fill(disk / "ballast")
        # the file's last block has room for some lines and a part of one
        ask_until(said(complaint), EVENT_TIMEOUT_S, complaint)
        # whoever looks now, while it is full, sees whole lines
        assert opened_in([log])
        (disk / "ballast").unlink()
        ask_until(said(": is back, "), RETRY_TIMEOUT_S, "the log to be back")
        wait_until(
            # beside the line of the start
            lambda: line_count(log) - 1 + dropped(unbound) == len(asked),
            EVENT_TIMEOUT_S,
            f"{len(asked)} events written or counted",
        )
        told = int(re.search(r": is back, (\d+) events", unbound.log)[1])
        assert told == dropped(unbound) > 0
        found = opened_in([log])
        assert len(found) == len(set(found))
