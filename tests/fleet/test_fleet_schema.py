# SPDX-License-Identifier: BSD-3-Clause
"""conf-examples/fleet/schema.sql on a PostgreSQL of its own: what becomes of lines, in whatever order
and however often they come; who may what; what leaves."""

import datetime
import itertools
import json
import os
import time

import psycopg2
import pytest
from bookkeeping import event, rfc3339
from fleet import NOBODY, FleetLoad, PostgreSql, fleet_missing, named_queries, open_folder, own
from lab import wait_until

DAY_S = 86400
FLEET_TIMEOUT_S = 60


@pytest.fixture(scope="module")
def database():
    if reason := fleet_missing():
        pytest.skip(reason)
    with open_folder() as folder, PostgreSql(folder / "postgresql") as found:
        found.create()
        yield found


@pytest.fixture
def empty(database):
    tables = "event, run, host, refused, place"
    database.psql("-c", f"SET search_path = mxclash; TRUNCATE {tables}; DELETE FROM setting;"
                  "INSERT INTO setting DEFAULT VALUES")  # fmt: skip
    return database


def take(database, *told, file="test.json", apart=False):
    """Hand lines in, as the loader does, all at once or each in a call of its own."""
    lines = [one if isinstance(one, str) else json.dumps(one) for one in told]
    quoted = ["'" + line.replace("'", "''") + "'" for line in lines]
    groups = [[one] for one in quoted] if apart else [quoted]
    calls = [f"SELECT mxclash.take(ARRAY[{', '.join(group)}], '{file}', 1);" for group in groups]
    # the writer comes in as nobody
    database.psql(text="\n".join(calls), user=NOBODY, role="mxclash_writer")


def started(host, at):
    return {"time": rfc3339(at), "event": "started", "host": host, "version": "0.1.0"}


def tally(domain, at, since, **given):
    whole = event(domain, "tally", at=at, since=since, **given)
    names = "time event domain kind state provider first_seen last_seen mx_queries host".split()
    return {name: whole[name] for name in names}


def one(database, view="affected"):
    (row,) = database.rows(f"SELECT * FROM {view}")
    return row


# --- lines ---


@pytest.mark.parametrize("apart", [False, True], ids=["in one batch", "each by itself"])
def test_the_order_does_not_matter(empty, apart):
    now = time.time()
    at = [now - 500, now - 400, now - 300, now - 200, now - 100]
    lines = []
    for number, order in enumerate(itertools.permutations(range(5))):
        name = f"a{number}.test"
        story = [
            event(name, at=at[0], since=at[0], state="suspected", impact="unknown"),
            tally(name, at[1], at[0], mx_queries=3, state="suspected"),
            event(name, "changed", at=at[2], since=at[0], mx_queries=4),
            tally(name, at[3], at[0], mx_queries=7),
            event(name, "cleared", at=at[4], since=at[0], mx_queries=9),
        ]
        lines += [story[place] for place in order]
    take(empty, *lines, apart=apart)
    for view in ("run", "affected"):
        rows = empty.rows(f"SELECT * FROM {view}")
        assert len(rows) == 120
        # all are as the first but for their names
        assert [dict(row, domain="", zone="") for row in rows] == [
            dict(rows[0], domain="", zone="")
        ] * 120
    run, affected = empty.rows("SELECT * FROM run")[0], rows[0]
    assert (run["state"], run["impact"], run["mx_queries"]) == ("confirmed", "implicit-mx", 9)
    assert (run["ending"], affected["status"]) == ("cleared", "cleared")
    assert affected["mended"] == run["ended"] == run["told"]


def test_a_line_that_comes_again_is_one_row(empty):
    line = event("a.test", mx_queries=2)
    take(empty, line, line)
    take(empty, line, file="another.json")
    assert len(empty.rows("SELECT FROM event")) == 1
    assert one(empty)["mx_queries"] == 2
    # the same told by another resolver is another event, of the same conflict
    take(empty, {**line, "host": "resolver2"})
    assert len(empty.rows("SELECT FROM event")) == 2
    assert (one(empty)["mx_queries"], one(empty)["hosts"]) == (4, 2)


