# SPDX-License-Identifier: BSD-3-Clause
"""A fleet of four resolvers on loopback, whose events all reach the database and whose counters all
reach Prometheus and VictoriaMetrics, whatever is away meanwhile."""

import contextlib
import json
from types import SimpleNamespace

import pytest
from fleet import (
    FLEET_TIMEOUT_S, NOBODY, FederatingPrometheus, Fleet, FleetLoad, NamedUnbound, PostgreSql,
    SitePrometheus, Victoria, fleet_missing, named_queries, open_folder, own, wait_same,
)  # fmt: skip
from lab import Authority, wait_until
from resolver import EVENT_TIMEOUT_S

NAMES = ("r1", "r2", "r3", "r4")
DOMAINS = [f"d{number}.test" for number in range(12)]
OURS = "alibaba-mail-standard"


def scenario(mended=()):
    text = "zone .\n  test. NS ns.test.\nzone cdn.test\n  www 1 A 192.0.2.10\n"
    for domain in DOMAINS:
        at = "A 192.0.2.20" if domain in mended else "CNAME www.cdn.test."
        text += f"zone {domain}\n  answer by-type\n  @ 1 {at}\n"
        for preference, host in ((5, "mx1"), (10, "mx2"), (15, "mx3")):
            text += f"  @ 1 MX {preference} {host}.qiye.aliyun.com.\n"
    return text


@pytest.fixture(scope="module")
def fleet():
    """All of it, running. One for the module: its tests are the hours of one day, in their order."""
    if reason := fleet_missing("prometheus", "promtool", "victoria-metrics"):
        pytest.skip(reason)
    with open_folder() as folder, contextlib.ExitStack() as stack:
        yield assemble(folder, stack)


def assemble(folder, stack):
    parts = Fleet(folder)
    authority = stack.enter_context(Authority(folder / "authority", scenario()))
    unbounds = []
    for name in NAMES:
        # the logs of two keep their conflicts over a restart
        state = {"state-file": folder / name / "state"} if name in ("r1", "r4") else {}
        mxclash = {"tally-interval": 1, "recheck-interval": 1, **state}
        unbound = NamedUnbound(
            folder / name, dict.fromkeys((".", "cdn.test", *DOMAINS), authority), name,
            mxclash={"log-file": folder / name / "mxclash.json", **mxclash},
        )  # fmt: skip
        unbounds.append(stack.enter_context(unbound))
    database = stack.enter_context(PostgreSql(folder / "postgresql"))
    database.create()
    collector = stack.enter_context(parts.collector())
    loader = stack.enter_context(FleetLoad(folder / "loader", parts.spool, database))
    relays = [
        stack.enter_context(parts.relay(number, unbound.events_path))
        for number, unbound in enumerate(unbounds, 1)
    ]
    victoria = stack.enter_context(Victoria(folder / "victoria"))
    targets = [unbound.target() for unbound in unbounds]
    site = stack.enter_context(SitePrometheus(folder / "site", targets, victoria))
    above = stack.enter_context(FederatingPrometheus(folder / "above", [f"{site.address}:{site.port}"]))
    return SimpleNamespace(
        parts=parts, authority=authority, unbounds=unbounds, database=database, collector=collector,
        loader=loader, relays=relays, victoria=victoria, site=site, above=above,
    )  # fmt: skip


def meet(unbounds, domain):
    """Have resolvers meet a broken domain, and a mail server ask each of them once."""
    for unbound in unbounds:
        unbound.ask(domain, "A")
        unbound.wait_event(event="opened", domain=domain)
        unbound.ask(domain, "MX")


def wait_all(fleet, what):
    wait_same(fleet.database, [unbound.lines for unbound in fleet.unbounds], what)


def wait_harm_told(fleet):
    """Wait until no tally is still to come."""
    for unbound in fleet.unbounds:
        for opened in unbound.events(event="opened"):
            unbound.wait_event(event="tally", domain=opened["domain"])


def affected(fleet, domain):
    (row,) = fleet.database.rows("SELECT * FROM affected WHERE domain = %s", domain)
    return row


def spooled(fleet, text):
    return any(text in path.read_text() for path in fleet.parts.spool.glob("*.json"))


# --- the way of an event ---


