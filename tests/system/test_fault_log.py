# SPDX-License-Identifier: BSD-3-Clause
"""The log file cannot be written: the resolver goes on, each event is counted, and the log too
goes on once it can. All at the same time, because each waits for the same seconds."""

import os
import re
import time

import pytest
from faults import RETRY_TIMEOUT_S, dropped, lived_at_once, opened_in, wait_log, wait_opened
from lab import wait_until
from resolver import EVENT_TIMEOUT_S
from watcher import watching


BACK = re.compile(r": is back, (\d+) events were dropped")
ASK_EVERY_S = 0.25


def rename_folder(log):
    log.parent.rename(log.parent.with_name("gone"))
    return lambda: log.parent.with_name("gone").rename(log.parent)


def put_in_place(make):
    """A fault: something that make(path) makes has the log's name."""

    def fault(log):
        kept = log.with_name("kept")
        log.rename(kept)
        make(log)

        def mend():
            log.rename(log.with_name("fault"))
            kept.rename(log)

        return mend

    return fault


def fifo_with_reader(log):
    """Somebody holds the FIFO open and does not read."""
    mend = put_in_place(os.mkfifo)(log)
    reader = os.open(log, os.O_RDONLY | os.O_NONBLOCK)

    def close_and_mend():
        os.close(reader)
        mend()

    return close_and_mend


DEVICE = "a link to /dev/full in its place"
# What happens to the log, and what the operator is told. A fault returns how it is mended.
FAULTS = {
    "folder gone": (rename_folder, "No such file or directory"),
    "a folder in its place": (put_in_place(os.mkdir), "Is a directory"),
    "a FIFO in its place": (put_in_place(os.mkfifo), "No such device or address"),
    "a FIFO with a reader in its place": (
        fifo_with_reader,
        "is neither a regular file nor a character device",
    ),
    DEVICE: (
        put_in_place(lambda path: path.symlink_to("/dev/full")),
        "No space left on device",
    ),
    "a link to itself in its place": (
        put_in_place(lambda path: path.symlink_to(path)),
        "Too many levels of symbolic links",
    ),
}


def live_through(name, world, conflicts, folder):
    fault, reason = FAULTS[name]
    log = folder / "log" / "events"
    log.parent.mkdir()
    unbound = conflicts.resolver(folder / "unbound", world, mxclash={"log-file": str(log)})
    complaint = f"mxclash: log-file {log}: {reason}; events are dropped and counted until"
    with unbound, watching(unbound, f"log file: {name}"):
        written = [conflicts.open_one(unbound)]
        wait_opened(unbound, *written)
        mend = fault(log)
        for lost in (1, 2):
            conflicts.open_one(unbound)
            wait_until(lambda: dropped(unbound) == lost, EVENT_TIMEOUT_S, f"{lost} lost")
        wait_log(unbound, complaint)
        mend()

        def is_back():
            # that a file can be opened again is noticed with nothing to write, but a device is
            # open all the time: that it takes lines again, the next line shows
            if name == DEVICE:
                written.append(conflicts.open_one(unbound))
                time.sleep(ASK_EVERY_S)
            return BACK.search(unbound.log)

        told = int(wait_until(is_back, RETRY_TIMEOUT_S, "the log to be back")[1])
        written.append(conflicts.open_one(unbound))
        wait_opened(unbound, written[-1])
        assert dropped(unbound) == told
        assert unbound.log.count(f"mxclash: log-file {log}: ") == 2
        assert unbound.http("/healthz")[0] == 200
    found = opened_in([log])
    assert len(found) == len(set(found)) == 2 + len(written) - told
    assert found == [domain for domain in written if domain in found]
    assert unbound.process.returncode == 0


lived_through = lived_at_once(live_through, FAULTS)


@pytest.mark.parametrize("name", FAULTS)
def test_log_file(lived_through, name):
    lived_through[name].result()
