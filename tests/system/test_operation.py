# SPDX-License-Identifier: BSD-3-Clause
"""How the module behaves as a lodger: start and stop, reload, HTTP, log file, bad configuration."""

import json
import threading

import pytest
from exposition import read_both
from lab import Authority, LabError, size, wait_until
from resolver import EVENT_TIMEOUT_S, Unbound

RELOADS = size(100, 30)
# What they may add: an arena or two, not a table of 16 MiB each; the sockets of queries that are under
# way, not a descriptor each.
WARM_UP_RELOADS = size(30, 10)
RELOAD_GROWTH_KIB = 8192
RELOAD_DESCRIPTORS = 10
ROTATED_DOMAINS = 200


def broken_then_asked(world, start, **options):
    """An Unbound that has found split.test."""
    unbound = start(world.upstreams, **options)
    unbound.ask("split.test", "A")
    unbound.wait_event(event="opened", domain="split.test")
    return unbound


def test_started_and_stopped_are_events(world, tmp_path):
    with Unbound(tmp_path, world.upstreams) as unbound:
        unbound.wait_event(event="started")
    assert [event["event"] for event in unbound.events()] == ["started", "stopped"]
    assert unbound.process.returncode == 0


def test_reloads_leave_nothing_behind(world, start):
    unbound = broken_then_asked(world, start, threads=2)
    # the allocator's arenas fill up in the first ones and then stay as they are
    for _ in range(WARM_UP_RELOADS):
        unbound.ask("split.test", "A")
        unbound.reload()
    threads, descriptors = unbound.thread_count(), unbound.descriptor_count()
    resident = unbound.resident_kib()
    for _ in range(RELOADS):
        unbound.reload()
        unbound.ask("split.test", "A")
    wait_until(
        lambda: unbound.thread_count() == threads
        and unbound.descriptor_count() <= descriptors + RELOAD_DESCRIPTORS,
        EVENT_TIMEOUT_S,
        f"{threads} threads and about {descriptors} descriptors",
    )
    assert unbound.resident_kib() - resident < RELOAD_GROWTH_KIB
    assert len(unbound.events(event="started")) == 1 + WARM_UP_RELOADS + RELOADS
    assert unbound.http("/healthz")[0] == 200


@pytest.mark.parametrize("path", ["/metrics", "/metrics/domains"])
def test_both_formats_please_who_scrapes(world, start, path):
    samples = read_both(broken_then_asked(world, start), path)
    assert len(samples) >= 2
    assert all(name.startswith("mxclash_") for name, _ in samples)


def test_metrics_say_what_happened(world, start):
    unbound = broken_then_asked(world, start)
    metrics = unbound.metrics()
    assert metrics['mxclash_conflicts_opened_total{kind="cname-and-mx"}'] == 1
    assert metrics['mxclash_conflicts{kind="cname-and-mx",state="confirmed"}'] == 1
    assert metrics['mxclash_probes_total{result="both"}'] == 1
    assert metrics['mxclash_answers_inspected_total{source="upstream"}'] >= 3
    assert metrics['mxclash_events_total{sink="file"}'] >= 2
    assert 0 < metrics["mxclash_table_bytes"] <= metrics["mxclash_table_bytes_limit"] == 16 << 20
    assert metrics["mxclash_table_entries"] >= 1
    assert not any("split.test" in name for name in metrics)
    domains = unbound.metrics("/metrics/domains")
    assert any('domain="split.test"' in name for name in domains)


@pytest.mark.parametrize("http", ["port", "unix"])
def test_http(world, start, http):
    unbound = broken_then_asked(world, start, http=http)
    assert unbound.http("/healthz")[0] == 200
    assert unbound.http("/metrics")[0] == 200
    assert unbound.http("/nowhere")[0] == 404
    status, headers, _ = unbound.http("/metrics", method="POST")
    assert (status, set(headers["Allow"].replace(" ", "").split(","))) == (405, {"GET", "HEAD"})
    status, _, text = unbound.http("/metrics", method="HEAD")
    assert (status, text) == (200, "")


