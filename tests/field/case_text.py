# SPDX-License-Identifier: BSD-3-Clause
"""Turns a field case, a short text, into a scenario of Unbound's replay tester.

    /usr/bin/python3 tests/field/case_text.py tests/field/NAME.case      prints the scenario

The format is described in README.md. What a case leaves out is filled in as the real world has it:
the root refers to every zone and has no other names, a zone has SOA and NS at its top and the
addresses of its servers, a name that has other types has no data, a name that is not there is not
there.
"""
import pathlib
import re
import sys

ROOT = "193.0.14.129"
RCODES = ("NXDOMAIN", "REFUSED", "SERVFAIL", "NOTIMPL", "FORMERR")
# long after the last step
NEVER = 100000
# a second look starts two seconds after the first, and a third one after as many more
SETTLE_ROUNDS = 3
SETTLE_S = 4
SOA = "SOA ns.soa.test. hostmaster.soa.test. 1 3600 600 86400 300"


def absolute(name):
    return name if name.endswith(".") else name + "."


def below(name, zone):
    return zone == "." or name == zone or name.endswith("." + zone)


def record(text, owner):
    """A record of a case as the tester takes it; the owner may be left out."""
    if text.split()[0].endswith("."):
        owner, text = text.split(None, 1)
    ttl, kind, data = text.split(None, 2)
    return f"{owner} {ttl} IN {kind} {data}"


def entry(
    question, kind, *, match, flags, rcode="NOERROR", answer=(), authority=(), additional=()
):
    """One answer of a server, in the tester's words."""
    adjust = "copy_id" if "qtype" in match else "copy_id copy_query"
    if question == "." and match == "subdomain":
        match = ""  # the tester takes no name for one below the root
    lines = ["ENTRY_BEGIN", f"MATCH opcode {match}", f"ADJUST {adjust}", f"REPLY {flags} {rcode}"]
    lines += ["SECTION QUESTION", f"{question} IN {kind}"]
    sections = {"ANSWER": answer, "AUTHORITY": authority, "ADDITIONAL": additional}
    for title, records in sections.items():
        if records:
            lines += [f"SECTION {title}", *records]
    return lines + ["ENTRY_END"]


class Server:
    """What one block of a case says: answers, at some addresses, in some steps."""

    def __init__(self, zone, addresses, *, flags="QR AA", whole=True):
        self.zone = zone
        self.addresses = addresses
        self.flags = flags
        self.whole = whole  # speaks for the whole zone, not for the names that it lists only
        self.answers = {}  # (name, type) -> (rcode, records)
        self.first, self.last = 0, NEVER

    def add(self, line):
        name, kinds, what = line.split(None, 2)
        name = absolute(name)
        for kind in kinds.split(","):
            rcode, records = self.answers.get((name, kind), ("NOERROR", []))
            if what in RCODES:
                rcode = what
            elif what != "NODATA":
                records = records + [record(what, name)]
            self.answers[name, kind] = rcode, records

    def servers(self):
        if self.zone == ".":
            return [("k.root-servers.net.", ROOT)]
        return [(f"ns{i}.{self.zone}", address) for i, address in enumerate(self.addresses, 1)]

    def nothing(self):
        return [f"{self.zone} 300 IN {SOA}"]

    def own_records(self):
        """What every zone has, unless the case says something else of that name and type."""
        if not self.whole:
            return
        own = {(self.zone, "SOA"): [f"{self.zone} 3600 IN {SOA}"]}
        own[self.zone, "NS"] = [f"{self.zone} 3600 IN NS {name}" for name, _ in self.servers()]
        for name, address in self.servers():
            own[name, "A"] = [f"{name} 3600 IN A {address}"]
        for (name, kind), records in own.items():
            if (name, "*") not in self.answers and (name, kind) not in self.answers:
                self.answers[name, kind] = "NOERROR", records

    def entries(self, delegations):
        self.own_records()
        lines = []
        for zone, servers in delegations:
            names = [f"{zone} 3600 IN NS {name}" for name, _ in servers]
            glue = [f"{name} 3600 IN A {address}" for name, address in servers]
            lines += entry(
                zone, "A", match="subdomain", flags="QR", authority=names, additional=glue
            )
        for every in (False, True):
            for (name, kind), (rcode, records) in self.answers.items():
                if (kind == "*") != every:
                    continue
                lines += entry(
                    name,
                    "A" if every else kind,
                    match="qname" if every else "qtype qname",
                    flags=self.flags,
                    rcode=rcode,
                    answer=records,
                    authority=() if records or rcode in RCODES[1:] else self.nothing(),
                )
        for name in dict.fromkeys(name for name, _ in self.answers):
            if self.whole and (name, "*") not in self.answers:
                lines += entry(name, "A", match="qname", flags=self.flags, authority=self.nothing())
        if self.whole:
            lines += entry(
                self.zone, "A", match="subdomain", flags=self.flags, rcode="NXDOMAIN",
                authority=self.nothing(),
            )
        return lines


