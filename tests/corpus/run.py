# SPDX-License-Identifier: BSD-3-Clause
"""Plays a generated corpus of domains against the module in a real Unbound.

    run.py [--seed N] [--healthy COUNT] [--broken COUNT] [--folder FOLDER]

Healthy domains must raise no event at all, each broken one exactly those that the corpus says. The
seed makes the corpus and the order of its questions; it is printed, so that a run can be repeated.
The last line is `N passed, M failed`, and the exit status 0 if M is 0.
"""

import argparse
import contextlib
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "system"))

import asker  # noqa: E402
import generate  # noqa: E402
from domains import PHASES  # noqa: E402
from judge import Score  # noqa: E402
from lab import POLL_S  # noqa: E402
from stage import Authorities, Resolver  # noqa: E402

# Proofs must not be what the run waits for.
FAST = {"probe-rate": 5000}
PATIENT = {**FAST, "recheck-interval": 1}
# How long clients go on asking, and how often: records live for a second there, and Unbound counts
# in whole seconds.
PATIENCE_S = 40
ASK_AGAIN_S = 2.3
PROGRESS_EVERY_S = 10
# A run that fails everywhere need not be printed whole.
FAILURES_SHOWN = 40
# Domains of one pair of resolvers: what no proof shows is opened 1,000 at once, then 10 a second
# (module/core/limits/openings.h), and a domain may have two such conflicts.
BROKEN_AT_ONCE = 700
PROOFS = "mxclash_probes_total"
DROPPED = "mxclash_probes_dropped_total"
DELAYED = "mxclash_conflicts_delayed_total"


class Progress:
    """Prints how far things are, now and then."""

    def __init__(self):
        self.started = time.monotonic()
        self.last = self.started

    def say(self, text):
        self.last = time.monotonic()
        print(f"[{self.last - self.started:5.0f} s] {text}", flush=True)

    def now_and_then(self, make_text):
        if time.monotonic() - self.last >= PROGRESS_EVERY_S:
            self.say(make_text())


class Part:
    """Domains that are asked of the same resolvers; one resolver minimises names, one does not."""

    def __init__(self, name, domains, resolvers):
        self.name = name
        self.domains = domains
        self.resolvers = resolvers
        self.askers = {
            minimise: asker.Asker(resolver.unbound.address, resolver.unbound.port)
            for minimise, resolver in resolvers.items()
        }

    def describe(self):
        """How far it is, in a line."""
        asked = sum(one.asked for one in self.askers.values())
        waiting = sum(len(one.waiting) for one in self.askers.values())
        events = sum(len(resolver.read_events()) for resolver in self.resolvers.values())
        return f"{self.name}: {asked} questions asked, {waiting} domains wait, {events} events"

    def ask(self, phase, progress):
        """Ask the questions of a phase."""
        for domain in self.domains:
            self.askers[domain.minimise].add(domain, domain.questions[phase])
        asker.run(self.askers.values(), lambda: progress.now_and_then(self.describe))

    def ask_patiently(self, progress):
        """Ask the same questions again and again, each time another one first, until all that is
        expected has been reported."""
        expected = {conflict for domain in self.domains for conflict in domain.expected}
        deadline = time.monotonic() + PATIENCE_S
        while not expected <= self.opened() and time.monotonic() < deadline:
            again = time.monotonic() + ASK_AGAIN_S
            self.ask(0, progress)
            for domain in self.domains:
                domain.questions[0].append(domain.questions[0].pop(0))
            while not expected <= self.opened() and time.monotonic() < again:
                time.sleep(POLL_S)

    def opened(self):
        """The conflicts that have been reported so far, as (owner, kind)."""
        for resolver in self.resolvers.values():
            resolver.read_events()
        return set().union(*(resolver.opened for resolver in self.resolvers.values()))

    def barrier(self):
        """Wait until all that was asked has had its consequences."""
        for resolver in self.resolvers.values():
            resolver.barrier()

    def finish(self, score, authorities):
        """Stop the resolvers and judge what they said."""
        for resolver in self.resolvers.values():
            self.check_numbers(score, resolver.unbound.metrics())
        unanswered = defaultdict(list)
        for one in self.askers.values():
            one.close()
            for domain, question, rcode in one.failures:
                unanswered[domain.name].append(("/".join(question), rcode))
        events = []
        for resolver in self.resolvers.values():
            resolver.unbound.stop()
            events += resolver.read_events()
        score.judge(self.domains, events, unanswered, authorities.addresses_of)

    def check_numbers(self, score, metrics):
        """The detector dropped and gave up nothing."""
        proofs = {k[29:-2]: int(v) for k, v in metrics.items() if k.startswith(PROOFS)}
        print(f"  {self.name}: proofs", ", ".join(f"{v} {k}" for k, v in proofs.items()))
        for series in (
            *(k for k in metrics if DROPPED in k and "zone-limit" not in k),
            *(k for k in metrics if k.startswith("mxclash_events_dropped_total")),
            *(k for k in metrics if k.startswith(DELAYED) and "domain-limit" not in k),
            "mxclash_malformed_answers_total",
        ):
            score.check(metrics[series] == 0, f"{self.name}: {series} is {metrics[series]}")


