# SPDX-License-Identifier: BSD-3-Clause
"""make bench-fleet: lines through relays, collector, loader and database of conf-examples/fleet.

First while everything is killed in turn and logs are rotated: what is lost, what is double. Then each
part by itself: how fast, and how many octets an event takes where. All on one machine, so each part has
less of it than it would have.
"""

import argparse
import contextlib
import json
import random
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[1] / "system")]

from bookkeeping import event  # noqa: E402
from fleet import (  # noqa: E402
    NOBODY, Fleet, FleetLoad, PostgreSql, fleet_missing, open_folder, own, told,
)  # fmt: skip
from lab import BUILD, wait_until  # noqa: E402

RELAYS = 4
# Of ten lines nine are tallies, as where harm is told every five minutes.
TALLIES = 9
WAIT_S = 900
# when nothing more comes for so long, nothing will
STILL_S = 60
KILLS = 6
SHORT = "time event domain kind state provider first_seen last_seen mx_queries host".split()


class Log:
    """A resolver's event log that is written here, without a resolver."""

    def __init__(self, folder, host):
        self.path = folder / f"{host}.json"
        self.host = host
        self.at = time.time() - 3600
        self.number = 0
        self.opened = None
        self.path.touch()

    def write(self, count):
        with open(self.path, "a", encoding="utf-8") as file:
            for _ in range(count):
                self.at += 0.002
                if self.number % (TALLIES + 1) == 0:
                    domain = f"shop{self.number % 5000}.example"
                    line = self.opened = event(domain, at=self.at, host=self.host)
                else:
                    line = {name: self.opened[name] for name in SHORT}
                    line |= event(self.opened["domain"], "tally", at=self.at, host=self.host) | {
                        "first_seen": self.opened["first_seen"], "mx_queries": self.number,
                    }  # fmt: skip
                    line = {name: line[name] for name in SHORT}
                file.write(json.dumps(line, separators=(",", ":")) + "\n")
                self.number += 1

    def lines(self):
        paths = sorted(self.path.parent.glob(f"{self.path.name}*"))
        return [line for path in paths for line in path.read_text().splitlines()]


def count(database):
    rows = database.rows("SELECT count(*) AS count FROM event")
    return rows[0]["count"] if rows else 0


def files_octets(folder, pattern):
    return sum(path.stat().st_size for path in folder.glob(pattern))


def through_kills(parts, database, logs, events, say):
    """Write all lines in pieces; between them somebody is killed, and started again at once or later."""
    collector, loader = parts.collector(), FleetLoad(parts.folder / "loader", parts.spool, database)
    relays = [parts.relay(log.host, log.path) for log in logs]
    each = events // RELAYS // KILLS
    with contextlib.ExitStack() as stack:
        for part in (*relays, collector, loader):
            stack.enter_context(part)
        begun = time.monotonic()
        for step in range(KILLS):
            for log in logs:
                log.write(each)
            time.sleep(random.uniform(0.2, 1.5))
            collector.kill()
            for log in logs:
                log.write(5)
            relay = relays[step % RELAYS]
            relay.kill()
            if step % 2:
                parts.rotate(logs[step % RELAYS].path)
            loader.kill()
            if step == KILLS // 2:
                database.crash()
                database.start()
            relay.start()
            collector.start()
            loader.start()
        want = sum(len(set(log.lines())) for log in logs)
        seen = [-1, 0.0]

        def all_or_no_more():
            now, rows = time.monotonic(), count(database)
            if rows != seen[0]:
                seen[:] = [rows, now]
            return rows >= want or now - seen[1] > STILL_S

        wait_until(all_or_no_more, WAIT_S, f"{want} rows")
        took_s = time.monotonic() - begun
    have = told(row["line"] for row in database.rows("SELECT told::text AS line FROM event"))
    wanted = told(line for log in logs for line in log.lines())
    delivered = sum(path.read_bytes().count(b"\n") for path in parts.spool.glob("*.json"))
    say("lines in the logs", len(wanted))
    say("rows lost", len(set(wanted) - set(have)))
    say("rows double", len(have) - len(set(have)))
    say("refused", len(database.rows("SELECT FROM refused")))
    say("lines that came more than once", delivered - len(wanted))
    say("seconds, with kills", round(took_s, 1))
    return have == wanted


