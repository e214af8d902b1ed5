# SPDX-License-Identifier: BSD-3-Clause
"""Whole resolvers under callgrind, each playing the same trace: instructions, in all and ours.

Before and after each part of the trace callgrind is told to write down what it has counted, and to
begin anew: so each part has figures of its own. Debian's binary is stripped, and its functions have
no names.
"""

import subprocess
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import callgrind
import lab
import players
import traffic
import variants
from lab import DNS_PORT, Authority, LabError, free_address, wait_until

SEED = 1
JOBS = 2
WRITE_TIMEOUT_S = 60
# functions that take less of a question are not kept
LEAST_KEPT = 0.1
OWN_OBJECT = "mxclash.so"
# valgrind is slow to start a server, the more so with an interpreter in it
lab.START_TIMEOUT_S = 120
# of Unbound: with one thread the detector's threads are the first that the process has
THREADS = (2, 1)


class Stage:
    """The trace and what serves it."""

    def __init__(self, folder, misses):
        self.folder = folder
        self.world, self.trace = traffic.make(SEED, misses)
        self.queries = {
            part: players.encode(questions)
            for part, questions in zip(self.trace._fields, self.trace)
        }

    def authorities(self, folder):
        """(context of) two authorities: the parents, which resolvers begin at, and the domains."""
        stack = ExitStack()
        address = free_address(DNS_PORT)
        parents, domains = traffic.scenarios(self.world, address)
        root = stack.enter_context(Authority(folder / "root", parents, None, DNS_PORT))
        stack.enter_context(Authority(folder / "domains", domains, address, DNS_PORT))
        return stack, root


def wrapper(folder):
    """How a resolver is run so that it is counted."""
    return (
        *("valgrind", "--tool=callgrind", "--compress-strings=no", "--compress-pos=no"),
        f"--callgrind-out-file={folder / 'counted'}",
    )


def part_files(folder):
    """The numbered files so far, in order."""
    found = [path for path in folder.glob("counted.*") if path.suffix[1:].isdigit()]
    return sorted(found, key=lambda path: int(path.suffix[1:]))


def end_part(resolver):
    """Have what was counted since the last part written. Returns its Profile."""
    before = len(part_files(resolver.folder))
    subprocess.run(
        ["callgrind_control", "--dump", str(resolver.pid)],
        timeout=WRITE_TIMEOUT_S,
        capture_output=True,
        check=True,
    )

    def written():
        files = part_files(resolver.folder)
        return len(files) > before and "totals:" in files[before].read_text()[-200:]

    wait_until(written, WRITE_TIMEOUT_S, "callgrind's file")
    return callgrind.read(part_files(resolver.folder)[before])


def figures(profile, questions):
    """What is kept of a Profile."""
    entered = Counter()
    for (name, function), cost in profile.entered.items():
        if name.endswith(OWN_OBJECT):
            entered[function] += cost
    calls = {
        function: count
        for (name, function), count in profile.calls.items()
        if name.endswith(OWN_OBJECT)
    }
    all_functions = Counter()
    for (name, function), cost in profile.functions.items():
        all_functions[f"{name.rsplit('/', 1)[-1]}:{function}"] += cost
    return {
        "questions": questions,
        "instructions": profile.total,
        "own_instructions": callgrind.self_cost(profile, OWN_OBJECT),
        "own_inclusive": sum(entered.values()),
        "entered": dict(entered.most_common()),
        "calls": calls,
        "functions": {
            name: cost
            for name, cost in all_functions.most_common()
            if cost >= LEAST_KEPT * questions
        },
    }


@contextmanager
def counted(stage, folder, of, threads):
    """(context of) a counted resolver, and a function that plays a part of the trace to it."""
    stack, root = stage.authorities(folder)
    resolver = variants.Resolver(
        folder / "resolver",
        {".": root},
        of,
        threads=threads,
        wrapper=wrapper(folder / "resolver"),
        preload=variants.BENCH / "fixed_random.so",
    )
    with stack, resolver, players.Player(resolver) as player:

        def play(part):
            if player.play(stage.queries[part]):
                raise LabError(f"{folder.name}: an answer in {part} is a failure")

        yield resolver, play


def play_parts(stage, of, threads, label):
    """The figures of each part of the trace."""
    parts = {}
    with counted(stage, stage.folder / label, of, threads) as (resolver, play):
        end_part(resolver)
        for part, queries in stage.queries.items():
            play(part)
            parts[part] = figures(end_part(resolver), len(queries))
    return parts


def jobs():
    """(label, variant, threads); two of one variant show the noise."""
    for threads in THREADS:
        yield f"none-{threads}", variants.NONE, threads
        yield f"empty-{threads}", variants.EMPTY_MODULE, threads
        yield f"mxclash-{threads}", variants.OURS, threads
        yield f"mxclash-all-{threads}", variants.ALL_ON, threads
        yield f"empty-again-{threads}", variants.EMPTY_MODULE, threads
    yield "empty-last-2", variants.EMPTY_LAST, 2
    if not (variants.STOCK.parent / "missing").exists():
        for of in variants.STOCK_BUILD:
            yield f"{of.key}-2", of, 2


def traces(stage):
    """A row for each job. One that cannot run has "error" in place of its parts."""

    def one(job):
        label, of, threads = job
        began = time.monotonic()
        row = {"label": label, "key": of.key, "title": of.title, "threads": threads}
        try:
            row["parts"] = play_parts(stage, of, threads, label)
        except (LabError, OSError, subprocess.SubprocessError) as error:
            row["error"] = str(error)[:1000]
        print(f"  trace {label}: {time.monotonic() - began:.0f} s", flush=True)
        return row

    with ThreadPoolExecutor(JOBS) as pool:
        return list(pool.map(one, jobs()))