BAD = {
    "no JSON": "invalid input syntax for type json",
    "[]": "lacks time",
    "null": "lacks time",
    '{"time":"2026-11-28T00:00:00.000Z","event":"opened","domain":"a.test"}': "lacks time",
    json.dumps(event("a.test", host=None)): "lacks time",
    json.dumps({**event("a.test"), "time": "infinity"}): "no time",
    json.dumps({**event("a.test"), "time": "now"}): "no time",
    json.dumps({**event("a.test"), "first_seen": "2026-13-28T00:00:00.000Z"}): "out of range",
    json.dumps({**event("a.test"), "last_seen": None}): "lacks what a conflict",
    json.dumps({**event("a.test"), "mx_queries": "many"}): "invalid input syntax",
    json.dumps({**event("a.test"), "mx_queries": 1 << 70}): "out of range",
    json.dumps({**event("a.test"), "domain": "a" * 3000}): "longer than names are",
    json.dumps({**event("a.test"), "host": "a" * 256}): "longer than names are",
    json.dumps({**event("a.test"), "zone": "\0"}): "unsupported Unicode",
    "[" * 100000: "stack depth",
    # an octet that was no UTF-8, as the loader writes it
    "\\xff\\xfe": "invalid input syntax",
}


def test_what_is_no_event_is_kept_apart_and_holds_up_nothing(empty):
    take(empty, event("before.test"), *BAD, *BAD, event("behind.test"))
    assert [row["domain"] for row in empty.rows("SELECT domain FROM event ORDER BY domain")] == [
        "before.test", "behind.test",
    ]  # fmt: skip
    refused = {row["line"]: row["reason"] for row in empty.rows("SELECT * FROM refused")}
    assert set(refused) == set(BAD)
    for line, reason in BAD.items():
        assert reason in refused[line], line[:200]
    assert len(empty.rows(named_queries()["refused"])) == len(BAD)


def test_half_a_line_does_not_cost_the_one_behind_it(empty):
    """The disk of the collector was full, and then had room again."""
    compact = [json.dumps(event(f"{name}.test"), separators=(",", ":")) for name in "ab"]
    for _ in range(2):
        take(empty, compact[0][:150] + compact[1])
    assert [row["domain"] for row in empty.rows("SELECT domain FROM event")] == ["b.test"]
    assert one(empty, "refused")["line"] == compact[0][:150]


def test_an_event_of_a_later_version_is_kept_and_opens_nothing(empty):
    take(empty, event("a.test", "postponed"), {**started("r1", time.time()), "event": "paused"})
    assert len(empty.rows("SELECT FROM event")) == 2
    assert empty.rows("SELECT FROM run") == [] == empty.rows("SELECT FROM refused")


def test_a_summed_tally_is_of_no_domain(empty):
    summed = {"time": rfc3339(time.time()), "event": "tally", "domain": None, "domains": 7,
              "mx_queries": 20, "host": "r1"}  # fmt: skip
    take(empty, summed)
    assert one(empty, "event")["told"] == summed and empty.rows("SELECT FROM run") == []


# --- how it stands ---


def test_one_outage_of_many_hosts_and_another_later(empty):
    now = time.time()
    ago = {days: now - days * DAY_S for days in range(30)}
    take(
        empty,
        event("a.test", host="r1", at=ago[20], mx_queries=1),
        event("a.test", host="r2", at=ago[19], mx_queries=2),
        event("a.test", "cleared", host="r1", at=ago[18], since=ago[20], mx_queries=10),
        event("a.test", "expired", host="r2", at=ago[17], since=ago[19], mx_queries=20),
        event("a.test", host="r3", at=ago[3], mx_queries=0, state="suspected"),
    )
    first, second = empty.rows("SELECT * FROM outage ORDER BY number")
    assert (first["first_host"], first["mx_queries"], first["status"]) == ("r1", 30, "cleared")
    assert first["ended_at"] == ["r1", "r2"] and first["open_at"] == []
    # r2 only did not meet it any more
    assert rfc3339(first["mended"].timestamp()) == rfc3339(ago[18])
    assert (second["number"], second["status"], second["state"]) == (2, "open", "suspected")
    assert (one(empty)["first_host"], one(empty)["outages_before"]) == ("r3", 1)
    (mended,) = empty.rows(named_queries()["until-mended"])
    assert (mended["mended"], float(mended["half_within"])) == (1, 48.0)


