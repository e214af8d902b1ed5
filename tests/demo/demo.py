#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The demo: real authorities, broken and healthy mail domains, Unbound with the module.

Asks as web visitors and mail servers do, shows what senders lose and what the module says of it,
then checks what it showed: exit status 1 and a sentence if that is not as it should be. With the
environment variable KEEP=1 everything goes on running.
"""

import os
import re
import shutil
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from cast import CAST, DOMAINS, MENDED  # noqa: E402
from lab import LabError, port_53_missing, rrset_texts, wait_until  # noqa: E402
from page import Page  # noqa: E402
from printing import fields, paragraph, table, title  # noqa: E402
from resolver import Unbound  # noqa: E402
from world import World  # noqa: E402

# two looks, `confirm-after` apart, and some for a busy machine
PROOF_LIMIT_S = 10.0
EVENTS_TIMEOUT_S = 30
CURE_TIMEOUT_S = 60
# the defaults of mxclash.conf
CONFIRM_AFTER_S = 2
TALLY_INTERVAL_S = 300
AUTHORITY_LIFETIME = "an hour"
RETRIES = 2
WORDS = {
    "confirmed": "the authority does publish both at one name.",
    "suspected": "something is wrong with mail to this name, but no MX was seen at its authority.",
    "probe": "the module has asked the authority for MX and CNAME afresh, past the cache.",
    "same-answer": "one answer of the authority carried both.",
    "separate-answers": "both were seen in answers to clients' questions, each while valid.",
}
LABEL = re.compile(r'(\w+)="([^"]*)"')
KEY_METRICS = (
    "mxclash_answers_inspected_total",
    "mxclash_conflicts_opened_total",
    "mxclash_conflicts_cleared_total",
    "mxclash_conflicts{",
    "mxclash_affected_mx_answers_total",
    "mxclash_probes_total",
)


def mail_hosts(answer):
    """What the answer to an MX question tells a sender, in a few words, and whether it is an MX."""
    found = rrset_texts(answer, "MX")
    if found:
        hosts = [text.split()[1].rstrip(".") for text in sorted(found, key=preference)]
        rest = f", {len(hosts) - 1} more" if len(hosts) > 1 else ""
        return f"MX {hosts[0]}{rest}", True
    targets = rrset_texts(answer, "CNAME")
    if targets:
        return f"only CNAME {targets[0].rstrip('.')}", False
    return "no MX", False


def preference(mx_text):
    return int(mx_text.split()[0])


def event_time(event):
    return datetime.fromisoformat(event["time"].replace("Z", "+00:00")).timestamp()


class Demo:
    """One run. Every step prints its part."""

    def __init__(self, world, unbound, domains):
        self.world = world
        self.unbound = unbound
        self.domains = domains
        self.first_asked = {}
        self.lost = {}
        self.not_repaired = []

    def show_servers(self):
        title("1. The servers, all on loopback")
        rows = []
        for server in self.world.servers:
            zones = [zone for zone, home in self.world.home.items() if home is server]
            rows.append((server.label, server.endpoint, server.pid, ", ".join(zones)))
        if self.world.root:
            rows[0] = (rows[0][0], *rows[0][1:3], "the root, and test with its delegations")
        rows.append(
            ("Unbound", self.unbound.endpoint, self.unbound.pid, "the resolver, with the module")
        )
        table(("server", "address", "pid", "what it serves"), rows)
        if not self.world.tinydns:
            paragraph(f"tinydns and its domain are left out: {port_53_missing()}.")

    def show_domains(self):
        title("2. The domains")
        table(("domain", "what its owner set up"), [(d.name, d.story) for d in self.domains])

    def ask(self):
        """As in life: first a web visitor, then a mail server."""
        title("3. What a sender gets")
        paragraph(
            "For each domain the resolver is asked for A, as a visitor of the web site would have"
            " it asked, and then for MX, as a mail server does. Beside it stands what the"
            " domain's own authority says when it is asked for MX directly."
        )
        rows = []
        for domain in self.domains:
            self.first_asked[domain.name] = time.time()
            self.unbound.ask(domain.name, "A")
            got, arrives = mail_hosts(self.unbound.ask(domain.name, "MX"))
            self.lost[domain.name] = not arrives
            authority = self.world.server_of(domain.name)
            there, _ = mail_hosts(authority.ask(domain.name, "MX"))
            rows.append((domain.name, "ok" if arrives else "LOST", got, there))
        table(("domain", "mail", "a sender got", "the authority says"), rows)
        for domain in self.domains:
            if domain.why:
                paragraph(f"Why mail for {domain.name} is lost. {domain.why}")

    def show_events(self):
        title("4. What the module found, from its log of JSON lines")
        expected = [d for d in self.domains if not d.healthy]
        try:
            wait_until(
                lambda: len({e["domain"] for e in self.unbound.conflicts()}) >= len(expected),
                EVENTS_TIMEOUT_S,
                "the events",
            )
        except LabError as error:
            print(f"  ({error})")
        rows = []
        for event in self.unbound.conflicts():
            after = event_time(event) - self.first_asked.get(event["domain"], 0)
            rows.append(
                (
                    event["domain"],
                    event["event"],
                    event["kind"],
                    event["state"],
                    event["evidence"],
                    f"{max(after, 0) * 1000:.0f} ms",
                )
            )
        table(("domain", "event", "kind", "state", "evidence", "after"), rows)
        paragraph(
            "`after` counts from the first question for the domain. What two answers show is asked"
            f" again {CONFIRM_AFTER_S} s later, in case a change was on its way to the servers; what"
            " one answer shows is told at once."
        )
        for word, meaning in WORDS.items():
            if any(word in row for row in rows):
                paragraph(f"`{word}`: {meaning}")
        if rows:
            paragraph("The first of them in full:")
            fields(self.unbound.conflicts()[0])

    def show_metrics(self):
        title("5. Who is affected, and the numbers")
        paragraph(
            f"The senders try again, {RETRIES} times. Every question for the MX of a domain whose"
            " conflict is known is counted; the first one may have come before that."
        )
        for domain in self.domains * RETRIES:
            self.unbound.ask(domain.name, "MX")
        print(f"  {self.address_of('/metrics/domains')}\n")
        rows = []
        for name, value in self.unbound.metrics("/metrics/domains").items():
            if name.startswith("mxclash_domain_mx_queries_total{"):
                labels = dict(LABEL.findall(name))
                rows.append(
                    (labels["domain"], labels["kind"], labels["provider"] or "-", f"{value:.0f}")
                )
        table(("domain", "kind", "mailbox provider", "MX questions"), rows)
        print(f"  {self.address_of('/metrics')} (those that are not 0)\n")
        for name, value in self.unbound.metrics().items():
            if value and name.startswith(KEY_METRICS):
                print(f"  {name} {value:.0f}")
        print()

    def show_answers(self, folder):
        """The same questions to a resolver whose operator wants more than to know."""
        title("6. What the resolver can do itself")
        paragraph(
            "A second Unbound, with `repair: yes` and `annotate: yes`. As soon as a conflict is"
            " confirmed, the MX question goes past the cached CNAME, and the answer says in an"
            " Extended DNS Error (RFC 8914) what is wrong. Web visitors get the CNAME as before."
        )
        conf = {"repair": "yes", "annotate": "yes"}
        rows = []
        said = {}
        with Unbound(folder, self.world.upstreams, mxclash=conf) as unbound:
            broken = [domain for domain in self.domains if not domain.healthy]
            for domain in broken:
                unbound.ask(domain.name, "A")
                unbound.ask(domain.name, "MX")
            confirmed = {e["domain"] for e in self.unbound.events(state="confirmed")}
            try:
                wait_until(
                    lambda: {e["domain"] for e in unbound.events(state="confirmed")} >= confirmed,
                    EVENTS_TIMEOUT_S,
                    "the events",
                )
            except LabError as error:
                print(f"  ({error})")
            for domain in broken:
                visitor = rrset_texts(unbound.ask(domain.name, "A"), "CNAME")
                answer = unbound.ask(domain.name, "MX", edns=True)
                got, arrives = mail_hosts(answer)
                rows.append((domain.name, "ok" if arrives else "LOST", got, *visitor))
                for option in answer.options:
                    said.setdefault(f"{option.code:d} ({option.code.name}): {option.text}", domain)
                if domain.name in confirmed and not arrives:
                    self.not_repaired.append(domain.name)
        table(("domain", "mail", "a sender got", "a web visitor got"), rows)
        for text, domain in said.items():
            paragraph(f"The error on the answer for {domain.name}: {text}.")
        paragraph(
            "What is only suspected is not repaired: nobody has seen an MX that could be given."
        )

    def mend(self):
        """Play the mended zones and wait until the module has noticed."""
        title("7. The cure")
        paragraph(
            "The owners of shop.test and firm.test act on the advice: one replaces the CNAME with"
            " an address, the other moves it to www. The resolver's cache is emptied, which in"
            " life takes the TTL of the CNAME."
        )
        self.world.own.play(MENDED)
        mended = [domain.name for domain in self.domains if domain.by_type]

        def cleared():
            for name in mended:
                self.unbound.control(f"flush {name}")
                self.unbound.ask(name, "A")
            return {e["domain"] for e in self.unbound.events(event="cleared")} >= set(mended)

        try:
            wait_until(cleared, CURE_TIMEOUT_S, "the end of the conflicts")
        except LabError as error:
            print(f"  ({error})")
        rows = []
        for name in mended:
            got, arrives = mail_hosts(self.unbound.ask(name, "MX"))
            told = [e["event"] for e in self.unbound.events(domain=name)]
            rows.append((name, "ok" if arrives else "LOST", got, ", ".join(told)))
            self.lost[name] = not arrives
        table(("domain", "mail", "a sender got", "events"), rows)

    def address_of(self, path):
        return f"http://{self.unbound.address}:{self.unbound.http_port}{path}"

    def faults(self):
        """What is not as it should be, a sentence each."""
        for name in self.not_repaired:
            yield f"{name} was confirmed and not repaired."
        for domain in self.domains:
            events = self.unbound.events(domain=domain.name)
            if domain.healthy:
                if events:
                    yield f"{domain.name} is healthy and was reported."
                if self.lost[domain.name]:
                    yield f"{domain.name} is healthy and its mail was lost."
                continue
            opened = [e for e in events if e["event"] == "opened"]
            if not opened:
                yield f"{domain.name} is broken and was not reported."
            if not domain.by_type:
                continue
            asked = self.first_asked[domain.name]
            confirmed = [event_time(e) for e in events if e["state"] == "confirmed"]
            if not confirmed or min(confirmed) - asked > PROOF_LIMIT_S:
                yield (
                    f"{domain.name} was not opened and confirmed within {PROOF_LIMIT_S:.0f} s of"
                    " its first question."
                )
            if not [e for e in events if e["event"] == "cleared"]:
                yield f"{domain.name} was mended and its conflict was not cleared."
            if self.lost[domain.name]:
                yield f"{domain.name} was mended and its mail is still lost."

    def leave_running(self):
        """Break the mended zones again and say where everything is."""
        title("Everything goes on running (KEEP=1)")
        self.world.own.play(CAST.scenario)
        for domain in self.domains:
            self.unbound.control(f"flush {domain.name}")
        folder = self.unbound.folder.parent
        page = Page(folder / "page", self.unbound.events_path, outlive=True).start()
        rows = [
            ("resolver", f"dig @{self.unbound.address} -p {self.unbound.port} shop.test MX"),
            ("log", self.unbound.events_path),
            ("page", f"{page.url}/"),
            ("list", f"MXCLASH_CONF={page.conf} build/mxclash list"),
            ("metrics", self.address_of("/metrics")),
            ("", self.address_of("/metrics/domains")),
        ]
        pids = " ".join(str(server.pid) for server in (*self.world.servers, self.unbound, page))
        rows += [("stop", f"kill {pids}"), ("then", f"rm -r {folder}")]
        table(("what", "where"), rows)
        paragraph(
            "The zones are broken again. Ask for A of one that was mended: seconds later it is among the "
            "domains of the metrics. The log, and with it the list and the page, tell a domain once an "
            f"hour at most. Our own authority ends after {AUTHORITY_LIFETIME}."
        )


def run(folder, keep):
    """Run all steps. Returns the faults."""
    delegated = not port_53_missing()
    world = World(folder, CAST, delegated=delegated, tinydns=delegated, outlive=keep)
    domains = [d for d in DOMAINS if delegated or not d.needs_tinydns]
    unbound = None
    kept = False
    try:
        world.__enter__()
        unbound = Unbound(
            folder / "unbound",
            world.upstreams,
            # So that the cure is seen at once. The rest as by default, and not as in tests.
            mxclash={
                "recheck-interval": 1,
                "confirm-after": CONFIRM_AFTER_S,
                "tally-interval": TALLY_INTERVAL_S,
            },
            outlive=keep,
        ).start()
        demo = Demo(world, unbound, domains)
        demo.show_servers()
        demo.show_domains()
        demo.ask()
        demo.show_events()
        demo.show_metrics()
        demo.show_answers(folder / "repairing")
        demo.mend()
        faults = list(demo.faults())
        if keep:
            demo.leave_running()
            kept = True
        return faults
    finally:
        if not kept:
            if unbound:
                unbound.stop()
            world.__exit__()


def main():
    keep = os.environ.get("KEEP", "") not in ("", "0")
    folder = Path(tempfile.mkdtemp(prefix="mxclash-demo-"))
    print("mxclash: find mail domains whose MX is hidden by a CNAME at the same name\n")
    try:
        faults = run(folder, keep)
    except LabError as error:
        faults = [str(error)]
    title("The demo has checked itself")
    for fault in faults:
        paragraph(f"WRONG: {fault}")
    if not faults:
        paragraph(
            "Every broken domain was found, those that answer by type were proved within"
            f" {PROOF_LIMIT_S:.0f} s of the first question, their senders got the MX where the"
            " operator wants repair, their cure was noticed, and nothing healthy was reported."
        )
    if not keep:
        shutil.rmtree(folder)
        print("  All servers are stopped.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