def test_unix_socket_is_gone_after_the_stop(world, tmp_path):
    with Unbound(tmp_path, world.upstreams, http="unix") as unbound:
        assert unbound.http("/healthz")[0] == 200
    assert not unbound.http_path.exists()


@pytest.mark.parametrize(
    "settings, line, complaint",
    [
        ({"probe": "perhaps"}, 4, "probe"),
        ({"no-such-key": "1"}, 4, "no-such-key"),
        ({"table-size": "1"}, 4, "table-size"),
        ({"http-listen": "127.0.0.1"}, 2, "http-listen"),
    ],
)
def test_bad_configuration_stops_the_start(world, tmp_path, settings, line, complaint):
    unbound = Unbound(tmp_path, world.upstreams, mxclash=settings)
    with pytest.raises(LabError) as error:
        unbound.start()
    assert f"{unbound.mxclash_conf}:{line}: " in str(error.value)
    assert complaint in str(error.value)
    assert unbound.process.returncode not in (0, None)
    assert unbound.process.returncode > 0, "it was killed by a signal"


def test_missing_configuration_that_was_asked_for_stops_the_start(world, tmp_path):
    class Lost(Unbound):
        def environment(self):
            return {"MXCLASH_CONF": str(self.folder / "nowhere.conf")}

    with pytest.raises(LabError, match="nowhere.conf"):
        Lost(tmp_path, world.upstreams).start()


def test_taken_port_does_not_stop_the_start(world, start):
    first = start(world.upstreams)
    taken = f"{first.address}@{first.http_port}"
    second = start(world.upstreams, mxclash={"http-listen": taken})
    second.ask("split.test", "A")
    second.wait_event(event="opened", domain="split.test")
    assert taken in second.log


def every_line(unbound, moved):
    """The lines that are there whole: who reads while a line is written may get a part of it."""
    files = [path for path in (*moved, unbound.events_path) if path.exists()]
    return [
        line
        for path in files
        for line in path.read_text().splitlines(keepends=True)
        if line.endswith("\n")
    ]


def test_rotation_under_load_loses_no_line(tmp_path, start):
    """The log is moved away again and again while conflicts open; every one is told once."""
    # of one zone no more than 100 would be opened in an hour
    zones = {f"rotate{number}.test": range(50) for number in range(ROTATED_DOMAINS // 50)}
    domains = [f"d{number}.{zone}" for zone, numbers in zones.items() for number in numbers]
    scenario = "".join(
        f"zone {zone}\n  answer both\n"
        + "".join(
            f"  d{number}.{zone}. 60 CNAME www.{zone}.\n  d{number}.{zone}. 60 MX 5 mx.test.\n"
            for number in numbers
        )
        for zone, numbers in zones.items()
    )
    with Authority(tmp_path / "own", scenario) as own:
        unbound = start(dict.fromkeys(zones, own), settings={"qname-minimisation": "no"})
        moved = []

        def opened():
            events = [json.loads(line) for line in every_line(unbound, moved)]
            return sorted(event["domain"] for event in events if event["event"] == "opened")

        def rotate():
            if unbound.events_path.exists():
                moved.append(unbound.folder / f"events.{len(moved)}")
                unbound.events_path.rename(moved[-1])

        # zone by zone, so that something is written between two of them however slow the machine is
        for number, zone in enumerate(zones, 1):
            asked = [domain for domain in domains if domain.endswith(f".{zone}")]
            asking = threading.Thread(target=lambda of=asked: [unbound.ask(d, "MX") for d in of])
            asking.start()
            while asking.is_alive():
                rotate()
            asking.join()
            wait_until(
                lambda number=number: len(opened()) >= 50 * number, EVENT_TIMEOUT_S, "every event"
            )
            rotate()
        assert opened() == sorted(domains)
        assert len(moved) > 1
        assert unbound.metrics()['mxclash_events_dropped_total{sink="file"}'] == 0