def test_a_domain_that_all_resolvers_see_is_one_row(fleet):
    meet(fleet.unbounds, "d0.test")
    meet(fleet.unbounds[1:2], "d1.test")
    for unbound in fleet.unbounds:
        unbound.wait_event(event="tally", domain="d0.test", mx_queries=1)
    wait_all(fleet, "the first events")
    row = affected(fleet, "d0.test")
    assert (row["kind"], row["status"], row["state"]) == ("cname-and-mx", "open", "confirmed")
    assert row["open_at"] == list(NAMES) and row["ended_at"] == [] and row["unsure_at"] == []
    assert (row["first_host"], row["provider"], row["impact"]) == ("r1", OURS, "implicit-mx")
    assert (row["mx_queries"], row["hosts"], row["mended"]) == (4, 4, None)
    assert affected(fleet, "d1.test")["open_at"] == ["r2"]
    assert {row["host"] for row in fleet.database.rows("SELECT host FROM host")} == set(NAMES)


def test_the_collector_is_away_and_a_log_is_rotated_meanwhile(fleet):
    fleet.collector.stop()
    meet(fleet.unbounds, "d2.test")
    fleet.parts.rotate(fleet.unbounds[0].events_path)
    meet(fleet.unbounds, "d3.test")
    assert fleet.unbounds[0].events_path.with_name("mxclash.json.1").exists()
    assert not spooled(fleet, "d3.test")
    fleet.collector.start()
    wait_all(fleet, "what came while the collector was away")
    assert affected(fleet, "d3.test")["open_at"] == list(NAMES)


def test_a_relay_ends_while_the_collector_is_away_and_its_log_is_rotated(fleet):
    fleet.collector.kill()
    meet(fleet.unbounds[:2], "d4.test")
    fleet.relays[0].stop()
    fleet.relays[1].stop()
    meet(fleet.unbounds[:2], "d5.test")
    fleet.parts.rotate(fleet.unbounds[0].events_path)
    meet(fleet.unbounds[:2], "d6.test")
    fleet.relays[0].start()
    fleet.relays[1].start()
    fleet.collector.start()
    wait_all(fleet, "what came while the relays were away")


def test_the_database_is_away(fleet):
    fleet.database.stop()
    meet(fleet.unbounds, "d7.test")
    wait_until(lambda: spooled(fleet, "d7.test"), FLEET_TIMEOUT_S, "the files to have it")
    assert fleet.database.rows("SELECT") is None
    fleet.database.start()
    wait_all(fleet, "what came while the database was away")


def test_the_database_and_the_loader_crash(fleet):
    meet(fleet.unbounds[:1], "d8.test")
    fleet.loader.kill()
    fleet.database.crash()
    meet(fleet.unbounds[1:], "d8.test")
    fleet.database.start()
    fleet.loader.start()
    wait_all(fleet, "what came around the crash")
    assert affected(fleet, "d8.test")["open_at"] == list(NAMES)


def test_what_comes_again_makes_no_second_row(fleet):
    """All that came is delivered once more, the last line first."""
    wait_harm_told(fleet)
    wait_all(fleet, "all so far")
    before = fleet.database.rows("SELECT * FROM run ORDER BY domain, kind, host, first_seen")
    events = fleet.database.rows("SELECT count(*) FROM event")
    again = "".join(path.read_text() for path in sorted(fleet.parts.spool.glob("*.json")))
    (fleet.parts.spool / "again").write_text("".join(reversed(again.splitlines(keepends=True))))
    own(fleet.parts.spool / "again", NOBODY)
    (fleet.parts.spool / "again").rename(fleet.parts.spool / "2001010100.json")
    size = len(again.encode())

    def read():
        return fleet.database.rows("SELECT FROM place WHERE file LIKE '2001%%' AND octets = %s", size)

    wait_until(read, FLEET_TIMEOUT_S, "the file to be read")
    assert fleet.database.rows("SELECT count(*) FROM event") == events
    assert fleet.database.rows("SELECT * FROM run ORDER BY domain, kind, host, first_seen") == before
    assert fleet.database.rows("SELECT * FROM refused") == []


def test_a_resolver_of_another_name_is_not_let_in(fleet):
    """Its certificate is of the same CA."""
    log = fleet.parts.folder / "stranger.json"
    log.write_text(fleet.unbounds[0].lines()[0].replace('"host":"r1"', '"host":"stranger"') + "\n")
    with fleet.parts.relay("stranger", log, name="stranger.example.org"):
        wait_until(
            lambda: "peer" in fleet.collector.log and "stranger" in fleet.collector.log,
            FLEET_TIMEOUT_S, "the collector to refuse it",
        )  # fmt: skip
    assert not spooled(fleet, "stranger")


