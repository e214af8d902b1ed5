# SPDX-License-Identifier: BSD-3-Clause
"""The log file is rotated again and again while conflicts open: each line is there, and once."""

import os
import shutil
import signal
import threading
import time

import pytest
from faults import dropped, events_of, line_count, lived_at_once, opened_in
from lab import wait_until
from resolver import EVENT_TIMEOUT_S
from watcher import watching

ROTATIONS = 20
# Lines that a file has before it is rotated.
LINES = 5
ASK_EVERY_S = 0.01


def rename_and_create(_, log, rotated):
    """As logrotate's `create` does."""
    log.rename(rotated)
    # the module looks for its file too, and may have made a new one in between: that one is kept
    os.close(os.open(log, os.O_WRONLY | os.O_CREAT, 0o640))


def rename_only(_, log, rotated):
    """As logrotate's `nocreate` does."""
    log.rename(rotated)


def copy_and_truncate(unbound, log, rotated):
    """As logrotate's `copytruncate` does, which loses what is written between the two. So that it
    is known what should be there, the process stands still meanwhile."""
    unbound.process.send_signal(signal.SIGSTOP)
    tasks = f"/proc/{unbound.pid}/task"

    def stands_still():
        for task in os.listdir(tasks):
            with open(f"{tasks}/{task}/stat", encoding="ascii", errors="replace") as stat:
                if stat.read().rsplit(")", 1)[1].split()[0] != "T":
                    return False
        return True

    wait_until(stands_still, EVENT_TIMEOUT_S, "the process to stand still")
    shutil.copyfile(log, rotated)
    os.truncate(log, 0)
    unbound.process.send_signal(signal.SIGCONT)


WAYS = {
    "rename and create": rename_and_create,
    "rename only": rename_only,
    "copy and truncate": copy_and_truncate,
}


def rotate_under_load(way, world, conflicts, folder):
    done = threading.Event()
    asked, rotated = [], []

    def load():
        while not done.is_set():
            asked.append(conflicts.open_one(unbound))
            time.sleep(ASK_EVERY_S)

    loading = threading.Thread(target=load, daemon=True)
    with conflicts.resolver(folder, world, threads=2) as unbound:
        log = unbound.events_path
        with watching(unbound, f"log file: {way}, {ROTATIONS} times"):
            loading.start()
            for number in range(ROTATIONS):
                wait_until(
                    lambda: line_count(log) >= LINES,
                    EVENT_TIMEOUT_S,
                    f"lines after rotation {number}",
                )
                rotated.append(folder / f"events.{number}")
                WAYS[way](unbound, log, rotated[-1])
            done.set()
            loading.join()
            files = [*rotated, log]
            # and the one of the start
            wait_until(lambda: line_count(*files) > len(asked), EVENT_TIMEOUT_S, "every line")
        assert dropped(unbound) == 0
    assert sorted(opened_in(files)) == sorted(asked)
    assert all(events_of([path]) for path in rotated)


rotated = lived_at_once(rotate_under_load, WAYS)


@pytest.mark.parametrize("way", WAYS)
def test_rotation(rotated, way):
    rotated[way].result()
