# SPDX-License-Identifier: BSD-3-Clause
"""The detector alone: core_bench natively, and under callgrind where instructions are counted."""

import json
import statistics
import subprocess
from concurrent.futures import ThreadPoolExecutor

import callgrind
from variants import BENCH

PROGRAM = BENCH / "core_bench"
GROWTH = BENCH / "growth_bench"
CLASSES = 13
# Conflicts that are open while an answer of a class is looked at: none, and some, as in any
# resolver that has run for a day.
OPEN = 10
COUNT = 20000
COUNT_CALLGRIND = 5000
THREAD_ANSWERS = 1_000_000
THREAD_ROUNDS = 60
RUN_TIMEOUT_S = 3600
OPEN_CONFLICTS = (1_000, 10_000, 100_000, 1_000_000)
TABLES_MIB = (1, 16, 256, 1024)
GROWTH_ROUNDS = 3
FUNCTIONS_SHOWN = 8


def run(*arguments, program=PROGRAM):
    """What a program prints, a list of dicts."""
    done = subprocess.run(
        [str(program), *map(str, arguments)],
        check=True,
        capture_output=True,
        text=True,
        timeout=RUN_TIMEOUT_S,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def count(folder, function, mode, number, answers, opened):
    """The same under callgrind. Returns the Profile of `function` and all that it calls."""
    path = folder / f"{mode}-{number}-{answers}-{opened}"
    options = ("--compress-strings=no", "--compress-pos=no", "--collect-bus=yes")
    subprocess.run(
        [
            *("valgrind", "--tool=callgrind", *options, f"--toggle-collect={function}"),
            *(f"--callgrind-out-file={path}", str(PROGRAM)),
            *(mode, str(number), str(answers), str(opened)),
        ],
        check=True,
        capture_output=True,
        timeout=RUN_TIMEOUT_S,
    )
    return callgrind.read(path)


def classes(folder):
    """A row for each class of answer, with no conflict open and with some, and for client MX."""
    jobs = [("class", number, opened) for opened in (0, OPEN) for number in range(CLASSES)]
    jobs += [("client", 0, OPEN), ("client", 1, OPEN)]

    # the answers that open the conflicts are looked at as well
    opening = count(folder, "mxclash_inspect", "class", 0, 0, OPEN)

    def one(job):
        mode, _, opened = job
        function = "mxclash_inspect" if mode == "class" else "mxclash_client_mx"
        profile = count(folder, function, *job[:2], COUNT_CALLGRIND, opened)
        before = opening if mode == "class" and opened else callgrind.NOTHING
        top = sorted(profile.functions.items(), key=lambda item: -item[1])[:FUNCTIONS_SHOWN]
        return {
            **dict(zip(("mode", "number", "open"), job)),
            "instructions": round((profile.total - before.total) / COUNT_CALLGRIND, 1),
            "atomics": round((profile.bus - before.bus) / COUNT_CALLGRIND, 2),
            "functions": {name: round(cost / COUNT_CALLGRIND, 1) for (_, name), cost in top},
        }

    with ThreadPoolExecutor(2) as pool:
        rows = list(pool.map(one, jobs))
    for row in rows:
        native = [run(row["mode"], row["number"], COUNT, row["open"])[0] for _ in range(5)]
        row["class"] = native[0]["class"]
        row["ns"] = statistics.median(one["ns"] for one in native)
    return rows


def threads():
    """The same answers by one thread, by two that share an engine, and by two with one each, which
    is what the machine can give. Many short rounds, in turn; what nine of ten take longer than is
    what an undisturbed one takes."""
    rows = run("threads", THREAD_ANSWERS, THREAD_ROUNDS)
    found = {}
    for name, key in (("one", (1, 1)), ("two", (2, 1)), ("two_apart", (2, 2))):
        mine = [row for row in rows if (row["threads"], row["engines"]) == key]
        found[name] = {
            "ns": sorted(row["ns"] for row in mine)[len(mine) // 10],
            "wall_ns": sorted(row["wall_ns"] / row["answers"] for row in mine)[len(mine) // 10],
        }
    found["shared"] = {
        "ratio": found["two_apart"]["ns"] / found["two"]["ns"],
        "wall_ratio": found["two_apart"]["wall_ns"] / found["two"]["wall_ns"],
    }
    for name in ("two", "two_apart"):
        found[name]["ratio"] = 2 * found["one"]["ns"] / found[name]["ns"]
        found[name]["wall_ratio"] = found["one"]["wall_ns"] / found[name]["wall_ns"]
    return {"rounds": rows, **found}


def names(most):
    """The table's memory and the cost of an answer as names go by."""
    return run("names", most)


def least(rows):
    """Of rows that measured the same, the least of each figure: what an undisturbed run takes."""
    return {key: min(row[key] for row in rows) for key in rows[0]}


def growth():
    """What grows with the conflicts that are open, and with the size of the table."""
    return {
        name: [
            least([run(name, value, program=GROWTH)[0] for _ in range(GROWTH_ROUNDS)])
            for value in values
        ]
        for name, values in (("open", OPEN_CONFLICTS), ("table", TABLES_MIB))
    }