def relay_speed(parts, log, events, say):
    """One relay and the collector, over TLS; first away, so that the queue is on the disk."""
    collector, relay = parts.collector(), parts.relay("speed", log.path)
    log.write(events)

    def arrived():
        return sum(path.read_bytes().count(b"\n") for path in parts.spool.glob("*.json")) - before

    def queued(what):
        return sum(path.read_bytes().count(what) for path in relay.folder.glob("to-collector.0*"))

    before = 0
    before = arrived()
    with relay:
        begun = time.monotonic()
        wait_until(lambda: queued(b"<Obj:") >= events, WAIT_S, "the log to be in the queue")
        took_s = time.monotonic() - begun
        say("events/s from the log into the relay's queue", round(events / took_s))
        say("octets an event in the relay's queue", round(files_octets(relay.folder, "to-collector.0*") / queued(b"<Obj:")))
        begun = time.monotonic()
        with collector:
            wait_until(lambda: arrived() >= events, WAIT_S, "the queue to arrive")
            took_s = time.monotonic() - begun
    say("events/s from the queue over TLS into the collector's files", round(events / took_s))


def load_speed(parts, database, log, events, say):
    """The loader alone: new lines, and the same again."""
    log.write(events)
    lines = log.lines()[-events:]
    say("octets of a line", round(sum(map(len, lines)) / len(lines) + 1))
    for name in ("opened", "tally"):
        those = [len(line) + 1 for line in lines if f'"event":"{name}"' in line]
        say(f"octets of a line, {name}", round(sum(those) / len(those)))
    for name, file in (("new", "2001010100"), ("known", "2001010101")):
        path = parts.spool / f"{file}.json"
        path.write_text("".join(line + "\n" for line in lines))
        own(path, NOBODY)
        size = path.stat().st_size
        begun = time.monotonic()
        with FleetLoad(parts.folder / "loader", parts.spool, database):
            wait_until(
                lambda f=path.name, s=size: database.rows(
                    "SELECT FROM place WHERE file = %s AND octets = %s", f, s
                ),
                WAIT_S, "the file to be loaded",
            )  # fmt: skip
        say(f"events/s into PostgreSQL, {name} ones", round(events / (time.monotonic() - begun)))


def sizes(database, say):
    database.psql("-c", "VACUUM ANALYZE")
    events = count(database)
    octets = int(database.psql(
        "-At", "-c", "SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits"
        " WHERE inhparent = 'mxclash.event'::regclass"))  # fmt: skip
    say("octets an event in PostgreSQL, with indexes", round(octets / events))
    (runs,) = database.rows(
        "SELECT count(*) AS count, pg_total_relation_size('run') AS octets FROM run"
    )
    say("octets a run in PostgreSQL, with indexes", round(runs["octets"] / runs["count"]))
    begun = time.monotonic()
    rows = len(database.rows("SELECT * FROM affected"))
    say(f"ms for all of affected, {rows} rows of {runs['count']} runs", round((time.monotonic() - begun) * 1000))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=20000)
    events = parser.parse_args().events
    if reason := fleet_missing():
        print(f"bench-fleet: {reason}", file=sys.stderr)
        return 1
    found = {}

    def say(what, value):
        found[what] = value
        print(f"{what:62} {value:>10}", flush=True)

    with open_folder() as folder, PostgreSql(folder / "postgresql", safe=True) as database:
        parts = Fleet(folder)
        database.create()
        logs = [Log(folder, f"r{number}") for number in range(RELAYS)]
        whole = through_kills(parts, database, logs, events, say)
        relay_speed(parts, Log(folder, "speed"), events // 4, say)
        load_speed(parts, database, Log(folder, "load"), events, say)
        sizes(database, say)
    (BUILD / "bench").mkdir(exist_ok=True)
    (BUILD / "bench" / "fleet.json").write_text(json.dumps(found, indent=1) + "\n")
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main())