# --- open, unsure, mended ---


def test_a_restart_with_and_without_a_state_file(fleet):
    """r4 has one, and says by itself what is still open. r3 has forgotten all, so nobody knows."""
    for unbound in fleet.unbounds[2:]:
        unbound.reload()

    def stands(domain, open_at, unsure_at):
        wait_until(
            lambda: (row := affected(fleet, domain))["open_at"] == open_at
            and row["unsure_at"] == unsure_at,
            FLEET_TIMEOUT_S, f"{domain} to be open at {open_at}, unsure at {unsure_at}",
        )  # fmt: skip

    for domain in ("d2.test", "d3.test"):
        stands(domain, ["r1", "r2", "r4"], ["r3"])
    # until it meets the domain again
    fleet.unbounds[2].ask("d2.test", "A")
    fleet.unbounds[2].ask("d2.test", "MX")
    stands("d2.test", list(NAMES), [])
    runs = fleet.database.rows("SELECT host, status FROM run_now WHERE domain = 'd2.test'")
    assert sorted((run["host"], run["status"]) for run in runs) == [
        ("r1", "open"), ("r2", "open"), ("r3", "open"), ("r3", "superseded"), ("r4", "open"),
    ]  # fmt: skip
    # one outage, though r3 told of it twice
    assert affected(fleet, "d2.test")["number"] == 1


def test_a_domain_is_mended(fleet):
    """Three resolvers see it. The fourth has forgotten it: the fleet knows all the same."""
    fleet.authority.play(scenario(mended=("d0.test", "d1.test")))

    def cleared(unbound, domain):
        unbound.ask(domain, "A")
        unbound.ask(domain, "MX")
        return unbound.events(event="cleared", domain=domain)

    for unbound in (*fleet.unbounds[:2], fleet.unbounds[3]):
        wait_until(lambda u=unbound: cleared(u, "d0.test"), EVENT_TIMEOUT_S, "cleared")
        if unbound is fleet.unbounds[1]:
            # one that is not told so is not cleared
            wait_all(fleet, "the end at two")
            row = affected(fleet, "d0.test")
            assert (row["status"], row["open_at"], row["mended"]) == ("open", ["r4"], None)
    wait_until(lambda: cleared(fleet.unbounds[1], "d1.test"), EVENT_TIMEOUT_S, "cleared")
    wait_all(fleet, "the end of two conflicts")
    row = affected(fleet, "d0.test")
    assert (row["status"], row["open_at"], row["ended_at"]) == ("cleared", [], ["r1", "r2", "r4"])
    assert row["unsure_at"] == ["r3"] and row["mended"] > row["first_seen"]
    assert affected(fleet, "d1.test")["status"] == "cleared"


def test_every_query_gives_what_was_done(fleet):
    wait_all(fleet, "all so far")
    queries = named_queries()
    answers = {name: fleet.database.rows(statement) for name, statement in queries.items()}
    assert set(answers) == {
        "open", "by-provider", "first-seen", "hurt-most", "new-this-week", "until-mended",
        "each-host", "silent-hosts", "wrong-clocks", "refused", "events-a-day",
    }  # fmt: skip
    asked = {f"d{number}.test" for number in range(2, 9)}
    by_domain = {row["domain"]: row for row in answers["open"]}
    assert set(by_domain) == asked and len(answers["open"]) == len(asked)
    harm = {
        domain: sum(
            max(run) for run in runs_of(fleet, domain).values()
        )
        for domain in asked
    }  # fmt: skip
    assert {domain: row["mx_queries"] for domain, row in by_domain.items()} == harm
    assert by_domain["d2.test"]["open_hosts"] == 4 and by_domain["d3.test"]["unsure_hosts"] == 1
    assert [row["mx_queries"] for row in answers["open"]] == sorted(harm.values(), reverse=True)

    assert answers["by-provider"] == [
        {"provider": OURS, "domains": len(asked), "mx_queries": sum(harm.values())}
    ]
    first = {row["domain"]: row["first_host"] for row in answers["first-seen"]}
    assert first == dict.fromkeys(asked, "r1")
    assert [row["domain"] for row in answers["first-seen"]] == sorted(asked)
    most = {row["domain"]: row["mx_queries"] for row in answers["hurt-most"]}
    assert most == harm and answers["hurt-most"][0]["domain"] == "d2.test"
    new = {row["domain"]: row["status"] for row in answers["new-this-week"]}
    assert new == {**dict.fromkeys(asked, "open"), "d0.test": "cleared", "d1.test": "cleared"}
    (mended,) = answers["until-mended"]
    assert (mended["kind"], mended["provider"], mended["mended"]) == ("cname-and-mx", OURS, 2)
    assert 0 <= mended["half_within"] <= mended["nine_of_ten_within"] < 1
    hosts = [row["host"] for row in answers["each-host"] if row["domain"] == "d7.test"]
    assert hosts == list(NAMES)
    assert answers["silent-hosts"] == answers["wrong-clocks"] == answers["refused"] == []
    count = sum(row["events"] for row in answers["events-a-day"])
    assert count == len({line for unbound in fleet.unbounds for line in unbound.lines()})


