# SPDX-License-Identifier: BSD-3-Clause
"""conf-examples/fleet/rsyslog-resolver.conf and the collector, on logs that a test writes."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from bookkeeping import event, write
from fleet import EXAMPLES, FLEET_TIMEOUT_S, NOBODY, Fleet, fleet_missing, open_folder, own
from lab import wait_until

SIZE = 500


@pytest.fixture
def fleet():
    if reason := fleet_missing():
        pytest.skip(reason)
    with open_folder() as folder:
        yield Fleet(folder)


def arrived(fleet):
    """How often each line came."""
    counts = {}
    for path in fleet.spool.glob("*.json"):
        for line in path.read_text().splitlines():
            counts[line] = counts.get(line, 0) + 1
    return counts


def octets_of(fleet):
    """All lines that came, in their order."""
    paths = sorted(fleet.spool.glob("*.json"))
    return [line for path in paths for line in path.read_bytes().splitlines()]


def queued(relay):
    return sum(path.read_bytes().count(b"<Obj:") for path in relay.folder.glob("to-collector.0*"))


def test_a_full_queue_keeps_the_log_waiting_and_throws_nothing_away(fleet):
    log = fleet.folder / "mxclash.json"
    write(log, *(event(f"d{number}.test") for number in range(4 * SIZE)))
    relay = fleet.relay(1, log)
    relay.conf = relay.conf.replace('queue.size="2000000"', f'queue.size="{SIZE}"')
    assert f'"{SIZE}"' in relay.conf
    with relay:
        # rsyslogd stops a little below
        wait_until(lambda: queued(relay) > 0.9 * SIZE, FLEET_TIMEOUT_S, "a full queue")
        # the collector is not there: what was more would be seen by now, or be lost
        write(log, event("last.test"))
        assert queued(relay) <= SIZE
        with fleet.collector():
            wait_until(lambda: len(arrived(fleet)) == 4 * SIZE + 1, FLEET_TIMEOUT_S, "all lines")
    assert set(arrived(fleet)) == set(log.read_text().splitlines())


def test_long_lines_and_odd_octets_arrive_as_they_are(fleet):
    """A name of 255 octets in each MX, every one written as \\DDD, and what a damaged log may hold."""
    log = fleet.folder / "mxclash.json"
    name = ".".join(["\\200" * 63] * 3 + ["\\200" * 61])
    long = event(name, mx=[{"preference": 5, "exchange": name}] * 16, zone=name)
    assert len(json.dumps(long)) > 20000
    write(log, long, "no event", event("a.test", provider="100%$#'\""))
    with log.open("ab") as file:
        file.write(b"\xff\xfe\n" + json.dumps(event("behind.test")).encode() + b"\n")
    with fleet.collector(), fleet.relay(1, log):
        wait_until(
            lambda: any(b"behind.test" in line for line in octets_of(fleet)),
            FLEET_TIMEOUT_S, "the last line",
        )  # fmt: skip
    assert octets_of(fleet) == log.read_bytes().splitlines()


def test_while_the_disk_of_the_collector_is_full_the_resolver_keeps_what_it_has(fleet):
    small, large = (["-o", f"{prefix}size={size}"] for prefix, size in (("", "64k"), ("remount,", "8m")))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", *small, "tmpfs", str(fleet.spool)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"no small disk can be had: {mounted.stderr.strip()}")
    try:
        own(fleet.spool, NOBODY)
        log = fleet.folder / "mxclash.json"
        write(log, *(event(f"d{number}.test") for number in range(SIZE)))

        def octets():
            return sum(path.stat().st_size for path in fleet.spool.glob("*.json"))

        with fleet.collector(), fleet.relay(1, log):
            wait_until(lambda: octets() > 64000, FLEET_TIMEOUT_S, "a full disk")
            assert len(arrived(fleet)) < SIZE / 4
            subprocess.run(["mount", *large, str(fleet.spool)], check=True)
            wait_until(lambda: len(arrived(fleet)) >= SIZE, FLEET_TIMEOUT_S, "all lines")
        # and no half one
        assert set(arrived(fleet)) == set(log.read_text().splitlines())
    finally:
        subprocess.run(["umount", "--lazy", str(fleet.spool)], check=True)


@pytest.mark.parametrize("program", ["fleet-load", "fleet-spool"])
def test_the_programs_say_how_they_are_used(program):
    done = subprocess.run([EXAMPLES / program], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and f"usage: {program} SPOOL" in done.stderr


def test_fleet_spool_cuts_off_what_one_that_was_killed_left(tmp_path):
    """The kernel ends a write at the border of a page when its process is killed."""
    lines = [json.dumps(event(f"d{number}.test")) + "\n" for number in range(3)]
    hours = [time.strftime("%Y%m%d%H.json", time.gmtime(time.time() + later)) for later in (0, 3600)]
    for hour in hours:
        (tmp_path / hour).write_text(lines[0] + lines[1][:100])
    done = subprocess.run(
        [EXAMPLES / "fleet-spool", tmp_path], input="".join(lines[1:]), text=True, capture_output=True,
        timeout=60, check=True,
    )
    assert done.stdout == "OK\n" * 3
    assert "".join(lines) in [(tmp_path / hour).read_text() for hour in hours]


def test_fleet_spool_is_killed_while_events_stream(fleet):
    log = fleet.folder / "mxclash.json"
    log.touch()
    with fleet.collector() as collector, fleet.relay(1, log):
        killed = set()
        for batch in range(4):
            write(log, *(event(f"d{batch}-{number}.test") for number in range(SIZE)))

            def another():
                """The process id of the one that rsyslogd has now."""
                tasks = Path(f"/proc/{collector.pid}/task").glob("*/children")
                now = {int(pid) for path in tasks for pid in path.read_text().split()} - killed
                return now if now and len(arrived(fleet)) > batch * SIZE else None

            for pid in wait_until(another, FLEET_TIMEOUT_S, "fleet-spool to write"):
                os.kill(pid, signal.SIGKILL)
                killed.add(pid)
        wait_until(lambda: len(arrived(fleet)) >= 4 * SIZE, FLEET_TIMEOUT_S, "all lines")
    assert len(killed) >= 4
    assert set(arrived(fleet)) == set(log.read_text().splitlines())
