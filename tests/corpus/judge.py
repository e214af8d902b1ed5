# SPDX-License-Identifier: BSD-3-Clause
"""Holds the events of a run against what the corpus says must be reported."""

import json
from collections import Counter, defaultdict

CLOSING = ("cleared", "expired")


def by_conflict(events):
    """Events as a dict from (owner, kind) to those of this conflict, oldest first."""
    found = defaultdict(list)
    for event in events:
        found[event["domain"], event["kind"]].append(event)
    return found


def faults_of(expected, events, addresses):
    """What is wrong with the events of one conflict: a list of sentences, empty if all is right.

    `addresses` are those of the servers that may have given the deciding answer.
    """
    if not events:
        return ["not found"]
    faults = []
    kinds = [event["event"] for event in events]
    if kinds.count("opened") != 1 or kinds[0] != "opened":
        faults.append(f"opened {kinds.count('opened')} times")
    if any(kind in CLOSING for kind in kinds):
        faults.append("closed")
    last = events[-1]
    cname = last["cname"] and (last["cname"]["target"], last["cname"]["ttl"])
    mx = tuple(sorted((one["preference"], one["exchange"]) for one in last["mx"]))
    for what, seen, wanted in (
        ("state", last["state"], expected.state),
        ("cname", cname, expected.cname),
        ("mx", mx, expected.mx),
        ("provider", last["provider"], expected.provider),
        ("advice", sorted(last["advice"]), sorted(expected.advice)),
        ("apex", last["apex"], expected.apex),
        ("zone", last["zone"], expected.zone),
    ):
        if seen != wanted:
            faults.append(f"{what} is {seen}, should be {wanted}")
    for what, seen, wanted in (
        ("evidence", last["evidence"], expected.evidence),
        ("impact", last["impact"], expected.impact),
        ("authority", last["authority"], addresses),
    ):
        if seen not in wanted:
            faults.append(f"{what} is {seen}, should be {' or '.join(sorted(wanted))}")
    if last["authorities_differ"]:
        faults.append("its authorities do not differ")
    return faults


class Score:
    """Verdicts of one run: a line for each miss and false alarm, a row for each template."""

    def __init__(self):
        self.passed = 0
        self.failures = []
        # From class: domains, events expected, events right, domains judged wrong.
        self.rows = defaultdict(Counter)

    @property
    def failed(self):
        return len(self.failures)

    def check(self, good, what):
        """Count one thing that is no domain."""
        if good:
            self.passed += 1
        else:
            self.failures.append(what)

    def judge(self, domains, events, unanswered, addresses):
        """Judge every domain of one run.

        unanswered  from a domain's name to the questions that got no good answer
        addresses   from a domain to the addresses of its servers
        """
        found = by_conflict(events)
        for domain in domains:
            row = self.rows[domain.row]
            row["domains"] += 1
            row["expected"] += len(domain.expected)
            faults = []
            for conflict, expected in domain.expected.items():
                wrong = faults_of(expected, found.get(conflict, ()), addresses(domain))
                row["right"] += not wrong
                if wrong:
                    seen = found.get(conflict, ())
                    faults.append((conflict, "; ".join(wrong), seen))
                found.pop(conflict, None)
            for conflict in [c for c in found if is_within(c[0], domain.name)]:
                faults.append((conflict, "false alarm", found.pop(conflict)))
            for question, rcode in unanswered.get(domain.name, ()):
                faults.append((question, f"the resolver said {rcode}", ()))
            row["wrong"] += bool(faults)
            if faults:
                self.failures.append(_report(domain, faults))
            else:
                self.passed += 1
        for conflict, seen in found.items():
            what = f"{' '.join(conflict)}: false alarm, no domain of this corpus"
            self.failures.append(f"{what}\n{_lines(seen)}")

    def table(self):
        """A row for each class."""
        lines = [f"{'class':<60}{'domains':>8}{'expected':>10}{'right':>8}{'failed':>8}"]
        # the healthy first
        order = sorted(self.rows, key=lambda name: (self.rows[name]["expected"] > 0, name))
        for name in order:
            row = self.rows[name]
            cells = f"{row['domains']:>8}{row['expected']:>10}{row['right']:>8}{row['wrong']:>8}"
            lines.append(f"{name:<60}{cells}")
        return "\n".join(lines)


def is_within(owner, name):
    """Is the owner at or below the name?"""
    return owner == name or owner.endswith(f".{name}")


def _lines(events):
    return "\n".join(f"      {json.dumps(event)}" for event in events) or "      no event"


def _report(domain, faults):
    how = "minimised" if domain.minimise else "not minimised"
    asked = [question for phase in domain.questions for question in phase]
    order = " ".join(f"{name}/{rdtype}" for name, rdtype in asked)
    lines = [
        f"{domain.name}: {domain.template}, {domain.behaviour}, {how}",
        f"    asked{' at once' if domain.burst else ''}: {order}",
    ]
    for conflict, what, seen in faults:
        lines += [f"    {conflict[0]} {conflict[1]}: {what}", _lines(seen)]
    return "\n".join(lines)