def runs_of(fleet, domain):
    """What the logs say of a domain's harm: the counts told by each host since each first_seen."""
    found = {}
    for unbound in fleet.unbounds:
        for event in (json.loads(line) for line in unbound.lines()):
            if event.get("domain") == domain:
                key = (event["host"], event["first_seen"])
                found.setdefault(key, []).append(event["mx_queries"])
    return found


# --- the counters ---


def pages_sum(fleet, name):
    return sum(unbound.metrics().get(name, 0) for unbound in fleet.unbounds)


SUMS = {
    'fleet_kind_state:mxclash_conflicts:sum{kind="cname-and-mx",state="confirmed"}':
        'mxclash_conflicts{kind="cname-and-mx",state="confirmed"}',
    "fleet:mxclash_table_bytes:sum": "mxclash_table_bytes",
    'sum(mxclash_affected_mx_answers_total{outcome="hidden"})':
        'mxclash_affected_mx_answers_total{outcome="hidden"}',
}  # fmt: skip


@pytest.mark.parametrize("where", ["site", "victoria", "above"])
def test_the_sums_are_those_of_the_pages(fleet, where):
    for expression, name in SUMS.items():
        if where == "above" and not expression.startswith("fleet"):
            continue
        want = pages_sum(fleet, name)
        assert want > 0

        def same(expression=expression, want=want):
            found = getattr(fleet, where).query(expression)
            return len(found) == 1 and found[0][1] == want

        wait_until(same, FLEET_TIMEOUT_S, f"{expression} to be {want} at {where}")


def test_the_receiver_is_away_for_a_while(fleet):
    """What was scraped meanwhile is sent afterwards: no second of it lacks."""
    samples = "count_over_time(fleet:mxclash_resolvers_telling:count[2m])"
    before = fleet.victoria.query(samples)[0][1]
    fleet.victoria.stop()
    meet(fleet.unbounds, "d9.test")
    confirmed = 'fleet_kind_state:mxclash_conflicts:sum{kind="cname-and-mx",state="confirmed"}'
    want = pages_sum(fleet, SUMS[confirmed])
    wait_until(
        lambda: fleet.site.query(confirmed)[0][1] == want, FLEET_TIMEOUT_S, "the sum at the site"
    )
    missed = fleet.site.query(samples)[0][1] - before
    assert missed >= 2
    fleet.victoria.start()
    wait_until(
        lambda: (found := fleet.victoria.query(confirmed)) and found[0][1] == want,
        FLEET_TIMEOUT_S, "VictoriaMetrics to have it",
    )  # fmt: skip
    every = "fleet:mxclash_resolvers_telling:count[2m]"
    theirs = fleet.victoria.api("query", query=every)["result"][0]["values"]
    ours = fleet.site.api("query", query=every)["result"][0]["values"]
    times = {round(float(at), 3) for at, _ in theirs}
    assert {round(float(at), 3) for at, _ in ours if min(times) <= float(at) <= max(times)} <= times


def test_a_resolver_that_is_taken_out_and_one_that_is_down(fleet):
    assert fleet.site.query("fleet:mxclash_resolvers_telling:count")[0][1] == 4
    gone, fleet.site.targets = fleet.site.targets[-1], fleet.site.targets[:-1]
    fleet.site.list_resolvers()
    alert = wait_until(
        lambda: fleet.site.alert("MxclashFleetResolverGone"), FLEET_TIMEOUT_S, "the alert"
    )
    assert alert["labels"]["instance"] == gone
    rules = [rule for group in fleet.site.api("rules")["groups"] for rule in group["rules"]]
    assert [rule for rule in rules if rule["health"] != "ok"] == []
