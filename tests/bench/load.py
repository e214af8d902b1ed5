# SPDX-License-Identifier: BSD-3-Clause
"""dnsperf against each resolver in turn: processor time, as the kernel counts it."""

import math
import re
import statistics
import subprocess
from pathlib import Path

import variants
from lab import LabError
from meter import InstructionCounter

OUTSTANDING = 100
RUN_TIMEOUT_S = 300
# The hits are asked so many times over.
HIT_ROUNDS = 3
# Of each part: see pairs().
PAIRS = {"misses": 41, "hits": 151}
SENT = re.compile(r"Queries completed:\s+(\d+)")
QPS = re.compile(r"Queries per second:\s+([\d.]+)")


def cpu_ns(pid):
    """Processor time of all threads so far."""
    files = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(path.read_text().split()[0]) for path in files)


def dnsperf(resolver, file, rounds):
    """Play a file. Returns (queries answered, queries a second)."""
    done = subprocess.run(
        [
            *("dnsperf", "-s", resolver.address, "-p", str(resolver.port), "-d", str(file)),
            *("-n", str(rounds), "-c", "4", "-T", "1", "-q", str(OUTSTANDING), "-e"),
        ],
        check=True,
        capture_output=True,
        text=True,
        timeout=RUN_TIMEOUT_S,
    )
    found = SENT.search(done.stdout)
    if not found:
        raise LabError(f"dnsperf: {done.stdout[-500:]}{done.stderr[-500:]}")
    return int(found[1]), float(QPS.search(done.stdout)[1])


def measure(resolver, files):
    """One resolver, fresh: a dict for misses and one for hits."""
    result = {}
    for part, rounds in (("misses", 1), ("hits", HIT_ROUNDS)):
        counter = InstructionCounter(resolver.pid)
        before = cpu_ns(resolver.pid)
        answered, qps = dnsperf(resolver, files[part], rounds)
        result[part] = {
            "answered": answered,
            "cpu_us": (cpu_ns(resolver.pid) - before) / 1000 / answered,
            "qps": qps,
            "instructions": counter.stop() / answered,
        }
    return result


def write_files(folder, trace):
    """The questions in dnsperf's format."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for part in ("misses", "hits"):
        files[part] = folder / part
        lines = (
            f"{name} {'TYPE65' if rdtype == 'HTTPS' else rdtype}\n"
            for name, rdtype in getattr(trace, part)
        )
        files[part].write_text("".join(lines))
    return files


def rounds(stage, count):
    """`count` rounds of all variants, in turn, so that a busy minute hits them alike."""
    files = write_files(stage.folder / "load", stage.trace)
    with_stock = not (variants.STOCK.parent / "missing").exists()
    every = variants.OWN_BUILD + (variants.STOCK_BUILD if with_stock else ())
    rows = []
    for number in range(count):
        stack, root = stage.authorities(stage.folder / f"load-{number}")
        with stack:
            for of in every:
                folder = stage.folder / f"load-{number}-{of.key}"
                with variants.Resolver(folder, {".": root}, of, threads=2) as resolver:
                    rows.append({"round": number, "key": of.key, "title": of.title})
                    rows[-1] |= measure(resolver, files)
        print(f"  load: round {number + 1} of {count}", flush=True)
    return rows


def play(resolver, part, files):
    """Queries a second. What misses is asked of an empty cache."""
    if part == "misses":
        resolver.control("flush_zone .")
    return dnsperf(resolver, files[part], 1)[1]


def pairs(stage):
    """Queries a second with the detector against those with no module, by part, pair by pair.

    A second on a machine that others use too differs from the next by a fifth. So both resolvers are
    there at once, one of them works, and what is compared came within seconds: first the one, then
    the other, the next time the other way round.
    """
    files = write_files(stage.folder / "pairs", stage.trace)
    ratios = {}
    stack, root = stage.authorities(stage.folder / "pairs-world")
    with stack:
        none, ours = (
            stack.enter_context(
                variants.Resolver(stage.folder / f"pairs-{of.key}", {".": root}, of, threads=2)
            )
            for of in (variants.NONE, variants.OURS)
        )
        for part, count in PAIRS.items():
            ratios[part] = []
            for number in range(count):
                order = (none, ours) if number % 2 else (ours, none)
                speed = {one: play(one, part, files) for one in order}
                ratios[part].append(speed[ours] / speed[none])
    return {part: mean_of(of) | {"ratios": of} for part, of in ratios.items()}


def mean_of(ratios):
    """The mean of ratios, and how far it is off by chance (its standard error)."""
    logs = [math.log(ratio) for ratio in ratios]
    speed = math.exp(statistics.mean(logs))
    return {"speed": speed, "error": speed * statistics.stdev(logs) / math.sqrt(len(logs))}


def summary(rows):
    """For each variant and part: the ratio to its own build without a module, by round."""
    base = {"stock": "stock", "stock-python": "stock", "stock-dnstap": "stock"}
    found = {}
    for row in rows:
        for part in ("misses", "hits"):
            key = row["key"], part
            of_base = next(
                r
                for r in rows
                if r["round"] == row["round"] and r["key"] == base.get(row["key"], "none")
            )
            one = found.setdefault(
                key, {"title": row["title"], "ratios": [], "speeds": [], "cpu_us": [], "instructions": []}
            )
            one["ratios"].append(row[part]["cpu_us"] / of_base[part]["cpu_us"])
            one["speeds"].append(row[part]["qps"] / of_base[part]["qps"])
            one["cpu_us"].append(row[part]["cpu_us"])
            one["instructions"].append(row[part]["instructions"])
    return [
        {
            "key": key,
            "part": part,
            "title": one["title"],
            "cpu_us": statistics.median(one["cpu_us"]),
            "instructions": statistics.median(one["instructions"]),
            "ratio": statistics.median(one["ratios"]),
            "speed": statistics.median(one["speeds"]),
            "least": min(one["ratios"]),
            "most": max(one["ratios"]),
            "ratios": one["ratios"],
        }
        for (key, part), one in found.items()
    ]