def test_a_host_that_forgot(empty):
    now = time.time()
    take(empty, event("a.test", host="r1", at=now - 9 * DAY_S, mx_queries=5))
    assert one(empty)["status"] == "open"
    take(empty, started("r1", now - 8 * DAY_S))
    # for longer than silent_after
    assert (one(empty)["status"], one(empty)["open_at"]) == ("silent", [])
    empty.psql("-c", "UPDATE mxclash.setting SET silent_after = '10 days'")
    assert (one(empty)["status"], one(empty)["unsure_at"]) == ("unsure", ["r1"])
    assert empty.rows(named_queries()["open"])[0]["unsure_hosts"] == 1
    # another one, which has seen it mended since, knows
    take(
        empty,
        event("a.test", host="r2", at=now - 9 * DAY_S, mx_queries=1),
        event("a.test", "cleared", host="r2", at=now - 2 * DAY_S, since=now - 9 * DAY_S),
    )
    assert (one(empty)["status"], one(empty)["mx_queries"]) == ("cleared", 6)
    # and then it is met again
    take(empty, event("a.test", host="r1", at=now - DAY_S, mx_queries=1))
    statuses = {run["status"] for run in empty.rows("SELECT status FROM run_now")}
    assert statuses == {"superseded", "cleared", "open"}
    assert (one(empty)["status"], one(empty)["mx_queries"]) == ("open", 7)


def test_with_a_state_file_the_same_run_goes_on(empty):
    now = time.time()
    take(empty, event("a.test", host="r1", at=now - 900), started("r1", now - 600))
    assert one(empty)["status"] == "unsure"
    take(empty, tally("a.test", now - 300, now - 900, host="r1", mx_queries=4))
    assert (one(empty)["status"], one(empty, "run")["mx_queries"]) == ("open", 4)


def test_what_nobody_tells_any_more_leaves_the_list(empty):
    now = time.time()
    take(empty, event("a.test", at=now - 89 * DAY_S), event("b.test", at=now - 91 * DAY_S))
    statuses = dict(tuple(r.values()) for r in empty.rows("SELECT domain, status FROM affected"))
    assert statuses == {"a.test": "open", "b.test": "silent"}


def test_hosts_that_are_silent_or_have_a_wrong_clock(empty):
    take(empty, started("ahead", time.time() + 3600), started("well", time.time()))
    empty.psql("-c", "UPDATE mxclash.host SET received = now() - interval '2 days', "
               "newest = now() - interval '2 days' WHERE host = 'well'")  # fmt: skip
    (ahead,) = empty.rows(named_queries()["wrong-clocks"])
    assert ahead["host"] == "ahead"
    (silent,) = empty.rows(named_queries()["silent-hosts"])
    assert (silent["host"], silent["version"]) == ("well", "0.1.0")


# --- rights ---


WRITER_MAY_NOT = [
    "SELECT FROM event", "SELECT FROM run", "SELECT FROM affected", "SELECT FROM refused",
    "INSERT INTO event (time, digest, host, event, told) VALUES (now(), '', 'h', 'e', '{}')",
    "DELETE FROM event", "UPDATE setting SET retention = '8 days'", "TRUNCATE run",
    "SELECT take_line('x')", "SELECT fold(NULL)", "CREATE TABLE mine ()",
]  # fmt: skip
READER_MAY_NOT = [
    "SELECT take(ARRAY['x'], 'x', 1)", "SELECT keep()", "SELECT places()", "DELETE FROM run",
    "INSERT INTO refused VALUES ('', now(), 'x', 'x')", "UPDATE setting SET retention = '8 days'",
    "CREATE TABLE mine ()",
]  # fmt: skip


@pytest.mark.parametrize(
    "role, user, statement",
    [("mxclash_writer", NOBODY, one) for one in WRITER_MAY_NOT]
    + [("mxclash_reader", "root", one) for one in READER_MAY_NOT],
)
def test_each_may_only_what_it_must(database, role, user, statement):
    with pytest.raises(Exception, match="permission denied"):
        database.psql(text=f"SET search_path = mxclash; {statement}", role=role, user=user)


# --- what leaves ---


def days(database):
    return [
        row["name"]
        for row in database.rows(
            "SELECT c.relname AS name FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = 'event'::regclass AND c.relname ~ '^event_[0-9]+$' ORDER BY 1"
        )
    ]


