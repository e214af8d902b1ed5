# SPDX-License-Identifier: BSD-3-Clause
"""pytest's plugin for run.sh: a test fails if a process left a report during it, or ended as
those do that found something.

What outlives the tests, as the authorities that all of them share, run.sh looks after. MXCLASH_PART,
as 1/2, plays the first of every two tests, so that two processes share the work.
"""
import os
import pathlib
import subprocess

import pytest

KIND = os.environ["MXCLASH_SANITIZER"]
REPORTS = pathlib.Path(os.environ["MXCLASH_REPORTS"])
PART, PARTS = map(int, os.environ.get("MXCLASH_PART", "1/1").split("/"))
SHOWN_OCTETS = 6000
# see run.sh
FOUND_STATUS = 99

# Tests that are left out: a part of their ids, and why.
MEMORY = "measures memory or instructions, which are a sanitizer's here"
PRELOAD = "what it preloads would come before the sanitizer's own library"
NO_PROC = "a sanitizer looks into /proc when a process ends, and waits for ever where there is none"
SAME = "compares what clients get with and without us; the same code as in the others runs"
FOREIGN = "the Recursor has no sanitizer and stacks of its own that none knows; see test_prover"
NO_THREADS = "there is one thread of Unbound's at most, or none; check-asan runs it"
OTHERS = {
    "test_reloads_leave_nothing_behind": MEMORY,
    "test_reloads_under_load": MEMORY,
    "test_huge_answers_cost_little": MEMORY,
    "test_attack_flood.py": MEMORY,
    "test_fault_malloc.py": PRELOAD,
    "test_fault_clock.py": PRELOAD,
    "test_chroot": NO_PROC,
    "test_unchanged": SAME,
    "test_powerdns": FOREIGN,
    "PowerDNS Recursor, the script inside": FOREIGN,
}
LEFT_OUT = {
    "asan": OTHERS,
    "tsan": OTHERS
    | dict.fromkeys(
        (
            *("test_cli.py", "test_authority.py", "test_provider_file.py", "test_wrong_build.py"),
            *("test_answers_dnssec.py", "test_postfix.py", "test_security_page.py", "test_pages.py"),
            *("test_manuals.py", "test_operations_page.py", "test_prometheus.py"),
            *("test_attack_answers.py", "test_attack_names.py"),
        ),
        NO_THREADS,
    ),
    "memcheck": {},
}

# LeakSanitizer's own thread crashed when a process ended: an error of its run-time, mended there
# later, and no word of ours. Whether that process leaked is then not known.
CRASHED = "Tracer caught signal"

_seen = set()
_processes = []


class Watched(subprocess.Popen):
    """Not every test looks how a process ended."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        _processes.append(self)


subprocess.Popen = Watched


def pytest_collection_modifyitems(config, items):
    kept = [
        item
        for number, item in enumerate(items)
        if number % PARTS == PART - 1 and not any(part in item.nodeid for part in LEFT_OUT[KIND])
    ]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown():
    faults = []
    crashes = 0
    for path in sorted(set(REPORTS.iterdir()) - _seen):
        if path.stat().st_size == 0:
            continue
        report = path.read_text(errors="replace")
        if report.startswith(CRASHED):
            crashes += 1
            path.unlink()
            continue
        _seen.add(path)
        faults.append(report[:SHOWN_OCTETS])
    ended = [process for process in _processes if process.poll() is not None]
    for process in ended:
        _processes.remove(process)
        if process.returncode == FOUND_STATUS and crashes > 0:
            crashes -= 1
        elif process.returncode == FOUND_STATUS:
            faults.append(f"status {FOUND_STATUS}, see its output: {process.args}")
    if faults:
        pytest.fail("\n".join(faults), pytrace=False)