class Case:
    def __init__(self, text):
        self.head = [line for line in text.splitlines() if line.startswith(";")]
        self.config, self.servers, self.steps = [], [], []
        self.step = self.quiet = 0
        self.block = None
        for line in text.splitlines():
            if line.strip() and not line.startswith((";", "#")):
                self.take(line)
        self.flush_question()

    # -- the world

    def take(self, line):
        words = line.split()
        if self.block == "config" and line.endswith(":"):
            self.config.append(line)
        elif line[0] not in " \t":
            self.flush_question()
            take = getattr(self, "take_" + words[0], None)
            if take is None:
                raise ValueError(f"no line of a case begins so: {line}")
            take(*words[1:])
        elif self.block == "question":
            self.got.append(line.strip())
        elif self.block == "config":
            self.config.append(line)
        else:
            self.block.add(line.strip())

    def open(self, server):
        """A block after the first question takes the place of the one before it, from now on."""
        if self.step:
            server.first = self.step + 1
            for old in self.servers:
                same = old.addresses == server.addresses and old.zone == server.zone
                if same and old.whole == server.whole and old.last == NEVER:
                    old.last = self.step
        self.servers.append(server)
        self.block = server

    def take_config(self):
        self.block = "config"

    def take_zone(self, name, *addresses):
        self.open(Server(absolute(name), addresses))

    def take_elsewhere(self):
        self.open(Server(".", (ROOT,)))

    def take_at(self, address, *how):
        """One server says something else than its zone's block: as an authority, or as a cache."""
        self.open(Server(".", (address,), flags="QR RA" if how else "QR AA", whole=False))

    def take_forwarder(self, *words):
        """One that recurses; with the word aa it claims authority for what it has cached."""
        flags = "QR AA RD RA" if "aa" in words else "QR RD RA"
        self.open(Server(".", tuple(word for word in words if word != "aa"), flags=flags))

    # -- the questions

    def say(self, what, *lines):
        self.step += 1
        self.steps += [f"STEP {self.step} {what}", *lines]

    def take_ask(self, name, kind, *how):
        self.block, self.question, self.got = "question", (absolute(name), kind, how), []

    def flush_question(self):
        if self.block != "question":
            return
        name, kind, how = self.question
        client = f" ADDRESS {how[how.index('from') + 1]}" if "from" in how else ""
        flags = "RD CD" if "cd" in how else "RD"
        asked = ["SECTION QUESTION", f"{name} IN {kind}", "ENTRY_END"]
        self.say(f"QUERY{client}", "ENTRY_BEGIN", f"REPLY {flags}", *asked)
        self.say(f"CHECK_ANSWER{client}", *self.expected(name, kind, flags))
        self.say("TRAFFIC")
        self.block = None

    def expected(self, name, kind, flags):
        rcode = next((word for word in self.got if word in RCODES), "NOERROR")
        records = [record(text, name) for text in self.got if text not in RCODES + ("NODATA",)]
        match = "qname qtype" + (" rcode answer" if self.got else "")
        lines = ["ENTRY_BEGIN", f"MATCH {match}", f"REPLY QR {flags} RA {rcode}"]
        lines += ["SECTION QUESTION", f"{name} IN {kind}"]
        return lines + (["SECTION ANSWER", *records] if records else []) + ["ENTRY_END"]

    def take_wait(self, seconds):
        self.say(f"TIME_PASSES ELAPSE {seconds}")

    def take_settle(self):
        for _ in range(SETTLE_ROUNDS):
            self.take_wait(SETTLE_S)
            self.quiet += 1
            self.take_ask(f"{self.quiet}.quiet.test", "A")
            self.flush_question()

    # -- the scenario

    def parent_of(self, zone):
        above = [s.zone for s in self.servers if s.whole and s.zone != zone and below(zone, s.zone)]
        return max(above, key=len, default=".")

    def delegations(self, server):
        """The zones that the block's zone refers to while the block holds."""
        found = {}
        for other in self.servers:
            together = other.first <= server.last and server.first <= other.last
            if other.whole and other.zone != "." and together:
                if self.parent_of(other.zone) == server.zone:
                    found[other.zone] = other.servers()
        return found.items()

    def scenario(self, name):
        has_forwarder = any("RD" in server.flags for server in self.servers)
        if not has_forwarder and not any(s.zone == "." and s.whole for s in self.servers):
            self.servers.insert(0, Server(".", (ROOT,)))
        lines = [line for line in self.head if re.match(r"; *(conf|module-config):", line)]
        lines += ["server:", '\ttarget-fetch-policy: "0 0 0 0 0"', "\tqname-minimisation: no"]
        lines += ["\tminimal-responses: no", "\trrset-roundrobin: no", "\tdo-ip6: no"]
        lines += ['\tlocal-zone: "test." nodefault', *self.config]
        if has_forwarder:
            lines += ["forward-zone:", '\tname: "."']
            forwarders = (s for s in self.servers if "RD" in s.flags and not s.first)
            lines += [f"\tforward-addr: {a}" for s in forwarders for a in s.addresses]
        else:
            lines += ["stub-zone:", '\tname: "."', f"\tstub-addr: {ROOT}"]
        lines += ["CONFIG_END", "", f"SCENARIO_BEGIN {name}"]
        # the tester looks at the last range first: what only one server says stands last
        for server in sorted(self.servers, key=lambda s: not s.whole):
            delegations = self.delegations(server) if server.whole and not has_forwarder else ()
            for address in server.addresses:
                lines += ["", f"RANGE_BEGIN {server.first} {server.last}", f"\tADDRESS {address}"]
                lines += server.entries(delegations) + ["RANGE_END"]
        return "\n".join([*lines, "", *self.steps, "", "SCENARIO_END", ""])


def scenario_of(path):
    return Case(path.read_text()).scenario(path.stem.replace("-", " "))


if __name__ == "__main__":
    sys.stdout.write(scenario_of(pathlib.Path(sys.argv[1])))
