# SPDX-License-Identifier: BSD-3-Clause
"""Measures what the detector costs, and writes tables, JSON and pictures to build/bench/.

    bench.py [--parts core,threads,growth,names,trace,load,dnstap] [--misses N] [--names N]
             [--rounds N]

A part that is not measured now keeps its figures of an earlier run. The exit status is 0 unless
something failed to run: figures that miss their target are printed, they are no failure.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "system"))

import core  # noqa: E402
import dnstap  # noqa: E402
import load  # noqa: E402
import plots  # noqa: E402
import report  # noqa: E402
import variants  # noqa: E402
import whole  # noqa: E402
from lab import LabError  # noqa: E402

PARTS = ("core", "threads", "growth", "names", "trace", "load", "dnstap")


def first_line(*command):
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return (done.stdout + done.stderr).splitlines()[0]


def machine():
    """What the figures hang on."""
    cpu = next(
        line.split(":")[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    )
    unbound = variants.BUILD / "unbound" / "sbin" / "unbound"
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "load_at_start": os.getloadavg()[0],
        "compiler": first_line("gcc", "--version"),
        "unbound": first_line(str(unbound), "-V"),
        "valgrind": first_line("valgrind", "--version"),
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }


def keep(part, value):
    (variants.BENCH / f"{part}.json").write_text(json.dumps(value, indent=1) + "\n")


def kept():
    """What this run and earlier ones have left, by part."""
    found = {}
    for part in ("machine", *PARTS):
        path = variants.BENCH / f"{part}.json"
        if path.exists():
            found[part] = json.loads(path.read_text())
    return found


def measure(parts, folder, options):
    """Measure the parts and keep them."""
    # first what is counted: it does not mind that the machine warms up
    if "core" in parts:
        keep("core", core.classes(folder))
    if "growth" in parts:
        keep("growth", core.growth())
    if "names" in parts:
        keep("names", core.names(options.names))
    if "threads" in parts:
        keep("threads", core.threads())
    if "dnstap" in parts:
        keep("dnstap", dnstap.measure(folder))
    if not {"trace", "load"} & set(parts):
        return
    stage = whole.Stage(folder, options.misses)
    if "load" in parts:
        rows = load.rounds(stage, options.rounds)
        keep("load", {"rounds": rows, "summary": load.summary(rows), "pairs": load.pairs(stage)})
    if "trace" in parts:
        keep("trace", whole.traces(stage))


def main():
    parser = argparse.ArgumentParser(description="Measure what the detector costs.")
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--misses", type=int, default=20000)
    parser.add_argument("--names", type=int, default=10**8)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    parts = options.parts.split(",")
    unknown = set(parts) - set(PARTS)
    if unknown:
        parser.error(f"no part is called {min(unknown)}; there are {', '.join(PARTS)}")
    began = time.monotonic()
    keep("machine", machine())
    try:
        with tempfile.TemporaryDirectory(prefix="mxclash-bench-") as folder:
            measure(parts, Path(folder), options)
    except LabError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    figures = kept()
    text = report.write(figures, variants.STOCK.parent / "missing")
    (variants.BENCH / "performance.md").write_text(text)
    plots.draw(figures, variants.BENCH)
    print(text)
    print(f"{time.monotonic() - began:.0f} s; figures, table and pictures: {variants.BENCH}")
    return 1 if any("error" in row for row in figures.get("trace", ())) else 0


if __name__ == "__main__":
    sys.exit(main())
