# SPDX-License-Identifier: BSD-3-Clause
"""Plays every replay of the Unbound tree that we build against, with our module in the chain.

Each is played with three modules: one that does nothing (empty), ours, and ours where it tells how
many answers it has inspected (watched). The same replays must pass with all of them, and those that
do not must be the ones that known/VERSION.txt lists, each for the reason it gives. So must those that
pass only where ours asks nothing itself: the tester takes a proof that is under way at the end of a
replay for a fault. The count must be the number of answers that Unbound says it got.

usage: check_host.py HOST_DIR TREE VERSION
  HOST_DIR  has testbound and the modules, and gets what is written, in check-host/
  TREE      the built source tree; its testdata/*.rpl are played
"""

import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

import replays

KNOWN = pathlib.Path(__file__).resolve().parent / "known"
MODULES = {"empty": "empty.so", "ours": "mxclash.so", "watched": "watched.so"}
# the longest takes a few seconds on a busy machine
REPLAY_DEADLINE_S = 60
# as Unbound's own `make test` plays them
TESTER_OPTIONS = ["-o", "-vvvvv"]
# our module as an operator gets it, but for what would leave the folder
CONF = 'log-file: "{folder}/events.json"\nhttp-listen: ""\ndatabase: ""\n'
ASKS_NOTHING = "probe: no\n"
# of many faults the first tell enough
FAULTS_SHOWN = 20

# faults: what is wrong with this run alone, whether it passed or not
Run = collections.namedtuple("Run", "replay variant passed answers faults folder")


class Host:
    """One built Unbound, and how its replays are played."""

    def __init__(self, folder, tree, version):
        self.folder = pathlib.Path(folder).resolve()
        self.tree = pathlib.Path(tree).resolve()
        self.version = version
        self.scratch = self.folder / "check-host"
        self.default_chain = None

    def prepare(self):
        for needed in ("testbound", *MODULES.values()):
            if not (self.folder / needed).exists():
                sys.exit(f"check-host: {self.folder / needed} is not there")
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir()
        # what holds without a module-config depends on how Unbound was configured
        nothing = self.scratch / "empty.conf"
        nothing.write_text("")
        self.default_chain = subprocess.run(
            [self.tree / "unbound-checkconf", "-o", "module-config", nothing],
            stdout=subprocess.PIPE,
            timeout=REPLAY_DEADLINE_S,
            check=True,
            text=True,
        ).stdout.strip()

    def replays(self):
        return sorted((self.tree / "testdata").glob("*.rpl"))

    def play(self, replay, variant, *, asks=True):
        """Play one replay with a module of MODULES, or "plain" with none."""
        folder = self.scratch / f"{replay.stem}.{variant}.{'asks' if asks else 'unasked'}"
        folder.mkdir()
        text = replay.read_text(encoding="latin-1")
        if variant != "plain":
            module = self.folder / MODULES[variant]
            text = replays.edited(text, module, self.default_chain)
        (folder / replay.name).write_text(text, encoding="latin-1")
        (folder / "mxclash.conf").write_text(
            CONF.format(folder=folder) + ("" if asks else ASKS_NOTHING)
        )
        with (folder / "output").open("wb") as stream:
            try:
                status = subprocess.run(
                    [self.folder / "testbound", "-p", replay.name, *TESTER_OPTIONS],
                    env={**os.environ, "MXCLASH_CONF": str(folder / "mxclash.conf")},
                    cwd=folder,
                    stdin=subprocess.DEVNULL,
                    stdout=stream,
                    stderr=subprocess.STDOUT,
                    timeout=REPLAY_DEADLINE_S,
                    check=False,
                ).returncode
            except subprocess.TimeoutExpired:
                status = None
        output = (folder / "output").read_text(errors="replace")
        answers = output.count("info: incoming scrubbed packet:")
        faults = []
        if status not in (0, 1):
            faults.append(f"{replay.name}, {variant}: the tester ended with {status}")
        if not was_loaded(folder, variant, output, ended=status == 0):
            faults.append(f"{replay.name}, {variant}: the module did not start and stop")
        # a replay that fails ends before the module is stopped
        if variant == "watched" and status == 0 and f"watch: {answers} answers\n" not in output:
            faults.append(f"{replay.name}: not {answers} answers reached the detector")
        run = Run(replay.name, variant, status == 0, answers, faults, folder)
        if run.passed and not faults:
            shutil.rmtree(folder)
        return run