def day_name(at):
    return datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime("event_%Y%m%d")


def keep(database):
    database.psql("-c", "SELECT mxclash.keep()", user=NOBODY, role="mxclash_writer")


def test_days_come_and_go(empty):
    now = time.time()
    tomorrow = now + DAY_S
    take(empty, event("a.test", at=now - 100 * DAY_S), event("b.test"), event("c.test", at=tomorrow))
    # as if nobody had called keep() for long: an old day, and none for tomorrow
    old, new = day_name(now - 100 * DAY_S), day_name(tomorrow)
    day = datetime.datetime.fromtimestamp(now - 100 * DAY_S, datetime.timezone.utc).date()
    empty.psql("-c", f"SET search_path = mxclash; SET timezone = 'UTC'; DROP TABLE {new};"
               "DELETE FROM event_undated;"
               f"CREATE TABLE {old} PARTITION OF event FOR VALUES FROM ('{day}') TO"
               f" ('{day + datetime.timedelta(1)}')")  # fmt: skip
    take(empty, {**event("a.test", at=now - 100 * DAY_S), "mx_queries": 1}, event("c.test", at=tomorrow))
    assert old in days(empty) and new not in days(empty)
    undated = empty.psql("-At", "-c", "SELECT domain FROM mxclash.event_undated")
    assert undated == "c.test\n"
    keep(empty)
    assert old not in days(empty) and new in days(empty)
    assert {r["domain"] for r in empty.rows("SELECT domain FROM event")} == {"b.test", "c.test"}
    assert {r["domain"] for r in empty.rows("SELECT domain FROM run")} == {"b.test", "c.test"}
    before = days(empty)
    keep(empty)
    assert days(empty) == before and len(before) == 5


def test_tallies_leave_sooner_and_their_harm_stays(empty):
    now = time.time()
    opened = now - 20 * DAY_S
    take(
        empty,
        event("a.test", at=opened),
        tally("a.test", now - 8 * DAY_S, opened, mx_queries=8),
        tally("a.test", now - 6 * DAY_S, opened, mx_queries=9),
    )
    keep(empty)
    assert [r["event"] for r in empty.rows("SELECT event FROM event ORDER BY time")] == [
        "opened", "tally",
    ]  # fmt: skip
    assert one(empty)["mx_queries"] == 9


# --- the loader ---


def test_the_loader_and_its_files(empty):
    """Half a line waits for its end; octets that are no text come as such; what is loaded and old
    goes; a file that is another one is read from its top."""
    with open_folder() as folder:
        spool = folder / "spool"
        spool.mkdir()
        own(spool, NOBODY)
        old, new = spool / "2026010100.json", spool / "2026010101.json"
        line = json.dumps(event("a.test")).encode() + b"\n"
        old.write_bytes(line)
        os.utime(old, (time.time() - 8 * DAY_S,) * 2)
        new.write_bytes(b"\xff\0\xfe\n\n" + json.dumps(event("b.test")).encode() + b"\n" + line[:50])
        with FleetLoad(folder / "loader", spool, empty) as loader:
            def domains():
                return {row["domain"] for row in empty.rows("SELECT domain FROM event")}

            wait_until(lambda: domains() == {"a.test", "b.test"}, FLEET_TIMEOUT_S, "both files")
            refused = one(empty, "refused")
            assert refused["line"] == "\\xff\\x00\\xfe"
            with open(new, "ab") as file:
                file.write(line[50:])
                file.write(json.dumps(event("c.test")).encode() + b"\n")
            wait_until(lambda: "c.test" in domains(), FLEET_TIMEOUT_S, "the end of the file")
            assert len(empty.rows("SELECT FROM event")) == 3
            assert len(empty.rows("SELECT FROM refused")) == 1
            new.write_bytes(json.dumps(event("d.test")).encode() + b"\n")
            wait_until(lambda: "d.test" in domains(), FLEET_TIMEOUT_S, "the new file of an old name")
        assert loader.process.returncode == 0
        with FleetLoad(folder / "loader", spool, empty):
            wait_until(lambda: not old.exists(), FLEET_TIMEOUT_S, "the old file to go")
        assert new.exists()


def test_no_password_is_needed_nor_taken(database):
    with pytest.raises(psycopg2.OperationalError, match="authentication failed"):
        database.connect("mxclash_writer")