def play(corpus, folder, progress, referrals):
    """Play the whole corpus. Returns the Score."""
    score = Score()
    with contextlib.ExitStack() as stack:
        authorities = stack.enter_context(Authorities(folder, corpus, referrals=referrals))
        how = "by referrals" if authorities.delegated else "told of each zone"
        progress.say(f"authorities serve {sum(1 for _ in corpus.zones())} zones, found {how}")

        def resolver(name, **options):
            return stack.enter_context(
                Resolver(folder / name, authorities, corpus.sentinels, **options)
            )

        def pair_of_resolvers(name, settings):
            return {
                minimise: resolver(f"{name}-{how}", minimise=minimise, mxclash=settings)
                for minimise, how in ((True, "minimising"), (False, "plain"))
            }

        slow = Part("default rate", corpus.slow, {True: resolver("slow")})
        slow.ask(0, progress)
        progress.say(f"{len(corpus.slow)} domains asked at the default rate of proofs")
        parts = [("healthy", corpus.healthy)]
        for first in range(0, len(corpus.broken), BROKEN_AT_ONCE):
            parts.append((f"broken-{first}", corpus.broken[first : first + BROKEN_AT_ONCE]))
        for name, domains in parts:
            part = Part(name, domains, pair_of_resolvers(name, FAST))
            for phase in range(PHASES):
                authorities.play(phase)
                part.ask(phase, progress)
                part.barrier()
            progress.say(part.describe())
            part.finish(score, authorities)
        patient = Part("patient", corpus.patient, pair_of_resolvers("patient", PATIENT))
        patient.ask_patiently(progress)
        patient.barrier()
        progress.say(patient.describe())
        patient.finish(score, authorities)
        slow.barrier()
        progress.say(slow.describe())
        slow.finish(score, authorities)
    return score


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    arguments.add_argument("--seed", type=int, default=generate.SEED)
    arguments.add_argument("--healthy", type=int, default=generate.HEALTHY, metavar="COUNT")
    arguments.add_argument("--broken", type=int, default=generate.BROKEN, metavar="COUNT")
    arguments.add_argument("--no-referrals", action="store_true", help="as without port 53")
    arguments.add_argument("--folder", type=Path, help="keep the servers' files here")
    options = arguments.parse_args()
    print(f"seed {options.seed}", flush=True)
    progress = Progress()
    corpus = generate.generate(options.seed, options.healthy, options.broken)
    progress.say(f"{len(corpus.healthy)} healthy and {len(corpus.broken)} broken domains made")
    with contextlib.ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        score = play(corpus, folder, progress, not options.no_referrals)
    for failure in score.failures[:FAILURES_SHOWN]:
        print(failure)
    if score.failed > FAILURES_SHOWN:
        print(f"... and {score.failed - FAILURES_SHOWN} more")
    print(score.table())
    print(f"seed {options.seed}, {time.monotonic() - progress.started:.0f} s")
    print(f"{score.passed} passed, {score.failed} failed")
    return 0 if score.failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