def was_loaded(folder, variant, output, *, ended):
    """Did the module say that it began, and, where the replay ran to its end, that it stopped?"""
    told = re.findall(r"empty module: (\w+)", output)
    if variant in ("ours", "watched"):
        path = folder / "events.json"
        lines = path.read_text().splitlines() if path.exists() else []
        told = [json.loads(line)["event"] for line in lines]
    if variant == "plain":
        return not told
    return told.count("started") == 1 and (not ended or told.count("stopped") == 1)


def read_known(version):
    """What known/VERSION.txt lists: {replay: how it passes}."""
    known = {}
    path = KNOWN / f"{version}.txt"
    for line in path.read_text().splitlines() if path.exists() else []:
        if line and not line.startswith("#"):
            name, how, _reason = line.split(None, 2)
            if how not in ("unasked", "never"):
                sys.exit(f"check-host: {path.name}: {line}")
            known[name] = how
    return known


def play_all(host, found, known):
    """Every replay with each module, on all processors."""

    def play(job):
        replay, variant = job
        return host.play(replay, variant, asks=known.get(replay.name) != "unasked")

    jobs = [(replay, variant) for replay in found for variant in MODULES]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(play, jobs))


def compare(names, passed, known):
    """Faults of what passed with each module."""
    faults = []
    for one in MODULES:
        for other in MODULES:
            faults += [
                f"{name} passes with the module {one} and not with {other}"
                for name in sorted(passed[one] - passed[other])
            ]
    any_module = set.union(*passed.values())
    failed = names - any_module
    faults += [f"{name} passes with no module and is not listed" for name in failed - known.keys()]
    faults += [f"{name} is listed and there is no such replay" for name in known.keys() - names]
    never = {name for name, how in known.items() if how == "never"}
    faults += [f"{name} is listed and passes" for name in never & any_module]
    return faults


def check_known(host, replay, how):
    """Does a listed replay fail as the list says?"""
    run = host.play(replay, "plain" if how == "never" else "ours")
    return [f"{replay.name} is listed as {how}, and passes"] if run.passed else []


def main():
    host = Host(*sys.argv[1:4])
    host.prepare()
    found = host.replays()
    known = read_known(host.version)
    begin = time.monotonic()
    runs = play_all(host, found, known)
    faults = [fault for run in runs for fault in run.faults]
    of = {variant: [run for run in runs if run.variant == variant] for variant in MODULES}
    passed = {variant: {run.replay for run in of[variant] if run.passed} for variant in MODULES}
    faults += compare({replay.name for replay in found}, passed, known)
    for replay in found:
        if replay.name in known:
            faults += check_known(host, replay, known[replay.name])

    print(f"check-host: Unbound {host.version}, {time.monotonic() - begin:.0f} s")
    for variant in MODULES:
        print(
            f"check-host: {variant}: {len(found)} replays found, {len(of[variant])} played, "
            f"{len(passed[variant])} passed"
        )
        if not found or len(of[variant]) != len(found):
            faults.append(f"not every replay was played with {variant}")
    for name, how in sorted(known.items()):
        print(f"check-host: listed: {name} (passes: {how})")
    answers = sum(run.answers for run in of["watched"])
    print(f"check-host: {answers} answers of authorities in the replays with watched")
    if not answers:
        faults.append("no replay had an answer")
    for fault in faults[:FAULTS_SHOWN]:
        print(f"check-host: FAULT: {fault}")
    if faults:
        print(f"check-host: {len(faults)} faults; what the tester said is in {host.scratch}")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
