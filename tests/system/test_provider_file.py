# SPDX-License-Identifier: BSD-3-Clause
"""A table of mailbox providers of the operator's own, in a real Unbound."""

import os

import pytest
from lab import Authority, LabError, wait_until
from resolver import EVENT_TIMEOUT_S, Unbound

SCENARIO = """\
zone cdn.test
  www           60 A     192.0.2.10

zone own.test
  answer by-type
  @            600 CNAME www.cdn.test.
  @            600 MX    10 mx.mail.example.

zone ali.test
  answer by-type
  @            600 CNAME www.cdn.test.
  @            600 MX    5 mx1.qiye.aliyun.com.
"""
OURS = "provider ours\n  mx *.mail.example\n"


@pytest.fixture(name="authority")
def fixture_authority(tmp_path):
    with Authority(tmp_path / "authority", SCENARIO) as authority:
        yield authority


@pytest.fixture(name="table")
def fixture_table(tmp_path):
    return tmp_path / "providers"


def with_table(folder, authority, table):
    zones = {zone: authority for zone in ("cdn.test", "own.test", "ali.test")}
    return Unbound(folder / "unbound", zones, mxclash={"provider-file": table})


def found_providers(unbound, times=1):
    """The provider of each domain, as told when it was opened for the so many-th time."""
    found = {}
    for domain in ("own.test", "ali.test"):
        for rdtype in ("MX", "A"):
            unbound.ask(domain, rdtype)
        wanted = {"event": "opened", "domain": domain, "kind": "cname-and-mx"}
        wait_until(
            lambda wanted=wanted: len(unbound.events(**wanted)) == times,
            EVENT_TIMEOUT_S,
            f"{times} events {wanted}",
        )
        found[domain] = unbound.events(**wanted)[-1]["provider"]
    return found


@pytest.mark.parametrize(
    "text, providers",
    [
        (OURS, {"own.test": "ours", "ali.test": None}),
        ("include builtin\n" + OURS, {"own.test": "ours", "ali.test": "alibaba-mail-standard"}),
        ("", {"own.test": None, "ali.test": None}),
    ],
)
def test_events_name_the_providers_of_the_table(tmp_path, authority, table, text, providers):
    table.write_text(text)
    with with_table(tmp_path, authority, table) as unbound:
        assert found_providers(unbound) == providers
        assert "provider-file is accepted but does nothing" not in unbound.log


def test_bad_table_stops_the_start(tmp_path, authority, table):
    table.write_text(OURS + "expect ten mx.mail.example\n")
    with pytest.raises(LabError) as error:
        with_table(tmp_path, authority, table).start()
    assert f"{table}:3: expect takes a preference, 0 to 65535, and a host name" in str(error.value)


@pytest.mark.parametrize(
    "make, reason",
    [
        (lambda path: None, "No such file or directory"),
        (os.mkfifo, "Not a regular file"),
        (os.mkdir, "Is a directory"),
    ],
)
def test_no_table_stops_the_start(tmp_path, authority, table, make, reason):
    make(table)
    unbound = with_table(tmp_path, authority, table)
    with pytest.raises(LabError) as error:
        unbound.start()
    assert f'{unbound.mxclash_conf}:4: provider-file: cannot read "{table}": {reason}' in str(
        error.value
    )
    assert unbound.process.returncode > 0


def test_reload_reads_the_table_again(tmp_path, authority, table):
    table.write_text(OURS)
    with with_table(tmp_path, authority, table) as unbound:
        assert found_providers(unbound) == {"own.test": "ours", "ali.test": None}
        table.write_text("include builtin\n")
        unbound.reload()
        again = found_providers(unbound, times=2)
        assert again == {"own.test": None, "ali.test": "alibaba-mail-standard"}
