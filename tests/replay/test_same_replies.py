# SPDX-License-Identifier: BSD-3-Clause
"""As long as neither annotate nor repair is on, no client can tell that the module is there.

Every scenario is played twice, with our module and without any, and each reply to a client must be
the same, as the tester prints it: header, records, TTLs on its virtual clock, EDNS, octets in all.
"""
import re

import pytest

from test_replay import HERE, REPLY, clients_got, directives, play, prepare, run_tester

TTL = re.compile(r"^(\S+\t)\d+(\tIN\t)", re.MULTILINE)
# A server refuses a proof's question, so Unbound looks for further addresses of it, and what it
# learns on the way, a zone's SOA, is in the cache a minute earlier than without us.
SOME_TTLS_OLDER = (
    "cname-for-an-address-only-notimp",
    "cname-for-an-address-only-refused",
    "probe-fails-then-succeeds",
    "probe-refused-suspected",
)
CHANGES_ANSWERS = re.compile(r"(annotate|repair): yes")


def is_observed(path):
    return not any(CHANGES_ANSWERS.match(line) for line in directives(path.read_text(), "conf"))


def replies_without(scenario, folder):
    """What the clients of a scenario get, in order, where there is no module."""
    folder.mkdir()
    replay = prepare(scenario, folder)
    text = re.sub(r"^dynlib:\n.*\n", "", replay.read_text(), flags=re.MULTILINE)
    # only the module's own queries time out in the scenarios
    text = re.sub(r"^STEP \d+ TIMEOUT\n", "", text, flags=re.MULTILINE)
    replay.write_text(re.sub(r'(module-config: "[^"]*?)dynlib ', r"\1", text))
    return REPLY.findall(run_tester(replay, folder))


def replies_with(scenario, folder):
    """The same with it. Mostly test_replay.py has played it already."""
    if scenario not in clients_got:
        folder.mkdir()
        play(scenario, folder)
    return clients_got[scenario]


@pytest.mark.parametrize(
    "scenario", filter(is_observed, sorted(HERE.glob("*.rpl"))), ids=lambda path: path.stem
)
def test_same_replies(scenario, tmp_path):
    plain = replies_without(scenario, tmp_path / "plain")
    assert plain
    ours = replies_with(scenario, tmp_path / "ours")
    if scenario.stem in SOME_TTLS_OLDER:
        plain, ours = ([TTL.sub(r"\1-\2", one) for one in some] for some in (plain, ours))
    assert ours == plain
